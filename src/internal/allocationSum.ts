import type { UsageAllocation } from "../UsageAllocation.js"
import { type Fault, noFaults } from "./wire.js"

/** Faults of a record or request whose allocations do not add up to its quantity. */
export const allocationSum = (
  quantity: number,
  allocations: ReadonlyArray<UsageAllocation> | undefined
): ReadonlyArray<Fault> => {
  if (allocations === undefined) return noFaults
  let sum = 0
  for (const { allocatedUsageQuantity } of allocations) sum += allocatedUsageQuantity
  return sum === quantity
    ? noFaults
    : [
        {
          path: ["usageAllocations"],
          expected: `allocated quantities that add up to ${quantity}`,
          value: sum
        }
      ]
}
