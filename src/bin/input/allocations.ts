/** Usage split by tags, as JSON in one cell of a file or in one option. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as json from "./json.js"

const withFieldNames = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withFieldNames)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value).map(([name, inner]) => [
            json.toFieldName(name),
            withFieldNames(inner)
          ])
        )
      : value

/** Places of members that no allocation has: they would be left out, and what they say with them. */
export const unknownMembers = (value: unknown): ReadonlyArray<string> =>
  unknownNames(value, allocationMembers).concat(
    Array.isArray(value)
      ? value.flatMap((allocation: unknown) =>
          Predicate.hasProperty(allocation, "tags") ? unknownNames(allocation.tags, tagMembers) : []
        )
      : []
  )

const allocationMembers = ["allocatedUsageQuantity", "tags"]
const tagMembers = ["key", "value"]

const unknownNames = (list: unknown, known: ReadonlyArray<string>): ReadonlyArray<string> =>
  Array.isArray(list)
    ? list.flatMap((element: unknown) =>
        Predicate.isRecord(element)
          ? Object.keys(element).filter((name) => !known.includes(name))
          : []
      )
    : []

/** What the text says, by the library's names; whether those are allocations is for the record to check. */
export const parse = (text: string): Either.Either<unknown, string> =>
  json.findError(text) === undefined
    ? Either.try({ try: () => withFieldNames(JSON.parse(text)), catch: () => expected }).pipe(
        Either.filterOrLeft(
          (value) => unknownMembers(value).length === 0,
          () => expected
        )
      )
    : Either.left(expected)

const expected =
  'a JSON list such as [{"allocatedUsageQuantity":1,"tags":[{"key":"team","value":"search"}]}], with no other members, none of them twice, and whole numbers'

export { withFieldNames }
