/** Operations of an operator: retry records that were not accepted, and carry forward quantities that were not billed. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { millisPerHour, startOf } from "../model/hour.js"
import { parseBody } from "../model/recordBody.js"
import { deriveState, isBeforeRecovery, mayBeBilled, notBilled } from "../model/recordState.js"
import type { HistoryRow, KeyRow, PostingRow, RecordRow } from "../model/rows.js"
import type {
  EntryFilter,
  EntryId,
  EntryView,
  RecordUpdate,
  StoreEffect,
  Tables
} from "../tables.js"
import { postNow } from "./adjust.js"

/** Number of entries per transaction. */
const pageSize = 500

/** Runs `body` for each page of entries, in a transaction per page. Returns the sum of its results. */
const forEachPage = (
  store: Store,
  filter: EntryFilter,
  body: (tables: Tables, views: ReadonlyArray<EntryView>) => StoreEffect<number>
): Effect.Effect<number, LedgerUnavailable> => {
  const next = (
    after: EntryId | undefined,
    total: number
  ): Effect.Effect<number, LedgerUnavailable> =>
    Effect.flatMap(
      store.transaction((tables) =>
        Effect.flatMap(tables.entryPage(filter, after, pageSize), (views) =>
          Effect.map(body(tables, views), (count) => ({
            count,
            last: views.at(-1)?.entry,
            size: views.length
          }))
        )
      ),
      ({ count, last, size }) =>
        last === undefined || size < pageSize
          ? Effect.succeed(total + count)
          : next({ key: last.key, hour: last.hour }, total + count)
    )
  return next(undefined, 0)
}

const updateOf = (record: RecordRow, changes: Partial<RecordUpdate>): RecordUpdate => ({
  id: record.id,
  state: record.state,
  tries: record.tries,
  nextTryAt: record.nextTryAt,
  resolvedAt: record.resolvedAt,
  meteringRecordId: record.meteringRecordId,
  carriedAt: record.carriedAt,
  ...changes
})

/**
 * Makes unresolved records due, so that the next round sends them, and ends pauses that have a retry time. Records that were expired
 * before their deadline because of a wrong clock become unresolved again. Returns the number of records.
 */
export const retryNow = (
  store: Store,
  filter: EntryFilter,
  now: number
): Effect.Effect<number, LedgerUnavailable> =>
  Effect.zipRight(
    store.transaction((tables) =>
      Effect.flatMap(tables.pauses, (pauses) =>
        Effect.forEach(
          pauses.filter(
            ({ product, retryAt }) =>
              retryAt !== undefined &&
              (filter.product === undefined || filter.product === product || product === "*")
          ),
          ({ product, region }) => tables.removePause(region, product),
          { discard: true }
        )
      )
    ),
    forEachPage(store, filter, (tables, views) =>
      Effect.gen(function* () {
        const records = yield* tables.lockRecords(views.flatMap(({ record }) => record?.id ?? []))
        const attempts = yield* tables.attempts(records.map(({ id }) => id))
        const updates: Array<RecordUpdate> = []
        const history: Array<HistoryRow> = []
        for (const record of records) {
          if (record.deadline <= now || record.carriedAt !== undefined) continue
          const own = attempts.filter((attempt) => attempt.record === record.id)
          const { isResolved, state } = deriveState(own, record.deadline, now)
          if (isResolved) continue
          updates.push(updateOf(record, { state, resolvedAt: undefined, nextTryAt: now, tries: 0 }))
          if (state === record.state) continue
          history.push({
            at: now,
            key: record.key,
            hour: record.hour,
            was: record.state,
            became: state,
            cause: "an operator sends it again: its deadline is ahead"
          })
        }
        yield* tables.updateRecords(updates)
        yield* tables.addHistory(history)
        return updates.length
      })
    )
  )

/** This long after the deadline, the service certainly rejects the record, even if the clocks differ. */
const certainlyTooLate = millisPerHour

/**
 * Adds the quantity of records that were not billed to the current hour, once per record. The states default to `expired`. Skips records
 * of which an attempt may have been billed, records of hours that began before a recovery, and records of subscriptions that have
 * ended. Carries nothing while a Region is stopped, because the database may be a restored backup. Returns the number of records.
 */
export const carryForward = (
  store: Store,
  filter: EntryFilter,
  now: number
): Effect.Effect<number, LedgerUnavailable> =>
  Effect.suspend(() => {
    const states = (filter.states ?? ["expired"]).filter((state) => notBilled.has(state))
    if (states.length === 0) return Effect.succeed(0)
    return forEachPage(store, { ...filter, states }, (tables, views) =>
      Effect.gen(function* () {
        const ledger = yield* tables.ledger
        if (ledger?.holdFrom !== undefined) return 0
        const keys = new Map(views.map(({ key }) => [key.id, key]))
        const records = yield* tables.lockRecords(views.flatMap(({ record }) => record?.id ?? []))
        const attempts = yield* tables.attempts(records.map(({ id }) => id))
        const uncertain = new Set(attempts.filter(mayBeBilled).map(({ record }) => record))
        let count = 0
        for (const record of records) {
          const key = keys.get(record.key)
          if (
            key === undefined ||
            !notBilled.has(record.state) ||
            record.resolvedAt === undefined ||
            isBeforeRecovery(record.hour, ledger) ||
            record.carriedAt !== undefined ||
            uncertain.has(record.id) ||
            now < record.deadline + certainlyTooLate
          ) {
            continue
          }
          if (yield* forward(tables, record, key, now)) count += 1
        }
        return count
      })
    )
  })

const forward = (tables: Tables, record: RecordRow, key: KeyRow, now: number) =>
  Effect.gen(function* () {
    const unit = 10n ** BigInt(key.scale)
    const postings = sharesOf(record).map(
      ({ quantity, tags }): PostingRow => ({
        key: key.id,
        hour: 0,
        cause: "forward",
        reference: String(record.id),
        tags,
        quantity: quantity * unit
      })
    )
    const hour = yield* postNow(tables, postings, key, now)
    if (hour === undefined) return false
    yield* tables.updateRecords([updateOf(record, { carriedAt: now })])
    yield* tables.addHistory([
      {
        at: now,
        key: record.key,
        hour: record.hour,
        was: record.state,
        became: record.state,
        cause: `its ${record.quantity} are carried forward to ${new Date(startOf(hour)).toISOString()}`
      }
    ])
    return true
  })

/** Returns the quantities of a record by tags. */
const sharesOf = ({
  body,
  quantity
}: RecordRow): ReadonlyArray<{ readonly tags: string; readonly quantity: bigint }> => {
  const parsed = parseBody(body)
  const allocations = Either.isRight(parsed) ? parsed.right.record.usageAllocations : undefined
  return allocations === undefined
    ? [{ tags: "", quantity: BigInt(quantity) }]
    : allocations.map(({ allocatedUsageQuantity, tags = [] }) => ({
        tags:
          tags.length === 0
            ? ""
            : JSON.stringify(tags.map(({ key, value }) => [key, value]).sort(byKey)),
        quantity: BigInt(allocatedUsageQuantity)
      }))
}

const byKey = ([left = ""]: ReadonlyArray<string>, [right = ""]: ReadonlyArray<string>) =>
  left < right ? -1 : left > right ? 1 : 0
