/** Usage allocations as JSON, in a cell of a file or in an option. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as json from "./json.js"

/** Accepts the member names of AWS's JSON, too. */
export const withFieldNames = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withFieldNames)
  if (!Predicate.isRecord(value)) return value
  const members = Object.entries(value)
  return Object.fromEntries(
    members.map(([name, inner]) => [json.toFieldName(name), withFieldNames(inner)])
  )
}

const recordsIn = (list: unknown) =>
  Array.isArray(list) ? list.filter((element) => Predicate.isRecord(element)) : []

const unknownNames = (list: unknown, known: ReadonlyArray<string>): ReadonlyArray<string> =>
  recordsIn(list).flatMap((record) => Object.keys(record).filter((name) => !known.includes(name)))

/** Members that no allocation or tag has. Encoding would drop them. */
export const unknownMembers = (value: unknown): ReadonlyArray<string> => [
  ...unknownNames(value, ["allocatedUsageQuantity", "tags"]),
  ...recordsIn(value).flatMap(({ tags }) => unknownNames(tags, ["key", "value"]))
]

export const expected =
  'a JSON list such as [{"allocatedUsageQuantity":1,"tags":[{"key":"team","value":"search"}]}], with no other members, no repeated members, and whole numbers'

/** Reads JSON without unknown members. The usage record validates the values. */
export const parse = (text: string): Either.Either<unknown, string> =>
  json.findError(text) === undefined
    ? Either.try({ try: () => withFieldNames(JSON.parse(text)), catch: () => expected }).pipe(
        Either.filterOrLeft(
          (value) => unknownMembers(value).length === 0,
          () => expected
        )
      )
    : Either.left(expected)
