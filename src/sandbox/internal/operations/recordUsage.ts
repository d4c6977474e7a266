/** Stores accepted usage. The first record of a key is billed. */
import { Tag, UsageAllocation } from "../../../UsageAllocation.js"
import { type Catalog, findLicense, findProduct } from "../model/catalog.js"
import { keyOf, uuidOf } from "../model/hash.js"
import { change, type MeteredUsage, type State } from "../model/state.js"
import * as usageStore from "../model/usageStore.js"

/** Gives the id of the billed record, or undefined if the key has another quantity or other allocations. */
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
 * With the names of the catalog, which all records share: those of a request each take memory of their own. And of one
 * hidden class: spread objects of a class each take twice the memory.
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

/** An unchecked request may hold plain objects, which a schema does not encode. */
const instanceOf = ({ allocatedUsageQuantity, tags }: UsageAllocation) => {
  const [first, ...others] = tags?.map((tag) => new Tag(tag, true)) ?? []
  return new UsageAllocation(
    { allocatedUsageQuantity, ...(first !== undefined && { tags: [first, ...others] }) },
    true
  )
}

/** The allocations as text, independent of the order of allocations and tags. */
export const splitOf = (allocations: ReadonlyArray<UsageAllocation> | undefined): string =>
  allocations === undefined
    ? ""
    : allocations
        .map(({ allocatedUsageQuantity, tags = [] }) =>
          keyOf(allocatedUsageQuantity, ...tags.map(({ key, value }) => keyOf(key, value)).sort())
        )
        .sort()
        .join()
