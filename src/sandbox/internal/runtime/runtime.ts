/** The runtime of a sandbox: its current state, which changes by one step at a time. */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type { MarketplaceEvent } from "../../../lifecycle/MarketplaceEvent.js"
import type { Service as MeteringService } from "../../../MeteringClient.js"
import type { OperationName, ServiceException } from "../../../MeteringError.js"
import type { Operation, SchemaClass } from "../../../Operation.js"
import type { Fault } from "../../Fault.js"
import type { CallerIdentity } from "../model/callLog.js"
import { maxOpenEvents } from "../model/outbox.js"
import { runDueSteps } from "../model/runDueSteps.js"
import { first } from "../model/scheduledSteps.js"
import type { HttpResponse } from "../model/serviceResponse.js"
import { change, type State } from "../model/state.js"
import * as handleCall from "./handleCall.js"
import * as signingKey from "./signingKey.js"

/** A step from one state to the next. `clock` is the time of the machine's clock in epoch milliseconds. */
export type Step<A> = (state: State, clock: number) => readonly [A, State]

export interface SandboxRuntime {
  readonly state: Effect.Effect<State>
  readonly modify: <A>(step: Step<A>) => Effect.Effect<A>
  /** Publishes the events that are sent, for subscribers in memory. */
  readonly events: PubSub.PubSub<MarketplaceEvent>
  /** Signals that events, deliveries or the clock have changed. */
  readonly changes: PubSub.PubSub<void>
  readonly keyPair: Effect.Effect<signingKey.SigningKey>
  /** Counts a call, and assigns a request id. */
  readonly receive: (operation: OperationName | undefined) => Effect.Effect<handleCall.IncomingCall>
  /** Returns the fault of the next call of an operation, without using it up. */
  readonly peekFault: (operation: OperationName) => Effect.Effect<Fault>
  /** Logs a rejected call. Returns false if its signature must be verified again, with another clock skew. */
  readonly rejectCall: (
    incoming: handleCall.IncomingCall,
    callerIdentity: CallerIdentity,
    response: HttpResponse,
    skew: number
  ) => Effect.Effect<boolean>
  /** Handles a call. Returns `undefined` if its signature must be verified again, with another clock skew. */
  readonly handle: <Request extends object, Response, E extends ServiceException, Result>(
    operation: Operation<Request, Response, E, Result>,
    incoming: handleCall.IncomingCall,
    callerIdentity: CallerIdentity,
    request: Request,
    skew?: number
  ) => Effect.Effect<handleCall.CallOutcome<Either.Either<Response, HttpResponse>> | undefined>
}

/** A runtime with its client. A server compares this client with the client in context, which may be another client. */
export interface RunningSandbox extends SandboxRuntime {
  readonly client: MeteringService
}

/** The tag of the sandbox in context, because a server needs more of it than `MeteringSandbox` exposes. */
export const RunningSandbox = Context.GenericTag<RunningSandbox>(
  "effect-marketplace-metering/sandbox/Runtime"
)

/** Writes the pending changes of a state to the state file. Dies if the write fails. */
export type PersistState = (state: State) => Effect.Effect<void>

export const make = (
  initial: State,
  write: PersistState | undefined
): Effect.Effect<SandboxRuntime> =>
  Effect.gen(function* () {
    const store = yield* makeStateStore(initial, write)
    const { modify, state } = store
    const keyPair = keyPairOf(modify)
    return {
      ...store,
      keyPair,
      receive: (operation) => modify((state) => handleCall.receive(state, operation)),
      peekFault: (operation) =>
        Effect.map(state, (state) => handleCall.peekFault(state, operation)),
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
          const { fault, logged, response } = outcome
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
            ),
            // omits `logged` for a signed response, so that the signature does not get into the log
            ...(signed === undefined && logged !== undefined && { logged })
          }
        })
    }
  })

/** The parts of a runtime that hold the state and change it. */
type StateStore = Pick<SandboxRuntime, "state" | "modify" | "events" | "changes">

const makeStateStore = (
  initial: State,
  write: PersistState | undefined
): Effect.Effect<StateStore> =>
  Effect.gen(function* () {
    let current = initial
    const events = yield* PubSub.sliding<MarketplaceEvent>(maxBufferedEvents)
    const changes = yield* PubSub.sliding<void>(1)

    /** Applies a step. Runs the due scheduled steps before and after it. */
    const next = <A>(step: Step<A>, clock: number): readonly [A, State] => {
      const [value, stepped] = step(runDueSteps(current, clock + current.offset), clock)
      return [value, runDueSteps(stepped, clock + stepped.offset)]
    }

    const commit = (state: State): Effect.Effect<void> => {
      const isChanged = state.outbox !== current.outbox || state.offset !== current.offset
      const isFirstLoss = state.outbox.lost > 0 && current.outbox.lost === 0
      current = isClean(state)
        ? state
        : {
            ...state,
            pendingChanges: Chunk.empty(),
            unpublished: Chunk.empty(),
            isReplaced: false
          }
      for (const event of state.unpublished) events.unsafeOffer(event)
      if (isChanged) changes.unsafeOffer()
      return isFirstLoss ? Effect.logWarning(lossWarning) : Effect.void
    }

    const modifyInMemory = <A>(step: Step<A>): Effect.Effect<A> =>
      Effect.flatMap(Clock.currentTimeMillis, (clock) => {
        const [value, state] = next(step, clock)
        return Effect.as(commit(state), value)
      })

    const semaphore = yield* Effect.makeSemaphore(1)
    /** Writes a state to the state file before it becomes the current state. */
    const modifyPersisted =
      (write: PersistState) =>
      <A>(step: Step<A>): Effect.Effect<A> =>
        Effect.gen(function* () {
          const [value, state] = next(step, yield* Clock.currentTimeMillis)
          if (state.isReplaced || Chunk.isNonEmpty(state.pendingChanges)) yield* write(state)
          yield* commit(state)
          return value
        }).pipe(Effect.uninterruptible, semaphore.withPermits(1))

    return {
      state: Effect.sync(() => current),
      modify: write === undefined ? modifyInMemory : modifyPersisted(write),
      events,
      changes
    }
  })

const lossWarning = `More than ${maxOpenEvents} events are held back or could not be delivered. The oldest are dropped, and not sent. GET /_sandbox/targets lists the targets that events wait for.`

/** Maximum number of events that are buffered for a slow subscriber. The oldest event is dropped first. */
const maxBufferedEvents = 1000

const isClean = ({ isReplaced, pendingChanges, unpublished }: State): boolean =>
  !isReplaced && Chunk.isEmpty(pendingChanges) && Chunk.isEmpty(unpublished)

/** Runs the scheduled steps at their times. Without it, steps run only at the next call or action. */
export const runScheduledSteps = ({ changes, modify }: SandboxRuntime): Effect.Effect<never> =>
  Effect.scoped(
    Effect.flatMap(PubSub.subscribe(changes), (changed) =>
      Effect.flatMap(
        // retries if the state file cannot be written. `stateFile` logs the failure
        persistently(modify((state, clock) => [millisToNext(state, clock), state])),
        (millis) =>
          millis === undefined
            ? Queue.take(changed)
            : Effect.raceFirst(Effect.sleep(Math.min(millis, maxSleep)), Queue.take(changed))
      ).pipe(Effect.forever)
    )
  )

/** Retries an effect that dies until it succeeds. The delays grow from 1 second to 1 minute. */
export const persistently = <A>(effect: Effect.Effect<A>): Effect.Effect<A> =>
  effect.pipe(
    Effect.sandbox,
    Effect.retry({
      schedule: Schedule.union(Schedule.exponential("1 second"), Schedule.spaced("1 minute")),
      while: (cause) => !Cause.isInterruptedOnly(cause)
    }),
    Effect.unsandbox
  )

/** Maximum sleep in milliseconds, because JavaScript timers are limited to 24 days. */
const maxSleep = 24 * 3_600_000

const millisToNext = ({ offset, outbox }: State, clock: number): number | undefined => {
  const at = first(outbox.scheduled)?.at
  return at === undefined ? undefined : Math.max(0, at - clock - offset)
}

/** Returns the key pair of the state. Generates and stores a key pair if the state has none. */
const keyPairOf = (modify: SandboxRuntime["modify"]) => {
  // uses promises, because the interruption of one caller must not cancel the generation for the other callers
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
  // the cast is needed, because the constructor type of `SchemaClass` hides the constructor of the class
  const Class = schema as unknown as new (fields: object, unchecked: true) => Response
  return new Class(fields, true)
}
