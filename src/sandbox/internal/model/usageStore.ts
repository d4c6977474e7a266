/**
 * Accepted usage by id, append-only. All versions of a store share one map and one array, of which each version sees the first `size`
 * entries. This takes a fraction of the memory of an immutable map and leaves no garbage. Adding to a version invalidates all longer
 * versions, such as a version that could not be written to the state file.
 */
import type { OperationName } from "../../../MeteringError.js"
import type { UsageAllocation } from "../../../UsageAllocation.js"

/** Accepted usage, which is billed. The state file contains these fields. */
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
  /** The allocations as text that does not depend on their order. */
  readonly split: string
}

export interface UsageStore {
  /** The index of each id in `usages`. */
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

/** Yields the usage in the order in which it was added. */
export function* values({ size, usages }: UsageStore): Generator<MeteredUsage, void> {
  for (let place = 0; place < size; place++) {
    // the cast is safe, because indices below `size` have usage
    yield usages[place] as MeteredUsage
  }
}
