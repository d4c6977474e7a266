/** Group commit: stores the events of concurrent callers in batches, one batch at a time. */
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
  /** Adds an event and waits until its batch is stored. If the effect is interrupted, the event may still be stored. */
  readonly add: (request: Request) => Effect.Effect<Recorded, EventError | LedgerUnavailable>
}

/** Maximum number of events in a batch. Larger batches would make every caller wait longer. */
export const maxBatch = 1_000

interface Waiting {
  readonly request: Request
  readonly resume: (exit: Exit.Exit<Recorded, EventError | LedgerUnavailable>) => void
}

const unavailable = (failure: Failure, { id }: Request) =>
  new LedgerUnavailable({ ...failure, ids: [id] })

/**
 * Stores a batch, and puts the result of each request into `results`, at the same index. `depth` is the number of waiting events. Does
 * not fail: requests without a result were not stored, because of the failure that it returns.
 */
type Write = (
  requests: ReadonlyArray<Request>,
  results: Results,
  depth: number
) => Effect.Effect<Failure | undefined>

/** Writes a batch. After a defect, writes each request alone, so that the defect fails only its own request. Returns an exit per request. */
const exitsOf = (
  requests: ReadonlyArray<Request>,
  results: Results,
  depth: number,
  write: Write
): Effect.Effect<ReadonlyArray<Exit.Exit<Failure | undefined>>> =>
  Effect.flatMap(Effect.exit(write(requests, results, depth)), (exit) =>
    Exit.isSuccess(exit) || requests.length === 1
      ? Effect.succeed(requests.map(() => exit))
      : Effect.forEach(requests, (request, index) => {
          if (results[index] !== undefined) return Effect.succeed(exit)
          const alone: Results = [undefined]
          return Effect.map(Effect.exit(write([request], alone, depth)), (own) => {
            results[index] = alone[0]
            return own
          })
        })
  )

/**
 * Starts the intake. While `size` events are waiting, `add` waits until there is room. When the scope closes, waiting events are stored
 * first.
 */
export const make = (size: number, write: Write): Effect.Effect<Intake, never, Scope.Scope> =>
  Effect.gen(function* () {
    let waiting: Array<Waiting> = []
    let isClosed = false
    /** Open while events are waiting. */
    const work = Effect.unsafeMakeLatch()
    /** Open while there is room. */
    const room = Effect.unsafeMakeLatch(true)
    /** Open while no events are waiting or being written. */
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
        batch.forEach(({ request, resume }, index) => {
          const result = results[index]
          const exit = exits[index] ?? Exit.succeed(undefined)
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
