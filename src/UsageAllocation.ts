/**
 * Usage split into buckets by tags.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  crossRule,
  type Fault,
  member,
  memberOr,
  noFaults,
  optionalMember,
  Quantity,
  rule,
  text
} from "./internal/wire.js"

/**
 * One tag of an allocation: a key of 1 to 100 characters and a value of at most 256, both of letters,
 * digits, space and `+ -=._:\/@` and what lies between space and `=` in ASCII.
 *
 * The service's prose allows an empty value where its pattern does not; an empty value is sent.
 *
 * @example
 * ```ts
 * import { UsageAllocation } from "effect-marketplace-metering"
 *
 * const tag = UsageAllocation.Tag.make({ key: "team", value: "search" })
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_Tag.html
 * @since 0.1.0
 * @category models
 */
export class Tag extends Schema.Class<Tag>("effect-marketplace-metering/Tag")({
  key: member(
    "Key",
    text("tagKey", 1, 100, {
      pattern: /^[a-zA-Z0-9+ -=._:\\/@]+$/,
      named: "letters, digits, space and punctuation"
    })
  ),
  value: memberOr(
    "Value",
    text("tagValue", 0, 256, {
      pattern: /^[a-zA-Z0-9+ -=._:\\/@]*$/,
      named: "letters, digits, space and punctuation"
    }),
    () => ""
  )
}) {}

/**
 * A quantity of whole units, 0 to 2 147 483 647, for one set of 1 to 5 tags, or for everything untagged.
 *
 * @example
 * ```ts
 * import { UsageAllocation } from "effect-marketplace-metering"
 *
 * const allocation = UsageAllocation.UsageAllocation.make({
 *   allocatedUsageQuantity: 40,
 *   tags: [UsageAllocation.Tag.make({ key: "team", value: "search" })]
 * })
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_UsageAllocation.html
 * @since 0.1.0
 * @category models
 */
export class UsageAllocation extends Schema.Class<UsageAllocation>(
  "effect-marketplace-metering/UsageAllocation"
)({
  allocatedUsageQuantity: member("AllocatedUsageQuantity", Quantity),
  tags: optionalMember(
    "Tags",
    Schema.NonEmptyArray(Tag).pipe(rule("tagCount", "1 to 5 tags", (tags) => tags.length <= 5))
  )
}) {}

/**
 * The allocations of one record: 1 to 2500, no tag set twice, at most 5 different tag keys over all.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UsageAllocations = Schema.NonEmptyArray(UsageAllocation).pipe(
  rule("allocationCount", "1 to 2500 allocations", (all) => all.length <= 2500),
  crossRule("allocationTagSets", "a different set of tags on each allocation", repeatedTagSets),
  crossRule("allocationTagKeys", "at most 5 different tag keys over all allocations", tooManyKeys)
)

function repeatedTagSets(all: ReadonlyArray<UsageAllocation>): ReadonlyArray<Fault> {
  if (all.length < 2) return noFaults
  const seen = new Map<string, number>()
  const faults: Array<Fault> = []
  for (let i = 0; i < all.length; i++) {
    const set = tagSet(all[i]?.tags)
    const first = seen.get(set)
    if (first === undefined) {
      seen.set(set, i)
    } else {
      faults.push({
        path: [i, "tags"],
        expected: `other tags than allocation ${first} has`,
        value: set
      })
    }
  }
  return faults
}

/** Two lists of tags are the same set when this is the same text, whatever their order. */
function tagSet(tags: ReadonlyArray<Tag> | undefined): string {
  return tags === undefined
    ? ""
    : [...new Set(tags.map((tag) => JSON.stringify([tag.key, tag.value])))].sort().join()
}

function tooManyKeys(all: ReadonlyArray<UsageAllocation>): ReadonlyArray<Fault> {
  const keys = new Set<string>()
  for (const { tags } of all) {
    if (tags !== undefined) for (const tag of tags) keys.add(tag.key)
  }
  return keys.size <= 5
    ? noFaults
    : [
        {
          path: [],
          expected: "at most 5 different tag keys over all allocations",
          value: keys.size
        }
      ]
}

/**
 * Faults of a record or request whose allocations do not add up to its quantity.
 *
 * @internal
 */
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
