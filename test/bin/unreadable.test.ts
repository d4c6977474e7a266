import { writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { type CommandResult, command } from "./command.js"
import { environment, sandboxLayer } from "./sandboxServer.js"

const { file, run } = command()

/** Bytes of one piece of a file. */
const piece = 65_536

const objects = ({ stdout }: CommandResult) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const accounts = Array.from({ length: 2_000 }, (_, i) => String(100_000_000_000 + i))

const manyCustomers: MeteringSandbox.Options = {
  products: [{ code: "p", dimensions: ["a"] }],
  customers: accounts.map((customerAWSAccountId) => ({
    customerAWSAccountId,
    agreements: [{ productCode: "p" }]
  }))
}

/** One piece that ends inside `...,123456`, then the rest of it, three more rows, and one in Latin-1. */
const cut = (format: "csv" | "ndjson", at: string) => {
  const row = (i: number, quantity: number | string, dimension = "a") =>
    format === "csv"
      ? `${at},${dimension},${accounts[i]},${quantity}\n`
      : `{"timestamp":"${at}","dimension":"${dimension}","customerAWSAccountId":"${accounts[i]}","quantity":${quantity}}\n`
  const head = format === "csv" ? "timestamp,dimension,customerAWSAccountId,quantity\n" : ""
  const last = row(0, 123_456).slice(0, format === "csv" ? -5 : -6)
  let before = head
  let rows = 0
  while (before.length + 2 * row(0, "1").length + last.length < piece) {
    rows += 1
    before += row(rows, 1)
  }
  // the row before the last fills the piece with zeros, or with spaces in JSON
  rows += 1
  const room = piece - before.length - last.length - row(rows, "").length
  before += row(rows, format === "csv" ? "1".padStart(room, "0") : "1".padStart(room, " "))
  const latin = Buffer.from(row(1_999, 5, "m\u00fcller"), "latin1")
  const text = before + row(0, 123_456) + row(1_990, 2) + row(1_991, 3) + row(1_992, 4)
  return { bytes: Buffer.concat([Buffer.from(text), latin]), rows }
}

describe.each(["csv", "ndjson"] as const)("a file of %s with invalid bytes", (format) => {
  for (const dryRun of [false, true]) {
    it.live(
      `${dryRun ? "fails a dry run" : "bills no part of a row"}, and reports the first unread line`,
      () =>
        Effect.gen(function* () {
          const at = DateTime.formatIso(yield* DateTime.now)
          const { bytes, rows } = cut(format, at)
          const usage = file(`cut.${format}`)
          writeFileSync(usage, bytes)
          assert.match(bytes.toString("latin1", 0, piece), /\b12$/)
          const env = yield* environment
          const ended = yield* Effect.promise(() =>
            run(
              [
                ...["submit", usage, "--product-code", "p", "--rate", "1000", "--json"],
                ...(dryRun ? ["--dry-run"] : [])
              ],
              { env }
            )
          )
          assert.strictEqual(ended.code, 1, ended.stderr)
          // the rows before the byte are read, and the row across the pieces is whole
          const line = rows + (format === "csv" ? 1 : 0) + 5
          assert.include(
            ended.stderr,
            `cut.${format} is not UTF-8: line ${line.toLocaleString("en-US")} has the byte 0xFC.`
          )
          assert.include(
            ended.stderr,
            `Nothing from line ${line.toLocaleString("en-US")} on was read.`
          )
          assert.deepInclude(objects(ended).at(-1)?.summary as object, {
            records: rows + 4,
            counts: { [dryRun ? "WouldBeSent" : "Accepted"]: rows + 4 },
            readToTheEnd: false
          })
          const billed = yield* (yield* MeteringSandbox.MeteringSandbox).report.records
          const quantities = billed.map(({ quantity }) => quantity).filter((units) => units !== 1)
          assert.deepStrictEqual(
            quantities.sort((a, b) => a - b),
            dryRun ? [] : [2, 3, 4, 123_456]
          )
        }).pipe(Effect.provide(sandboxLayer(manyCustomers))),
      120_000
    )
  }
})
