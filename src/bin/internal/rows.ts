/** The rows of a file of usage, one by one, each with its place and with what can be submitted of it. */
import * as NodeStream from "@effect/platform-node/NodeStream"
import { parse } from "csv-parse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Time } from "../../sandbox/internal/fields.js"
import type * as UsageRecord from "../../UsageRecord.js"
import type * as UsageSubmission from "../../UsageSubmission.js"
import * as allocations from "./allocations.js"
import * as columns from "./columns.js"
import * as decimal from "./decimal.js"
import { cannotRun, type Failure } from "./failure.js"

/** What the rows of one file share: how they are written, and in CSV what its columns are. */
export type Sheet =
  | {
      readonly format: "csv"
      readonly head: ReadonlyArray<string>
      readonly columns: ReadonlyArray<columns.Column>
    }
  | { readonly format: "ndjson" }

export type Format = Sheet["format"]

export interface Row {
  readonly sheet: Sheet
  /** Where it begins, from 1. */
  readonly line: number
  /** As it was written: the cells of CSV, or a line of JSON. */
  readonly written: ReadonlyArray<string> | string
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

const timeOf = (value: unknown) =>
  Either.getOrElse(decodeTime(Predicate.isString(value) ? value.trim() : value), () => value)

const quantityOf = (value: unknown) =>
  Predicate.isString(value) ? (decimal.read(value.trim()) ?? value) : value

const allocationsOf = (value: unknown) =>
  Predicate.isString(value)
    ? Either.getOrElse(allocations.read(value), () => value)
    : allocations.inDomainNames(value)

const readers: { readonly [Name in columns.Field]?: (value: unknown) => unknown } = {
  timestamp: timeOf,
  quantity: quantityOf,
  usageAllocations: allocationsOf
}

/** An empty cell and `null` are as good as none. */
const itemOf = (all: Iterable<readonly [columns.Column | undefined, unknown]>): Row["content"] => {
  const found: Record<string, unknown> = {}
  for (const [column, value] of all) {
    if (column === undefined || columns.isNote(column)) continue
    if (value === undefined || value === null || value === "") continue
    found[column] = readers[column]?.(value) ?? value
  }
  const { productCode, ...record } = found
  if (productCode !== undefined && !Predicate.isString(productCode)) {
    return Either.left(`productCode: expected a text, got ${JSON.stringify(productCode)}`)
  }
  const strange = allocations.strangeIn(record.usageAllocations)
  if (strange.length > 0) {
    return Either.left(`usageAllocations: ${strange.join(", ")}: no allocation or tag has that`)
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

interface Parsed {
  readonly record: ReadonlyArray<string>
  readonly raw: string
}

const breaks = /\r\n|\r|\n/g

/**
 * Rows of CSV, by the names in its first line.
 *
 * Where its quotes do not close nothing that follows can be trusted, and the stream fails there: it would be read
 * as something else, and billed so.
 */
export const csv = <R>(
  bytes: Stream.Stream<Uint8Array, Failure, R>,
  name: string
): Stream.Stream<Row, Failure, R> =>
  Stream.suspend(() => {
    let sheet: (Sheet & { readonly format: "csv" }) | undefined
    /** Lines that are behind. The parser's own count goes wrong for line breaks of two characters in quotes. */
    let behind = 0
    const placed = ({ raw, record }: Parsed) => {
      const before = /^[\r\n]*/.exec(raw)?.[0] ?? ""
      const line = behind + 1 + (before.match(breaks)?.length ?? 0)
      behind += raw.match(breaks)?.length ?? 0
      return { line, record }
    }
    const begin = (head: ReadonlyArray<string>) =>
      Either.mapBoth(columns.read(head), {
        onLeft: (problems) =>
          cannotRun(
            [`The columns of ${name} cannot be used:`, ...problems.map((text) => `- ${text}`)].join(
              "\n"
            )
          ),
        onRight: (columns) => {
          sheet = { format: "csv", head, columns }
        }
      })
    return bytes.pipe(
      NodeStream.pipeThroughDuplex<Failure, Parsed>(
        () =>
          parse({
            bom: true,
            info: true,
            raw: true,
            relax_column_count: true,
            skip_empty_lines: true
          }),
        (error) => cannotRun(`${name}: ${whatBroke(error)} Nothing from there on was read.`)
      ),
      Stream.mapChunksEffect((chunk) =>
        Effect.gen(function* () {
          const rows: Array<Row> = []
          for (const parsed of chunk) {
            const { line, record } = placed(parsed)
            if (sheet === undefined) yield* begin(record)
            else rows.push({ sheet, line, written: record, content: contentOf(sheet, record) })
          }
          return Chunk.unsafeFromArray(rows)
        })
      ),
      Stream.concat(
        Stream.suspend(() =>
          sheet === undefined
            ? Stream.fail(cannotRun(`${name} is empty. Its first line has to name the columns.`))
            : Stream.empty
        )
      )
    )
  })

const contentOf = (
  { columns }: { readonly columns: ReadonlyArray<columns.Column> },
  record: ReadonlyArray<string>
): Row["content"] =>
  record.length === columns.length
    ? itemOf(record.map((cell, i) => [columns[i], cell] as const))
    : Either.left(`expected ${columns.length} cells, as in the first line, got ${record.length}`)

/** The parser says it with line and column. */
const whatBroke = (error: unknown) => {
  const message = Predicate.hasProperty(error, "message") ? String(error.message) : String(error)
  return `${message.replace(/, trimable character \(if activated\) or comment$/, "")}.`
}

// ---------------------------------------------------------------------------------------------------
// NDJSON
// ---------------------------------------------------------------------------------------------------

/** Rows of JSON, an object on each line. */
export const ndjson = <R>(
  bytes: Stream.Stream<Uint8Array, Failure, R>
): Stream.Stream<Row, Failure, R> =>
  Stream.suspend(() => {
    const sheet: Sheet = { format: "ndjson" }
    let line = 0
    return bytes.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.mapChunks(
        Chunk.filterMap((text) => {
          line += 1
          const written = line === 1 ? text.replace(/^\ufeff/, "") : text
          return written.trim() === ""
            ? Option.none()
            : Option.some<Row>({ sheet, line, written, content: objectOf(written) })
        })
      )
    )
  })

const objectOf = (text: string): Row["content"] =>
  Either.try({ try: (): unknown => JSON.parse(text), catch: () => "this is not JSON" }).pipe(
    Either.flatMap((value) =>
      Predicate.isRecord(value) ? Either.right(value) : Either.left("expected a JSON object")
    ),
    Either.filterOrLeft(
      () => decimal.roundedIn(text).length === 0,
      () => `${decimal.roundedIn(text).join(", ")}: expected numbers that need no rounding`
    ),
    Either.flatMap((value) => {
      const members = Object.entries(value).map(
        ([name, inner]) => [columns.columnOf(name), inner, name] as const
      )
      const strange = members.filter(([column]) => column === undefined).map(([, , name]) => name)
      const repeated = members.filter(
        ([column], i) => members.findIndex(([other]) => other === column) < i
      )
      return strange.length > 0
        ? Either.left(`${strange.join(", ")}: expected one of ${columns.fields.join(", ")}`)
        : repeated.length > 0
          ? Either.left(`${repeated.map(([, , name]) => name).join(", ")}: it is there twice`)
          : itemOf(members.map(([column, inner]) => [column, inner] as const))
    })
  )
