/** The schema of rows of `ledger record`: usage with an id, and with a customer or a subscription. */
import * as BigDecimal from "effect/BigDecimal"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { UsageLedger } from "../../ledger/index.js"
import * as allocations from "./allocations.js"
import * as columns from "./columns.js"
import * as decimal from "./decimal.js"
import * as json from "./json.js"
import type { Row, RowSchema } from "./parseRows.js"
import { expectedTime, parseTime } from "./time.js"

/** The usage of a row. If it has no subscription, the subscription is found by the customer. */
export interface EventItem {
  readonly id: string
  readonly subscription: string | undefined
  readonly customer: string | undefined
  readonly licenseArn: string | undefined
  readonly productCode: string | undefined
  readonly dimension: string
  readonly at: DateTime.Utc
  /** The events to record: one for each allocation, or one without allocations. */
  readonly parts: ReadonlyArray<{
    readonly id: string
    readonly quantity: UsageLedger.Quantity
    readonly tags: UsageLedger.Event["tags"]
  }>
}

export type EventRow = Row<EventItem>

/** The values of a row, by field. */
type Found = Readonly<Record<string, unknown>>

const text = (found: Found, field: string): Either.Either<string | undefined, string> => {
  const value = found[field]
  return value === undefined || Predicate.isString(value)
    ? Either.right(value)
    : Either.left(`${field}: expected a text, got ${json.formatValue(value)}`)
}

const requiredText = (found: Found, field: string): Either.Either<string, string> =>
  Either.filterOrLeft(text(found, field), Predicate.isNotUndefined, () => `${field}: missing`)

const timeOf = (value: unknown): Either.Either<DateTime.Utc, string> => {
  const time = Predicate.isString(value) ? parseTime(value) : value
  return DateTime.isDateTime(time)
    ? Either.right(DateTime.toUtc(time))
    : Either.left(`timestamp: expected ${expectedTime}, got ${json.formatValue(value)}`)
}

const quantityOf = (value: unknown): Either.Either<UsageLedger.Quantity, string> => {
  if (Predicate.isNumber(value)) return Either.right(value)
  if (!Predicate.isString(value)) {
    return Either.left(`quantity: expected a number, got ${json.formatValue(value)}`)
  }
  const trimmed = value.trim()
  return decimal.ambiguousThousands.test(trimmed)
    ? Either.left(
        `quantity: ${trimmed} is a thousand in some countries: write it without zeros at its end, or without a point`
      )
    : Either.right(trimmed)
}

/** Parses tags: a JSON object of strings, as the text of a cell or as the value of a member. */
const tagsOf = (value: unknown): Either.Either<UsageLedger.Event["tags"], string> => {
  if (value === undefined) return Either.right(undefined)
  const expected = `tags: expected a JSON object such as {"team":"search"}`
  const problem = Predicate.isString(value) ? json.findUnsafeJson(value) : undefined
  if (problem !== undefined) return Either.left(`tags: ${problem}`)
  return Either.try({
    try: (): unknown => (Predicate.isString(value) ? JSON.parse(value) : value),
    catch: () => expected
  }).pipe(
    Either.filterOrLeft(
      (tags): tags is { readonly [key: string]: string } =>
        Predicate.isRecord(tags) && Object.values(tags).every(Predicate.isString),
      () => `${expected}, got ${json.formatValue(value)}`
    )
  )
}

interface Allocation {
  readonly allocatedUsageQuantity: UsageLedger.Quantity
  readonly tags?: ReadonlyArray<{ readonly key: string; readonly value: string }>
}

const isTag = (tag: unknown): tag is { readonly key: string; readonly value: string } =>
  Predicate.isRecord(tag) && Predicate.isString(tag.key) && Predicate.isString(tag.value)

const isTags = (tags: unknown): boolean =>
  Array.isArray(tags) &&
  tags.every(isTag) &&
  new Set(tags.map(({ key }) => key)).size === tags.length

/** Excludes exponents, because sums of numbers such as 1e999999999 would fill the memory. */
const plainNumber = /^\d{1,40}(?:\.\d{1,40})?$/

const isAllocation = (value: unknown): value is Allocation =>
  Predicate.isRecord(value) &&
  (Predicate.isNumber(value.allocatedUsageQuantity) ||
    Predicate.isString(value.allocatedUsageQuantity)) &&
  plainNumber.test(String(value.allocatedUsageQuantity)) &&
  (value.tags === undefined || isTags(value.tags))

const sumOf = (
  quantities: ReadonlyArray<UsageLedger.Quantity>
): Option.Option<BigDecimal.BigDecimal> =>
  Option.map(
    Option.all(quantities.map((quantity) => BigDecimal.fromString(String(quantity)))),
    BigDecimal.sumAll
  )

/** Makes an event for each allocation. Fails if their quantities do not add up to the quantity of the row. */
const partsOf = (
  id: string,
  quantity: UsageLedger.Quantity,
  value: unknown
): Either.Either<EventItem["parts"], string> =>
  Either.flatMap(allocations.parseField(value), (list) => {
    if (!Array.isArray(list) || list.length === 0 || !list.every(isAllocation)) {
      return Either.left(`usageAllocations: expected ${allocations.expected}`)
    }
    if (!plainNumber.test(String(quantity))) {
      return Either.left(`quantity: expected a number, got ${json.formatValue(quantity)}`)
    }
    const total = sumOf(list.map(({ allocatedUsageQuantity }) => allocatedUsageQuantity))
    const isComplete = Option.getOrElse(
      Option.zipWith(total, sumOf([quantity]), BigDecimal.equals),
      () => false
    )
    return isComplete
      ? Either.right(
          list.map(({ allocatedUsageQuantity, tags = [] }, i) => ({
            // the first event has the id of the row, because the row without allocations is the same usage
            id: i === 0 ? id : `${id}/${i + 1}`,
            quantity: allocatedUsageQuantity,
            tags:
              tags.length === 0
                ? undefined
                : Object.fromEntries(tags.map(({ key, value }) => [key, value]))
          }))
        )
      : Either.left("usageAllocations: their quantities do not add up to the row's")
  })

export const eventRowSchema: RowSchema<EventItem> = {
  columns: columns.make({
    fields: [
      "id",
      "timestamp",
      "dimension",
      "quantity",
      "subscription",
      "customerAWSAccountId",
      "customerIdentifier",
      "licenseArn",
      "productCode",
      "tags",
      "usageAllocations"
    ],
    aliases: { usageDimension: "dimension", usageQuantity: "quantity" },
    required: ["id", "timestamp", "dimension", "quantity"],
    oneOf: ["subscription", "customerAWSAccountId", "customerIdentifier"]
  }),
  parse: (found) =>
    Either.gen(function* () {
      const id = yield* requiredText(found, "id")
      const subscription = yield* text(found, "subscription")
      const account = yield* text(found, "customerAWSAccountId")
      const customer = account ?? (yield* text(found, "customerIdentifier"))
      if (subscription === undefined && customer === undefined) {
        return yield* Either.left("subscription: missing, and there is no customer")
      }
      if (subscription !== undefined && customer !== undefined) {
        return yield* Either.left("subscription: give it or a customer, not both")
      }
      const quantity = yield* quantityOf(found.quantity)
      const { tags, usageAllocations } = found
      if (tags !== undefined && usageAllocations !== undefined) {
        return yield* Either.left("tags: give tags or usageAllocations, not both")
      }
      return {
        id,
        subscription,
        customer,
        licenseArn: yield* text(found, "licenseArn"),
        productCode: yield* text(found, "productCode"),
        dimension: yield* requiredText(found, "dimension"),
        at: yield* timeOf(found.timestamp),
        parts:
          usageAllocations === undefined
            ? [{ id, quantity, tags: yield* tagsOf(tags) }]
            : yield* partsOf(id, quantity, usageAllocations)
      }
    })
}
