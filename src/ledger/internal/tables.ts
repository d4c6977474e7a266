/**
 * The tables of a ledger within one transaction.
 *
 * Arguments may be lists of any length. "Locks" means that no other transaction can change the rows until the end of this one; a store
 * with one writer at a time needs no locks for it. Stores enforce these invariants: the sum of a sealed entry, the body of a record and
 * an accepted state never change, a sealed entry is never opened again, and results are only added. A violation is a defect.
 */
import type * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../LedgerError.js"
import type {
  AllocationRow,
  AttemptRow,
  CallRow,
  CarryRow,
  EntryRow,
  EventRow,
  HistoryRow,
  KeyRow,
  LeaseRow,
  LedgerRow,
  PauseRow,
  PostingRow,
  ProductRow,
  RecordRow,
  RecordState,
  ResultRow,
  SourceRow,
  SubscriptionRow
} from "./model/rows.js"

export type StoreEffect<A> = Effect.Effect<A, LedgerUnavailable>

/** Identifies an entry. */
export interface EntryId {
  readonly key: number
  readonly hour: number
}

/** The columns of a record that may change, and its id. */
export type RecordUpdate = Pick<
  RecordRow,
  "id" | "state" | "tries" | "nextTryAt" | "resolvedAt" | "meteringRecordId" | "carriedAt"
>

/** An entry with its key and its record. */
export interface EntryView {
  readonly entry: EntryRow
  readonly key: KeyRow
  /** `undefined` while the entry is open, and if its sum is less than one unit. */
  readonly record: RecordRow | undefined
}

export interface EntryFilter {
  readonly product?: string | undefined
  readonly lineages?: ReadonlyArray<string> | undefined
  readonly fromHour?: number | undefined
  /** Upper bound, exclusive. */
  readonly untilHour?: number | undefined
  /** `open`: not sealed. `zero`: sealed without a record. */
  readonly states?: ReadonlyArray<RecordState | "open" | "zero"> | undefined
}

/** The number of entries by product, hour and state. */
export interface HourlyCount {
  readonly product: string
  readonly hour: number
  readonly state: RecordState | "open" | "zero"
  readonly entries: number
}

export interface StateCount {
  readonly region: string
  readonly product: string
  readonly state: RecordState | "open"
  readonly count: number
  /** The oldest hour. */
  readonly oldestHour: number
  /** The earliest deadline of the unresolved records. `undefined` if there are none, and for open entries. */
  readonly nextDeadline: number | undefined
}

/** A carried balance with the columns of its key. */
export interface CarriedBalance extends CarryRow {
  readonly scale: number
  readonly product: string
  readonly dimension: string
  readonly lineage: string
}

/** An entry whose stored sum differs from the sum of its rows. */
export interface Difference {
  readonly key: number
  readonly hour: number
  readonly what: "quantity" | "events" | "allocation"
  readonly tags: string | undefined
  readonly stored: bigint
  readonly computed: bigint
}

export interface Tables {
  /** Locks a name, so that transactions that lock the same name run one after another. */
  readonly lock: (name: string) => StoreEffect<void>

  // -- ledger ---------------------------------------------------------------------------------------
  readonly ledger: StoreEffect<LedgerRow | undefined>
  /** Reads the row of `ledger` and locks it. */
  readonly lockLedger: StoreEffect<LedgerRow | undefined>
  /** Inserts or replaces the only row. Locks it. */
  readonly putLedger: (row: LedgerRow) => StoreEffect<void>
  /** Adds 1 to the tick and returns it. */
  readonly nextTick: StoreEffect<number>

  // -- catalog --------------------------------------------------------------------------------------
  readonly products: StoreEffect<ReadonlyArray<ProductRow>>
  readonly putProduct: (row: ProductRow) => StoreEffect<void>
  /** Returns the subscriptions that match all filters that are set, ordered by `from` and `id`. */
  readonly subscriptions: (filter: {
    readonly ids?: ReadonlyArray<string> | undefined
    readonly lineages?: ReadonlyArray<string> | undefined
    /** The account id or the customer identifier. */
    readonly customer?: string | undefined
    /** The id of the license, as returned by `licenseKey`. */
    readonly license?: string | undefined
    readonly region?: string | undefined
    /** The range of `closingAt` or `until`, both ends inclusive. */
    readonly endedBetween?: { readonly from: number; readonly until: number } | undefined
  }) => StoreEffect<ReadonlyArray<SubscriptionRow>>
  /** Inserts or replaces by id. Locks the lineage. */
  readonly putSubscription: (row: SubscriptionRow) => StoreEffect<void>
  readonly keys: (filter: {
    readonly lineages?: ReadonlyArray<string> | undefined
    readonly ids?: ReadonlyArray<number> | undefined
  }) => StoreEffect<ReadonlyArray<KeyRow>>
  /** Inserts keys whose lineage and dimension are not stored yet. Returns the stored keys of all rows. */
  readonly addKeys: (rows: ReadonlyArray<Omit<KeyRow, "id">>) => StoreEffect<ReadonlyArray<KeyRow>>

  // -- usage ----------------------------------------------------------------------------------------
  readonly events: (ids: ReadonlyArray<string>) => StoreEffect<ReadonlyArray<EventRow>>
  readonly postings: (filter: {
    readonly cause: PostingRow["cause"]
    readonly references: ReadonlyArray<string>
  }) => StoreEffect<ReadonlyArray<PostingRow>>
  /**
   * Adds postings to the stored postings, entries and allocations. If some of the entries are sealed, adds nothing and returns the
   * sealed entries. No two rows of one call may have the same key, hour, cause, reference and tags.
   */
  readonly addPostings: (
    rows: ReadonlyArray<PostingRow>,
    now: number
  ) => StoreEffect<ReadonlyArray<EntryId>>
  /** Inserts entries with quantity 0 unless they exist. */
  readonly ensureEntries: (rows: ReadonlyArray<EntryId>, now: number) => StoreEffect<void>
  /** Returns open entries of a Region, oldest first, and locks them. Skips entries that another transaction has locked. */
  readonly lockOpenEntries: (filter: {
    readonly region: string
    /** Upper bound, exclusive. */
    readonly beforeHour: number
    /** Defaults to all lineages. */
    readonly lineages?: ReadonlyArray<string> | undefined
    /** Excludes the hours from `from` to `until` (exclusive). */
    readonly hold?: { readonly from: number; readonly until: number } | undefined
    readonly limit: number
  }) => StoreEffect<ReadonlyArray<EntryRow>>
  readonly entries: (ids: ReadonlyArray<EntryId>) => StoreEffect<ReadonlyArray<EntryRow>>
  readonly allocations: (ids: ReadonlyArray<EntryId>) => StoreEffect<ReadonlyArray<AllocationRow>>
  /** Returns the balances of these keys and locks them. */
  readonly carry: (keys: ReadonlyArray<number>) => StoreEffect<ReadonlyArray<CarryRow>>
  /** Inserts or replaces balances. Deletes balances of 0. */
  readonly putCarry: (rows: ReadonlyArray<CarryRow>) => StoreEffect<void>
  readonly sealEntries: (
    rows: ReadonlyArray<EntryId & { readonly rounding: bigint }>
  ) => StoreEffect<void>
  /** Inserts records. Returns them with their ids, in the given order. */
  readonly addRecords: (
    rows: ReadonlyArray<Omit<RecordRow, "id">>
  ) => StoreEffect<ReadonlyArray<RecordRow>>

  // -- reporting ------------------------------------------------------------------------------------
  readonly leases: StoreEffect<ReadonlyArray<LeaseRow>>
  /** Returns the lease of a Region and locks it. */
  readonly lockLease: (region: string) => StoreEffect<LeaseRow | undefined>
  readonly putLease: (row: LeaseRow) => StoreEffect<void>
  /**
   * Returns unresolved records (`resolvedAt` is `undefined`) of a Region and product whose `nextTryAt` has come and whose deadline has
   * not passed, ordered by deadline.
   */
  readonly dueRecords: (filter: {
    readonly region: string
    readonly product?: string | undefined
    readonly now: number
    readonly limit: number
  }) => StoreEffect<ReadonlyArray<RecordRow>>
  /** Returns unresolved records with a deadline at or before `deadlineUntil`, ordered by deadline. */
  readonly unresolvedRecords: (filter: {
    readonly deadlineUntil: number
    readonly limit: number
  }) => StoreEffect<ReadonlyArray<RecordRow>>
  readonly records: (ids: ReadonlyArray<number>) => StoreEffect<ReadonlyArray<RecordRow>>
  /** Returns records ordered by id and locks them. */
  readonly lockRecords: (ids: ReadonlyArray<number>) => StoreEffect<ReadonlyArray<RecordRow>>
  readonly updateRecords: (rows: ReadonlyArray<RecordUpdate>) => StoreEffect<void>
  /** Inserts a call and an attempt for each record. Returns the call's id. */
  readonly addCall: (
    row: Omit<CallRow, "id">,
    records: ReadonlyArray<number>
  ) => StoreEffect<number>
  readonly addResults: (rows: ReadonlyArray<ResultRow>) => StoreEffect<void>
  /** Returns the attempts of the records, ordered by record and call. */
  readonly attempts: (records: ReadonlyArray<number>) => StoreEffect<ReadonlyArray<AttemptRow>>
  readonly addHistory: (rows: ReadonlyArray<HistoryRow>) => StoreEffect<void>
  readonly pauses: StoreEffect<ReadonlyArray<PauseRow>>
  readonly putPause: (row: PauseRow) => StoreEffect<void>
  readonly removePause: (region: string, product: string) => StoreEffect<void>
  /** Returns the position of a partition and locks it. */
  readonly source: (source: string, partition: string) => StoreEffect<SourceRow | undefined>
  readonly putSource: (row: SourceRow) => StoreEffect<void>

  // -- reading --------------------------------------------------------------------------------------
  /** Returns the next page of entries, ordered by hour and key, that come after the entry `after`. */
  readonly entryPage: (
    filter: EntryFilter,
    after: EntryId | undefined,
    limit: number
  ) => StoreEffect<ReadonlyArray<EntryView>>
  readonly history: (ids: ReadonlyArray<EntryId>) => StoreEffect<ReadonlyArray<HistoryRow>>
  /**
   * Counts open entries, and records by state. Accepted records are counted from `acceptedFromHour` on, so that the number of rows read
   * does not grow with the age of the ledger.
   */
  readonly stateCounts: (acceptedFromHour: number) => StoreEffect<ReadonlyArray<StateCount>>
  readonly hourlyCounts: (fromHour: number) => StoreEffect<ReadonlyArray<HourlyCount>>
  /** Returns carried balances of at least `units` whole units. */
  readonly carryOver: (units: number, limit: number) => StoreEffect<ReadonlyArray<CarriedBalance>>
  /** The time at which the last call was sent, result stored, or record sealed. */
  readonly lastActivityAt: StoreEffect<number | undefined>
  /** Recomputes the sums of up to `limit` entries that come after the entry `after`. `last` is `undefined` on the last page. */
  readonly verifySums: (
    after: EntryId | undefined,
    limit: number
  ) => StoreEffect<{
    readonly differences: ReadonlyArray<Difference>
    readonly last: EntryId | undefined
  }>
  /** Sums over all hours of each key, to check that `recorded` = `open` + `billed` (in smallest parts) + `carry` - `rounding`. */
  readonly keyTotals: (
    after: number | undefined,
    limit: number
  ) => StoreEffect<
    ReadonlyArray<{
      readonly key: KeyRow
      /** Events and postings, except postings with the cause `forward`. */
      readonly recorded: bigint
      readonly open: bigint
      /** Whole units of records, except records that were carried forward. */
      readonly billed: bigint
      readonly carry: bigint
      readonly rounding: bigint
    }>
  >
}
