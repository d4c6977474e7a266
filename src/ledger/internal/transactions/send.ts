/** Finds records to send, and stores calls and their results. */
import * as Effect from "effect/Effect"
import type { LeaseLost, LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { groupBy } from "../model/groupBy.js"
import { startOf } from "../model/hour.js"
import {
  type DerivedState,
  deriveState,
  isBeforeRecovery,
  mayBeBilled,
  notBilled
} from "../model/recordState.js"
import type {
  AttemptResult,
  AttemptRow,
  HistoryRow,
  LedgerRow,
  PauseRow,
  RecordRow,
  RecordState
} from "../model/rows.js"
import { toStorable } from "../model/text.js"
import type { RecordUpdate, StoreEffect, Tables } from "../tables.js"
import { allProducts, haltRegion } from "./halt.js"
import { checkFence, type Lease } from "./lease.js"

/** Maximum length of a text that comes from the service, in characters. */
const maxText = 1_000

/** True if the pause applies to this product, or to all products of its Region. */
const concerns = (pause: PauseRow, region: string, product: string): boolean =>
  pause.region === region && (pause.product === allProducts || pause.product === product)

/** True if the pause prevents sending the product at this time. */
const isPaused = (pause: PauseRow, region: string, product: string, now: number): boolean =>
  concerns(pause, region, product) && (pause.retryAt === undefined || pause.retryAt > now)

/** Returns the products of a Region that have records to send now, ordered by deadline. Omits paused products. */
export const dueProducts = (
  store: Store,
  {
    now,
    products,
    region
  }: { readonly region: string; readonly products: ReadonlyArray<string>; readonly now: number }
): Effect.Effect<ReadonlyArray<string>, LedgerUnavailable> =>
  store.snapshot((tables) =>
    Effect.gen(function* () {
      const pauses = yield* tables.pauses
      const found: Array<{ readonly product: string; readonly deadline: number }> = []
      for (const product of products) {
        if (pauses.some((pause) => isPaused(pause, region, product, now))) continue
        const [first] = yield* tables.dueRecords({ region, product, now, limit: 1 })
        if (first !== undefined) found.push({ product, deadline: first.deadline })
      }
      return found
        .sort((left, right) => left.deadline - right.deadline)
        .map(({ product }) => product)
    })
  )

/** True if the product has a pause with a retry time that no accepted record has ended. The retry time may have passed. */
export const wasPaused = (
  store: Store,
  { product, region }: { readonly region: string; readonly product: string }
): Effect.Effect<boolean, LedgerUnavailable> =>
  Effect.map(
    store.snapshot((tables) => tables.pauses),
    (pauses) =>
      pauses.some((pause) => pause.retryAt !== undefined && concerns(pause, region, product))
  )

/** Returns the records of a product to send now, ordered by deadline. Returns none while the product is paused. */
export const due = (
  store: Store,
  filter: {
    readonly region: string
    readonly product: string
    readonly now: number
    readonly limit: number
  }
): Effect.Effect<ReadonlyArray<RecordRow>, LedgerUnavailable> =>
  store.snapshot((tables) =>
    Effect.flatMap(tables.pauses, (pauses) =>
      pauses.some((pause) => isPaused(pause, filter.region, filter.product, filter.now))
        ? Effect.succeed([])
        : tables.dueRecords(filter)
    )
  )

/**
 * Stores a call, with an attempt for each record, before the request is sent. Returns the id of the call, or `undefined` if one of the
 * records may not be sent any more. If it fails, nothing may be sent. Repeating it stores another call.
 */
export const openCall = (
  store: Store,
  {
    lease,
    now,
    records
  }: { readonly lease: Lease; readonly now: number; readonly records: ReadonlyArray<number> }
): Effect.Effect<number | undefined, LeaseLost | LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      yield* checkFence(tables, lease)
      const rows = yield* tables.lockRecords(records)
      const pauses = yield* tables.pauses
      const maySend =
        rows.length === records.length &&
        rows.every(
          ({ deadline, product, region, resolvedAt }) =>
            resolvedAt === undefined &&
            deadline > now &&
            // a pause with a retry time does not prevent a call, because the call shows if the product works again
            !pauses.some((pause) => pause.retryAt === undefined && concerns(pause, region, product))
        )
      if (!maySend) return undefined
      const { fence, region, worker } = lease
      return yield* tables.addCall({ region, fence, worker, sentAt: now }, records)
    })
  )

export interface Result {
  readonly record: number
  readonly result: AttemptResult
  readonly meteringRecordId?: string | undefined
  readonly requestId?: string | undefined
  readonly detail?: string | undefined
}

interface StateChange {
  readonly record: number
  readonly was: RecordState
  readonly state: RecordState
}

/**
 * Adds the results of a call, and derives the states of its records again. Needs no lease, because a late result counts like any other.
 * Stops the Region if a record is a duplicate although no other attempt of this ledger may have been billed: another program reports the
 * same usage, or a backup was restored. Ignores results of a call that is not stored. Repeating it adds the same results again, and
 * changes no state.
 */
export const addResults = (
  store: Store,
  {
    call,
    now,
    results,
    sentBy
  }: {
    readonly call: number
    readonly now: number
    readonly results: ReadonlyArray<Result>
    /** The worker and the time of the call. Results are ignored if the stored call with this id has others. */
    readonly sentBy?: { readonly worker: string; readonly sentAt: number } | undefined
  }
): Effect.Effect<
  { readonly states: ReadonlyArray<StateChange>; readonly isHalted: boolean },
  LedgerUnavailable
> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      const given = [...new Set(results.map(({ record }) => record))]
      const locked = yield* tables.lockRecords(given)
      // after a backup was restored, the call is missing, or its id belongs to another call
      const ids = (yield* tables.attempts(given)).flatMap((attempt) =>
        attempt.call === call &&
        (sentBy === undefined ||
          (attempt.worker === sentBy.worker && attempt.sentAt === sentBy.sentAt))
          ? [attempt.record]
          : []
      )
      const records = locked.filter(({ id }) => ids.includes(id))
      const known = results.filter(({ record }) => ids.includes(record))
      yield* tables.addResults(
        known.map(({ detail, meteringRecordId, record, requestId, result }) => ({
          record,
          call,
          at: now,
          result,
          meteringRecordId: meteringRecordId && toStorable(meteringRecordId, maxText),
          requestId: requestId && toStorable(requestId, maxText),
          detail: detail && toStorable(detail, maxText)
        }))
      )
      const attempts = groupBy(yield* tables.attempts(ids), ({ record }) => record)
      const states = yield* updateStates(tables, records, attempts, now)
      const unexplained = records.filter(({ id }) => isUnexplained(attempts.get(id) ?? [], call))
      const ledger = yield* tables.ledger
      const first = unexplained.find(({ hour }) => !isBeforeRecovery(hour, ledger))
      if (first === undefined) return { states, isHalted: false }
      yield* haltRegion(tables, {
        region: first.region,
        now,
        // the other program may have billed usage from the hour of this record on
        holdFrom: first.hour,
        cause: `another quantity is billed for a record that was never sent before (${first.product}, ${new Date(startOf(first.hour)).toISOString()}): another program reports the same usage, or a backup was restored`
      })
      return { states, isHalted: true }
    })
  )

const isUnexplained = (attempts: ReadonlyArray<AttemptRow>, call: number): boolean =>
  attempts.some(
    (attempt) =>
      attempt.call === call && attempt.results.some(({ result }) => result === "duplicate")
  ) && !attempts.some((attempt) => attempt.call !== call && mayBeBilled(attempt))

/** Marks an unbilled record of an hour before a recovery as in doubt, because the attempts of a lost database are not known. */
const afterRecovery = (
  derived: DerivedState,
  { hour }: RecordRow,
  ledger: LedgerRow | undefined
): DerivedState =>
  derived.isResolved && notBilled.has(derived.state) && isBeforeRecovery(hour, ledger)
    ? {
        ...derived,
        state: "inDoubt",
        cause: "the deadline has passed, and it may have been sent before the recovery"
      }
    : derived

/** Derives the states of locked records, and stores the changes. */
const updateStates = (
  tables: Tables,
  records: ReadonlyArray<RecordRow>,
  attempts: ReadonlyMap<number, ReadonlyArray<AttemptRow>>,
  now: number
): StoreEffect<ReadonlyArray<StateChange>> =>
  Effect.gen(function* () {
    const updates: Array<RecordUpdate> = []
    const history: Array<HistoryRow> = []
    const states: Array<StateChange> = []
    const ledger = yield* tables.ledger
    for (const record of records) {
      const { cause, isResolved, meteringRecordId, state } = afterRecovery(
        deriveState(attempts.get(record.id) ?? [], record.deadline, now),
        record,
        ledger
      )
      states.push({ record: record.id, was: record.state, state })
      // a record that was expired too early, because of a wrong clock, is sent again
      const resolvedAt = isResolved
        ? (record.resolvedAt ?? now)
        : record.carriedAt === undefined
          ? undefined
          : record.resolvedAt
      if (state !== record.state) {
        history.push({
          at: now,
          key: record.key,
          hour: record.hour,
          was: record.state,
          became: state,
          cause
        })
      }
      if (state === record.state && resolvedAt === record.resolvedAt) continue
      updates.push({
        id: record.id,
        state,
        tries: record.tries,
        nextTryAt: record.nextTryAt,
        resolvedAt,
        meteringRecordId: meteringRecordId ?? record.meteringRecordId,
        carriedAt: record.carriedAt
      })
    }
    yield* tables.updateRecords(updates)
    yield* tables.addHistory(history)
    return states
  })

/** Maximum number of records per transaction. */
const maxExpired = 500

/**
 * Derives the states of up to 500 unresolved records whose deadline has passed. Returns their number. Repeat until it returns 0.
 */
export const expire = (store: Store, now: number): Effect.Effect<number, LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      const overdue = yield* tables.unresolvedRecords({
        deadlineUntil: now,
        limit: maxExpired
      })
      if (overdue.length === 0) return 0
      const ids = overdue.map(({ id }) => id)
      const records = (yield* tables.lockRecords(ids)).filter(
        ({ resolvedAt }) => resolvedAt === undefined
      )
      const attempts = groupBy(yield* tables.attempts(ids), ({ record }) => record)
      yield* updateStates(tables, records, attempts, now)
      return overdue.length
    })
  )

/** Exponential backoff of records that were not accepted, in milliseconds: the first wait, and the longest. */
const waits = {
  sealed: { first: 10_000, longest: 5 * 60_000 },
  rejected: { first: 5 * 60_000, longest: 60 * 60_000 }
}

/** One more attempt is made this long before the deadline, in milliseconds. */
const lastTryMargin = 2 * 60_000

/** Sets the time of the next attempt of unresolved records. Repeating it doubles the wait. */
export const finishTry = (
  store: Store,
  { now, records }: { readonly records: ReadonlyArray<number>; readonly now: number }
): Effect.Effect<void, LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      const rows = (yield* tables.lockRecords(records)).filter(
        ({ resolvedAt }) => resolvedAt === undefined
      )
      yield* tables.updateRecords(
        rows.map((row) => ({
          id: row.id,
          state: row.state,
          tries: row.tries + 1,
          nextTryAt: nextTryAt(row, now),
          resolvedAt: row.resolvedAt,
          meteringRecordId: row.meteringRecordId,
          carriedAt: row.carriedAt
        }))
      )
    })
  )

const nextTryAt = ({ deadline, state, tries }: RecordRow, now: number): number => {
  const { first, longest } = state === "sealed" ? waits.sealed : waits.rejected
  const next = now + Math.min(first * 2 ** Math.min(tries, 20), longest)
  const last = deadline - lastTryMargin
  return next > last && last > now ? last : next
}

/**
 * Marks the attempts of a call as unsent if the call was stored, but the worker got no response to the commit, and therefore did not
 * send it. Only that worker may do so. Repeating it changes nothing.
 */
export const markUnsent = (
  store: Store,
  {
    now,
    records,
    sentAt,
    worker
  }: {
    readonly worker: string
    readonly sentAt: number
    readonly records: ReadonlyArray<number>
    readonly now: number
  }
): Effect.Effect<void, LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      const rows = yield* tables.lockRecords(records)
      const unsent = (yield* tables.attempts(records)).filter(
        (attempt) =>
          attempt.worker === worker && attempt.sentAt === sentAt && attempt.results.length === 0
      )
      yield* tables.addResults(
        unsent.map(({ call, record }) => ({
          record,
          call,
          at: now,
          result: "unsent" as const,
          meteringRecordId: undefined,
          requestId: undefined,
          detail: "the call was stored, and then not made"
        }))
      )
      const attempts = groupBy(yield* tables.attempts(records), ({ record }) => record)
      yield* updateStates(tables, rows, attempts, now)
    })
  )
