import { assert, describe, it } from "@effect/vitest"
import { parse } from "csv-parse/sync"
import { Effect, FastCheck as fc } from "effect"
import * as csv from "../../../src/bin/input/csv.js"
import { encode } from "../readRows.js"

const read = (text: string, size = 65_536) => {
  const { end, push } = csv.make("usage.csv")
  const bytes = encode(text)
  const lines: Array<csv.Line> = []
  for (let at = 0; at < bytes.length; at += size) {
    const { failure, out } = push(bytes.slice(at, at + size))
    lines.push(...out)
    if (failure !== undefined) return { lines, failure: failure.message }
  }
  const { failure, out } = end()
  return { lines: [...lines, ...out], failure: failure?.message }
}

const cellsOf = (text: string, size?: number) => {
  const { failure, lines } = read(text, size)
  return { failure: failure !== undefined, cells: lines.map(({ cells }) => cells) }
}

/** The result of an independent parser. */
const oracle = (text: string, delimiter: string, end: string) => {
  const cells: Array<ReadonlyArray<string>> = []
  try {
    parse(text, {
      delimiter,
      record_delimiter: end,
      relax_column_count: true,
      skip_empty_lines: true,
      onRecord: (record: ReadonlyArray<string>) => {
        cells.push(record)
        return null
      }
    })
    return { failure: false, cells }
  } catch {
    return { failure: true, cells }
  }
}

describe("CSV", () => {
  const delimiters = fc.constantFrom(",", ";", "\t")
  const ends = fc.constantFrom("\n", "\r\n", "\r")
  const sizes = fc.integer({ min: 1, max: 12 })

  it.effect.prop(
    "emits the written cells, whatever they have and wherever the input is cut",
    [
      fc.array(
        fc.array(
          fc.tuple(
            fc.oneof(
              fc.string({ unit: "grapheme" }),
              fc.constantFrom('"', ",", ";", "\t", "\n", "\r", "\r\n", '""', " ", "€", "😀")
            ),
            fc.boolean()
          ),
          { minLength: 2, maxLength: 4 }
        ),
        { maxLength: 5 }
      ),
      delimiters,
      ends,
      sizes,
      fc.boolean()
    ],
    ([rows, delimiter, end, size, isEnded]) =>
      Effect.sync(() => {
        const all = [[["a", false] as const, ["b", false] as const], ...rows]
        const text = all
          .map((row) =>
            row
              .map(([cell, isQuoted]) =>
                isQuoted || /["\r\n,;\t]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
              )
              .join(delimiter)
          )
          .join(end)
        const found = cellsOf(isEnded ? text + end : text, size)
        assert.deepStrictEqual(found, {
          failure: false,
          cells: all.map((row) => row.map(([cell]) => cell))
        })
      }),
    { fastCheck: { numRuns: 200 } }
  )

  it.effect.prop(
    "is read or rejected as by an independent parser",
    [fc.string({ unit: fc.constantFrom("a", "b", ",", '"', "\n") }), sizes],
    ([body, size]) =>
      Effect.sync(() => {
        const text = `a,b\n${body}`
        assert.deepStrictEqual(cellsOf(text, size), oracle(text, ",", "\n"))
      }),
    { fastCheck: { numRuns: 150 } }
  )

  it.effect("may have CR in cells if lines end with LF, and mix LF with CRLF", () =>
    Effect.sync(() => {
      for (const [text, cells] of [
        ["a,b\n1,2\r3\n4,5\r\n6,7\n", ["1,2\r3", "4,5", "6,7"]],
        ["a,b\r\n1,2\n\r\n\n4,5", ["1,2", "4,5"]],
        ['a,b\n1,"2"\r\n"3","4"\r', ["1,2", "3,4"]],
        ["a,b\r1,2\r\r3,4\r", ["1,2", "3,4"]],
        ["a,b\r", []]
      ] as const) {
        for (const size of [1, 2, 3, 100]) {
          const found = cellsOf(text, size)
          assert.deepStrictEqual(
            found.cells.slice(1).map((row) => row.join(",")),
            [...cells],
            JSON.stringify([text, size])
          )
        }
      }
    })
  )

  it.effect("fails at an invalid quote, and names its place and the first unread line", () =>
    Effect.sync(() => {
      for (const [text, expected] of [
        [
          'a,b\n1,2\n"x\ny",z\nu,"v\n\n1,2\n',
          "usage.csv:5: the quote that opens here, in cell 2, does not close. Close it, and write each quote inside a cell twice. Nothing from line 5 on was read."
        ],
        [
          'a,b\n1,"2\n3"4,5\n6,7\n',
          "usage.csv:3: cell 2, whose quote opens in line 2, goes on after its closing quote. Write each quote inside a cell twice. Nothing from line 2 on was read."
        ],
        [
          'a,b\n1,2" of pipe\n6,7\n',
          "usage.csv:2: cell 2 has a quote, but is not quoted. Put it in quotes, and write each quote inside it twice. Nothing from line 2 on was read."
        ],
        [
          'a,b\n"1"\r2,3\n',
          "usage.csv:2: cell 1, whose quote opens in line 2, goes on after its closing quote. Write each quote inside a cell twice. Nothing from line 2 on was read."
        ]
      ] as const) {
        for (const size of [1, 3, 100]) {
          assert.strictEqual(read(text, size).failure, expected)
        }
      }
    })
  )
})
