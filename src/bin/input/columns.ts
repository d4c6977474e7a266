/** The column names of CSV files, which are also the member names of NDJSON. */
import * as Either from "effect/Either"
import { truncateText } from "../output/format.js"

interface Names {
  readonly fields: ReadonlyArray<string>
  /** Fields by their other names. */
  readonly aliases?: Readonly<Record<string, string>>
  readonly required: ReadonlyArray<string>
  /** Fields of which at least one is required. */
  readonly oneOf: ReadonlyArray<string>
}

/** The columns that a file may have. */
export interface Columns extends Names {
  /** Returns the field or note with a name, or `undefined`. */
  readonly find: (name: string) => string | undefined
}

/** Columns that an earlier run added to rejected rows. They are ignored. */
const notes = ["line", "reason"] as const

type Note = (typeof notes)[number]

/** Makes names that differ only in case, spaces, - and _ equal. */
const normalizeName = (name: string) => name.toLowerCase().replace(/[\s_-]/g, "")

export const isNote = (name: string): name is Note =>
  notes.some((note) => note === normalizeName(name))

export const make = (names: Names): Columns => {
  const { aliases = {}, fields } = names
  const byName = new Map([
    ...[...fields, ...notes].map((field) => [normalizeName(field), field] as const),
    ...Object.entries(aliases).map(([name, field]) => [normalizeName(name), field] as const)
  ])
  return { ...names, find: (name) => byName.get(normalizeName(name)) }
}

/** Maximum number of unknown columns that an error lists. The rest are counted. */
const maxListed = 10

/** Returns the field of each column, or the problems of the header line. */
export const parseHeader = (
  columns: Columns,
  header: ReadonlyArray<string>
): Either.Either<ReadonlyArray<string>, ReadonlyArray<string>> => {
  const { fields, find, oneOf, required } = columns
  const found = header.map(find)
  const unknown = header.filter((_, i) => found[i] === undefined)
  const present = new Set(found)
  const repeated = found.filter((column, i) => column !== undefined && found.indexOf(column) < i)
  const problems = [
    ...(header.length === 1
      ? ["it has one column only: columns are separated by commas, semicolons or tabs"]
      : []),
    ...unknown
      .slice(0, maxListed)
      .map(
        (name) =>
          `"${truncateText(name)}" is none of ${fields.join(", ")}; remove the column, or give it one of these names`
      ),
    ...(unknown.length > maxListed ? [`and so are ${unknown.length - maxListed} more`] : []),
    ...[...new Set(repeated)].map((field) => `there are two columns for ${field}`),
    ...required
      .filter((field) => !present.has(field))
      .map((field) => `there is no column ${field}`),
    ...(oneOf.some((field) => present.has(field))
      ? []
      : [`there is no column ${oneOf.join(", and none ")}`])
  ]
  return problems.length === 0
    ? Either.right(found.filter((column) => column !== undefined))
    : Either.left(problems)
}
