/** Leases, records, calls, results, history, pauses and positions of sources in memory. */
import * as Effect from "effect/Effect"
import type { AttemptRow, RecordRow } from "../model/rows.js"
import type { Tables } from "../tables.js"
import type { Journal } from "./journal.js"
import { entryMapKey, pauseMapKey, type State, sourceMapKey } from "./state.js"

const requireThat = (isTrue: boolean, rule: string): void => {
  if (!isTrue) throw new Error(`the ledger's invariant is violated: ${rule}`)
}

const maxQuantity = 2_147_483_647

const byDeadline = (left: RecordRow, right: RecordRow) =>
  left.deadline - right.deadline || left.id - right.id

export const reportingTables = (
  state: State,
  journal: Journal
): Pick<
  Tables,
  | "addRecords"
  | "leases"
  | "lockLease"
  | "putLease"
  | "dueRecords"
  | "unresolvedRecords"
  | "records"
  | "lockRecords"
  | "updateRecords"
  | "addCall"
  | "addResults"
  | "attempts"
  | "addHistory"
  | "pauses"
  | "putPause"
  | "removePause"
  | "source"
  | "lock"
  | "putSource"
> => {
  const noteActivity = (at: number) => {
    const old = state.lastActivityAt
    if (old !== undefined && old >= at) return
    journal.change(() => {
      state.lastActivityAt = old
    })
    state.lastActivityAt = at
  }
  const unresolved = (isWanted: (record: RecordRow) => boolean, limit: number) => {
    const found: Array<RecordRow> = []
    for (const id of state.unresolved) {
      const record = state.records.get(id)
      if (record !== undefined && isWanted(record)) found.push(record)
    }
    return found.sort(byDeadline).slice(0, limit)
  }
  return {
    addRecords: (rows) =>
      Effect.sync(() =>
        rows.map((row): RecordRow => {
          const entry = entryMapKey(row)
          requireThat(state.entries.has(entry), "a record has an entry")
          requireThat(!state.recordsByEntry.has(entry), "an entry has one record")
          requireThat(
            row.quantity >= 0 && row.quantity <= maxQuantity,
            "a quantity is from 0 to 2147483647"
          )
          state.lastRecord += 1
          const record = { ...row, id: state.lastRecord }
          journal.set(state.records, record.id, record)
          journal.set(state.recordsByEntry, entry, record.id)
          if (record.resolvedAt === undefined) journal.addTo(state.unresolved, record.id)
          noteActivity(record.sealedAt)
          return record
        })
      ),
    leases: Effect.sync(() =>
      [...state.leases.values()].sort((left, right) => (left.region < right.region ? -1 : 1))
    ),
    lockLease: (region) => Effect.sync(() => state.leases.get(region)),
    putLease: (row) => Effect.sync(() => journal.set(state.leases, row.region, row)),
    dueRecords: ({ limit, now, product, region }) =>
      Effect.sync(() =>
        unresolved(
          (record) =>
            record.region === region &&
            (product === undefined || record.product === product) &&
            record.nextTryAt <= now &&
            record.deadline > now,
          limit
        )
      ),
    unresolvedRecords: ({ deadlineUntil, limit }) =>
      Effect.sync(() => unresolved(({ deadline }) => deadline <= deadlineUntil, limit)),
    records: (ids) => Effect.sync(() => ids.flatMap((id) => state.records.get(id) ?? [])),
    lockRecords: (ids) =>
      Effect.sync(() =>
        [...ids].sort((left, right) => left - right).flatMap((id) => state.records.get(id) ?? [])
      ),
    updateRecords: (rows) =>
      Effect.sync(() => {
        for (const update of rows) {
          const record = state.records.get(update.id)
          if (record === undefined) continue
          requireThat(
            record.state !== "accepted" || update.state === "accepted",
            "accepted is final"
          )
          const { id, meteringRecordId, nextTryAt, resolvedAt, tries } = update
          journal.set(state.records, id, {
            ...record,
            state: update.state,
            tries,
            nextTryAt,
            resolvedAt,
            meteringRecordId,
            carriedAt: update.carriedAt
          })
          if (resolvedAt === undefined) journal.addTo(state.unresolved, id)
          else journal.deleteFrom(state.unresolved, id)
        }
      }),
    addCall: (row, records) =>
      Effect.sync(() => {
        state.lastCall += 1
        const call = state.lastCall
        journal.set(state.calls, call, { ...row, id: call })
        for (const record of records) {
          requireThat(state.records.has(record), "an attempt has a record")
          const attempt: AttemptRow = {
            record,
            call,
            sentAt: row.sentAt,
            worker: row.worker,
            results: []
          }
          journal.set(state.attempts, record, [...(state.attempts.get(record) ?? []), attempt])
        }
        noteActivity(row.sentAt)
        return call
      }),
    addResults: (rows) =>
      Effect.sync(() => {
        for (const row of rows) {
          const attempts = state.attempts.get(row.record) ?? []
          requireThat(
            attempts.some(({ call }) => call === row.call),
            "a result has an attempt"
          )
          journal.set(
            state.attempts,
            row.record,
            attempts.map((attempt) =>
              attempt.call === row.call
                ? { ...attempt, results: [...attempt.results, { ...row }] }
                : attempt
            )
          )
          noteActivity(row.at)
        }
      }),
    attempts: (records) =>
      Effect.sync(() =>
        [...records]
          .sort((left, right) => left - right)
          .flatMap((record) => state.attempts.get(record) ?? [])
      ),
    addHistory: (rows) =>
      Effect.sync(() => {
        for (const row of rows) {
          const id = entryMapKey(row)
          journal.set(state.history, id, [...(state.history.get(id) ?? []), { ...row }])
        }
      }),
    pauses: Effect.sync(() =>
      [...state.pauses.values()].sort((left, right) =>
        pauseMapKey(left) < pauseMapKey(right) ? -1 : 1
      )
    ),
    putPause: (row) => Effect.sync(() => journal.set(state.pauses, pauseMapKey(row), row)),
    removePause: (region, product) =>
      Effect.sync(() => journal.set(state.pauses, pauseMapKey({ region, product }), undefined)),
    // nothing to lock, because transactions run one at a time
    lock: () => Effect.void,
    source: (source, partition) =>
      Effect.sync(() => state.sources.get(sourceMapKey(source, partition))),
    putSource: (row) =>
      Effect.sync(() => journal.set(state.sources, sourceMapKey(row.source, row.partition), row))
  }
}
