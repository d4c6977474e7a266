/**
 * Usage split by tags.
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { type MakeOptions, maker, makerEither } from "./internal/schema/construct.js"
import {
  boundedString,
  field,
  fieldWithDefault,
  noIssues,
  optionalField,
  Quantity,
  type RuleIssue,
  rule,
  structRule
} from "./internal/schema/fields.js"
import type { InvalidInputError } from "./MeteringError.js"

/**
 * One tag of an allocation: a key of 1 to 100 characters and a value of at most 256, both of letters,
 * digits, `._:\/@` and the ASCII characters from space to `=`.
 *
 * AWS's description of the field allows an empty value, but its pattern does not. This package sends empty values.
 *
 * @example
 * ```ts
 * import { UsageAllocation } from "effect-marketplace-metering"
 *
 * const tag = UsageAllocation.makeTag({ key: "team", value: "search" })
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_Tag.html
 * @since 0.1.0
 * @category models
 */
export class Tag extends Schema.Class<Tag>("effect-marketplace-metering/Tag")({
  key: field(
    "Key",
    boundedString("tagKey", 1, 100, {
      pattern: /^[a-zA-Z0-9+ -=._:\\/@]+$/,
      description: "letters, digits, space and punctuation"
    })
  ),
  value: fieldWithDefault(
    "Value",
    boundedString("tagValue", 0, 256, {
      pattern: /^[a-zA-Z0-9+ -=._:\\/@]*$/,
      description: "letters, digits, space and punctuation"
    }),
    () => ""
  )
}) {}

/**
 * A quantity of whole units, 0 to 2 147 483 647, for one set of 1 to 5 tags, or for all untagged usage.
 *
 * @example
 * ```ts
 * import { UsageAllocation } from "effect-marketplace-metering"
 *
 * const allocation = UsageAllocation.UsageAllocation.make({
 *   allocatedUsageQuantity: 40,
 *   tags: [UsageAllocation.makeTag({ key: "team", value: "search" })]
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
  allocatedUsageQuantity: field("AllocatedUsageQuantity", Quantity),
  tags: optionalField(
    "Tags",
    Schema.NonEmptyArray(Tag).pipe(rule("tagCount", "1 to 5 tags", (tags) => tags.length <= 5))
  )
}) {}

/**
 * The allocations of one record: 1 to 2500, each with a different set of tags, and with at most 5 different tag keys in
 * total.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UsageAllocations = Schema.NonEmptyArray(UsageAllocation).pipe(
  rule("allocationCount", "1 to 2500 allocations", (all) => all.length <= 2500),
  structRule("allocationTagSets", "a different set of tags on each allocation", repeatedTagSets),
  structRule("allocationTagKeys", "at most 5 different tag keys over all allocations", tooManyKeys)
)

function repeatedTagSets(all: ReadonlyArray<UsageAllocation>): ReadonlyArray<RuleIssue> {
  if (all.length < 2) return noIssues
  const seen = new Map<string, number>()
  const issues: Array<RuleIssue> = []
  for (let i = 0; i < all.length; i++) {
    const set = tagSet(all[i]?.tags)
    const first = seen.get(set)
    if (first === undefined) {
      seen.set(set, i)
    } else {
      issues.push({
        path: [i, "tags"],
        expected: `other tags than allocation ${first} has`,
        value: set
      })
    }
  }
  return issues
}

/** Returns a key that is equal for equal sets of tags, in any order. */
function tagSet(tags: ReadonlyArray<Tag> | undefined): string {
  return tags === undefined
    ? ""
    : [...new Set(tags.map((tag) => JSON.stringify([tag.key, tag.value])))].sort().join()
}

function tooManyKeys(all: ReadonlyArray<UsageAllocation>): ReadonlyArray<RuleIssue> {
  const keys = new Set<string>()
  for (const { tags } of all) {
    if (tags !== undefined) for (const tag of tags) keys.add(tag.key)
  }
  return keys.size <= 5
    ? noIssues
    : [
        {
          path: [],
          expected: "at most 5 different tag keys over all allocations",
          value: keys.size
        }
      ]
}

/**
 * The fields of a tag: `key` and `value`. `Tag` has their limits.
 *
 * @since 0.1.0
 * @category models
 */
export interface TagInput {
  readonly key: string
  readonly value: string
}

/**
 * The fields of an allocation: `allocatedUsageQuantity`, in whole units, and its `tags`. Plain tags become instances. An
 * empty list of tags is a violation; untagged usage has no `tags`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Input {
  readonly allocatedUsageQuantity: number
  readonly tags?: ReadonlyArray<TagInput> | undefined
}

/**
 * Makes an allocation, or fails with its violations. Plain tags become instances.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { UsageAllocation } from "effect-marketplace-metering"
 *
 * const allocation = UsageAllocation.makeEither({ allocatedUsageQuantity: -1 })
 * const violations = Either.isLeft(allocation) ? allocation.left.violations : []
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEither: (
  fields: Input,
  options?: MakeOptions
) => Either.Either<UsageAllocation, InvalidInputError> = makerEither(UsageAllocation)

/**
 * Makes an allocation. Throws `InvalidInputError` if it breaks a rule.
 *
 * @example
 * ```ts
 * import { UsageAllocation } from "effect-marketplace-metering"
 *
 * const allocation = UsageAllocation.make({
 *   allocatedUsageQuantity: 40,
 *   tags: [{ key: "team", value: "search" }]
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (fields: Input, options?: MakeOptions) => UsageAllocation = maker(makeEither)

/**
 * Makes a tag, or fails with its violations.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { UsageAllocation } from "effect-marketplace-metering"
 *
 * const tag = Either.getOrUndefined(UsageAllocation.makeTagEither({ key: "", value: "search" }))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeTagEither: (
  fields: TagInput,
  options?: MakeOptions
) => Either.Either<Tag, InvalidInputError> = makerEither(Tag)

/**
 * Makes a tag. Throws `InvalidInputError` if it breaks a rule.
 *
 * @example
 * ```ts
 * import { UsageAllocation } from "effect-marketplace-metering"
 *
 * const tag = UsageAllocation.makeTag({ key: "team", value: "search" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeTag: (fields: TagInput, options?: MakeOptions) => Tag = maker(makeTagEither)
