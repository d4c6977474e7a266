/** Judges a ledger once everything has had its time. */
import type { HistoryRow } from "../../../src/ledger/internal/model/rows.js"
import type { EntryView } from "../../../src/ledger/internal/tables.js"
import type { Rows, Wanted } from "./oracle.js"

const hour = 3_600_000

/** The age by which an hour is sealed, and its record has been accepted or is past its deadline. */
const maxAge = 28 * hour

export const stateOf = ({ entry, record }: EntryView): string =>
  entry.isSealed ? (record?.state ?? "zero") : "open"

/** Violations of the ledger's promises at the end, as text. */
export const unfinished = (
  { carry, entries }: Rows,
  history: ReadonlyArray<HistoryRow>,
  {
    closedAt,
    goesOn,
    isHeld,
    now,
    wanted
  }: {
    readonly now: number
    readonly wanted: ReadonlyMap<string, Wanted>
    /** True if hours wait for an operator. */
    readonly isHeld: boolean
    /** The time at which the end of a subscription was confirmed. Undefined if it goes on. */
    readonly closedAt: (subscription: string) => number | undefined
    /** True if a subscription of the lineage goes on. */
    readonly goesOn: (lineage: string) => boolean
  }
): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const event of wanted.values()) {
    if (!event.isAcknowledged && !event.isRejected) found.push(`${event.id} has no result`)
  }
  const lastMoves = new Map(history.map((row) => [`${row.key} ${row.hour}`, row.became]))
  for (const view of entries) {
    const { entry, key, record } = view
    const state = stateOf(view)
    const name = `${key.lineage} ${key.dimension} ${entry.hour}`
    const isLate = entry.hour * hour < now - maxAge
    if (isLate && (state === "sealed" || (state === "open" && !isHeld))) {
      found.push(`${name} is still ${state}`)
    }
    if (record !== undefined && lastMoves.get(`${entry.key} ${entry.hour}`) !== state) {
      found.push(`the history of ${name} does not end with ${state}`)
    }
    const end = record && closedAt(record.subscription)
    if (record !== undefined && end !== undefined && record.sealedAt > end) {
      if (record.deadline > end + hour) found.push(`${name} may be sent after its subscription`)
    }
  }
  const keys = new Map(entries.map(({ key }) => [key.id, key]))
  const left = new Map<number, bigint>()
  for (const { amount, key } of carry) left.set(key, (left.get(key) ?? 0n) + amount)
  for (const [id, amount] of left) {
    const key = keys.get(id)
    if (key === undefined || isHeld || amount <= 0n) continue
    const isFraction = amount < 10n ** BigInt(key.scale)
    // the end of a subscription rounds its fraction; what cannot be sent any more stays
    if (isFraction !== goesOn(key.lineage)) {
      found.push(`${amount} of ${key.lineage} ${key.dimension} are carried and never billed`)
    }
  }
  return found
}
