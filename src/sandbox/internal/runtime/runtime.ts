/** The runtime of a sandbox: one state, changed by one step at a time. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Ref from "effect/Ref"
import type { Service as MeteringService } from "../../../MeteringClient.js"
import type { OperationName, ServiceException } from "../../../MeteringError.js"
import type { Operation, SchemaClass } from "../../../Operation.js"
import type { Fault } from "../../Fault.js"
import type { CallerIdentity } from "../model/callLog.js"
import type { HttpResponse } from "../model/serviceResponse.js"
import { change, type State } from "../model/state.js"
import * as handleCall from "./handleCall.js"
import * as signingKey from "./signingKey.js"

export interface SandboxRuntime {
  readonly state: Effect.Effect<State>
  /** Steps from one state to the next, at a time of the clock in epoch milliseconds. */
  readonly modify: <A>(
    step: (state: State, clock: number) => readonly [A, State]
  ) => Effect.Effect<A>
  readonly keyPair: Effect.Effect<signingKey.SigningKey>
  /** Counts a call, and gives it an id. */
  readonly receive: (operation: OperationName | undefined) => Effect.Effect<handleCall.IncomingCall>
  /** The fault of the next call of an operation. */
  readonly peekFault: (operation: OperationName) => Effect.Effect<Fault>
  /** Logs a call that is rejected. Gives false if its signature must be verified again, with another clock skew. */
  readonly rejectCall: (
    incoming: handleCall.IncomingCall,
    callerIdentity: CallerIdentity,
    response: HttpResponse,
    skew: number
  ) => Effect.Effect<boolean>
  /** Handles a call. Gives undefined if its signature must be verified again, with another clock skew. */
  readonly handle: <Request extends object, Response, E extends ServiceException, Result>(
    operation: Operation<Request, Response, E, Result>,
    incoming: handleCall.IncomingCall,
    callerIdentity: CallerIdentity,
    request: Request,
    skew?: number
  ) => Effect.Effect<handleCall.CallOutcome<Either.Either<Response, HttpResponse>> | undefined>
}

/** A runtime with its client and service. The client in context may be another one. */
export interface SandboxInternals extends SandboxRuntime {
  readonly client: MeteringService
}

/** The server needs more of a sandbox than a `MeteringClient`. */
export const SandboxRuntime = Context.GenericTag<SandboxInternals>(
  "effect-marketplace-metering/sandbox/Runtime"
)

/** Writes the pending changes of a state. */
export type PersistState = (state: State) => Effect.Effect<void>

export const make = (
  initial: State,
  write: PersistState | undefined
): Effect.Effect<SandboxRuntime> =>
  Effect.gen(function* () {
    const ref = yield* Ref.make(initial)
    const modify = write === undefined ? modifyInMemory(ref) : yield* modifyPersisted(ref, write)
    const keyPair = keyPairOf(modify)
    return {
      state: Ref.get(ref),
      modify,
      keyPair,
      receive: (operation) => modify((state) => handleCall.receive(state, operation)),
      peekFault: (operation) =>
        Effect.map(Ref.get(ref), (state) => handleCall.peekFault(state, operation)),
      rejectCall: (incoming, callerIdentity, response, skew) =>
        modify((state, clock) =>
          handleCall.rejectCall(state, incoming, callerIdentity, response, clock, skew)
        ),
      handle: (operation, incoming, callerIdentity, request, skew) =>
        Effect.gen(function* () {
          const outcome = yield* modify((state, clock) => {
            const call = { incoming, callerIdentity, operation: operation.name, request, skew }
            return handleCall.handleCall(state, { ...call, clock })
          })
          if (outcome === undefined) return undefined
          const { fault, response } = outcome
          if (response === undefined) return { fault, response }
          if (Either.isLeft(response)) return { fault, response: Either.left(response.left) }
          const { claims, fields } = response.right
          const signed = claims && {
            signature: yield* Effect.flatMap(keyPair, ({ sign }) => sign(claims))
          }
          const metadata = { requestId: incoming.requestId, statusCode: 200 }
          return {
            fault,
            response: Either.right(
              responseOf(operation.response, { ...fields, ...signed, ...metadata })
            )
          }
        })
    }
  })

const withoutPendingChanges = (state: State): State =>
  hasPendingChanges(state) ? { ...state, pendingChanges: [], isReplaced: false } : state

const hasPendingChanges = ({ isReplaced, pendingChanges }: State): boolean =>
  isReplaced || pendingChanges.length > 0

const modifyInMemory =
  (ref: Ref.Ref<State>): SandboxRuntime["modify"] =>
  (step) =>
    Effect.flatMap(Clock.currentTimeMillis, (clock) =>
      Ref.modify(ref, (state) => {
        const [value, next] = step(state, clock)
        return [value, withoutPendingChanges(next)]
      })
    )

/** Writes a state before others can read it. */
const modifyPersisted = (ref: Ref.Ref<State>, write: PersistState) =>
  Effect.map(
    Effect.makeSemaphore(1),
    (semaphore): SandboxRuntime["modify"] =>
      (step) =>
        Effect.gen(function* () {
          const [value, next] = step(yield* Ref.get(ref), yield* Clock.currentTimeMillis)
          if (hasPendingChanges(next)) yield* write(next)
          yield* Ref.set(ref, withoutPendingChanges(next))
          return value
        }).pipe(Effect.uninterruptible, semaphore.withPermits(1))
  )

/** The key pair of the state, or a new one that is stored. */
const keyPairOf = (modify: SandboxRuntime["modify"]) => {
  // promises, since an interruption of the first caller must not cancel what others wait for
  let generated: Promise<string> | undefined
  const imported = new Map<string, Promise<signingKey.SigningKey>>()
  const importOnce = (pem: string) => {
    const pair = imported.get(pem) ?? signingKey.fromPrivateKey(pem)
    imported.set(pem, pair)
    return pair
  }
  const stored = modify((state) => [state.privateKey, state])
  return Effect.gen(function* () {
    const pem =
      (yield* stored) ?? (yield* Effect.promise(() => (generated ??= signingKey.generate())))
    const chosen = yield* modify((state) =>
      state.privateKey === undefined
        ? [pem, change(state, { _tag: "PrivateKey", pem })]
        : [state.privateKey, state]
    )
    return yield* Effect.promise(() => importOnce(chosen))
  })
}

const responseOf = <Response>(schema: SchemaClass<Response>, fields: object): Response => {
  // a schema has a constructor signature of its own, which hides the class's
  const Class = schema as unknown as new (fields: object, unchecked: true) => Response
  return new Class(fields, true)
}
