/** Usage allocations as JSON, in a cell of a file or in an option. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { listSome } from "../output/format.js"
import * as json from "./json.js"

/** Accepts the member names of AWS's JSON, too. */
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

/** Members that no allocation or tag has. Encoding would drop them. */
const unknownMembers = (value: unknown): ReadonlyArray<string> => [
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

/** Reads a cell, or a value of JSON. Texts that cannot be read stay texts. Fails at members that would be dropped. */
export const parseField = (value: unknown): Either.Either<unknown, string> => {
  const parsed = Predicate.isString(value)
    ? Either.getOrElse(parse(value), () => value)
    : withFieldNames(value)
  const problem = Predicate.isString(parsed) ? json.findError(parsed) : undefined
  if (problem !== undefined) return Either.left(`usageAllocations: ${problem}`)
  const unknown = unknownMembers(parsed)
  return unknown.length > 0
    ? Either.left(`usageAllocations: ${listSome(unknown)}: not a member of allocations or tags`)
    : Either.right(parsed)
}
