/** The rows of a ledger in maps, with the indexes that the tables need. The functions below make the keys of the maps. */
import type {
  AttemptRow,
  CallRow,
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
  SourceRow,
  SubscriptionRow
} from "../model/rows.js"
import type { EntryId } from "../tables.js"

export interface State {
  /** Has at most one row. */
  readonly ledger: Map<"ledger", LedgerRow>
  readonly products: Map<string, ProductRow>
  readonly subscriptions: Map<string, SubscriptionRow>
  readonly subscriptionsByLineage: Map<string, ReadonlyArray<string>>
  readonly keys: Map<number, KeyRow>
  readonly keysByLineage: Map<string, ReadonlyArray<number>>
  readonly events: Map<string, EventRow>
  /** By `postingMapKey`. */
  readonly postings: Map<string, PostingRow>
  /** Keys of `postings`, by `referenceMapKey`. */
  readonly postingsByReference: Map<string, ReadonlyArray<string>>
  /** By `entryMapKey`. */
  readonly entries: Map<string, EntryRow>
  readonly openEntries: Set<string>
  /** By `entryMapKey`, then by tags. */
  readonly allocations: Map<string, ReadonlyMap<string, bigint>>
  /** By the id of the key, then by tags. */
  readonly carry: Map<number, ReadonlyMap<string, bigint>>
  readonly records: Map<number, RecordRow>
  /** Record ids by `entryMapKey`. */
  readonly recordsByEntry: Map<string, number>
  readonly unresolved: Set<number>
  readonly calls: Map<number, CallRow>
  /** By the id of the record. */
  readonly attempts: Map<number, ReadonlyArray<AttemptRow>>
  /** By `entryMapKey`. */
  readonly history: Map<string, ReadonlyArray<HistoryRow>>
  readonly leases: Map<string, LeaseRow>
  /** By `pauseMapKey`. */
  readonly pauses: Map<string, PauseRow>
  /** By `sourceMapKey`. */
  readonly sources: Map<string, SourceRow>
  /** The last used id of each kind. A rollback does not reset it, because gaps between ids do no harm. */
  lastKey: number
  lastRecord: number
  lastCall: number
  lastActivityAt: number | undefined
}

export const make = (): State => ({
  ledger: new Map(),
  products: new Map(),
  subscriptions: new Map(),
  subscriptionsByLineage: new Map(),
  keys: new Map(),
  keysByLineage: new Map(),
  events: new Map(),
  postings: new Map(),
  postingsByReference: new Map(),
  entries: new Map(),
  openEntries: new Set(),
  allocations: new Map(),
  carry: new Map(),
  records: new Map(),
  recordsByEntry: new Map(),
  unresolved: new Set(),
  calls: new Map(),
  attempts: new Map(),
  history: new Map(),
  leases: new Map(),
  pauses: new Map(),
  sources: new Map(),
  lastKey: 0,
  lastRecord: 0,
  lastCall: 0,
  lastActivityAt: undefined
})

export const entryMapKey = ({ hour, key }: EntryId): string => `${key}/${hour}`

export const referenceMapKey = ({ cause, reference }: Pick<PostingRow, "cause" | "reference">) =>
  `${cause}/${reference}`

export const postingMapKey = (row: PostingRow): string =>
  JSON.stringify([row.key, row.hour, row.cause, row.reference, row.tags])

export const sourceMapKey = (source: string, partition: string): string =>
  JSON.stringify([source, partition])

export const pauseMapKey = ({ product, region }: Pick<PauseRow, "region" | "product">): string =>
  JSON.stringify([region, product])
