/** Parses the rows of a CSV or NDJSON file, each with its line number and its source text. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as Stream from "effect/Stream"
import { type CliError, cannotRun } from "../internal/cliError.js"
import { bulletList, formatCount, listSome } from "../output/format.js"
import * as columns from "./columns.js"
import * as csvScanner from "./csv.js"
import * as json from "./json.js"
import * as ndjsonLines from "./ndjsonLines.js"
import { mapSteps, type Scanner, type Step, through } from "./scanner.js"

/** The format of a file, and its columns in CSV. */
export type Sheet =
  | {
      readonly format: "csv"
      /** One character. */
      readonly delimiter: string
      readonly header: ReadonlyArray<string>
      readonly columns: ReadonlyArray<string>
    }
  | {
      readonly format: "ndjson"
      /** Returns true if a line can be parsed as a row. */
      readonly isValid: (line: string) => boolean
    }

export type Format = Sheet["format"]

/** The columns of a row, and the parser of its values. */
export interface RowSchema<A> {
  readonly columns: columns.Columns
  /** Parses the values by field: strings of CSV, or any JSON of NDJSON. Fails with the reason why they are invalid. */
  readonly parse: (found: Readonly<Record<string, unknown>>) => Either.Either<A, string>
}

export interface Row<A> {
  readonly sheet: Sheet
  /** The number of the line at which the row begins, from 1. */
  readonly line: number
  /** The source text: the cells of CSV, or a line of JSON. */
  readonly raw: ReadonlyArray<string> | string
  /** The parsed row, or the reason why it cannot be parsed. */
  readonly content: Either.Either<A, string>
}

/** Returns the format for a file name: NDJSON for `.ndjson` and `.jsonl`, and CSV for other names. */
export const formatOf = (file: string): Format =>
  /\.(ndjson|jsonl)$/i.test(file) ? "ndjson" : "csv"

/** Parses the values of a row. Ignores empty cells, `null`, and columns of an earlier run. */
const contentFrom = <A>(
  { parse }: RowSchema<A>,
  all: Iterable<readonly [column: string | undefined, value: unknown]>
): Either.Either<A, string> => {
  const found: Record<string, unknown> = {}
  for (const [column, value] of all) {
    if (column === undefined || columns.isNote(column)) continue
    if (value === undefined || value === null || value === "") continue
    found[column] = value
  }
  return parse(found)
}

type CsvSheet = Sheet & { readonly format: "csv" }

/**
 * Parses the rows of a CSV file, whose first line names the columns. The stream fails at a quote that is not closed, because
 * the cells after it could be misread and billed. Errors name the first line that was not read.
 */
export const csv = <A, R>(
  schema: RowSchema<A>,
  bytes: Stream.Stream<Uint8Array, CliError, R>,
  name: string
): Stream.Stream<Row<A>, CliError, R> => through(() => csvRows(schema, name))(bytes)

const csvRows = <A>(schema: RowSchema<A>, name: string): Scanner<Uint8Array, Row<A>> => {
  let sheet: CsvSheet | undefined
  return mapSteps(csvScanner.make(name), ({ failure, out }, isEnd): Step<Row<A>> => {
    const rows: Array<Row<A>> = []
    for (const line of out) {
      if (sheet !== undefined) {
        rows.push({
          sheet,
          line: line.line,
          raw: line.cells,
          content: contentOf(schema, sheet, line)
        })
      } else if (!namesDelimiter(line)) {
        const parsed = sheetOf(schema, line, name)
        if (Either.isLeft(parsed)) return { out: [], failure: parsed.left }
        sheet = parsed.right
      }
    }
    return isEnd && sheet === undefined && failure === undefined
      ? { out: [], failure: cannotRun(`${name} is empty. Its first line must name the columns.`) }
      : { out: rows, failure }
  })
}

/** Returns true for a first line such as `sep=;`, which names the delimiter in Excel. */
const namesDelimiter = ({ cells, line }: csvScanner.Line) =>
  line === 1 && cells.length === 2 && cells[0]?.toLowerCase() === "sep=" && cells[1] === ""

const sheetOf = <A>(
  schema: RowSchema<A>,
  { cells, delimiter, tooLong }: csvScanner.Line,
  name: string
): Either.Either<CsvSheet, CliError> =>
  (tooLong === undefined
    ? columns.parseHeader(schema.columns, cells)
    : Either.left([tooLong])
  ).pipe(
    Either.mapBoth({
      onLeft: (problems) =>
        cannotRun(bulletList(`The columns of ${name} cannot be used:`, problems)),
      onRight: (columns) => ({ format: "csv", delimiter, header: cells, columns })
    })
  )

const contentOf = <A>(
  schema: RowSchema<A>,
  { columns }: CsvSheet,
  { cells, lastLine, line, tooLong }: csvScanner.Line
): Either.Either<A, string> => {
  const problem =
    tooLong !== undefined
      ? `${tooLong}, and only its beginning is kept`
      : cells.length !== columns.length
        ? `expected ${columns.length} cells, as in the first line, got ${cells.length}`
        : undefined
  if (problem === undefined) {
    return contentFrom(
      schema,
      cells.map((cell, i) => [columns[i], cell])
    )
  }
  return Either.left(
    lastLine === line
      ? problem
      : `${problem}; by its quotes it ends in line ${formatCount(lastLine)}: is there a quote too many?`
  )
}

/** Parses the rows of an NDJSON file, with one object on each line. */
export const ndjson = <A, R>(
  schema: RowSchema<A>,
  bytes: Stream.Stream<Uint8Array, CliError, R>
): Stream.Stream<Row<A>, CliError, R> => through(() => ndjsonRows(schema))(bytes)

const ndjsonRows = <A>(schema: RowSchema<A>): Scanner<Uint8Array, Row<A>> => {
  const parse = (text: string) => parseNdjsonLine(schema, text)
  const sheet: Sheet = { format: "ndjson", isValid: (line) => Either.isRight(parse(line)) }
  return mapSteps(ndjsonLines.make(), ({ failure, out }) => ({
    out: out
      .filter(({ text }) => text.trim() !== "")
      .map(({ line, text, tooLong }) => ({
        sheet,
        line,
        raw: text,
        content:
          tooLong === undefined
            ? parse(text)
            : Either.left(`${tooLong}, and only its beginning is kept`)
      })),
    failure
  }))
}

const parseNdjsonLine = <A>(schema: RowSchema<A>, text: string): Either.Either<A, string> =>
  Either.gen(function* () {
    const value = yield* Either.try({
      try: (): unknown => JSON.parse(text),
      catch: () => "this is not JSON"
    })
    if (!Predicate.isRecord(value)) return yield* Either.left("expected a JSON object")
    const error = json.findUnsafeJson(text)
    if (error !== undefined) return yield* Either.left(error)
    const members = Object.entries(value).map(
      ([name, inner]) => ({ name, inner, column: schema.columns.find(name) }) as const
    )
    const unknown = members.filter(({ column }) => column === undefined)
    if (unknown.length > 0) {
      const names = listSome(unknown.map(({ name }) => name))
      return yield* Either.left(`${names}: expected one of ${schema.columns.fields.join(", ")}`)
    }
    const repeated = members.filter(
      ({ column }, i) => members.findIndex((other) => other.column === column) < i
    )
    if (repeated.length > 0) {
      return yield* Either.left(`${listSome(repeated.map(({ name }) => name))}: repeated`)
    }
    return yield* contentFrom(
      schema,
      members.map(({ column, inner }) => [column, inner])
    )
  })
