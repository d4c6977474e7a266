/**
 * The rows of a ledger. Times are epoch milliseconds, hours epoch hours, quantities integers: of events and entries in
 * 10^-scale of a unit, of records in whole units.
 */

/**
 * The receiver of the usage: `service` is AWS, `sandbox` a sandbox. The two are never mixed.
 *
 * @since 0.1.0
 * @category models
 */
export type Target = "service" | "sandbox"

/** One row: whose ledger this is. */
export interface LedgerRow {
  /** The version of the schema. */
  readonly version: number
  /** The oldest version of the code that may write to it. */
  readonly writableFrom: number
  readonly seller: string
  readonly target: Target
  /** A random id, replaced by `recover`. */
  readonly incarnation: string
  /** Grows with each lease. A smaller one than was seen before means a restored backup. */
  readonly tick: number
  /** Hours from here up to `heldUntil` are not sealed until `recover`. */
  readonly holdFrom: number | undefined
  readonly heldUntil: number | undefined
  /** Epoch milliseconds of the last `recover`. */
  readonly recoveredAt: number | undefined
}

export interface DimensionRow {
  /** Decimal places of a quantity, 0 to 9. */
  readonly scale: number
  /** True if hours without usage are reported with 0. */
  readonly zeroFill: boolean
}

export interface ProductRow {
  readonly product: string
  readonly region: string
  /** Sent for subscriptions without a license. */
  readonly productCode: string | undefined
  readonly late: "reject" | "carry"
  readonly dimensions: { readonly [name: string]: DimensionRow }
  /** The keys of tags that events may have, at most 5. */
  readonly tagKeys: ReadonlyArray<string>
}

export interface SubscriptionRow {
  readonly id: string
  /** Shared by the subscriptions that follow one another. Usage and carry belong to it. */
  readonly lineage: string
  readonly region: string
  readonly product: string
  /** One of the two. */
  readonly productCode: string | undefined
  readonly licenseArn: string | undefined
  /** One of the two. */
  readonly accountId: string | undefined
  readonly customerId: string | undefined
  /** Epoch milliseconds of its start. No record is dated before it. */
  readonly from: number
  /** Epoch milliseconds of its planned end, exclusive. */
  readonly until: number | undefined
  /** Epoch milliseconds of its cancellation. Usage can be reported for one hour more. */
  readonly closingAt: number | undefined
}

/** A lineage and a dimension. */
export interface KeyRow {
  readonly id: number
  readonly lineage: string
  readonly dimension: string
  readonly scale: number
  readonly region: string
  readonly product: string
}

export interface EventRow {
  readonly id: string
  readonly key: number
  /** The hour whose entry it was added to. Later than the hour of `at` if it was carried. */
  readonly hour: number
  readonly at: number
  /** A safe integer, in 10^-scale. */
  readonly quantity: number
  /** Canonical, see tags.ts. Empty for none. */
  readonly tags: string
}

/** A change of an entry's sum that is not an event. One row per key, hour, cause, reference and tags. */
export interface PostingRow {
  readonly key: number
  readonly hour: number
  /** `adjust`: correction of an event. `advance`: sum of an upstream log. `forward`: expired quantity carried forward. */
  readonly cause: "adjust" | "advance" | "forward"
  /** The event's id, `source/partition`, or the id of the expired record. */
  readonly reference: string
  readonly tags: string
  readonly quantity: bigint
}

export interface EntryRow {
  readonly key: number
  readonly hour: number
  readonly isSealed: boolean
  /** The sum of all tags. */
  readonly quantity: bigint
  readonly events: number
  /** Epoch milliseconds at which the first usage was stored. */
  readonly firstAt: number
  /** The amount billed beyond the sum (negative: given up), at the end of a subscription. Declared, and 0 otherwise. */
  readonly rounding: bigint
}

/** The tagged part of an entry's sum. */
export interface AllocationRow {
  readonly key: number
  readonly hour: number
  readonly tags: string
  readonly quantity: bigint
}

/** The rest that sealed hours left: fractions of a unit, overflow, shares. May be negative for one set of tags. */
export interface CarryRow {
  readonly key: number
  readonly tags: string
  readonly amount: bigint
}

/**
 * The state of a sealed entry's record.
 *
 * @since 0.1.0
 * @category models
 */
export type RecordState =
  | "sealed"
  | "accepted"
  | "conflicting"
  | "notSubscribed"
  | "rejected"
  | "expired"
  | "inDoubt"

/** A sealed entry as it is sent. */
export interface RecordRow {
  readonly id: number
  readonly key: number
  readonly hour: number
  readonly subscription: string
  readonly region: string
  readonly product: string
  /** Whole units, 0 to 2147483647. */
  readonly quantity: number
  readonly timestamp: number
  /** The usage record as JSON of the wire, with `ProductCode` beside it where it has no license. Never changes. */
  readonly body: string
  readonly deadline: number
  readonly sealedAt: number
  readonly state: RecordState
  /** Rounds in which it was sent without being accepted. */
  readonly tries: number
  readonly nextTryAt: number
  /** Epoch milliseconds from which it is not sent any more. Evidence that comes later can still change the state. */
  readonly resolvedAt: number | undefined
  readonly meteringRecordId: string | undefined
  /** Epoch milliseconds at which its expired quantity was carried forward. */
  readonly carriedAt: number | undefined
}

/** One request of BatchMeterUsage. */
export interface CallRow {
  readonly id: number
  readonly region: string
  readonly fence: number
  readonly worker: string
  readonly sentAt: number
}

/**
 * The result of an attempt.
 *
 * | result          | billed?                                     |
 * | --------------- | ------------------------------------------- |
 * | `success`       | yes, once                                   |
 * | `duplicate`     | no: another quantity is billed for the hour |
 * | `notSubscribed` | no: the customer is not subscribed          |
 * | `rejected`      | no: the service rejected it                 |
 * | `unprocessed`   | no: the service did not process it          |
 * | `unsent`        | no: the call was not sent                   |
 * | `noResponse`    | perhaps: there was no response              |
 * | `unknownStatus` | perhaps: the status is not known            |
 *
 * @since 0.1.0
 * @category models
 */
export type AttemptResult =
  | "success"
  | "duplicate"
  | "notSubscribed"
  | "rejected"
  | "unprocessed"
  | "unsent"
  | "noResponse"
  | "unknownStatus"

/** A result of one attempt (a record in a call). An attempt may have several; `noResponse` counts as none. */
export interface ResultRow {
  readonly record: number
  readonly call: number
  readonly at: number
  readonly result: AttemptResult
  readonly meteringRecordId: string | undefined
  readonly requestId: string | undefined
  /** The error or status, without secrets. */
  readonly detail: string | undefined
}

/** One attempt and everything that is known about it, in order. */
export interface AttemptRow {
  readonly record: number
  readonly call: number
  readonly sentAt: number
  readonly worker: string
  readonly results: ReadonlyArray<ResultRow>
}

export interface HistoryRow {
  readonly at: number
  readonly key: number
  readonly hour: number
  /** Absent for the first. */
  readonly was: RecordState | "open" | undefined
  readonly became: RecordState | "open"
  readonly cause: string
}

/** Who may send in a Region. */
export interface LeaseRow {
  readonly region: string
  readonly holder: string
  readonly fence: number
  readonly until: number
  /** The time after the end of an hour after which the holder seals it, in milliseconds. */
  readonly sealAfter: number
}

/** Product `*` stands for all of a Region. */
export interface PauseRow {
  readonly region: string
  readonly product: string
  readonly since: number
  readonly cause: string
  /** Epoch milliseconds at which it is tried again. Absent: only a person ends it. */
  readonly retryAt: number | undefined
}

export interface SourceRow {
  readonly source: string
  readonly partition: string
  readonly position: string
}
