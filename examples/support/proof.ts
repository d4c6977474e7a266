/** Compares usage that was acknowledged, recorded and billed. */
import { Chunk, DateTime, Effect, Stream } from "effect"
import { UsageLedger } from "effect-marketplace-metering/ledger"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { customerOf } from "./seller.js"

/** Usage of a customer and dimension in an hour. */
export interface HourlyUsage {
  readonly customer: string
  readonly dimension: string
  readonly hour: DateTime.Utc
  readonly quantity: number
}

/** Everything that the ledger has recorded. */
export const recorded = UsageLedger.entries().pipe(
  Stream.map(
    ({ dimension, hour, recorded, subscription }): HourlyUsage => ({
      customer: customerOf(subscription),
      dimension,
      hour,
      quantity: Number(recorded)
    })
  ),
  Stream.runCollect,
  Effect.map(Chunk.toReadonlyArray)
)

/** Everything that the sandbox has billed. */
export const billed = Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ report }) =>
  Effect.map(report.billed, (rows) =>
    rows.map(
      ({ customerAWSAccountId, ...usage }): HourlyUsage => ({
        customer: customerAWSAccountId,
        ...usage
      })
    )
  )
)

export interface Proof {
  /** Customers, dimensions and hours with usage. */
  readonly entries: number
  readonly units: { readonly [source: string]: number }
  /** A line for each entry that is not the same in all sources. */
  readonly differences: ReadonlyArray<string>
}

const keyOf = ({ customer, dimension, hour }: HourlyUsage) =>
  `${customer} ${dimension} ${DateTime.formatIso(hour).slice(0, 13)}h`

const sumByEntry = (usage: ReadonlyArray<HourlyUsage>): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>()
  for (const one of usage) sums.set(keyOf(one), (sums.get(keyOf(one)) ?? 0) + one.quantity)
  return sums
}

/** Compares the sums of each customer, dimension and hour. */
export const prove = (sources: {
  readonly [source: string]: ReadonlyArray<HourlyUsage>
}): Proof => {
  const sums = Object.entries(sources).map(
    ([source, usage]) => [source, sumByEntry(usage)] as const
  )
  const keys = [...new Set(sums.flatMap(([, of]) => [...of.keys()]))].sort()
  return {
    entries: keys.length,
    units: Object.fromEntries(
      sums.map(([source, of]) => [source, [...of.values()].reduce((sum, one) => sum + one, 0)])
    ),
    differences: keys
      .filter((key) => new Set(sums.map(([, of]) => of.get(key))).size > 1)
      .map((key) => {
        const quantities = sums.map(([source, of]) => `${of.get(key) ?? 0} ${source}`)
        return `${key}: ${quantities.join(", ")}`
      })
  }
}
