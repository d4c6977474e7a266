/**
 * The rows of a ledger within one transaction.
 *
 * Lists of any length may be given. "Locks" means: until the end of the transaction no other changes these rows; a store with
 * one writer at a time has nothing to do for it. Stores enforce these invariants: a sealed entry's sum, a record's body and an
 * accepted state never change, nothing is unsealed, results only grow. A violation is a defect.
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

/** A record may change in these columns only. */
export type RecordUpdate = Pick<
  RecordRow,
  "id" | "state" | "tries" | "nextTryAt" | "resolvedAt" | "meteringRecordId" | "carriedAt"
>

/** An entry with what belongs to it, for reading. */
export interface EntryView {
  readonly entry: EntryRow
  readonly key: KeyRow
  /** Absent while the entry is open, and where it came to no unit. */
  readonly record: RecordRow | undefined
}

export interface EntryFilter {
  readonly product?: string | undefined
  readonly lineages?: ReadonlyArray<string> | undefined
  readonly fromHour?: number | undefined
  /** Exclusive. */
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
  /** The earliest deadline of those that are not resolved. Absent if there is none, and for open entries. */
  readonly nextDeadline: number | undefined
}

/** A balance, and its key. */
export interface CarriedBalance extends CarryRow {
  readonly scale: number
  readonly product: string
  readonly dimension: string
  readonly lineage: string
}

/** An entry whose stored sum differs from the rows that make it up. */
export interface Difference {
  readonly key: number
  readonly hour: number
  readonly what: "quantity" | "events" | "allocation"
  readonly tags: string | undefined
  readonly stored: bigint
  readonly computed: bigint
}

export interface Tables {
  /** Locks a name: transactions with the same one follow one another. */
  readonly lock: (name: string) => StoreEffect<void>

  // -- ledger ---------------------------------------------------------------------------------------
  readonly ledger: StoreEffect<LedgerRow | undefined>
  /** The same row. Locks it, so that it can be replaced. */
  readonly lockLedger: StoreEffect<LedgerRow | undefined>
  /** Inserts or replaces the one row. Locks it. */
  readonly putLedger: (row: LedgerRow) => StoreEffect<void>
  /** Adds 1 to the tick and returns it. */
  readonly nextTick: StoreEffect<number>

  // -- catalog --------------------------------------------------------------------------------------
  readonly products: StoreEffect<ReadonlyArray<ProductRow>>
  readonly putProduct: (row: ProductRow) => StoreEffect<void>
  /** Those that fit every filter. In the order of `from`, then `id`. */
  readonly subscriptions: (filter: {
    readonly ids?: ReadonlyArray<string> | undefined
    readonly lineages?: ReadonlyArray<string> | undefined
    /** Same account or customer. */
    readonly customer?: string | undefined
    /** Same license, by its id as `licenseKey` gives it. */
    readonly license?: string | undefined
    readonly region?: string | undefined
    /** Those whose `closingAt` or `until` is in this time, both ends inclusive. */
    readonly endedBetween?: { readonly from: number; readonly until: number } | undefined
  }) => StoreEffect<ReadonlyArray<SubscriptionRow>>
  /** Inserts or replaces by id. Locks the lineage. */
  readonly putSubscription: (row: SubscriptionRow) => StoreEffect<void>
  readonly keys: (filter: {
    readonly lineages?: ReadonlyArray<string> | undefined
    readonly ids?: ReadonlyArray<number> | undefined
  }) => StoreEffect<ReadonlyArray<KeyRow>>
  /** Inserts what is missing (by lineage and dimension), and returns all of these as they are stored. */
  readonly addKeys: (rows: ReadonlyArray<Omit<KeyRow, "id">>) => StoreEffect<ReadonlyArray<KeyRow>>

  // -- usage ----------------------------------------------------------------------------------------
  readonly events: (ids: ReadonlyArray<string>) => StoreEffect<ReadonlyArray<EventRow>>
  readonly postings: (filter: {
    readonly cause: PostingRow["cause"]
    readonly references: ReadonlyArray<string>
  }) => StoreEffect<ReadonlyArray<PostingRow>>
  /**
   * Adds postings to their rows, entries and allocations. If some entries are sealed, adds none and returns these. The keys,
   * hours, causes, references and tags in one call are different.
   */
  readonly addPostings: (
    rows: ReadonlyArray<PostingRow>,
    now: number
  ) => StoreEffect<ReadonlyArray<EntryId>>
  /** Inserts entries of quantity 0 that do not exist yet. */
  readonly ensureEntries: (rows: ReadonlyArray<EntryId>, now: number) => StoreEffect<void>
  /** Open entries of a Region, oldest first, those that another transaction has locked left out. Locks them. */
  readonly lockOpenEntries: (filter: {
    readonly region: string
    /** Exclusive. */
    readonly beforeHour: number
    /** Only of these lineages. */
    readonly lineages?: ReadonlyArray<string> | undefined
    /** Not the hours from `from` to before `until`. */
    readonly hold?: { readonly from: number; readonly until: number } | undefined
    readonly limit: number
  }) => StoreEffect<ReadonlyArray<EntryRow>>
  readonly entries: (ids: ReadonlyArray<EntryId>) => StoreEffect<ReadonlyArray<EntryRow>>
  readonly allocations: (ids: ReadonlyArray<EntryId>) => StoreEffect<ReadonlyArray<AllocationRow>>
  /** Locks these rows. */
  readonly carry: (keys: ReadonlyArray<number>) => StoreEffect<ReadonlyArray<CarryRow>>
  /** Inserts or replaces; deletes where the amount is 0. */
  readonly putCarry: (rows: ReadonlyArray<CarryRow>) => StoreEffect<void>
  readonly sealEntries: (
    rows: ReadonlyArray<EntryId & { readonly rounding: bigint }>
  ) => StoreEffect<void>
  /** Returns them with their ids, in the given order. */
  readonly addRecords: (
    rows: ReadonlyArray<Omit<RecordRow, "id">>
  ) => StoreEffect<ReadonlyArray<RecordRow>>

  // -- reporting ------------------------------------------------------------------------------------
  readonly leases: StoreEffect<ReadonlyArray<LeaseRow>>
  /** Locks it. */
  readonly lockLease: (region: string) => StoreEffect<LeaseRow | undefined>
  readonly putLease: (row: LeaseRow) => StoreEffect<void>
  /**
   * Records of a Region and product that are not resolved (`resolvedAt` is absent), whose `nextTryAt` has come and whose deadline
   * has not passed, the earliest deadline first.
   */
  readonly dueRecords: (filter: {
    readonly region: string
    readonly product?: string | undefined
    readonly now: number
    readonly limit: number
  }) => StoreEffect<ReadonlyArray<RecordRow>>
  /** Records that are not resolved and have a deadline at or before `deadlineUntil`, the earliest deadline first. */
  readonly unresolvedRecords: (filter: {
    readonly deadlineUntil: number
    readonly limit: number
  }) => StoreEffect<ReadonlyArray<RecordRow>>
  readonly records: (ids: ReadonlyArray<number>) => StoreEffect<ReadonlyArray<RecordRow>>
  /** In the order of ids. Locks them. */
  readonly lockRecords: (ids: ReadonlyArray<number>) => StoreEffect<ReadonlyArray<RecordRow>>
  readonly updateRecords: (rows: ReadonlyArray<RecordUpdate>) => StoreEffect<void>
  /** Inserts a call and an attempt for each record. Returns the call's id. */
  readonly addCall: (
    row: Omit<CallRow, "id">,
    records: ReadonlyArray<number>
  ) => StoreEffect<number>
  readonly addResults: (rows: ReadonlyArray<ResultRow>) => StoreEffect<void>
  /** In the order of record and call. */
  readonly attempts: (records: ReadonlyArray<number>) => StoreEffect<ReadonlyArray<AttemptRow>>
  readonly addHistory: (rows: ReadonlyArray<HistoryRow>) => StoreEffect<void>
  readonly pauses: StoreEffect<ReadonlyArray<PauseRow>>
  readonly putPause: (row: PauseRow) => StoreEffect<void>
  readonly removePause: (region: string, product: string) => StoreEffect<void>
  /** Locks it. */
  readonly source: (source: string, partition: string) => StoreEffect<SourceRow | undefined>
  readonly putSource: (row: SourceRow) => StoreEffect<void>

  // -- reading --------------------------------------------------------------------------------------
  /** In the order of hour and key, after the one given. */
  readonly entryPage: (
    filter: EntryFilter,
    after: EntryId | undefined,
    limit: number
  ) => StoreEffect<ReadonlyArray<EntryView>>
  readonly history: (ids: ReadonlyArray<EntryId>) => StoreEffect<ReadonlyArray<HistoryRow>>
  /**
   * Open entries, and records by state. Accepted ones are counted from an hour on: there are more of them with each hour, and
   * what is read does not grow with the age of the ledger.
   */
  readonly stateCounts: (acceptedFromHour: number) => StoreEffect<ReadonlyArray<StateCount>>
  readonly hourlyCounts: (fromHour: number) => StoreEffect<ReadonlyArray<HourlyCount>>
  /** Balances of `units` or more, in whole units of their key. */
  readonly carryOver: (units: number, limit: number) => StoreEffect<ReadonlyArray<CarriedBalance>>
  /** The last time of any evidence: a call sent, a result, a record sealed. */
  readonly lastActivityAt: StoreEffect<number | undefined>
  /** Recomputes sums of up to `limit` entries after the one given; `last` is absent at the end. */
  readonly verifySums: (
    after: EntryId | undefined,
    limit: number
  ) => StoreEffect<{
    readonly differences: ReadonlyArray<Difference>
    readonly last: EntryId | undefined
  }>
  /** Sums over all of one key, for conservation: recorded = open + sealed + carry + rounding. */
  readonly keyTotals: (
    after: number | undefined,
    limit: number
  ) => StoreEffect<
    ReadonlyArray<{
      readonly key: KeyRow
      /** Events and postings, without those of cause `forward`. */
      readonly recorded: bigint
      readonly open: bigint
      /** Whole units of records, without those carried forward. */
      readonly billed: bigint
      readonly carry: bigint
      readonly rounding: bigint
    }>
  >
}
