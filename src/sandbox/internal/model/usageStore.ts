/**
 * Usage by its id, to which usage is only added. Versions share one map: each sees the usage up to its size. That takes a
 * fraction of the memory of an immutable map, and leaves no garbage.
 */
import type { OperationName } from "../../../MeteringError.js"
import type { UsageAllocation } from "../../../UsageAllocation.js"

/** Accepted usage, which is billed. */
export interface MeteredUsage {
  readonly meteringRecordId: string
  readonly operation: OperationName
  readonly productCode: string
  readonly licenseArn?: string | undefined
  readonly customerAWSAccountId: string
  readonly dimension: string
  /** Epoch milliseconds. */
  readonly timestamp: number
  readonly quantity: number
  readonly usageAllocations?: ReadonlyArray<UsageAllocation> | undefined
  /** The allocations as text, independent of their order. */
  readonly split: string
}

export interface UsageStore {
  /** The place of each id in `usages`. */
  readonly places: Map<string, number>
  readonly usages: Array<MeteredUsage>
  readonly size: number
}

export const empty = (): UsageStore => ({ places: new Map(), usages: [], size: 0 })

export const get = (
  { places, size, usages }: UsageStore,
  meteringRecordId: string
): MeteredUsage | undefined => {
  const place = places.get(meteringRecordId)
  return place !== undefined && place < size ? usages[place] : undefined
}

/** Adds usage with a new id. */
export const add = (store: UsageStore, usage: MeteredUsage): UsageStore => {
  const { places, usages } = store.size === store.usages.length ? store : copyOf(store)
  places.set(usage.meteringRecordId, usages.length)
  usages.push(usage)
  return { places, usages, size: usages.length }
}

/** Another version has gone on from here, such as one that could not be written to the state file. */
const copyOf = (store: UsageStore) => {
  const usages = store.usages.slice(0, store.size)
  return { places: new Map(usages.map((usage, place) => [usage.meteringRecordId, place])), usages }
}

/** In the order in which they were added. */
export function* values({ size, usages }: UsageStore): Generator<MeteredUsage, void> {
  for (let place = 0; place < size; place++) {
    // a place below the size has usage
    yield usages[place] as MeteredUsage
  }
}
