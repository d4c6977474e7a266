/** Group commit: events of many callers are stored in batches, one batch at a time. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { LedgerUnavailable } from "../../LedgerError.js"
import type { EventError, Recorded } from "../contract.js"
import type { Results } from "./recordBatch.js"
import type { Request } from "./request.js"
import type { Failure } from "./retry.js"

interface Intake {
  /** Waits until the event is stored, with others that arrive meanwhile. An interruption does not take it back. */
  readonly add: (request: Request) => Effect.Effect<Recorded, EventError | LedgerUnavailable>
}

/** Events of one batch. More would make every caller wait longer. */
export const maxBatch = 1_000

interface Waiting {
  readonly request: Request
  readonly resume: (exit: Exit.Exit<Recorded, EventError | LedgerUnavailable>) => void
}

const unavailable = (failure: Failure, { id }: Request) =>
  new LedgerUnavailable({ ...failure, ids: [id] })

/** Stores a batch. */
type Write = (
  requests: ReadonlyArray<Request>,
  results: Results,
  depth: number
) => Effect.Effect<Failure | undefined>

/** Writes a batch, and after a defect each request alone, so that others do not share it. Returns an exit for each request. */
const exitsOf = (
  requests: ReadonlyArray<Request>,
  results: Results,
  depth: number,
  write: Write
): Effect.Effect<ReadonlyArray<Exit.Exit<Failure | undefined>>> =>
  Effect.flatMap(Effect.exit(write(requests, results, depth)), (exit) =>
    Exit.isSuccess(exit) || requests.length === 1
      ? Effect.succeed(requests.map(() => exit))
      : Effect.forEach(requests, (request, place) => {
          if (results[place] !== undefined) return Effect.succeed(exit)
          const alone: Results = [undefined]
          return Effect.map(Effect.exit(write([request], alone, depth)), (own) => {
            results[place] = alone[0]
            return own
          })
        })
  )

/**
 * Starts the intake. At `size` waiting events others wait outside. When the scope closes, what is waiting is stored first.
 *
 * `write` stores a batch. It does not fail: places without a result were not stored, by the failure that it returns.
 */
export const make = (size: number, write: Write): Effect.Effect<Intake, never, Scope.Scope> =>
  Effect.gen(function* () {
    let waiting: Array<Waiting> = []
    let isClosed = false
    /** Open while there are events. */
    const work = Effect.unsafeMakeLatch()
    /** Open while there is room. */
    const room = Effect.unsafeMakeLatch(true)
    /** Open while nothing is waiting or being written. */
    const idle = Effect.unsafeMakeLatch(true)

    const take = (): ReadonlyArray<Waiting> => {
      const batch = waiting.length <= maxBatch ? waiting : waiting.slice(0, maxBatch)
      waiting = waiting.length <= maxBatch ? [] : waiting.slice(maxBatch)
      if (waiting.length < size) room.unsafeOpen()
      return batch
    }

    const writeNext = Effect.suspend(() => {
      const depth = waiting.length
      const batch = take()
      const results: Results = new Array(batch.length)
      const requests = batch.map(({ request }) => request)
      return Effect.map(exitsOf(requests, results, depth, write), (exits) => {
        batch.forEach(({ request, resume }, place) => {
          const result = results[place]
          const exit = exits[place] ?? Exit.succeed(undefined)
          if (result !== undefined) {
            resume(Either.isRight(result) ? Exit.succeed(result.right) : Exit.fail(result.left))
          } else if (Exit.isFailure(exit)) resume(Exit.failCause(exit.cause))
          else resume(Exit.fail(unavailable(exit.value ?? noResult, request)))
        })
        if (waiting.length > 0) return
        work.unsafeClose()
        idle.unsafeOpen()
      })
    })
    yield* Effect.forkScoped(
      Effect.interruptible(Effect.forever(Effect.zipRight(work.await, writeNext)))
    )
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        isClosed = true
        room.unsafeOpen()
        return idle.await
      })
    )

    const add = (request: Request): Effect.Effect<Recorded, EventError | LedgerUnavailable> =>
      Effect.suspend(() => {
        if (isClosed) return Effect.fail(unavailable(closed, request))
        if (waiting.length >= size) {
          room.unsafeClose()
          return Effect.zipRight(room.await, add(request))
        }
        return Effect.async((resume) => {
          waiting.push({ request, resume })
          if (waiting.length > 1) return
          idle.unsafeClose()
          work.unsafeOpen()
        })
      })
    return { add }
  })

const closed: Failure = { reason: "it is closed", isStored: "no" }
const noResult: Failure = { reason: "the store gave no result", isStored: "unknown" }
