/**
 * The rows of a ledger. Times are epoch milliseconds, and hours are hours since the epoch. Quantities are integers: in 10^-scale of a
 * unit for events and entries, in whole units for records.
 */

/**
 * The receiver of the usage: `service` is AWS, `sandbox` is a sandbox. A ledger has one target.
 *
 * @since 0.1.0
 * @category models
 */
export type Target = "service" | "sandbox"

/** The only row of its table: identifies the ledger and has its global state. */
export interface LedgerRow {
  /** The schema version of the database. */
  readonly version: number
  /** The oldest schema version whose code can write to the database. */
  readonly writableFrom: number
  readonly seller: string
  readonly target: Target
  /** A random id, replaced by `recover`. */
  readonly incarnation: string
  /** Incremented with each lease. If it is smaller than before, a backup was restored. */
  readonly tick: number
  /** Hours from `holdFrom` to `heldUntil` (exclusive) are not sealed until `recover`. */
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
  /** The id of the first of the subscriptions that follow one another. Usage and carried balances belong to the lineage. */
  readonly lineage: string
  readonly region: string
  readonly product: string
  /** Either `productCode` or `licenseArn` is set. */
  readonly productCode: string | undefined
  readonly licenseArn: string | undefined
  /** Either `accountId` or `customerId` is set. */
  readonly accountId: string | undefined
  readonly customerId: string | undefined
  /** Epoch milliseconds of the start. No record is dated before it. */
  readonly from: number
  /** Epoch milliseconds of the planned end, exclusive. */
  readonly until: number | undefined
  /** Epoch milliseconds of the cancellation. Usage can be reported for one more hour. */
  readonly closingAt: number | undefined
}

/** A combination of a lineage and a dimension. Entries refer to its id. */
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
  /** The hour of the entry that the event was added to. Later than the hour of `at` if the event was carried. */
  readonly hour: number
  readonly at: number
  /** A safe integer, in 10^-scale. */
  readonly quantity: number
  /** Canonical, see tags.ts. Empty for none. */
  readonly tags: string
}

/** A change of an entry's sum other than by an event. One row per key, hour, cause, reference and tags. */
export interface PostingRow {
  readonly key: number
  readonly hour: number
  /** `adjust`: correction of an event. `advance`: sum of an upstream log. `forward`: unbilled quantity that was carried forward. */
  readonly cause: "adjust" | "advance" | "forward"
  /** The id of the event, `source/partition`, or the id of the unbilled record, depending on `cause`. */
  readonly reference: string
  readonly tags: string
  readonly quantity: bigint
}

export interface EntryRow {
  readonly key: number
  readonly hour: number
  readonly isSealed: boolean
  /** The sum over all tags. */
  readonly quantity: bigint
  readonly events: number
  /** Epoch milliseconds at which the first usage was stored. */
  readonly firstAt: number
  /** The amount billed beyond the sum (negative: not billed) because the end of a subscription was rounded. Otherwise 0. */
  readonly rounding: bigint
}

/** The part of an entry's sum that has one set of tags. */
export interface AllocationRow {
  readonly key: number
  readonly hour: number
  readonly tags: string
  readonly quantity: bigint
}

/** The balance that sealed hours carried to the next hour, such as fractions of a unit. May be negative for one set of tags. */
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

/** The usage record of a sealed entry, and the state of sending it. */
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
  /** The usage record as the JSON of the request, with the `ProductCode` if it has no license. Never changes. */
  readonly body: string
  readonly deadline: number
  readonly sealedAt: number
  readonly state: RecordState
  /** Number of tries that were not accepted. Determines the wait before the next try. */
  readonly tries: number
  readonly nextTryAt: number
  /** Epoch milliseconds since which the record is not sent any more. A late result can still change the state. */
  readonly resolvedAt: number | undefined
  readonly meteringRecordId: string | undefined
  /** Epoch milliseconds at which the unbilled quantity was carried forward. */
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

/** A result of one attempt (a record in a call). An attempt can have several. `noResponse` counts as no result. */
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

/** One attempt with its results, in the order in which they were stored. */
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
  /** `undefined` for the first change. */
  readonly was: RecordState | "open" | undefined
  readonly became: RecordState | "open"
  readonly cause: string
}

/** The right of one worker to send in a Region. */
export interface LeaseRow {
  readonly region: string
  readonly holder: string
  readonly fence: number
  readonly until: number
  /** How long after its end the holder seals an hour, in milliseconds. */
  readonly sealAfter: number
}

/** A pause of reporting. The product `*` stands for all products of the Region. */
export interface PauseRow {
  readonly region: string
  readonly product: string
  readonly since: number
  readonly cause: string
  /** Epoch milliseconds at which sending is tried again. If `undefined`, only an operator ends the pause. */
  readonly retryAt: number | undefined
}

export interface SourceRow {
  readonly source: string
  readonly partition: string
  readonly position: string
}
