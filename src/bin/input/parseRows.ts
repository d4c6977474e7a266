/** The rows of a file of usage, one by one, each with its place and with what can be submitted of it. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { Time } from "../../sandbox/internal/scenario/scenarioFields.js"
import type * as UsageRecord from "../../UsageRecord.js"
import type * as UsageSubmission from "../../UsageSubmission.js"
import { type CliError, cannotRun } from "../internal/cliError.js"
import { listSome } from "../output/printable.js"
import * as allocations from "./allocations.js"
import * as columns from "./columns.js"
import * as csvScanner from "./csv.js"
import * as decimal from "./decimal.js"
import * as json from "./json.js"
import * as limits from "./limits.js"
import * as ndjsonScanner from "./ndjson.js"
import { type Scanner, type Step, through } from "./scanner.js"

/** What the rows of one file share: how they are written, and in CSV what its columns are. */
export type Sheet =
  | {
      readonly format: "csv"
      /** One character. */
      readonly delimiter: string
      readonly header: ReadonlyArray<string>
      readonly columns: ReadonlyArray<columns.Column>
    }
  | { readonly format: "ndjson" }

export type Format = Sheet["format"]

export interface Row {
  readonly sheet: Sheet
  /** Where it begins, from 1. */
  readonly line: number
  /** As it was written: the cells of CSV, or a line of JSON. */
  readonly raw: ReadonlyArray<string> | string
  /** What to submit, or why it cannot be read. */
  readonly content: Either.Either<UsageSubmission.Item, string>
}

/** By the end of a file's name; CSV for everything but `.ndjson` and `.jsonl`. */
export const formatOf = (file: string): Format =>
  /\.(ndjson|jsonl)$/i.test(file) ? "ndjson" : "csv"

// ---------------------------------------------------------------------------------------------------
// from texts to records: what cannot be read stays a text, and the record's own check says what it should be
// ---------------------------------------------------------------------------------------------------

const decodeTime = Schema.decodeUnknownEither(Time)

/** As databases and programs write times with their zone: each of these says one point in time. */
const timePattern =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(?:Z|z|UTC|GMT|([+-]\d\d)(?::?(\d\d))?)$/

const parseTime = (value: unknown) => {
  if (!Predicate.isString(value)) return value
  const text = value
    .trim()
    .replace(timePattern, (_, day: string, time: string, hours?: string, minutes = "00") =>
      hours === undefined ? `${day}T${time}Z` : `${day}T${time}${hours}:${minutes}`
    )
  return Either.getOrElse(decodeTime(text), () => value)
}

const parseQuantity = (value: unknown) =>
  Predicate.isString(value) ? (decimal.parseQuantity(value.trim()) ?? value) : value

const parseAllocations = (value: unknown) =>
  Predicate.isString(value)
    ? Either.getOrElse(allocations.parse(value), () => value)
    : allocations.withFieldNames(value)

const fieldParsers: { readonly [Name in columns.Field]?: (value: unknown) => unknown } = {
  timestamp: parseTime,
  quantity: parseQuantity,
  usageAllocations: parseAllocations
}

/** An empty cell and `null` are as good as none. */
const itemOf = (all: Iterable<readonly [columns.Column | undefined, unknown]>): Row["content"] => {
  const found: Record<string, unknown> = {}
  for (const [column, value] of all) {
    if (column === undefined || columns.isNote(column)) continue
    if (value === undefined || value === null || value === "") continue
    found[column] = fieldParsers[column]?.(value) ?? value
  }
  const { productCode, ...record } = found
  if (productCode !== undefined && !Predicate.isString(productCode)) {
    return Either.left(`productCode: expected a text, got ${json.formatValue(productCode)}`)
  }
  const problem = Predicate.isString(record.usageAllocations)
    ? json.findError(record.usageAllocations)
    : undefined
  if (problem !== undefined) return Either.left(`usageAllocations: ${problem}`)
  const unknownNames = allocations.unknownMembers(record.usageAllocations)
  if (unknownNames.length > 0) {
    return Either.left(`usageAllocations: ${listSome(unknownNames)}: no allocation or tag has that`)
  }
  return Either.right({
    // not known to be a record yet: that is what is checked when it is submitted
    record: record as unknown as UsageRecord.Input,
    ...(productCode === undefined ? {} : { productCode })
  })
}

// ---------------------------------------------------------------------------------------------------
// CSV
// ---------------------------------------------------------------------------------------------------

type CsvSheet = Sheet & { readonly format: "csv" }

/**
 * Rows of CSV, by the names in its first line.
 *
 * Where its quotes do not close nothing that follows can be trusted, and the stream fails there: it would be read
 * as something else, and billed so. It fails with what reading fails with, too, and says which lines were not read.
 */
export const csv = <R>(
  bytes: Stream.Stream<Uint8Array, CliError, R>,
  name: string
): Stream.Stream<Row, CliError, R> => through(() => csvRows(name))(bytes)

const csvRows = (name: string): Scanner<Uint8Array, Row> => {
  const lines = csvScanner.make(name)
  let sheet: CsvSheet | undefined
  const rowsOf = ({ failure, out }: Step<csvScanner.Line>): Step<Row> => {
    const rows: Array<Row> = []
    for (const line of out) {
      if (sheet === undefined && namesDelimiter(line)) continue
      if (sheet === undefined) {
        const parsed = sheetOf(line, name)
        if (Either.isLeft(parsed)) return { out: [], failure: parsed.left }
        sheet = parsed.right
      } else {
        rows.push({ sheet, line: line.line, raw: line.cells, content: contentOf(sheet, line) })
      }
    }
    return { out: rows, failure }
  }
  return {
    push: (input) => rowsOf(lines.push(input)),
    end: () => {
      const step = rowsOf(lines.end())
      return sheet === undefined && step.failure === undefined
        ? {
            out: [],
            failure: cannotRun(`${name} is empty. Its first line has to name the columns.`)
          }
        : step
    },
    mapReadError: lines.mapReadError
  }
}

/** True of the first line that Excel takes in front of the columns, such as `sep=;`. */
const namesDelimiter = ({ cells, line }: csvScanner.Line) =>
  line === 1 && cells.length === 2 && cells[0]?.toLowerCase() === "sep=" && cells[1] === ""

const sheetOf = (
  { cells, delimiter, tooLong }: csvScanner.Line,
  name: string
): Either.Either<CsvSheet, CliError> =>
  (tooLong === undefined ? columns.parseHeader(cells) : Either.left([tooLong])).pipe(
    Either.mapBoth({
      onLeft: (problems) =>
        cannotRun(
          [`The columns of ${name} cannot be used:`, ...problems.map((text) => `- ${text}`)].join(
            "\n"
          )
        ),
      onRight: (columns) => ({ format: "csv", delimiter, header: cells, columns })
    })
  )

const contentOf = (
  { columns }: CsvSheet,
  { cells, lastLine, line, tooLong }: csvScanner.Line
): Row["content"] => {
  const problem =
    tooLong !== undefined
      ? `${tooLong}, and only its beginning is kept`
      : cells.length !== columns.length
        ? `expected ${columns.length} cells, as in the first line, got ${cells.length}`
        : undefined
  if (problem === undefined) return itemOf(cells.map((cell, i) => [columns[i], cell] as const))
  return Either.left(
    lastLine === line
      ? problem
      : `${problem}; by its quotes it goes on to line ${limits.formatCount(lastLine)}: is there one too many?`
  )
}

// ---------------------------------------------------------------------------------------------------
// NDJSON
// ---------------------------------------------------------------------------------------------------

/** Rows of JSON, an object on each line. */
export const ndjson: <R>(
  bytes: Stream.Stream<Uint8Array, CliError, R>
) => Stream.Stream<Row, CliError, R> = through(() => {
  const sheet: Sheet = { format: "ndjson" }
  const lines = ndjsonScanner.make()
  const rowsOf = ({ failure, out }: Step<ndjsonScanner.Line>): Step<Row> => ({
    out: out.flatMap(({ line, text, tooLong }) =>
      text.trim() === ""
        ? []
        : [
            {
              sheet,
              line,
              raw: text,
              content:
                tooLong === undefined
                  ? parseNdjsonLine(text)
                  : Either.left(`${tooLong}, and only its beginning is kept`)
            }
          ]
    ),
    failure
  })
  return {
    push: (input) => rowsOf(lines.push(input)),
    end: () => rowsOf(lines.end()),
    mapReadError: lines.mapReadError
  }
})

/** Reads one line of NDJSON. */
export const parseNdjsonLine = (text: string): Row["content"] => {
  const problem = json.findError(text)
  return Either.try({ try: (): unknown => JSON.parse(text), catch: () => "this is not JSON" }).pipe(
    Either.flatMap((value) =>
      Predicate.isRecord(value) ? Either.right(value) : Either.left("expected a JSON object")
    ),
    Either.flatMap((value) => (problem === undefined ? Either.right(value) : Either.left(problem))),
    Either.flatMap((value) => {
      const members = Object.entries(value).map(
        ([name, inner]) => [columns.findColumn(name), inner, name] as const
      )
      const unknownNames = members
        .filter(([column]) => column === undefined)
        .map(([, , name]) => name)
      const repeated = members.filter(
        ([column], i) => members.findIndex(([other]) => other === column) < i
      )
      return unknownNames.length > 0
        ? Either.left(`${listSome(unknownNames)}: expected one of ${columns.fields.join(", ")}`)
        : repeated.length > 0
          ? Either.left(`${listSome(repeated.map(([, , name]) => name))}: it is there twice`)
          : itemOf(members.map(([column, inner]) => [column, inner] as const))
    })
  )
}
