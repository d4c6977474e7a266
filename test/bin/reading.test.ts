import { FileSystem } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, DateTime, Effect, FastCheck as fc, Stream } from "effect"
import * as limits from "../../src/bin/input/limits.js"
import * as parseRows from "../../src/bin/input/parseRows.js"
import * as readInput from "../../src/bin/input/readInput.js"
import { type UsageRow, usageRowSchema } from "../../src/bin/input/usageRows.js"
import { chunked, encode, errorOf, itemOf, readError, readRows } from "./readRows.js"

const formats = ["csv", "ndjson"] as const

const head = "timestamp,dimension,customerAWSAccountId,quantity"

/** Characters of one to four bytes, line breaks in quotes, and the quantity at the end, where a cut makes it smaller. */
const sources = {
  csv: [
    `\ufeff${head}`,
    "2026-11-25T10:00:00Z,müller-€,111122223333,123456",
    '2026-11-25T10:00:00Z,"a ""😀"",',
    'b",222233334444,7',
    "2026-11-25T10:00:00Z,c,333344445555,999\r"
  ],
  ndjson: [
    '\ufeff{"dimension":"müller-€","quantity":123456}',
    '{"dimension":"a \\"😀\\"","quantity":7}\r',
    '{"quantity":999}'
  ]
}

const textOf = (format: parseRows.Format) => `${sources[format].join("\n")}\n`

/** Lets the test runner report in between. */
const yieldToRunner = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const quantitiesOf = (rows: ReadonlyArray<UsageRow>) =>
  rows.map((row) => itemOf(row)?.record.quantity)

/** The quantities of the rows within `length` bytes, and the first incomplete line. */
const completeIn = (format: parseRows.Format, length: number) => {
  const ends = format === "csv" ? [[2, 123_456] as const, [4, 7] as const, [5, 999] as const] : []
  const all: ReadonlyArray<readonly [lines: number, quantity: number]> =
    format === "csv"
      ? ends
      : [
          [1, 123_456],
          [2, 7],
          [3, 999]
        ]
  const lines = encode(textOf(format))
    .slice(0, length)
    .reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0)
  const firstLines = format === "csv" ? [1, 2, 3, 5, 6] : [1, 2, 3, 4]
  return {
    quantities: all.filter(([last]) => last <= lines).map(([, quantity]) => quantity),
    unread: Math.max(...firstLines.filter((first) => first <= lines + 1))
  }
}

describe.each(formats)("reading of %s", (format) => {
  const bytes = encode(textOf(format))
  const sizes = [1, 3, bytes.length]

  it.effect("emits all rows, however the input is cut into pieces", () =>
    Effect.gen(function* () {
      for (const size of sizes) {
        const { failure, rows } = yield* readRows(format, chunked(bytes, size))
        assert.isUndefined(failure)
        assert.deepStrictEqual(quantitiesOf(rows), [123_456, 7, 999])
      }
    })
  )

  it.effect("emits a row only at its line end, wherever reading fails", () =>
    Effect.gen(function* () {
      for (let length = 0; length <= bytes.length; length++) {
        yield* yieldToRunner
        const expected = completeIn(format, length)
        for (const size of sizes) {
          const { failure, rows } = yield* readRows(
            format,
            Stream.concat(chunked(bytes.slice(0, length), size), Stream.fail(readError))
          )
          assert.deepStrictEqual(quantitiesOf(rows), expected.quantities, `${length} of ${size}`)
          assert.strictEqual(
            failure,
            `${readError.message} Nothing from line ${expected.unread} on was read.`
          )
        }
      }
    })
  )

  it.effect("emits all rows before a byte that is not UTF-8, and no part of its row", () =>
    Effect.gen(function* () {
      for (const wrong of [0xfc, 0xe2]) {
        for (let at = 4; at <= bytes.length; at++) {
          yield* yieldToRunner
          const expected = completeIn(format, at)
          const broken = Uint8Array.from([...bytes.slice(0, at), wrong, ...bytes.slice(at)])
          for (const size of [2, broken.length]) {
            const { failure, rows } = yield* readRows(format, chunked(broken, size))
            assert.deepStrictEqual(quantitiesOf(rows), expected.quantities, `${at} by ${size}`)
            assert.match(failure ?? "", /^usage is not UTF-8: /)
            assert.include(failure, `Nothing from line ${expected.unread} on was read.`)
          }
        }
      }
    })
  )

  it.effect("accepts a last row without a line end only at a clean end", () =>
    Effect.gen(function* () {
      const whole = textOf(format).trimEnd()
      const clean = yield* readRows(format, chunked(encode(whole), 5))
      assert.deepStrictEqual(quantitiesOf(clean.rows), [123_456, 7, 999])
      for (const end of [Stream.fail(readError), Stream.make(Uint8Array.of(0xfc))]) {
        const cut = yield* readRows(format, Stream.concat(chunked(encode(whole), 5), end))
        assert.deepStrictEqual(quantitiesOf(cut.rows), [123_456, 7])
      }
    })
  )

  it.effect("emits the complete rows of an input that stays open", () =>
    Effect.gen(function* () {
      const open = Stream.concat(chunked(bytes, 5), Stream.never)
      const stream =
        format === "csv"
          ? parseRows.csv(usageRowSchema, open, "usage")
          : parseRows.ndjson(usageRowSchema, open)
      const rows = yield* Stream.runCollect(Stream.take(stream, 3))
      assert.deepStrictEqual(quantitiesOf(Chunk.toReadonlyArray(rows)), [123_456, 7, 999])
    })
  )

  it.effect("pulls input only for requested rows", () =>
    Effect.gen(function* () {
      let pulled = 0
      const one = textOf(format).split("\n").at(-2) ?? ""
      const endless = Stream.concat(
        chunked(bytes, bytes.length),
        Stream.repeatEffect(
          Effect.sync(() => {
            pulled += 1
            return encode(`${one}\n`)
          })
        )
      )
      const stream =
        format === "csv"
          ? parseRows.csv(usageRowSchema, endless, "usage")
          : parseRows.ndjson(usageRowSchema, endless)
      yield* Stream.runDrain(Stream.take(stream, 1_000))
      assert.isAtMost(pulled, 1_000)
    })
  )

  it.effect("reports rows that are too long, keeps their beginning, and continues", () =>
    Effect.gen(function* () {
      const [first = "", ...others] = textOf(format).trimEnd().split("\n")
      const filler = "x".repeat(limits.rowBytes)
      const long = format === "csv" ? `${filler},${filler}` : `{"dimension":"${filler}"}`
      const text = [first, long, ...others.slice(-1)].join("\n")
      for (const size of [65_536, text.length]) {
        const { failure, rows } = yield* readRows(format, chunked(encode(text), size))
        assert.isUndefined(failure)
        const row = rows.find(({ line }) => line === 2)
        assert.match(
          row === undefined ? "" : (errorOf(row) ?? ""),
          /^(cell 1 is longer than 1,048,576|the line is longer than 2,097,152) bytes, and only its beginning is kept$/
        )
        assert.isBelow(JSON.stringify(row?.raw).length, 300)
        assert.strictEqual(quantitiesOf(rows).at(-1), 999)
      }
    })
  )
})

it.effect("a read error in the second piece of a file emits no part of a row", () =>
  Effect.gen(function* () {
    const error = new SystemError({
      reason: "Unknown",
      module: "FileSystem",
      method: "readAlloc",
      description: "EIO: i/o error, read"
    })
    const text = `${head}\n2026-11-25T10:00:00Z,a,111122223333,1\n2026-11-25T10:00:00Z,a,222233334444,12`
    const failing = FileSystem.layerNoop({
      stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
      stream: () => Stream.concat(Stream.make(encode(text)), Stream.fail(error))
    })
    const rows: Array<UsageRow> = []
    const failure = yield* parseRows
      .csv(usageRowSchema, readInput.readBytes("usage.csv"), "usage.csv")
      .pipe(
        Stream.runForEach((row) => Effect.sync(() => rows.push(row))),
        Effect.flip,
        Effect.provide(failing)
      )
    assert.deepStrictEqual(quantitiesOf(rows), [1])
    assert.strictEqual(
      failure.message,
      "usage.csv cannot be read: EIO: i/o error, read. Nothing from line 3 on was read."
    )
  })
)

describe("other formats", () => {
  it.effect("are recognized by their first bytes, and rejected with advice", () =>
    Effect.gen(function* () {
      const utf16 = Buffer.from(`${head}\n`, "utf16le")
      for (const [bytes, expected] of [
        [[0x1f, 0x8b, 0x08, 0x00, 0x00], /^usage is compressed by gzip\. .*gunzip/],
        [[0x1f, 0x8b], /^usage is compressed by gzip\./],
        [[0xff, 0xfe, ...utf16], /^usage is UTF-16, not UTF-8\. .*iconv -f UTF-16/],
        [[0xfe, 0xff, ...Buffer.from(utf16).swap16()], /^usage is UTF-16/],
        [[...utf16], /^usage is UTF-16/],
        [[...Buffer.from(utf16).swap16()], /^usage is UTF-16/],
        [[0x50, 0x4b, 0x03, 0x04, 0x14], /^usage is a workbook or another archive/]
      ] as const) {
        for (const format of formats) {
          for (const size of [1, 100]) {
            const { failure, rows } = yield* readRows(format, chunked(Uint8Array.from(bytes), size))
            assert.match(failure ?? "", expected)
            assert.lengthOf(rows, 0)
          }
        }
      }
    })
  )

  it.effect("with semicolons or tabs are read as with commas", () =>
    Effect.gen(function* () {
      for (const delimiter of [",", ";", "\t"]) {
        const text = [head, "2026-11-25T10:00:00Z,a,111122223333,1000"]
          .join("\r\n")
          .replaceAll(",", delimiter)
        const { rows } = yield* readRows("csv", chunked(encode(text), 9))
        assert.deepStrictEqual(quantitiesOf(rows), [1_000])
      }
    })
  )

  it.effect("with another delimiter are rejected with the valid ones", () =>
    Effect.gen(function* () {
      const { failure } = yield* readRows(
        "csv",
        chunked(encode(`${head.replaceAll(",", "|")}\n`), 9)
      )
      assert.match(failure ?? "", /columns are separated by commas, semicolons or tabs/)
    })
  )
})

describe("a cell", () => {
  const read = (timestamp: string, quantity: string, allocations = "") =>
    Effect.map(
      readRows(
        "csv",
        chunked(
          encode(
            `${head},usageAllocations\n${timestamp},a,111122223333,"${quantity}","${allocations.replaceAll('"', '""')}"\n`
          ),
          1_000
        )
      ),
      ({ rows }) => rows[0] as UsageRow
    )

  it.effect("may have a time in any spelling with its zone", () =>
    Effect.gen(function* () {
      for (const [text, expected] of [
        ["2026-11-25T15:30:00+05:30", "2026-11-25T10:00:00.000Z"],
        ["2026-11-25T15:30:00+0530", "2026-11-25T10:00:00.000Z"],
        ["2026-11-25 10:00:00+00", "2026-11-25T10:00:00.000Z"],
        ["2026-11-25 10:00:00.123456 UTC", "2026-11-25T10:00:00.123Z"],
        ["2026-11-25t10:00z", "2026-11-25T10:00:00.000Z"],
        ["2026-11-25 02:00:00 -0800", "2026-11-25T10:00:00.000Z"]
      ] as const) {
        const { timestamp } = itemOf(yield* read(text, "1"))?.record ?? {}
        assert.isTrue(DateTime.isDateTime(timestamp), text)
        assert.strictEqual(DateTime.formatIso(timestamp as DateTime.Utc), expected)
      }
      for (const text of [
        "2026-11-25 10:00:00",
        "2026-02-30T10:00:00Z",
        "2026-11-25T10:00:00+5",
        "2026-11-25T10:00:00+53:00",
        "2026-11-25T10:00:00+0530Z"
      ]) {
        const unread: unknown = itemOf(yield* read(text, "1"))?.record.timestamp
        assert.strictEqual(unread, text)
      }
    })
  )

  it.effect("has no ambiguous quantity", () =>
    Effect.gen(function* () {
      for (const text of ["1.000", "999.000", "1e3", "1,000", "1.000.000", "0x10", "１", ""]) {
        const unread: unknown = itemOf(yield* read("2026-11-25T10:00:00Z", text))?.record.quantity
        assert.strictEqual(unread, text === "" ? undefined : text)
      }
      for (const [text, expected] of [
        ["1000", 1_000],
        ["42.0", 42],
        ["1000.000", 1_000],
        [" 7 ", 7]
      ] as const) {
        const { quantity } = itemOf(yield* read("2026-11-25T10:00:00Z", text))?.record ?? {}
        assert.strictEqual(quantity, expected)
      }
    })
  )

  it.effect("may have a hundred thousand digits, and is read in linear time", () =>
    Effect.gen(function* () {
      const digits = `1${"0".repeat(100_000)}1`
      const unread: unknown = itemOf(yield* read("2026-11-25T10:00:00Z", digits))?.record.quantity
      assert.strictEqual(unread, digits)
      for (const text of [digits, `${digits}.5`, `1e${digits}`, `-${digits}`]) {
        const row = yield* read("2026-11-25T10:00:00Z", "1", `[${text}]`)
        assert.match(
          errorOf(row) ?? "",
          /^usageAllocations: -?1[e0-9]+…: expected numbers that need no rounding$/
        )
        const { rows } = yield* readRows("ndjson", Stream.make(encode(`{"quantity":${text}}`)))
        assert.match(
          errorOf(rows[0] as UsageRow) ?? "",
          /^-?1[e0-9]+…: expected numbers that need no rounding$/
        )
      }
    })
  )

  it.effect("has no allocations with repeated members", () =>
    Effect.gen(function* () {
      for (const text of [
        '[{"allocatedUsageQuantity":1,"allocatedUsageQuantity":2}]',
        '[{"allocatedUsageQuantity":1,"AllocatedUsageQuantity":2}]',
        '[{"allocatedUsageQuantity":1,"\\u0061llocatedUsageQuantity":2}]',
        '[{"allocatedUsageQuantity":1,"tags":[{"key":"a","value":"b","Value":"c"}]}]'
      ]) {
        const row = yield* read("2026-11-25T10:00:00Z", "1", text)
        assert.match(
          errorOf(row) ?? "",
          /^usageAllocations: (a|A)?(llocatedUsageQuantity|Value): repeated$/
        )
      }
    })
  )

  it.effect("that spans several lines is reported with the last one", () =>
    Effect.gen(function* () {
      const text = `${head}\n2026-11-25T10:00:00Z,"a,1,1\n2026-11-25T10:00:00Z,a,1,1\nx",1,1,1\n`
      const { rows } = yield* readRows("csv", chunked(encode(text), 9))
      assert.deepStrictEqual(rows.map(errorOf), [
        "expected 4 cells, as in the first line, got 5; by its quotes it ends in line 4: is there a quote too many?"
      ])
    })
  )
})

describe("a line of JSON", () => {
  const read = (text: string) =>
    Effect.map(readRows("ndjson", Stream.make(encode(text))), ({ rows }) => rows[0] as UsageRow)

  it.effect("has no repeated members", () =>
    Effect.gen(function* () {
      for (const text of [
        '{"quantity":1,"quantity":2}',
        '{"quantity":1,"Quantity":2}',
        '{"quantity":1,"\\u0071uantity":2}',
        '{"quantity":1,"usage_quantity":2}'
      ]) {
        assert.match(errorOf(yield* read(text)) ?? "", /uantity: repeated$/)
      }
      // the same name in another object or in a text is not repeated
      const row = yield* read(
        '{"quantity":2,"dimension":"\\"quantity\\":1,","usageAllocations":[{"tags":[{"key":"a","value":"a"},{"key":"b","value":"{"}]},{"tags":[]}]}'
      )
      assert.isUndefined(errorOf(row))
    })
  )

  it.effect("is rejected if it is nested too deep", () =>
    Effect.gen(function* () {
      const deep = 500_000
      for (const text of [
        `{"usageAllocations":${"[".repeat(deep)}${"]".repeat(deep)}}`,
        `{"usageAllocations":${'{"a":'.repeat(deep / 10)}1${"}".repeat(deep / 10)}}`
      ]) {
        assert.strictEqual(errorOf(yield* read(text)), "nested deeper than 32 levels")
      }
    })
  )

  it.effect("has an error without control characters", () =>
    Effect.gen(function* () {
      const control = "\u001b[2J\u009b31m\u202e\u2028\u0007"
      for (const text of [
        JSON.stringify({ [control]: 1 }),
        JSON.stringify({ productCode: [control] }),
        JSON.stringify({ usageAllocations: [{ [control]: 1 }] }),
        `{${JSON.stringify(control)}:1,${JSON.stringify(control)}:2}`
      ]) {
        const error = errorOf(yield* read(text)) ?? ""
        assert.notStrictEqual(error, "")
        assert.notMatch(error, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }
    })
  )

  it.effect.prop("never crashes the reader", [fc.string({ unit: "binary" }), fc.json()], (texts) =>
    Effect.gen(function* () {
      for (const text of texts) {
        const { failure } = yield* readRows("ndjson", Stream.make(encode(`{}\n${text}`)))
        assert.isUndefined(failure)
      }
    })
  )
})
