import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Either, FastCheck as fc, Option, Stream } from "effect"
import { UsageRecord } from "effect-marketplace-metering"
import * as columns from "../../../src/bin/input/columns.js"
import * as decimal from "../../../src/bin/input/decimal.js"
import * as json from "../../../src/bin/input/json.js"
import * as parseRows from "../../../src/bin/input/parseRows.js"
import { type UsageRow, usageRowSchema } from "../../../src/bin/input/usageRows.js"
import * as rowOutcome from "../../../src/bin/internal/rowOutcome.js"
import * as rejectedRows from "../../../src/bin/output/rejectedRows.js"

const encoder = new TextEncoder()

/** In pieces of some bytes, which cut texts anywhere. */
const piecesOf = (text: string, size = 7) => {
  const bytes = encoder.encode(text)
  return Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size)
    )
  )
}

const readCsv = (text: string) =>
  Stream.runCollect(parseRows.csv(usageRowSchema, piecesOf(text), "usage.csv"))
const readNdjson = (text: string) =>
  Stream.runCollect(parseRows.ndjson(usageRowSchema, piecesOf(text)))

const head = "timestamp,dimension,quantity,customerAWSAccountId"
const valid = "2026-11-25T10:00:00Z,api-calls,42,111122223333"

const records = (all: Iterable<UsageRow>) =>
  Array.from(all, ({ content, line }) => ({
    line,
    item: Option.getOrUndefined(Either.getRight(content)),
    error: Option.getOrUndefined(Either.getLeft(content))
  }))

describe("the first line", () => {
  it("names columns in any case and with any separators, by field names or those of AWS", () => {
    for (const [names, expected] of [
      [
        "timestamp,dimension,quantity,customerAWSAccountId",
        "timestamp,dimension,quantity,customerAWSAccountId"
      ],
      [
        "Timestamp,Dimension,Quantity,CustomerIdentifier",
        "timestamp,dimension,quantity,customerIdentifier"
      ],
      [
        "QUANTITY,customer_aws_account_id,DIMENSION,time-stamp",
        "quantity,customerAWSAccountId,dimension,timestamp"
      ],
      [
        "UsageDimension,UsageQuantity,Timestamp,License Arn,Customer Identifier,reason",
        "dimension,quantity,timestamp,licenseArn,customerIdentifier,reason"
      ]
    ] as const) {
      const read: ReadonlyArray<string> | null = Either.getOrNull(
        columns.parseHeader(usageRowSchema.columns, names.split(","))
      )
      assert.deepStrictEqual(read, expected.split(","))
    }
  })

  for (const [names, expected] of [
    ["timestamp,dimension,quantity,customer", /"customer" is none of/],
    ["timestamp,dimension,customerIdentifier", /no column quantity/],
    ["timestamp,dimension,quantity", /no column customerAWSAccountId/],
    ["timestamp,dimension,quantity,customerIdentifier,Quantity", /two columns for quantity/],
    ["2026-11-25T10:00:00Z,api-calls,42,111122223333", /is none of/]
  ] as const) {
    it.effect(`"${names}" is rejected`, () =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(readCsv(`${names}\n`))
        assert.strictEqual(failure.exitCode, 2)
        assert.match(failure.message, expected)
      })
    )
  }

  it.effect("is required", () =>
    Effect.gen(function* () {
      assert.match((yield* Effect.flip(readCsv(""))).message, /usage\.csv is empty/)
      assert.lengthOf(yield* readCsv(head), 0)
    })
  )
})

describe("CSV", () => {
  it.effect("may have any line ends, a byte order mark, and quotes", () =>
    Effect.gen(function* () {
      for (const text of [
        `${head}\n${valid}\n${valid}\n`,
        `\ufeff${head}\r\n${valid}\r\n\r\n${valid}`,
        `"timestamp",dimension,quantity,customerAWSAccountId\n2026-11-25T10:00:00Z,"api-calls"," 42 ",111122223333\n${valid}`
      ]) {
        const [first, second] = records(yield* readCsv(text))
        assert.deepStrictEqual(first?.item, second?.item)
        assert.deepStrictEqual(first?.item?.record, {
          timestamp: DateTime.unsafeMake("2026-11-25T10:00:00Z"),
          dimension: "api-calls",
          quantity: 42,
          customerAWSAccountId: "111122223333"
        })
      }
    })
  )

  it.effect("may have a first line that names the delimiter, as in Excel", () =>
    Effect.gen(function* () {
      for (const delimiter of [",", ";", "\t"]) {
        for (const [name, end] of [
          ["sep=", "\n"],
          ["\ufeffSEP=", "\r\n"],
          ["sep=", "\r"]
        ]) {
          const text = [
            `${name}${delimiter}`,
            ...[head, valid].map((row) => row.replaceAll(",", delimiter))
          ]
          const read = Array.from(yield* readCsv(text.join(end)))
          assert.deepStrictEqual(
            records(read),
            records(yield* readCsv(`\n${head}\n${valid}`)),
            JSON.stringify(text)
          )
          assert.include(rejectedRows.formatHeader((read[0] as UsageRow).sheet), delimiter)
        }
      }
      assert.match((yield* Effect.flip(readCsv("sep=;\n"))).message, /usage\.csv is empty/)
      assert.match((yield* Effect.flip(readCsv("sep=;\nsep=;\n"))).message, /cannot be used/)
    })
  )

  it.effect("numbers each record by its first line", () =>
    Effect.gen(function* () {
      for (const end of ["\n", "\r\n"]) {
        const spread = ['2026-11-25T10:00:00Z,"api', "calls", '",1,1'].join(end)
        const text = [head, valid, "", spread, valid, valid, ""].join(end)
        const lines = records(yield* readCsv(text)).map(({ line }) => line)
        assert.deepStrictEqual(lines, [2, 4, 7, 8], JSON.stringify(end))
      }
    })
  )

  it.effect("has columns for product, license and allocations", () =>
    Effect.gen(function* () {
      const text = `${head},productCode,licenseArn,usageAllocations\n${valid},p,,"[{""AllocatedUsageQuantity"":42}]"\n`
      const [row] = records(yield* readCsv(text))
      assert.strictEqual(row?.item?.productCode, "p")
      const made = yield* UsageRecord.makeEither(row?.item?.record as UsageRecord.Input)
      assert.strictEqual(made.licenseArn, undefined)
      assert.strictEqual(made.usageAllocations?.[0]?.allocatedUsageQuantity, 42)
    })
  )

  it.effect("reports rows with too few or too many cells, and continues", () =>
    Effect.gen(function* () {
      const all = records(yield* readCsv(`${head}\na,b\n${valid},x\n${valid}\n`))
      assert.deepStrictEqual(
        all.map(({ error }) => error),
        [
          "expected 4 cells, as in the first line, got 2",
          "expected 4 cells, as in the first line, got 5",
          undefined
        ]
      )
    })
  )

  it.effect("fails at a quote that does not close, after all rows before it", () =>
    Effect.gen(function* () {
      const seen: Array<UsageRow> = []
      const failure = yield* parseRows
        .csv(usageRowSchema, piecesOf(`${head}\n${valid}\n"x,1\n${valid}\n`), "usage.csv")
        .pipe(
          Stream.runForEach((row) => Effect.sync(() => seen.push(row))),
          Effect.flip
        )
      assert.lengthOf(seen, 1)
      assert.match(
        failure.message,
        /^usage\.csv:3: the quote that opens here, in cell 1, does not close\..* Nothing from line 3 on was read\.$/
      )
    })
  )
})

describe("NDJSON", () => {
  it.effect("has the fields of CSV, with numbers and lists as JSON", () =>
    Effect.gen(function* () {
      const [ours, wire] = records(
        yield* readNdjson(
          [
            '\ufeff{"timestamp":"2026-11-25T10:00:00Z","dimension":"a","quantity":1,"customerIdentifier":"c","usageAllocations":[{"allocatedUsageQuantity":1,"tags":[{"key":"k","value":"v"}]}]}',
            "",
            '{"Timestamp":"2026-11-25T10:00:00Z","Dimension":"a","Quantity":1,"CustomerIdentifier":"c","LicenseArn":null,"UsageAllocations":[{"AllocatedUsageQuantity":1,"Tags":[{"Key":"k","Value":"v"}]}],"reason":"x"}'
          ].join("\r\n")
        )
      )
      assert.deepStrictEqual([ours?.line, wire?.line], [1, 3])
      assert.deepStrictEqual(ours?.item, wire?.item)
      assert.isTrue(Either.isRight(UsageRecord.makeEither(ours?.item?.record as UsageRecord.Input)))
    })
  )

  it.effect("reports invalid lines, and continues", () =>
    Effect.gen(function* () {
      const all = records(
        yield* readNdjson(
          '{"quantity":\n[1]\n{"qantity":1}\n{"quantity":1,"Quantity":2}\n{"quantity":1}'
        )
      )
      const errors = all.map(({ error }) => error)
      assert.deepStrictEqual(errors.slice(0, 2), ["this is not JSON", "expected a JSON object"])
      assert.match(errors[2] ?? "", /^qantity: expected one of/)
      assert.match(errors[3] ?? "", /Quantity: repeated/)
      assert.isUndefined(errors[4])
    })
  )
})

describe("ambiguous input", () => {
  it.effect(
    "is rejected: unknown members, products that are not text, numbers that would be rounded",
    () =>
      Effect.gen(function* () {
        for (const [members, expected] of [
          ['"productCode":5', /productCode: expected a text, got 5/],
          [
            '"usageAllocations":[{"allocatedUsageQuantity":1,"note":"x"}]',
            /note: not a member of allocations/
          ],
          [
            '"usageAllocations":[{"tags":[{"key":"a","value":"b","Colour":"c"}]}]',
            /colour: not a member of alloc/
          ],
          ['"quantity":1.00000000000000001', /^1\.00000000000000001: expected numbers/],
          ['"quantity":1, "dimension":"1.00000000000000001 \\" 2"', /^$/],
          ['"quantity":1.50e1', /^$/]
        ] as const) {
          const [row] = records(yield* readNdjson(`{${members}}`))
          assert.match(row?.error ?? "", expected)
        }
        const text = `${head},usageAllocations\n2026-11-25T10:00:00Z,a,1.00000000000000001,1,"[{""x"":1}]"\n`
        const [row] = records(yield* readCsv(text))
        assert.deepInclude(row?.item?.record as object, {
          quantity: "1.00000000000000001",
          usageAllocations: '[{"x":1}]'
        })
      })
  )

  it.effect.prop(
    "does not include numbers that JavaScript prints unchanged",
    [fc.double({ noNaN: true, noDefaultInfinity: true })],
    ([value]) =>
      Effect.sync(() => {
        assert.isUndefined(json.findUnsafeJson(JSON.stringify([value])))
        if (!/e/.test(String(value)))
          assert.strictEqual(decimal.parse(String(value)), Number(String(value)))
      })
  )
})

describe("a file's name", () => {
  it("determines the format", () => {
    const formats = ["a.csv", "a.ndjson", "a.JSONL", "a", "-"].map(parseRows.formatOf)
    assert.deepStrictEqual(formats, ["csv", "ndjson", "ndjson", "csv", "csv"])
  })
})

describe("rejected rows", () => {
  /** Any cell without a byte order mark. */
  const cell = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom('"', ",", "\n", "\r\n", '""', " ", "=1+1", "'")
  )

  it.effect.prop(
    "have the unchanged cells, one line and one reason, however often they are submitted",
    [fc.array(fc.tuple(cell, cell, cell, cell), { minLength: 1, maxLength: 5 }), cell, cell],
    ([cells, once, twice]) =>
      Effect.gen(function* () {
        // a line that is empty but for its end is none
        const written = cells.map((row) => ["x", ...row.slice(1)])
        const text = [head.split(","), ...written]
          .map((row) => row.map(quoted).join(","))
          .join("\n")
        const again = (all: ReadonlyArray<UsageRow>, reason: string) =>
          all.map((row) => rejectedRows.formatRow(row, reason)).join("")
        const first = Array.from(yield* readCsv(text))
        const [{ sheet }] = first as [UsageRow]
        const second = Array.from(
          yield* readCsv(rejectedRows.formatHeader(sheet) + again(first, once))
        )
        const [{ sheet: sheetAgain }] = second as [UsageRow]
        const third = Array.from(
          yield* readCsv(rejectedRows.formatHeader(sheetAgain) + again(second, twice))
        )
        const reread = [second, third].map((all) => all.map(({ raw: written }) => written))
        assert.deepStrictEqual(reread, [
          written.map((row, i) => [...row, String(first[i]?.line), once]),
          written.map((row, i) => [...row, String(second[i]?.line), twice])
        ])
        assert.deepStrictEqual(
          third.map(({ content }) => content),
          first.map(({ content }) => content)
        )
      }),
    { fastCheck: { numRuns: 50 }, timeout: 60_000 }
  )

  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

  it.effect("keep unreadable text, and stay invalid", () =>
    Effect.gen(function* () {
      const csv = Array.from(yield* readCsv(`${head}\n2026-11-25T10:00:00Z,a,1\n${valid},x\n`))
      const [{ sheet }] = csv as [UsageRow]
      const text =
        rejectedRows.formatHeader(sheet) +
        csv.map((row) => rejectedRows.formatRow(row, "why")).join("")
      const [short, long] = records(yield* readCsv(text))
      assert.match(short?.error ?? "", /expected 6 cells, as in the first line, got 7/)
      assert.match(long?.error ?? "", /expected 6 cells, as in the first line, got 7/)

      const json = Array.from(yield* readNdjson('{"quantity":\n'))
      const line = json.map((row) => rejectedRows.formatRow(row, "why")).join("")
      assert.strictEqual(
        line,
        `${JSON.stringify({ unreadable: '{"quantity":', line: 1, reason: "why" })}\n`
      )
      assert.match(records(yield* readNdjson(line))[0]?.error ?? "", /unreadable/)
    })
  )

  /** Optional columns, and those of an earlier submission in any place. */
  const heads = fc.shuffledSubarray(
    ["customerIdentifier", "productCode", "licenseArn", "usageAllocations", "line", "reason"],
    { minLength: 0, maxLength: 6 }
  )
  const likely = fc.oneof(
    fc.constantFrom("2026-11-25T10:00:00Z", "a", "7", "111122223333", ""),
    fc.string({ unit: "grapheme" })
  )

  it.effect.prop(
    "with a wrong number of cells stay invalid until they are corrected",
    [heads, fc.array(fc.array(likely, { minLength: 1, maxLength: 13 }), { minLength: 1 })],
    ([more, cells]) =>
      Effect.gen(function* () {
        const names = [...head.split(","), ...more]
        const misfits = cells.filter((row) => row.length !== names.length)
        const text = [names, ...misfits].map((row) => row.map(quoted).join(",")).join("\n")
        let file = text
        let previous = ""
        for (let time = 0; time < 3; time++) {
          const read = Array.from(yield* readCsv(file))
          assert.lengthOf(read, misfits.length)
          assert.isTrue(read.every(({ content }) => Either.isLeft(content)))
          const [first] = read
          if (first === undefined) return
          file =
            rejectedRows.formatHeader(first.sheet) +
            read.map((row) => rejectedRows.formatRow(row, "why")).join("")
          // from the second time on nothing is added or lost
          const withoutLines = file.replace(/\d+/g, "")
          if (time === 2) assert.strictEqual(withoutLines, previous)
          previous = withoutLines
        }
      })
  )

  it.effect("with too few cells stay invalid, also if the missing ones are optional", () =>
    Effect.gen(function* () {
      const read = Array.from(yield* readCsv(`${head},licenseArn\n${valid}\n`))
      const [row] = read as [UsageRow]
      assert.isTrue(Either.isLeft(row.content))
      const file = rejectedRows.formatHeader(row.sheet) + rejectedRows.formatRow(row, "why")
      assert.strictEqual(
        file,
        `${head},licenseArn,line,reason\n${valid},,2,why,cells were missing: complete the row and remove this cell\n`
      )
      assert.match(records(yield* readCsv(file))[0]?.error ?? "", /expected 7 cells.* got 8/)
      const corrected = file.replace(/,cells were missing.*/, "")
      assert.isUndefined(records(yield* readCsv(corrected))[0]?.error)
    })
  )

  it.effect("of invalid NDJSON stay invalid until they are corrected", () =>
    Effect.gen(function* () {
      const usage = '"quantity":1,"dimension":"a"'
      for (const text of [
        `{${usage},"line":1,"line":2}`,
        `{${usage},"reason":1,"Reason":2}`,
        `{${usage},"reason":[1.00000000000000001]}`,
        // longer than the limit, with an object at its beginning
        `{${usage}}${" ".repeat(2_000_000)}x`,
        `{${usage}}x`,
        "[1]",
        '"x"'
      ]) {
        let line = text
        for (let time = 0; time < 3; time++) {
          const [row] = Array.from(
            yield* Stream.runCollect(parseRows.ndjson(usageRowSchema, piecesOf(line, 65_536)))
          )
          assert.isTrue(Either.isLeft((row as UsageRow).content), line.slice(0, 100))
          line = rejectedRows.formatRow(row as UsageRow, "why")
        }
      }
    })
  )

  it.effect("have the delimiter of their file", () =>
    Effect.gen(function* () {
      const text = `${head}\n${valid}\n`.replaceAll(",", ";")
      const [row] = Array.from(yield* readCsv(text)) as [UsageRow]
      assert.strictEqual(
        rejectedRows.formatHeader(row.sheet) + rejectedRows.formatRow(row, "why; or, not"),
        `${head},line,reason\n${valid},2,"why| or, not"\n`
          .replaceAll(",", ";")
          .replace("or;", "or,")
          .replace("|", ";")
      )
    })
  )

  it.effect("of ambiguous NDJSON are rejected again for the same reason", () =>
    Effect.gen(function* () {
      for (const text of [
        '{"quantity":1,"quantity":2}',
        '{"quantity":1.00000000000000001}',
        '{"usageAllocations":[{"tags":[],"Tags":[]}]}'
      ]) {
        const read = yield* readNdjson(text)
        const [row] = Array.from(read) as [UsageRow]
        const line = rejectedRows.formatRow(row, "why")
        assert.strictEqual(line, `${text.slice(0, -1)},"line":1,"reason":"why"}\n`)
        const [error] = records(read).map(({ error }) => error)
        assert.isString(error)
        assert.strictEqual(records(yield* readNdjson(line))[0]?.error, error)
      }
    })
  )

  it.effect("of NDJSON have the unchanged object", () =>
    Effect.gen(function* () {
      for (const [text, members] of [
        ['{"Quantity": 1.50, "reason": "old"}', '"Quantity": 1.50,'],
        // numbers that are rounded, repeated members, and structural characters in texts
        ['{"quantity":1.00000000000000001}', '"quantity":1.00000000000000001,'],
        ['{"quantity":1,"quantity":2}', '"quantity":1,"quantity":2,'],
        [
          ' {"line":7,"a":[{"b":"]},{\\""}],"Reason":{"c":1}, "d" : null } ',
          '"a":[{"b":"]},{\\""}],"d" : null,'
        ],
        ["{}", ""]
      ]) {
        const [row] = Array.from(yield* readNdjson(`\n${text}`))
        assert.strictEqual(
          rejectedRows.formatRow(row as UsageRow, "new"),
          `{${members}"line":2,"reason":"new"}\n`
        )
      }
    })
  )
})

describe("an invalid record", () => {
  it.effect("is reported with its column, in terms of a file", () =>
    Effect.gen(function* () {
      const [row] = Array.from(yield* readCsv(`${head}\n2026-11-25 10:00,a,x,\n`)) as [UsageRow]
      const { record } = Option.getOrThrow(Either.getRight(row.content))
      const made = UsageRecord.makeEither(record as UsageRecord.Input)
      const { violations } = Option.getOrThrow(Either.getLeft(made))
      const outcome = rowOutcome.fromOutcome({ _tag: "Invalid", index: 0, record, violations }, row)
      assert.strictEqual(outcome.column, 1)
      assert.strictEqual(
        outcome.reason,
        'timestamp: expected a time with its zone, such as 2026-11-25T10:00:00Z, got "2026-11-25 10:00"; quantity: expected a whole number in digits, such as 1000, got "x"'
      )
    })
  )
})
