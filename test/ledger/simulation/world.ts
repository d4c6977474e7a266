/** The products, customers and times of a run, and the state that its steps share. */
import { DateTime, type Effect, type Either } from "effect"
import type { UsageLedger } from "effect-marketplace-metering/ledger"
import type { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import type { Feature } from "./features.js"
import type { Wanted } from "./oracle.js"
import type { Random } from "./random.js"

export const hour = 3_600_000
export const minute = 60_000

/** Ordinary days, the ends of a month, of a year and of a February with 29 days. */
export const starts = [
  Date.UTC(2026, 10, 24, 10),
  Date.UTC(2026, 10, 30, 18),
  Date.UTC(2026, 11, 31, 20, 30),
  Date.UTC(2028, 1, 28, 12)
]

export const accounts = ["111122223333", "222233334444"]

export const products: UsageLedger.Options["products"] = {
  analytics: {
    region: "us-east-1",
    productCode: "analytics-code",
    dimensions: { calls: {}, gb: { scale: 3 } },
    late: "carry",
    tagKeys: ["team", "env"]
  },
  search: {
    region: "us-east-1",
    productCode: "search-code",
    dimensions: { queries: {}, nodes: { zeroFill: true } },
    late: "reject"
  }
}

export type Product = "analytics" | "search"

export const dimensionsOf = { analytics: ["calls", "gb"], search: ["queries", "nodes"] } as const

export const carries = (product: string): boolean => product === "analytics"

/** A quantity in the smallest parts of a unit, as it is given to the ledger. */
export const quantityOf = (dimension: string, parts: number): number | string =>
  dimension === "gb" ? (parts / 1_000).toFixed(3) : parts

export const scenario = (startsAt: number, random: Random): MeteringSandbox.Options => ({
  region: "us-east-1",
  products: [
    { code: "analytics-code", dimensions: ["calls", "gb"] },
    { code: "search-code", dimensions: ["queries", "nodes"] }
  ],
  customers: accounts.map((customerAWSAccountId) => ({
    customerAWSAccountId,
    agreements: ["analytics-code", "search-code"].map((productCode) => ({
      productCode,
      start: DateTime.unsafeMake(startsAt - 48 * hour)
    }))
  })),
  faults: {
    chances: random.pick([
      [],
      [
        { fault: "throttling", probability: 0.05 },
        { fault: "internalError", probability: 0.05 },
        { fault: "cutBefore", probability: 0.05 },
        { fault: "cutAfter", probability: 0.1 },
        { fault: "unprocessed", share: 0.5, probability: 0.1 }
      ],
      [{ fault: "cutAfter", probability: 0.6 }],
      [{ fault: "cutAfter", probability: 0.85 }]
    ])
  }
})

/** A subscription that the ledger has confirmed. */
export interface Subscribed {
  readonly id: string
  /** The id of the first of those that follow one another. */
  readonly lineage: string
  readonly account: string
  readonly product: Product
  readonly from: number
  /** True once its end was asked for. */
  isEnding: boolean
  /** The time at which its end was confirmed. */
  closedAt: number | undefined
  isFollowed: boolean
}

export interface World {
  readonly random: Random
  readonly startsAt: number
  readonly now: () => number
  readonly note: (text: string) => void
  readonly count: (feature: Feature) => void
  /** Runs something with a recorder, and again with another one until there is a result. */
  readonly withLedger: <A, E>(
    use: (ledger: UsageLedger.Service) => Effect.Effect<A, E>
  ) => Effect.Effect<Either.Either<A, E>>
  readonly subscriptions: Array<Subscribed>
  /** Usage by the id of its event. */
  readonly wanted: Map<string, Wanted>
  /** Results that the ledger must not give. */
  readonly unexpected: Array<string>
}
