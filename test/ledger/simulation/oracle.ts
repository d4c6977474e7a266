/**
 * Judges a ledger by what was recorded and by what the sandbox has billed. It shares no code with the ledger: it reads rows, and
 * does its own sums.
 */
import type { Report } from "effect-marketplace-metering/sandbox"
import type { EventRow, PostingRow } from "../../../src/ledger/internal/model/rows.js"
import type { EntryView } from "../../../src/ledger/internal/tables.js"

/** Usage that a producer wants to have recorded. */
export interface Wanted {
  readonly id: string
  readonly key: string
  /** In the smallest parts of a unit. */
  readonly quantity: number
  readonly at: number
  /** True once the ledger has confirmed it. */
  isAcknowledged: boolean
  /** True once the ledger has said that nothing of it is stored. */
  isRejected: boolean
  /** The corrected quantity that the ledger has confirmed last, and whether another correction may be stored. */
  corrected: number | undefined
  isCorrecting: boolean
}

export interface Rows {
  readonly entries: ReadonlyArray<EntryView>
  readonly events: ReadonlyArray<EventRow>
  readonly adjustments: ReadonlyArray<PostingRow>
  /** Sums of the upstream log. */
  readonly advances: ReadonlyArray<PostingRow>
  readonly carry: ReadonlyArray<{ readonly key: number; readonly amount: bigint }>
}

export interface Facts {
  readonly wanted: ReadonlyMap<string, Wanted>
  /** Confirmed sums of the upstream log by key. Undefined while it is open if an update is stored. */
  readonly upstream: ReadonlyMap<string, number> | undefined
  /** Customers by the lineage of their subscription. */
  readonly customerOf: (lineage: string) => string
  /** The start of a subscription. */
  readonly startOf: (subscription: string) => number
  /** True if late usage is carried. */
  readonly carries: (product: string) => boolean
}

const hour = 3_600_000

const entryName = (customer: string, dimension: string, hourStart: number) =>
  `${customer} ${dimension} ${hourStart / hour}`

/** Violations of the ledger's promises, as text. */
export const violations = (
  rows: Rows,
  billed: ReadonlyArray<Report.BilledUsage>,
  facts: Facts
): ReadonlyArray<string> => [
  ...lostUsage(rows, facts),
  ...unbalanced(rows),
  ...wrongRecords(rows, facts),
  ...wrongBills(rows, billed, facts)
]

/** Confirmed usage is stored as it was given, in its own hour unless it is carried. */
const lostUsage = (
  { adjustments, advances, entries, events }: Rows,
  { carries, upstream, wanted }: Facts
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const keys = new Map(entries.map(({ key }) => [key.id, key]))
  const stored = new Map(events.map((event) => [event.id, event]))
  for (const event of wanted.values()) {
    const row = stored.get(event.id)
    if (row === undefined) {
      if (event.isAcknowledged) found.push(`the event ${event.id} is lost`)
      continue
    }
    if (event.isRejected) found.push(`the event ${event.id} is rejected, and stored`)
    if (row.quantity !== event.quantity || row.at !== event.at) {
      found.push(`the event ${event.id} is stored with other contents`)
    }
    const product = keys.get(row.key)?.product
    if (row.hour !== Math.floor(event.at / hour) && product !== undefined && !carries(product)) {
      found.push(`the event ${event.id} is in another hour`)
    }
    if (event.corrected !== undefined && !event.isCorrecting) {
      const sum = adjustments
        .filter(({ reference }) => reference === event.id)
        .reduce((total, { quantity }) => total + Number(quantity), event.quantity)
      if (sum !== event.corrected) found.push(`the correction of ${event.id} is ${sum}`)
    }
  }
  if (upstream === undefined) return found
  const sums = new Map<string, number>()
  for (const { key, quantity } of advances) {
    const { dimension, lineage } = keys.get(key) ?? { lineage: "?", dimension: "?" }
    const name = `${lineage} ${dimension}`
    sums.set(name, (sums.get(name) ?? 0) + Number(quantity))
  }
  for (const name of new Set([...sums.keys(), ...upstream.keys()])) {
    const sum = sums.get(name) ?? 0
    const expected = upstream.get(name) ?? 0
    if (sum !== expected) found.push(`of the log ${sum} of ${name} are stored, not ${expected}`)
  }
  return found
}

/** Everything recorded is open, sealed, carried or declared as rounded. */
const unbalanced = ({
  adjustments,
  advances,
  carry,
  entries,
  events
}: Rows): ReadonlyArray<string> => {
  const found: Array<string> = []
  const keys = new Map(entries.map(({ key }) => [key.id, key]))
  const balance = new Map<number, bigint>()
  const add = (key: number, amount: bigint) => balance.set(key, (balance.get(key) ?? 0n) + amount)
  for (const { key, quantity } of events) add(key, BigInt(quantity))
  for (const { key, quantity } of [...adjustments, ...advances]) add(key, quantity)
  for (const { key, amount } of carry) add(key, -amount)
  for (const { entry, key, record } of entries) {
    if (!entry.isSealed) add(key.id, -entry.quantity)
    if (record !== undefined && record.carriedAt === undefined) {
      add(key.id, -BigInt(record.quantity) * 10n ** BigInt(key.scale))
    }
    add(key.id, entry.rounding)
    if (
      entry.rounding !== 0n &&
      (entry.rounding < 0n ? -2n : 2n) * entry.rounding > 10n ** BigInt(key.scale)
    ) {
      found.push(`the rounding of ${key.lineage} ${key.dimension} is ${entry.rounding}`)
    }
  }
  for (const [key, amount] of balance) {
    if (amount !== 0n) {
      const { dimension, lineage } = keys.get(key) ?? { lineage: "?", dimension: "?" }
      found.push(`of ${lineage} ${dimension} ${amount} are not accounted for`)
    }
  }
  return found
}

/** The last time at which the service accepts a record, by its documentation. */
const deadlineOf = (timestamp: number): number => {
  const month = new Date(timestamp)
  month.setUTCMonth(month.getUTCMonth() + 1, 1)
  return Math.min(timestamp + 24 * hour, month.setUTCHours(6, 0, 0, 0))
}

/** Each record is dated in its hour, and its body is what the ledger says. */
const wrongRecords = ({ entries }: Rows, { customerOf, startOf }: Facts): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const { entry, key, record } of entries) {
    if (record === undefined) continue
    const name = entryName(customerOf(key.lineage), key.dimension, entry.hour * hour)
    const { body, deadline, quantity, subscription, timestamp } = record
    const from = startOf(subscription)
    if (Math.floor(timestamp / hour) !== record.hour) found.push(`${name} is dated ${timestamp}`)
    if (timestamp < from) found.push(`${name} is dated before its subscription`)
    if (deadline > deadlineOf(timestamp)) found.push(`${name} may be sent until ${deadline}`)
    const { UsageRecord: sent } = JSON.parse(body)
    if (sent.Timestamp !== timestamp / 1_000) found.push(`${name} is sent as of ${sent.Timestamp}`)
    if (sent.Quantity !== quantity) found.push(`${name} is sent with ${sent.Quantity}`)
    const allocated = (sent.UsageAllocations ?? []).reduce(
      (sum: number, { AllocatedUsageQuantity }: { readonly AllocatedUsageQuantity: number }) =>
        sum + AllocatedUsageQuantity,
      0
    )
    if (sent.UsageAllocations !== undefined && allocated !== quantity) {
      found.push(`${name} is allocated to ${allocated} of ${quantity}`)
    }
  }
  return found
}

/** Billed implies accepted, sealed or in doubt; accepted implies billed; carried forward implies not billed. */
const wrongBills = (
  { entries }: Rows,
  billed: ReadonlyArray<Report.BilledUsage>,
  { customerOf }: Facts
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const bill = new Map(
    billed.map(({ customerAWSAccountId, dimension, hour, quantity }) => [
      entryName(customerAWSAccountId ?? "", dimension, hour.epochMillis),
      quantity
    ])
  )
  const ours = new Map<string, EntryView>()
  for (const view of entries) {
    const { entry, key, record } = view
    if (record === undefined) continue
    const name = entryName(customerOf(key.lineage), key.dimension, entry.hour * hour)
    if (ours.has(name)) found.push(`${name} has two records`)
    ours.set(name, view)
    if (record.state === "accepted" && bill.get(name) !== record.quantity) {
      found.push(`${name} is accepted with ${record.quantity}, and billed with ${bill.get(name)}`)
    }
    if (record.carriedAt !== undefined && bill.has(name)) {
      found.push(`${name} is billed, and carried forward`)
    }
  }
  for (const [name, quantity] of bill) {
    const record = ours.get(name)?.record
    if (record === undefined || record.quantity !== quantity) {
      found.push(`${name} is billed with ${quantity}, and sealed with ${record?.quantity}`)
    } else if (!["accepted", "sealed", "inDoubt"].includes(record.state)) {
      found.push(`${name} is billed, and ${record.state}`)
    }
  }
  return found
}
