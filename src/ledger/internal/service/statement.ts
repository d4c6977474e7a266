/** The entries of a customer in a month, with their history and evidence. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { InvalidEvent, type LedgerUnavailable } from "../../LedgerError.js"
import type { Attempt, Move, StatementLine } from "../../LedgerReport.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { groupBy } from "../model/groupBy.js"
import { hoursOfMonth } from "../model/hour.js"
import type { AttemptRow, HistoryRow } from "../model/rows.js"
import { isText } from "../recording/prepareEvent.js"
import type { EntryId } from "../tables.js"
import { entryOf, entryPages, timeOf } from "./entries.js"

export const statement = (
  store: Store,
  { customer, month }: { readonly customer: string; readonly month: string }
): Stream.Stream<StatementLine, InvalidEvent | LedgerUnavailable> => {
  const hours = hoursOfMonth(month)
  if (hours === undefined) return invalid("month", "a month such as 2026-11")
  if (!isText(customer)) return invalid("customer", "an account id or a customer identifier")
  return Stream.unwrap(
    Effect.map(
      store.snapshot(({ subscriptions }) => subscriptions({ customer })),
      (subscriptions) => {
        const lineages = [...new Set(subscriptions.map(({ lineage }) => lineage))]
        return lineages.length === 0
          ? Stream.empty
          : linesOf(store, { lineages, fromHour: hours.from, untilHour: hours.until })
      }
    )
  )
}

const invalid = (field: string, expected: string) =>
  Stream.fail(new InvalidEvent({ field, expected }))

const linesOf = (store: Store, filter: Parameters<typeof entryPages>[1]) =>
  entryPages(store, filter, (tables, views) =>
    Effect.gen(function* () {
      const moves = groupBy(yield* tables.history(views.map(({ entry }) => entry)), idOf)
      const attempts = groupBy(
        yield* tables.attempts(views.flatMap(({ record }) => record?.id ?? [])),
        ({ record }) => record
      )
      return views.map(
        (view): StatementLine => ({
          ...entryOf(view),
          moves: (moves.get(idOf(view.entry)) ?? []).map(moveOf),
          attempts: ((view.record && attempts.get(view.record.id)) ?? []).map(attemptOf),
          ...(view.record !== undefined && { body: view.record.body })
        })
      )
    })
  )

const idOf = ({ hour, key }: EntryId) => `${key}/${hour}`

const moveOf = ({ at, became, cause, was }: HistoryRow): Move => ({
  at: timeOf(at),
  ...(was !== undefined && { was }),
  became,
  cause
})

const attemptOf = ({ results, sentAt, worker }: AttemptRow): Attempt => ({
  sentAt: timeOf(sentAt),
  worker,
  results: results.map(({ at, detail, meteringRecordId, requestId, result }) => ({
    at: timeOf(at),
    result,
    ...(meteringRecordId !== undefined && { meteringRecordId }),
    ...(requestId !== undefined && { requestId }),
    ...(detail !== undefined && { detail })
  }))
})
