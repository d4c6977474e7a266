/** A state, and the only way to it: one change at a time, each written down before anybody hears of it. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Ref from "effect/Ref"
import type { Reply } from "../../internal/awsJsonServer.js"
import type { Service as MeteringService } from "../../MeteringClient.js"
import type { ModelledException, OperationName } from "../../MeteringError.js"
import type { Operation, WireClass } from "../../Operation.js"
import type { Fault } from "../Fault.js"
import type { Service as SandboxService } from "../MeteringSandbox.js"
import * as keys from "./keys.js"
import * as machine from "./machine.js"
import { change, type State, type Visitor } from "./state.js"

export interface Engine {
  readonly state: Effect.Effect<State>
  /** A step from one state to the next, at a time of the clock. */
  readonly modify: <A>(
    step: (state: State, clock: number) => readonly [A, State]
  ) => Effect.Effect<A>
  readonly keyPair: Effect.Effect<keys.KeyPair>
  readonly arrive: (operation: OperationName | undefined) => Effect.Effect<machine.Arrival>
  /** The fault that the next call of an operation will meet. */
  readonly upcoming: (operation: OperationName) => Effect.Effect<Fault>
  /** Remembers a call that the service does not answer. False where it is to be looked at again, by another clock. */
  readonly turnAway: (
    arrival: machine.Arrival,
    visitor: Visitor,
    reply: Reply,
    skew: number
  ) => Effect.Effect<boolean>
  /** The answer of the service, and the fault of the call; nothing where it is to be looked at again. */
  readonly answer: <Request extends object, Response, E extends ModelledException, A>(
    operation: Operation<Request, Response, E, A>,
    arrival: machine.Arrival,
    visitor: Visitor,
    request: Request,
    skew?: number
  ) => Effect.Effect<machine.Outcome<Either.Either<Response, Reply>> | undefined>
}

/** An engine, and what is over it. (Somebody else's client may have taken the client's place in context.) */
export interface Behind extends Engine {
  readonly client: MeteringService
  readonly sandbox: SandboxService
}

/** Whoever puts a sandbox behind HTTP needs more of it than a `MeteringClient`. */
export const Engine = Context.GenericTag<Behind>("effect-marketplace-metering/sandbox/Engine")

/** Writes down what is yet to be written of a state. */
export type Write = (state: State) => Effect.Effect<void>

export const make = (initial: State, write: Write | undefined): Effect.Effect<Engine> =>
  Effect.gen(function* () {
    const ref = yield* Ref.make(initial)
    const modify = write === undefined ? unwritten(ref) : yield* written(ref, write)
    const keyPair = keyPairOf(modify)
    return {
      state: Ref.get(ref),
      modify,
      keyPair,
      arrive: (operation) => modify((state) => machine.arrive(state, operation)),
      upcoming: (operation) =>
        Effect.map(Ref.get(ref), (state) => machine.upcoming(state, operation)),
      turnAway: (arrival, visitor, reply, skew) =>
        modify((state, clock) => machine.turnAway(state, arrival, visitor, reply, clock, skew)),
      answer: <Request extends object, Response, E extends ModelledException, A>(
        operation: Operation<Request, Response, E, A>,
        arrival: machine.Arrival,
        visitor: Visitor,
        request: Request,
        skew?: number
      ) =>
        Effect.flatMap(
          modify((state, clock) =>
            machine.perform(state, {
              arrival,
              visitor,
              operation: operation.name,
              request,
              clock,
              skew
            })
          ),
          (outcome): Effect.Effect<machine.Outcome<Either.Either<Response, Reply>> | undefined> => {
            if (outcome === undefined) return Effect.succeed(undefined)
            const { answer, fault } = outcome
            if (answer === undefined) return Effect.succeed({ fault, answer })
            if (Either.isLeft(answer)) {
              return Effect.succeed({ fault, answer: Either.left(answer.left) })
            }
            const { claims, members } = answer.right
            const respond = (signed: object) => ({
              fault,
              answer: Either.right(
                responseOf(operation.response, {
                  ...members,
                  ...signed,
                  requestId: arrival.requestId,
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

const settled = (state: State): State =>
  hasNews(state) ? { ...state, unwritten: [], isReplaced: false } : state

const hasNews = ({ isReplaced, unwritten }: State): boolean => isReplaced || unwritten.length > 0

const unwritten =
  (ref: Ref.Ref<State>): Engine["modify"] =>
  (step) =>
    Effect.flatMap(Clock.currentTimeMillis, (clock) =>
      Ref.modify(ref, (state) => {
        const [value, next] = step(state, clock)
        return [value, settled(next)]
      })
    )

/** Nobody sees a state before it is written down. */
const written = (ref: Ref.Ref<State>, write: Write) =>
  Effect.map(
    Effect.makeSemaphore(1),
    (semaphore): Engine["modify"] =>
      (step) =>
        Effect.gen(function* () {
          const [value, next] = step(yield* Ref.get(ref), yield* Clock.currentTimeMillis)
          if (hasNews(next)) yield* write(next)
          yield* Ref.set(ref, settled(next))
          return value
        }).pipe(Effect.uninterruptible, semaphore.withPermits(1))
  )

/** What the state has, or else a new one, which it has from then on. */
const keyPairOf = (modify: Engine["modify"]) => {
  // promises, since whoever asks first may go before there is an answer, and others wait for the same
  let generated: Promise<string> | undefined
  const pairs = new Map<string, Promise<keys.KeyPair>>()
  const pairOf = (pem: string) => {
    const pair = pairs.get(pem) ?? keys.pairOf(pem)
    pairs.set(pem, pair)
    return pair
  }
  const kept = modify((state) => [state.privateKey, state])
  return Effect.gen(function* () {
    const pem = (yield* kept) ?? (yield* Effect.promise(() => (generated ??= keys.generate())))
    const chosen = yield* modify((state) =>
      state.privateKey === undefined
        ? [pem, change(state, { _tag: "PrivateKey", pem })]
        : [state.privateKey, state]
    )
    return yield* Effect.promise(() => pairOf(chosen))
  })
}

const responseOf = <Response>(schema: WireClass<Response>, fields: object): Response => {
  // a schema has a constructor signature of its own, which hides the class's
  const Class = schema as unknown as new (fields: object, unchecked: true) => Response
  return new Class(fields, true)
}
