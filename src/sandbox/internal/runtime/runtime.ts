/** A state, and the only way to it: one change at a time, each written down before anybody hears of it. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Ref from "effect/Ref"
import type { Service as MeteringService } from "../../../MeteringClient.js"
import type { ModelledException, OperationName } from "../../../MeteringError.js"
import type { Operation, SchemaClass } from "../../../Operation.js"
import type { Fault } from "../../Fault.js"
import { type CallerIdentity, change, type State } from "../model/state.js"
import type { HttpResponse } from "../server/awsJsonServer.js"
import * as handleCall from "./handleCall.js"
import * as signingKey from "./signingKey.js"

export interface SandboxRuntime {
  readonly state: Effect.Effect<State>
  /** A step from one state to the next, at a time of the clock. */
  readonly modify: <A>(
    step: (state: State, clock: number) => readonly [A, State]
  ) => Effect.Effect<A>
  readonly keyPair: Effect.Effect<signingKey.SigningKey>
  readonly receive: (operation: OperationName | undefined) => Effect.Effect<handleCall.IncomingCall>
  /** The fault that the next call of an operation will meet. */
  readonly peekFault: (operation: OperationName) => Effect.Effect<Fault>
  /** Remembers a call that the service does not answer. False where it is to be looked at again, by another clock. */
  readonly rejectCall: (
    incoming: handleCall.IncomingCall,
    callerIdentity: CallerIdentity,
    response: HttpResponse,
    skew: number
  ) => Effect.Effect<boolean>
  /** The answer of the service, and the fault of the call; nothing where it is to be looked at again. */
  readonly handle: <Request extends object, Response, E extends ModelledException, A>(
    operation: Operation<Request, Response, E, A>,
    incoming: handleCall.IncomingCall,
    callerIdentity: CallerIdentity,
    request: Request,
    skew?: number
  ) => Effect.Effect<handleCall.CallOutcome<Either.Either<Response, HttpResponse>> | undefined>
}

/** An engine, and what is over it. (Somebody else's client may have taken the client's place in context.) */
export interface SandboxInternals extends SandboxRuntime {
  readonly client: MeteringService
}

/** Whoever puts a sandbox behind HTTP needs more of it than a `MeteringClient`. */
export const SandboxRuntime = Context.GenericTag<SandboxInternals>(
  "effect-marketplace-metering/sandbox/Engine"
)

/** Writes down what is yet to be written of a state. */
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
      handle: <Request extends object, Response, E extends ModelledException, A>(
        operation: Operation<Request, Response, E, A>,
        incoming: handleCall.IncomingCall,
        callerIdentity: CallerIdentity,
        request: Request,
        skew?: number
      ) =>
        Effect.flatMap(
          modify((state, clock) =>
            handleCall.handleCall(state, {
              incoming,
              callerIdentity,
              operation: operation.name,
              request,
              clock,
              skew
            })
          ),
          (
            outcome
          ): Effect.Effect<
            handleCall.CallOutcome<Either.Either<Response, HttpResponse>> | undefined
          > => {
            if (outcome === undefined) return Effect.succeed(undefined)
            const { response, fault } = outcome
            if (response === undefined) return Effect.succeed({ fault, response })
            if (Either.isLeft(response)) {
              return Effect.succeed({ fault, response: Either.left(response.left) })
            }
            const { claims, fields } = response.right
            const respond = (signed: object) => ({
              fault,
              response: Either.right(
                responseOf(operation.response, {
                  ...fields,
                  ...signed,
                  requestId: incoming.requestId,
                  statusCode: 200
                })
              )
            })
            return claims === undefined
              ? Effect.succeed(respond({}))
              : Effect.map(
                  Effect.flatMap(keyPair, (pair) => pair.sign(claims)),
                  (signature) => respond({ signature })
                )
          }
        )
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

/** Nobody sees a state before it is written down. */
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

/** What the state has, or else a new one, which it has from then on. */
const keyPairOf = (modify: SandboxRuntime["modify"]) => {
  // promises, since whoever asks first may go before there is an answer, and others wait for the same
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
