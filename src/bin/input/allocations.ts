/** Parses usage allocations from JSON, in a cell of a file or in an option. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { listSome } from "../output/format.js"
import * as json from "./json.js"

/** Renames the members of AWS's JSON, such as `Tags`, to field names, such as `tags`. */
const withFieldNames = (value: unknown): unknown => {
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

/** Returns the names of members that are not fields of an allocation or a tag. Encoding would drop them. */
const unknownMembers = (value: unknown): ReadonlyArray<string> => [
  ...unknownNames(value, ["allocatedUsageQuantity", "tags"]),
  ...recordsIn(value).flatMap(({ tags }) => unknownNames(tags, ["key", "value"]))
]

/** The expected value, for error messages. */
export const expected =
  'a JSON list such as [{"allocatedUsageQuantity":1,"tags":[{"key":"team","value":"search"}]}], with no other members, no repeated members, and whole numbers'

/** Parses JSON. Fails on unknown members. The values are validated by the usage record. */
export const parse = (text: string): Either.Either<unknown, string> =>
  json.findUnsafeJson(text) === undefined
    ? Either.try({ try: () => withFieldNames(JSON.parse(text)), catch: () => expected }).pipe(
        Either.filterOrLeft(
          (value) => unknownMembers(value).length === 0,
          () => expected
        )
      )
    : Either.left(expected)

/**
 * Parses a CSV cell or a JSON value. Returns a text that is not JSON unchanged, so that the validation of the record reports
 * it. Fails on unknown members, and on JSON that `JSON.parse` would read with a loss.
 */
export const parseField = (value: unknown): Either.Either<unknown, string> => {
  const parsed = Predicate.isString(value)
    ? Either.getOrElse(parse(value), () => value)
    : withFieldNames(value)
  const problem = Predicate.isString(parsed) ? json.findUnsafeJson(parsed) : undefined
  if (problem !== undefined) return Either.left(`usageAllocations: ${problem}`)
  const unknown = unknownMembers(parsed)
  return unknown.length > 0
    ? Either.left(`usageAllocations: ${listSome(unknown)}: not a member of allocations or tags`)
    : Either.right(parsed)
}
