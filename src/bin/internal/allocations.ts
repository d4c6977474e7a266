/** Usage split by tags, as JSON in one cell of a file or in one option. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as json from "./json.js"

const inDomainNames = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(inDomainNames)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value).map(([name, inner]) => [
            json.domainName(name),
            inDomainNames(inner)
          ])
        )
      : value

/** Places of members that no allocation has: they would be left out, and what they say with them. */
export const strangeIn = (value: unknown): ReadonlyArray<string> =>
  strangers(value, allocationMembers).concat(
    Array.isArray(value)
      ? value.flatMap((allocation: unknown) =>
          Predicate.hasProperty(allocation, "tags") ? strangers(allocation.tags, tagMembers) : []
        )
      : []
  )

const allocationMembers = ["allocatedUsageQuantity", "tags"]
const tagMembers = ["key", "value"]

const strangers = (list: unknown, known: ReadonlyArray<string>): ReadonlyArray<string> =>
  Array.isArray(list)
    ? list.flatMap((element: unknown) =>
        Predicate.isRecord(element)
          ? Object.keys(element).filter((name) => !known.includes(name))
          : []
      )
    : []

/** What the text says, by the library's names; whether those are allocations is for the record to check. */
export const read = (text: string): Either.Either<unknown, string> =>
  json.problemIn(text) === undefined
    ? Either.try({ try: () => inDomainNames(JSON.parse(text)), catch: () => expected }).pipe(
        Either.filterOrLeft(
          (value) => strangeIn(value).length === 0,
          () => expected
        )
      )
    : Either.left(expected)

const expected =
  'a JSON list such as [{"allocatedUsageQuantity":1,"tags":[{"key":"team","value":"search"}]}], with no other members, none of them twice, and whole numbers'

export { inDomainNames }
