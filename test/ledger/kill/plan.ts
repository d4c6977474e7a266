/** The products, customers and faults of the kill tests, and what a parent tells a child. */
import type * as Fault from "../../../src/sandbox/Fault.js"
import type { Step } from "./stops.js"

export const hour = 3_600_000

/** Of a test, in milliseconds. It ends a test that hangs, and not one on a machine with much else to do. */
export const timeout = 900_000

export const region = "us-east-1"

/** A dimension: the decimal places of its quantities, and the product. */
export const dimensions = {
  calls: { product: "analytics", scale: 0 },
  gb: { product: "analytics", scale: 3 },
  queries: { product: "search", scale: 0 }
} as const

export type Dimension = keyof typeof dimensions

/** Late usage of `analytics` is rejected, and that of `search` is added to the current hour. */
export const products = {
  analytics: {
    region,
    productCode: "analytics-code",
    dimensions: { calls: {}, gb: { scale: 3 } },
    late: "reject"
  },
  search: {
    region,
    productCode: "search-code",
    dimensions: { queries: {} },
    tagKeys: ["team"],
    late: "carry"
  }
} as const

export const productNames = ["analytics", "search"] as const

/** Customers that exist at the service. The children subscribe them one after the other. */
export const customers = Array.from({ length: 60 }, (_, i) => String(111_100_000_000 + i))

export const firstCustomers = 4

export const chances: ReadonlyArray<Fault.RandomFault> = [
  { fault: "cutAfter", probability: 0.12 },
  { fault: "throttling", probability: 0.08 },
  { fault: "unprocessed", share: 0.5, probability: 0.1 },
  { fault: "internalError", probability: 0.06 },
  { fault: "cutBefore", probability: 0.03 }
]

/** Usage as a producer keeps it until it is acknowledged. */
export interface Usage {
  readonly id: string
  readonly customer: string
  readonly dimension: Dimension
  /** In the smallest parts of the dimension's unit. */
  readonly quantity: number
  readonly at: number
  readonly team?: string | undefined
}

export interface Orders {
  readonly store:
    | { readonly kind: "sqlite"; readonly file: string }
    | { readonly kind: "postgres"; readonly url: string }
  readonly endpoint: string
  readonly worker: string
  /** Milliseconds by which the child's clock is ahead of the machine's. */
  readonly offset: number
  readonly startedAt: number
  /** The number of customers to subscribe. */
  readonly subscribed: number
  readonly usage: ReadonlyArray<Usage>
  /** Rounds of reporting. */
  readonly rounds: number
  readonly lease: number
  /** The child kills or freezes itself when it reaches the step for the nth time. */
  readonly stop:
    | { readonly step: Step; readonly count: number; readonly signal?: "SIGSTOP" | undefined }
    | undefined
}

/** A line of a child. It is written before anything else happens. */
export type Line =
  | { readonly line: "ready" }
  | { readonly line: "stored"; readonly id: string; readonly hour: number }
  | { readonly line: "rejected"; readonly id: string; readonly error: string }
  | { readonly line: "unknown"; readonly ids: ReadonlyArray<string> }
  | { readonly line: "step"; readonly step: Step }
  | { readonly line: "failed"; readonly error: string }
  | { readonly line: "done" }
