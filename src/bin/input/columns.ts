/** The columns of a file of usage. */
import * as Either from "effect/Either"
import { truncate } from "../output/format.js"

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

/** Columns that an earlier submission has added to rejected rows. They are ignored. */
const notes = ["line", "reason"] as const

export type Column = Field | Note

type Note = (typeof notes)[number]

export const isNote = (column: Column | undefined): column is Note =>
  notes.some((note) => note === column)

/** Names ignore case, spaces, - and _. */
const normalizeName = (name: string) => name.toLowerCase().replace(/[\s_-]/g, "")

const columnsByName: ReadonlyMap<string, Column> = new Map<string, Column>([
  ...fields.map((field) => [normalizeName(field), field] as const),
  // names of MeterUsage
  ["usagedimension", "dimension"],
  ["usagequantity", "quantity"],
  ...notes.map((note) => [note, note] as const)
])

export const findColumn = (name: string): Column | undefined =>
  columnsByName.get(normalizeName(name))

/** At most this many unknown columns in an error; the rest are counted. */
const maxListed = 10

/** The field of each column, or the problems of the first line. */
export const parseHeader = (
  header: ReadonlyArray<string>
): Either.Either<ReadonlyArray<Column>, ReadonlyArray<string>> => {
  const columns = header.map(findColumn)
  const unknown = header.filter((_, i) => columns[i] === undefined)
  const present = new Set(columns)
  const repeated = columns.filter(
    (column, i) => column !== undefined && columns.indexOf(column) < i
  )
  const missing = ["timestamp", "dimension", "quantity"].filter(
    (field) => !present.has(field as Field)
  )
  const problems = [
    ...(header.length === 1
      ? ["it has one column only: columns are separated by commas, semicolons or tabs"]
      : []),
    ...unknown
      .slice(0, maxListed)
      .map(
        (name) =>
          `"${truncate(name)}" is none of ${fields.join(", ")}; remove the column, or give it one of these names`
      ),
    ...(unknown.length > maxListed ? [`and so are ${unknown.length - maxListed} more`] : []),
    ...[...new Set(repeated)].map((field) => `there are two columns for ${field}`),
    ...missing.map((field) => `there is no column ${field}`),
    ...(present.has("customerAWSAccountId") || present.has("customerIdentifier")
      ? []
      : ["there is no column customerAWSAccountId, and none customerIdentifier"])
  ]
  return problems.length === 0
    ? Either.right(columns.filter((column) => column !== undefined))
    : Either.left(problems)
}
