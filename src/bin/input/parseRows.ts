/** Reads the rows of a file of usage, each with its line and its record. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { Time } from "../../sandbox/internal/scenario/scenarioFields.js"
import type * as UsageRecord from "../../UsageRecord.js"
import type * as UsageSubmission from "../../UsageSubmission.js"
import { type CliError, cannotRun } from "../internal/cliError.js"
import { bulletList, formatCount, listSome } from "../output/format.js"
import * as allocations from "./allocations.js"
import * as columns from "./columns.js"
import * as csvScanner from "./csv.js"
import * as decimal from "./decimal.js"
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
      readonly columns: ReadonlyArray<columns.Column>
    }
  | { readonly format: "ndjson" }

export type Format = Sheet["format"]

export interface Row {
  readonly sheet: Sheet
  /** The first line, from 1. */
  readonly line: number
  /** The source text: the cells of CSV, or a line of JSON. */
  readonly raw: ReadonlyArray<string> | string
  /** The record to submit, or the reason why it cannot be read. */
  readonly content: Either.Either<UsageSubmission.Item, string>
}

/** The format by the file's name: NDJSON for `.ndjson` and `.jsonl`, and CSV for other names. */
export const formatOf = (file: string): Format =>
  /\.(ndjson|jsonl)$/i.test(file) ? "ndjson" : "csv"

const decodeTime = Schema.decodeUnknownEither(Time)

/** Spellings of a time with its zone in databases and programs. */
const timePattern =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(?:Z|z|UTC|GMT|([+-]\d\d)(?::?(\d\d))?)$/

/** An expected value in error messages. */
export const expectedTime = "a time with its zone, such as 2026-11-25T10:00:00Z"

const parseTime = (value: string) => {
  const text = value
    .trim()
    .replace(timePattern, (_, day: string, time: string, hours?: string, minutes = "00") =>
      hours === undefined ? `${day}T${time}Z` : `${day}T${time}${hours}:${minutes}`
    )
  return Either.getOrElse(decodeTime(text), () => value)
}

/** Texts that cannot be read stay texts. Then the record's validation names the expected value. */
const parseField = (column: columns.Field, value: unknown): unknown => {
  if (!Predicate.isString(value)) {
    return column === "usageAllocations" ? allocations.withFieldNames(value) : value
  }
  switch (column) {
    case "timestamp":
      return parseTime(value)
    case "quantity":
      return decimal.parseQuantity(value.trim()) ?? value
    case "usageAllocations":
      return Either.getOrElse(allocations.parse(value), () => value)
    default:
      return value
  }
}

/** Ignores empty cells and `null`. */
const itemOf = (all: Iterable<readonly [columns.Column | undefined, unknown]>): Row["content"] => {
  const found: Record<string, unknown> = {}
  for (const [column, value] of all) {
    if (column === undefined || columns.isNote(column)) continue
    if (value === undefined || value === null || value === "") continue
    found[column] = parseField(column, value)
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
    return Either.left(
      `usageAllocations: ${listSome(unknownNames)}: not a member of allocations or tags`
    )
  }
  return Either.right({
    // any values so far: the submission validates them
    record: record as unknown as UsageRecord.Input,
    ...(productCode === undefined ? {} : { productCode })
  })
}

type CsvSheet = Sheet & { readonly format: "csv" }

/**
 * Rows of CSV, by the names in its first line. The stream fails at a quote that does not close, since cells after it could
 * be misread and billed. Errors name the lines that were not read.
 */
export const csv = <R>(
  bytes: Stream.Stream<Uint8Array, CliError, R>,
  name: string
): Stream.Stream<Row, CliError, R> => through(() => csvRows(name))(bytes)

const csvRows = (name: string): Scanner<Uint8Array, Row> => {
  let sheet: CsvSheet | undefined
  return mapSteps(csvScanner.make(name), ({ failure, out }, isEnd): Step<Row> => {
    const rows: Array<Row> = []
    for (const line of out) {
      if (sheet !== undefined) {
        rows.push({ sheet, line: line.line, raw: line.cells, content: contentOf(sheet, line) })
      } else if (!namesDelimiter(line)) {
        const parsed = sheetOf(line, name)
        if (Either.isLeft(parsed)) return { out: [], failure: parsed.left }
        sheet = parsed.right
      }
    }
    return isEnd && sheet === undefined && failure === undefined
      ? { out: [], failure: cannotRun(`${name} is empty. Its first line must name the columns.`) }
      : { out: rows, failure }
  })
}

/** True for a first line such as `sep=;`, which Excel reads. */
const namesDelimiter = ({ cells, line }: csvScanner.Line) =>
  line === 1 && cells.length === 2 && cells[0]?.toLowerCase() === "sep=" && cells[1] === ""

const sheetOf = (
  { cells, delimiter, tooLong }: csvScanner.Line,
  name: string
): Either.Either<CsvSheet, CliError> =>
  (tooLong === undefined ? columns.parseHeader(cells) : Either.left([tooLong])).pipe(
    Either.mapBoth({
      onLeft: (problems) =>
        cannotRun(bulletList(`The columns of ${name} cannot be used:`, problems)),
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
      : `${problem}; by its quotes it ends in line ${formatCount(lastLine)}: is there a quote too many?`
  )
}

/** Rows of NDJSON, with an object on each line. */
export const ndjson: <R>(
  bytes: Stream.Stream<Uint8Array, CliError, R>
) => Stream.Stream<Row, CliError, R> = through(() => {
  const sheet: Sheet = { format: "ndjson" }
  return mapSteps(ndjsonLines.make(), ({ failure, out }) => ({
    out: out
      .filter(({ text }) => text.trim() !== "")
      .map(({ line, text, tooLong }) => ({
        sheet,
        line,
        raw: text,
        content:
          tooLong === undefined
            ? parseNdjsonLine(text)
            : Either.left(`${tooLong}, and only its beginning is kept`)
      })),
    failure
  }))
})

/** Reads one line of NDJSON. */
export const parseNdjsonLine = (text: string): Row["content"] =>
  Either.gen(function* () {
    const value = yield* Either.try({
      try: (): unknown => JSON.parse(text),
      catch: () => "this is not JSON"
    })
    if (!Predicate.isRecord(value)) return yield* Either.left("expected a JSON object")
    const error = json.findError(text)
    if (error !== undefined) return yield* Either.left(error)
    const members = Object.entries(value).map(
      ([name, inner]) => ({ name, inner, column: columns.findColumn(name) }) as const
    )
    const unknown = members.filter(({ column }) => column === undefined)
    if (unknown.length > 0) {
      const names = listSome(unknown.map(({ name }) => name))
      return yield* Either.left(`${names}: expected one of ${columns.fields.join(", ")}`)
    }
    const repeated = members.filter(
      ({ column }, i) => members.findIndex((other) => other.column === column) < i
    )
    if (repeated.length > 0) {
      return yield* Either.left(`${listSome(repeated.map(({ name }) => name))}: repeated`)
    }
    return yield* itemOf(members.map(({ column, inner }) => [column, inner] as const))
  })
