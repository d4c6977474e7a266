/** The columns of a file of usage, by the names of the library or of the wire. */
import * as Either from "effect/Either"
import { shortened } from "./printable.js"

export const fields = [
  "timestamp",
  "dimension",
  "quantity",
  "customerAWSAccountId",
  "customerIdentifier",
  "licenseArn",
  "productCode",
  "usageAllocations"
] as const

export type Field = (typeof fields)[number]

/** Columns that an earlier submission has added to rows that were not accepted. They are not read. */
const notes = ["line", "reason"] as const

/** The meaning of a column. */
export type Column = Field | Note

type Note = (typeof notes)[number]

export const isNote = (column: Column | undefined): column is Note =>
  notes.some((note) => note === column)

/** Case, spaces and what joins words make no difference. */
const plain = (name: string) => name.toLowerCase().replace(/[\s_-]/g, "")

const known: ReadonlyMap<string, Column> = new Map<string, Column>([
  ...fields.map((field) => [plain(field), field] as const),
  // as MeterUsage has them
  ["usagedimension", "dimension"],
  ["usagequantity", "quantity"],
  ...notes.map((note) => [note, note] as const)
])

export const columnOf = (name: string): Column | undefined => known.get(plain(name))

/** The number of unknown columns that are told one by one. */
const mostTold = 10

/** What each column is for, or what is wrong with the head of the file. */
export const read = (
  head: ReadonlyArray<string>
): Either.Either<ReadonlyArray<Column>, ReadonlyArray<string>> => {
  const columns = head.map(columnOf)
  const strange = head.filter((_, i) => columns[i] === undefined)
  const there = new Set(columns)
  const twice = columns.filter((column, i) => column !== undefined && columns.indexOf(column) < i)
  const missing = ["timestamp", "dimension", "quantity"].filter(
    (field) => !there.has(field as Field)
  )
  const problems = [
    ...(head.length === 1
      ? ["it has one column only: columns are separated by commas, semicolons or tabs"]
      : []),
    ...strange
      .slice(0, mostTold)
      .map(
        (name) =>
          `"${shortened(name)}" is none of ${fields.join(", ")}; take the column out, or give it one of these names`
      ),
    ...(strange.length > mostTold ? [`and so are ${strange.length - mostTold} more`] : []),
    ...[...new Set(twice)].map((field) => `there are two columns for ${field}`),
    ...missing.map((field) => `there is no column ${field}`),
    ...(there.has("customerAWSAccountId") || there.has("customerIdentifier")
      ? []
      : ["there is no column customerAWSAccountId, and none customerIdentifier"])
  ]
  return problems.length === 0
    ? Either.right(columns.filter((column) => column !== undefined))
    : Either.left(problems)
}
