/**
 * Usage by its id, to which usage is only added. Versions share one map: each sees the usage up to its size. That takes a
 * fraction of the memory of an immutable map, and leaves no garbage. A version to which usage is added ends those that were
 * added to it before, such as one that could not be written to the state file.
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

/** Adds usage with a new id. Versions that are longer than this one must not be used afterwards. */
export const add = ({ places, size, usages }: UsageStore, usage: MeteredUsage): UsageStore => {
  for (const { meteringRecordId } of usages.splice(size)) places.delete(meteringRecordId)
  places.set(usage.meteringRecordId, usages.length)
  usages.push(usage)
  return { places, usages, size: usages.length }
}

/** In the order in which they were added. */
export function* values({ size, usages }: UsageStore): Generator<MeteredUsage, void> {
  for (let place = 0; place < size; place++) {
    // a place below the size has usage
    yield usages[place] as MeteredUsage
  }
}
