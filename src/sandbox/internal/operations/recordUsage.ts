/** Stores accepted usage. The first record of a key is billed. */
import { Tag, UsageAllocation } from "../../../UsageAllocation.js"
import { type Catalog, findLicense, findProduct } from "../model/catalog.js"
import { keyOf, uuidOf } from "../model/hash.js"
import { change, type MeteredUsage, type State } from "../model/state.js"
import * as usageStore from "../model/usageStore.js"

/**
 * Returns the next state and the id of the billed record. The id is `undefined` if a record with the same key has another quantity or
 * other allocations.
 */
export const recordUsage = (
  state: State,
  key: ReadonlyArray<string | number>,
  usage: Omit<MeteredUsage, "meteringRecordId">
): readonly [State, string | undefined] => {
  const meteringRecordId = uuidOf(keyOf(state.catalog.region, ...key))
  const existing = usageStore.get(state.metered, meteringRecordId)
  if (existing === undefined) {
    const metered = meteredUsage(state.catalog, meteringRecordId, usage)
    return [change(state, { _tag: "Metered", usage: metered }), meteringRecordId]
  }
  const isSame =
    existing.quantity === usage.quantity &&
    (existing.split === usage.split || state.behavior.otherAllocations === "same")
  return [state, isSame ? meteringRecordId : undefined]
}

/**
 * Copies usage to save memory. Uses the strings of the catalog, because the strings of each request would take memory of their own.
 * Lists all fields, because an object that is spread from a class instance takes twice the memory.
 */
const meteredUsage = (
  catalog: Catalog,
  meteringRecordId: string,
  usage: Omit<MeteredUsage, "meteringRecordId">
): MeteredUsage => {
  const product = findProduct(catalog, usage.productCode)
  return {
    meteringRecordId,
    operation: usage.operation,
    productCode: product?.code ?? usage.productCode,
    licenseArn: findLicense(catalog, usage.licenseArn)?.agreement.licenseArn,
    customerAWSAccountId: usage.customerAWSAccountId,
    dimension: product?.dimensions.find((one) => one === usage.dimension) ?? usage.dimension,
    timestamp: usage.timestamp,
    quantity: usage.quantity,
    usageAllocations: usage.usageAllocations?.map(instanceOf),
    split: usage.split
  }
}

/** Makes class instances of allocations, because an unchecked request may contain plain objects, which the schema does not encode. */
const instanceOf = ({ allocatedUsageQuantity, tags }: UsageAllocation) => {
  const [first, ...others] = tags?.map((tag) => new Tag(tag, true)) ?? []
  return new UsageAllocation(
    { allocatedUsageQuantity, ...(first !== undefined && { tags: [first, ...others] }) },
    true
  )
}

/** Returns the allocations as text that does not depend on the order of allocations and tags. */
export const splitOf = (allocations: ReadonlyArray<UsageAllocation> | undefined): string =>
  allocations === undefined
    ? ""
    : allocations
        .map(({ allocatedUsageQuantity, tags = [] }) =>
          keyOf(allocatedUsageQuantity, ...tags.map(({ key, value }) => keyOf(key, value)).sort())
        )
        .sort()
        .join()
