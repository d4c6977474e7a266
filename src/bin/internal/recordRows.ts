/** Records rows in a ledger, with one result for each. */
import * as Chunk from "effect/Chunk"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { LedgerError, UsageLedger, UsageLedgerStore } from "../../ledger/index.js"
import type { EventItem, EventRow } from "../input/eventRows.js"
import type { CliError } from "./cliError.js"
import * as findSubscription from "./findSubscription.js"

export type RowStatus = UsageLedger.Recorded["_tag"] | "Rejected"

export interface RowResult {
  readonly row: EventRow
  readonly status: RowStatus
  /** The hour in which the usage is billed. Absent if the row was rejected. */
  readonly hour?: DateTime.Utc
  /** The reason of a rejection. Absent if the row was recorded. */
  readonly reason?: string
}

interface Resolved {
  readonly item: EventItem
  readonly subscription: string
}

type Result = Either.Either<UsageLedger.Recorded, UsageLedger.EventError>

const eventsOf = ({ item, subscription }: Resolved): ReadonlyArray<UsageLedger.Event> =>
  item.parts.map(({ id, quantity, tags }) => ({
    id,
    subscription,
    dimension: item.dimension,
    quantity,
    at: item.at,
    tags
  }))

/** Combines the results of the events of a row. */
const resultOf = (row: EventRow, results: ReadonlyArray<Result>): RowResult => {
  const failed = results.findIndex(Either.isLeft)
  const failure = results[failed]
  if (failure !== undefined && Either.isLeft(failure)) {
    const others = results.filter(Either.isRight).length
    const { message } = failure.left
    return {
      row,
      status: "Rejected",
      reason:
        failed === 0
          ? message
          : `allocation ${failed + 1}: ${message} (${others} of ${results.length} allocations are recorded)`
    }
  }
  const recorded = results.flatMap((result) => (Either.isRight(result) ? [result.right] : []))
  const status =
    recorded.find(({ _tag }) => _tag === "Carried")?._tag ??
    recorded.find(({ _tag }) => _tag === "Recorded")?._tag ??
    "AlreadyRecorded"
  const [first] = recorded
  return { row, status, ...(first !== undefined && { hour: first.hour }) }
}

/** Records the rows of one chunk. Recording the same rows again adds nothing. */
const recordChunk = (
  rows: ReadonlyArray<EventRow>
): Effect.Effect<
  ReadonlyArray<RowResult>,
  LedgerError.LedgerUnavailable,
  UsageLedger.UsageLedger | UsageLedgerStore.UsageLedgerStore
> =>
  Effect.gen(function* () {
    const store = yield* UsageLedgerStore.UsageLedgerStore
    const items = rows.flatMap(({ content }) => (Either.isRight(content) ? [content.right] : []))
    const subscriptions = yield* findSubscription.read(store, items)
    const resolved = rows.map(({ content }) =>
      Either.flatMap(content, (item) =>
        Either.map(
          findSubscription.find(subscriptions, item),
          (subscription): Resolved => ({ item, subscription })
        )
      )
    )
    const events = resolved.map((one) => (Either.isRight(one) ? eventsOf(one.right) : []))
    const first = yield* UsageLedger.recordAll(events.flatMap((own) => own.slice(0, 1)))
    let next = 0
    const results = events.map((own) => first.slice(next, (next += Math.min(own.length, 1))))
    // the other events of a row are recorded only if its first event was recorded
    const others = events.map((own, i) => (results[i]?.some(Either.isRight) ? own.slice(1) : []))
    const isStored = first.some(Either.isRight)
    const rest = yield* Effect.mapError(UsageLedger.recordAll(others.flat()), (error) =>
      isStored ? new LedgerError.LedgerUnavailable({ ...error, isStored: "unknown" }) : error
    )
    let nextRest = 0
    return rows.map((row, i): RowResult => {
      const one = resolved[i]
      if (one !== undefined && Either.isLeft(one)) {
        return { row, status: "Rejected", reason: one.left }
      }
      const own = rest.slice(nextRest, (nextRest += others[i]?.length ?? 0))
      return resultOf(row, [...(results[i] ?? []), ...own])
    })
  })

/** Emits the result of each row as soon as it is durable. */
export const recordRows = <R>(
  rows: Stream.Stream<EventRow, CliError, R>
): Stream.Stream<
  RowResult,
  CliError | LedgerError.LedgerUnavailable,
  R | UsageLedger.UsageLedger | UsageLedgerStore.UsageLedgerStore
> =>
  Stream.mapChunksEffect(rows, (chunk) =>
    Effect.map(recordChunk(Chunk.toReadonlyArray(chunk)), Chunk.unsafeFromArray)
  )
