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
  readonly carry: ReadonlyArray<{ readonly key: number; readonly amount: bigint }>
}

export interface Facts {
  readonly wanted: ReadonlyMap<string, Wanted>
  /** Customers by the lineage of their subscription. */
  readonly customerOf: (lineage: string) => string
  /** True if late usage is carried. */
  readonly carries: (product: string) => boolean
}

const hour = 3_600_000

const entryName = (customer: string, dimension: string, hourStart: number) =>
  `${customer} ${dimension} ${hourStart / hour}`

/** Violations of the ledger's promises, as text. */
export const violations = (
  { adjustments, carry, entries, events }: Rows,
  billed: ReadonlyArray<Report.BilledUsage>,
  { carries, customerOf, wanted }: Facts
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const keys = new Map(entries.map(({ key }) => [key.id, key]))
  const stored = new Map(events.map((event) => [event.id, event]))

  // what was confirmed is stored, as it was given, in its own hour unless it is carried
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

  // recorded = open + sealed + carry - roundings
  const balance = new Map<number, bigint>()
  const add = (key: number, amount: bigint) => balance.set(key, (balance.get(key) ?? 0n) + amount)
  for (const { key, quantity } of events) add(key, BigInt(quantity))
  for (const { key, quantity } of adjustments) add(key, quantity)
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

  // billed implies accepted, sealed or in doubt; accepted implies billed
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
    if (Math.floor(record.timestamp / hour) !== record.hour) {
      found.push(`${name} is dated ${record.timestamp}`)
    }
    const { UsageRecord: sent } = JSON.parse(record.body)
    if (sent.Quantity !== record.quantity) found.push(`${name} is sent with ${sent.Quantity}`)
    const allocated = (sent.UsageAllocations ?? []).reduce(
      (sum: number, { AllocatedUsageQuantity }: { readonly AllocatedUsageQuantity: number }) =>
        sum + AllocatedUsageQuantity,
      0
    )
    if (sent.UsageAllocations !== undefined && allocated !== record.quantity) {
      found.push(`${name} is allocated to ${allocated} of ${record.quantity}`)
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
