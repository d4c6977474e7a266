/**
 * Usage by key, to which usage is only added. Versions share one map: each sees the entries up to its size. That takes a
 * fraction of the memory of an immutable map, and leaves no garbage.
 */
import type { OperationName } from "../../../MeteringError.js"
import type { UsageAllocation } from "../../../UsageAllocation.js"

/** Accepted usage, which is billed. Times are epoch milliseconds. */
export interface MeteredUsage {
  readonly meteringRecordId: string
  readonly operation: OperationName
  readonly productCode: string
  readonly licenseArn?: string | undefined
  readonly customerAWSAccountId: string
  readonly dimension: string
  readonly hour: number
  readonly timestamp: number
  readonly quantity: number
  readonly usageAllocations?: ReadonlyArray<UsageAllocation> | undefined
  /** The allocations as text, independent of their order. */
  readonly split: string
}

export interface UsageStore {
  /** The place of each key in `usages`. */
  readonly places: Map<string, number>
  readonly usages: Array<MeteredUsage>
  readonly size: number
}

export const empty = (): UsageStore => ({ places: new Map(), usages: [], size: 0 })

export const get = (
  { places, size, usages }: UsageStore,
  key: string
): MeteredUsage | undefined => {
  const place = places.get(key)
  return place !== undefined && place < size ? usages[place] : undefined
}

/** Adds usage under a new key. */
export const add = (store: UsageStore, key: string, usage: MeteredUsage): UsageStore => {
  const { places, usages } = store.size === store.usages.length ? store : copyOf(store)
  places.set(key, usages.length)
  usages.push(usage)
  return { places, usages, size: usages.length }
}

/** Another version has gone on from here, such as one that could not be written to the state file. */
const copyOf = (store: UsageStore) => ({
  places: new Map(Array.from(entries(store), ([key], place) => [key, place])),
  usages: store.usages.slice(0, store.size)
})

/** In the order in which they were added. */
export function* entries({
  places,
  size,
  usages
}: UsageStore): Generator<readonly [string, MeteredUsage], void> {
  for (const [key, place] of places) {
    const usage = usages[place]
    if (place >= size || usage === undefined) return
    yield [key, usage]
  }
}

export function* values({ size, usages }: UsageStore): Generator<MeteredUsage, void> {
  for (let place = 0; place < size; place++) {
    // a place below the size has usage
    yield usages[place] as MeteredUsage
  }
}
