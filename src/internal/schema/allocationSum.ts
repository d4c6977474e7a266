import type { UsageAllocation } from "../../UsageAllocation.js"
import { noIssues, type RuleIssue } from "./fields.js"

/** Faults of a record or request whose allocations do not add up to its quantity. */
export const allocationSum = (
  quantity: number,
  allocations: ReadonlyArray<UsageAllocation> | undefined
): ReadonlyArray<RuleIssue> => {
  if (allocations === undefined) return noIssues
  let sum = 0
  for (const { allocatedUsageQuantity } of allocations) sum += allocatedUsageQuantity
  return sum === quantity
    ? noIssues
    : [
        {
          path: ["usageAllocations"],
          expected: `allocated quantities that add up to ${quantity}`,
          value: sum
        }
      ]
}
