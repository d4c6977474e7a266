import { linkSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { parse } from "csv-parse/sync"
import { DateTime, Deferred, Effect, Schedule } from "effect"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { closedEndpoint, serve } from "../../support/loopbackServer.js"
import { type CommandResult, command } from "../command.js"
import { environment, sandboxLayer } from "../sandboxServer.js"

const { file, run, start } = command()

const head = "timestamp,customerAWSAccountId,dimension,quantity"
const product = ["--product-code", "sandbox-analytics"]
const fast = ["--rate", "1000"]

const call = (args: ReadonlyArray<string>, stdin?: string) =>
  Effect.flatMap(environment, (env) => Effect.promise(() => run(args, { env, stdin })))

const startCommand = (args: ReadonlyArray<string>) =>
  Effect.map(environment, (env) => start(args, { env }))

/** Customers of one product, so that each of many records has its own key. */
const accounts = Array.from({ length: 5_000 }, (_, i) => String(100_000_000_000 + i))
const manyCustomers: MeteringSandbox.Options = {
  products: [{ code: "sandbox-analytics", dimensions: ["a", "b"] }],
  customers: [
    ...accounts.map((customerAWSAccountId) => ({
      customerAWSAccountId,
      agreements: [{ productCode: "sandbox-analytics" }]
    })),
    { customerAWSAccountId: "999999999999", agreements: [] }
  ]
}

/** Records of this hour, each with its own customer or dimension. */
const validRows = (count: number, now: DateTime.Utc) => {
  const at = DateTime.formatIso(now)
  return Array.from(
    { length: count },
    (_, i) => `${at},${accounts[i % 5_000]},${i < 5_000 ? "a" : "b"},${i + 1}`
  )
}

const write = (name: string, lines: ReadonlyArray<string>) => {
  writeFileSync(file(name), `${lines.join("\n")}\n`)
  return file(name)
}

const objects = ({ stdout }: CommandResult) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const summaryOf = (ended: CommandResult) =>
  objects(ended).at(-1)?.summary as Record<string, unknown>

describe("ten thousand records, of which 37 are invalid in different ways", () => {
  const invalidRows = (
    now: DateTime.Utc
  ): ReadonlyArray<readonly [row: string, reason: RegExp]> => {
    const at = DateTime.formatIso(now)
    const old = DateTime.formatIso(DateTime.subtract(now, { hours: 25 }))
    const of = (change: { t?: string; c?: string; d?: string; q?: string }) =>
      [change.t ?? at, change.c ?? accounts[0], change.d ?? "a", change.q ?? "1"].join(",")
    return [
      ...["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-25T10:00:00", "1763987696"].map(
        (t) => [of({ t }), /timestamp: expected a time with its zone/] as const
      ),
      [of({ t: "2026-11-25" }), /timestamp: expected a time with its zone/],
      ...["", "x", "-1", "1.5", "1e3", "1,000", "2147483648", "NaN"].map((q) =>
        q === "1,000"
          ? ([of({ q }), /expected 4 cells/] as const)
          : ([of({ q }), /quantity: expected/] as const)
      ),
      ...["12a", "1".repeat(256), "-1", ""].map(
        (c) => [of({ c }), /customerAWSAccountId: expected/] as const
      ),
      ...["", "d".repeat(256)].map((d) => [of({ d }), /dimension: expected/] as const),
      ...["A", "c", "a "].map((d) => [of({ d }), /Dimension .* is not one of/] as const),
      ...["999999999999", "123"].map((c) => [of({ c }), /no active agreement/] as const),
      ...[old, "2026-01-01T00:00:00+02:00"].map(
        (t) => [of({ t }), /could be reported until/] as const
      ),
      ...["x", "x,y", "x,y,z", `${of({})},more`, `${of({})},`].map(
        (row) => [row, /expected 4 cells/] as const
      ),
      // the first valid rows have these keys
      ...[1, 2, 3, 4, 5].map(
        (i) =>
          [of({ c: accounts[i] as string, q: "999999" }), /Another quantity was billed/] as const
      )
    ]
  }

  it.live(
    "reports each with its line, and accepts the corrected ones",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        const now = yield* DateTime.now
        const invalid = invalidRows(now)
        assert.lengthOf(invalid, 37)
        const rows = validRows(9_963, now)
        // spread over the file, after the valid rows that they repeat
        for (const [i, [row]] of invalid.entries()) rows.splice(1_000 + i * 200, 0, row)
        const usage = write("usage.csv", [head, ...rows])
        const rejected = file("rejected.csv")

        const dryRun = yield* call(["submit", usage, ...product, "--dry-run", "--json"])
        assert.strictEqual(dryRun.code, 1)
        // a dry run checks the rows, and only the service knows products and agreements
        const found = invalid.flatMap(([, reason], i) =>
          /expected|reported until|Another quantity/.test(reason.source)
            ? [1_000 + i * 200 + 2]
            : []
        )
        const reported = objects(dryRun).filter(
          ({ status }) => status !== undefined && status !== "WouldBeSent"
        )
        assert.deepStrictEqual(
          reported.map(({ line }) => Number(line)).sort((a, b) => a - b),
          found
        )
        assert.deepInclude(summaryOf(dryRun).counts, {
          WouldBeSent: 10_000 - found.length
        })
        assert.deepStrictEqual(yield* sandbox.report.records, [])

        const ended = yield* call(["submit", usage, ...product, ...fast, "--rejected", rejected])
        assert.strictEqual(ended.code, 1, ended.stderr)
        assert.match(ended.stderr, /37 of 10,000 records were not accepted\. They are in /)
        invalid.forEach(([, reason], i) => {
          const line = 1_000 + i * 200 + 2
          const [message = ""] = ended.stderr
            .split("\n")
            .filter((text) => text.includes(`usage.csv:${line}:`))
          assert.match(message, reason, `line ${line}`)
        })
        assert.lengthOf(yield* sandbox.report.records, 9_963)

        // submitted again: nothing more is billed, and accepted records keep their ids
        const again = yield* call(["submit", usage, ...product, ...fast, "--json"])
        assert.strictEqual(again.code, 1)
        assert.lengthOf(yield* sandbox.report.records, 9_963)
        const ids = new Set(
          (yield* sandbox.report.records).map(({ meteringRecordId }) => meteringRecordId)
        )
        const accepted = objects(again).filter(({ status }) => status === "Accepted")
        assert.lengthOf(accepted, 9_963)
        assert.deepStrictEqual(
          new Set(accepted.map(({ meteringRecordId }) => meteringRecordId)),
          ids
        )

        // rejected records are corrected, for hours without usage
        const lines = readFileSync(rejected, "utf8").trim().split("\n")
        assert.lengthOf(lines, 38)
        assert.strictEqual(lines[0], `${head},line,reason`)
        const cells: ReadonlyArray<ReadonlyArray<string>> = parse(readFileSync(rejected), {
          relax_column_count: true
        })
        const places = cells.slice(1).map((row) => Number(row[4]))
        assert.deepStrictEqual(
          places,
          invalid.map((_, i) => 1_000 + i * 200 + 2)
        )
        const free = DateTime.formatIso(DateTime.subtract(now, { hours: 2 }))
        const corrected = lines
          .slice(1)
          .map((line, i) => line.replace(/^(?:[^,]*,){4}/, `${free},${accounts[i]},b,1,`))
          // rows with too few or too many cells have more after the reason
          .map((line) =>
            line.replace(/("expected 4 cells, as in the first line, got \d"),.*$/, "$1")
          )
        assert.lengthOf(corrected, 37)
        const last = yield* call([
          ...["submit", write("corrected.csv", [lines[0] ?? "", ...corrected])],
          ...[...product, ...fast, "--rejected", rejected]
        ])
        assert.strictEqual(last.code, 0, last.stderr)
        assert.lengthOf(yield* sandbox.report.records, 9_963 + 37)
        // the earlier content is replaced
        assert.strictEqual(readFileSync(rejected, "utf8"), "")
      }).pipe(Effect.provide(sandboxLayer(manyCustomers))),
    300_000
  )
})

describe("the output", () => {
  it.live("is a table by customer, dimension and status, without a progress bar in a pipe", () =>
    Effect.gen(function* () {
      const at = DateTime.formatIso(yield* DateTime.now)
      const usage = write("table.csv", [
        head,
        `${at},111122223333,api-calls,42`,
        `${at},111122223333,events,1`,
        `${at},444455556666,events,7`
      ])
      const ended = yield* call(["submit", usage, ...product])
      assert.strictEqual(ended.code, 1)
      assert.strictEqual(
        ended.stdout,
        [
          "  customer      dimension  status          records  units",
          "  111122223333  api-calls  accepted              1     42",
          "  111122223333  events     accepted              1      1",
          "  444455556666  events     not subscribed        1      7",
          ""
        ].join("\n")
      )
      assert.notInclude(ended.stdout + ended.stderr, "\u001b")
      assert.notInclude(ended.stdout + ended.stderr, "\r")
      assert.match(ended.stderr, /table\.csv:4: The customer has no active agreement/)
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("has an object for each record and a summary with --json", () =>
    Effect.gen(function* () {
      const at = DateTime.formatIso(yield* DateTime.now)
      const ended = yield* call(
        ["submit", "-", "--format", "ndjson", "--json", ...product],
        `{"timestamp":"${at}","customerAWSAccountId":"111122223333","dimension":"events","quantity":2}\n{"x":1}\n`
      )
      assert.strictEqual(ended.code, 1)
      const [first, second, last] = objects(ended).sort(
        (a, b) => Number(a.line ?? 9) - Number(b.line ?? 9)
      )
      const [record] = yield* (yield* MeteringSandbox.MeteringSandbox).report.records
      assert.deepStrictEqual(first, {
        line: 1,
        status: "Accepted",
        meteringRecordId: record?.meteringRecordId,
        record: {
          timestamp: at,
          dimension: "events",
          quantity: 2,
          customerAWSAccountId: "111122223333"
        }
      })
      assert.deepInclude(second, { line: 2, status: "Invalid" })
      assert.deepStrictEqual(last?.summary, {
        source: "standard input",
        records: 2,
        counts: { Invalid: 1, Accepted: 1 },
        repeated: 0,
        calls: 1,
        dryRun: false,
        stopped: false,
        readToTheEnd: true
      })
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("has the number of calls for a dry run, without credentials or Region", () =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const usage = write("dry.csv", [head, ...validRows(60, now)])
      const ended = yield* Effect.promise(() => run(["submit", usage, ...product, "--dry-run"]))
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.match(ended.stdout, /sandbox-analytics +60 +3\n/)
      assert.match(ended.stdout, /would be sent/)
    })
  )
})

describe("repeated usage in a file", () => {
  for (const dryRun of [false, true]) {
    it.live(`is counted once, as it is billed${dryRun ? ", in a dry run, too" : ""}`, () =>
      Effect.gen(function* () {
        const at = DateTime.formatIso(yield* DateTime.now)
        const [one, two] = ["red", "blue"].map(
          (value) =>
            `{"allocatedUsageQuantity":${value.length},"tags":[{"key":"team","value":"${value}"}]}`
        )
        const split = (first: string | undefined, second: string | undefined) =>
          `${at},111122223333,events,7,"${`[${first},${second}]`.replaceAll('"', '""')}"`
        const usage = write("repeated.csv", [
          `${head},usageAllocations`,
          ...Array.from({ length: 3 }, () => `${at},111122223333,api-calls,7,`),
          split(one, two),
          split(two, one)
        ])
        const args = ["submit", usage, ...product, ...(dryRun ? ["--dry-run"] : [])]
        const result = yield* call(args)
        assert.strictEqual(result.code, 0, result.stderr)
        const word = dryRun ? "would be sent" : "accepted"
        assert.match(result.stdout, new RegExp(`api-calls +${word} +3 +7\n`))
        assert.match(result.stdout, new RegExp(`events +${word} +2 +7\n`))
        assert.include(
          result.stderr,
          "3 rows repeat an earlier row: an hour of a customer and dimension is billed once."
        )
        const inJson = yield* call([...args, "--json"])
        assert.deepInclude(summaryOf(inJson), { records: 5, repeated: 3 })
        const billed = yield* (yield* MeteringSandbox.MeteringSandbox).report.records
        assert.deepStrictEqual(
          billed.map(({ quantity }) => quantity),
          dryRun ? [] : [7, 7]
        )
      }).pipe(Effect.provide(sandboxLayer()))
    )
  }

  it.live("is recognized by its record id if a customer has two identifiers", () =>
    Effect.gen(function* () {
      const at = DateTime.formatIso(yield* DateTime.now)
      const [customer] = yield* (yield* MeteringSandbox.MeteringSandbox).marketplace.customers
      const usage = write("identities.csv", [
        "timestamp,customerAWSAccountId,customerIdentifier,dimension,quantity",
        `${at},${customer?.customerAWSAccountId},,api-calls,7`,
        `${at},,${customer?.customerIdentifier},api-calls,7`
      ])
      const ended = yield* call(["submit", usage, ...product])
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.include(ended.stderr, "1 row repeats an earlier row")
      const units = ended.stdout
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => Number(line.split(/ +/).at(-1)))
      assert.strictEqual(
        units.reduce((sum, each) => sum + each, 0),
        7
      )
    }).pipe(Effect.provide(sandboxLayer()))
  )
})

describe("failures", () => {
  it.live("a lost response: sends the same records again", () =>
    Effect.gen(function* () {
      const usage = write("lost.csv", [head, ...validRows(25, yield* DateTime.now)])
      const ended = yield* call(["submit", usage, ...product, "--json"])
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.deepInclude(summaryOf(ended), { records: 25, counts: { Accepted: 25 }, calls: 2 })
      assert.lengthOf(yield* (yield* MeteringSandbox.MeteringSandbox).report.records, 25)
    }).pipe(
      Effect.provide(
        sandboxLayer({ ...manyCustomers, faults: { script: [{ fault: "cutAfter", times: 1 }] } })
      )
    )
  )

  it.live("no credentials, no file, unknown columns: exits with 2", () =>
    Effect.gen(function* () {
      const usage = write("valid.csv", [head, ...validRows(1, yield* DateTime.now)])
      const unknownColumns = write("unknown.csv", ["a,b", "1,2"])
      const earlier = write("earlier.csv", ["of an earlier one"])
      for (const [args, expected] of [
        [[usage, ...product, "--profile", "unknown"], /No AWS credentials/],
        [["nowhere.csv", ...product], /nowhere\.csv cannot be read: no such file/],
        [[unknownColumns, ...product], /The columns of .*unknown\.csv cannot be used/],
        [[usage, ...product, "--rejected", usage], /is being read/],
        [[usage, ...product, "--rejected", "/nowhere/x"], /cannot be written/],
        [[usage, ...product, "--rejected", "-"], /--rejected: expected a file's name, got "-"/],
        [[unknownColumns, ...product, "--rejected", earlier], /The columns of/],
        [[usage, ...product, "--profile", "unknown", "--rejected", earlier], /No AWS credentials/],
        [[usage, ...product, "--rate", "0"], /--rate: expected/]
      ] as const) {
        const ended = yield* call(["submit", ...args])
        assert.strictEqual(ended.code, 2, ended.stdout)
        assert.strictEqual(ended.stdout, "")
        assert.match(ended.stderr, expected)
        assert.notMatch(ended.stderr, /\n\s+at /)
      }
      assert.match(readFileSync(usage, "utf8"), /^timestamp/)
      assert.strictEqual(readFileSync(earlier, "utf8"), "of an earlier one\n")
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("a full disk: stops, and still reports billed records", () =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const usage = write("full.csv", [head, "x", ...validRows(2_000, now)])
      const ended = yield* call(["submit", usage, ...product, "--rejected", "/dev/full", "--json"])
      assert.strictEqual(ended.code, 1)
      assert.match(ended.stderr, /\/dev\/full cannot be written: .*ENOSPC/)
      assert.notMatch(ended.stderr, /\n\s+at /)
      const billed = (yield* (yield* MeteringSandbox.MeteringSandbox).report.records).length
      assert.isBelow(billed, 2_000)
      assert.deepInclude(summaryOf(ended), {
        records: 2_001,
        counts: { Accepted: billed, Invalid: 1, NotSent: 2_000 - billed },
        stopped: true,
        readToTheEnd: true
      })
    }).pipe(Effect.provide(sandboxLayer(manyCustomers)))
  )

  it.live("a truncated file: submits the rows before", () =>
    Effect.gen(function* () {
      const usage = write("broken.csv", [head, ...validRows(3, yield* DateTime.now), '"x,1'])
      const ended = yield* call(["submit", usage, ...product, "--json"])
      assert.strictEqual(ended.code, 1)
      assert.match(
        ended.stderr,
        /broken\.csv:5: the quote that opens here, .* Nothing from line 5 on was read\./
      )
      assert.deepInclude(summaryOf(ended), { counts: { Accepted: 3 }, readToTheEnd: false })
    }).pipe(Effect.provide(sandboxLayer(manyCustomers)))
  )
})

describe("--rejected", () => {
  it.live("never changes the source, by any name or redirection", () =>
    Effect.gen(function* () {
      const env = yield* environment
      const usage = write("precious.csv", [head, "x", ...validRows(20_000, yield* DateTime.now)])
      const before = readFileSync(usage, "utf8")
      const [hard, soft] = [file("hard.csv"), file("soft.csv")]
      linkSync(usage, hard)
      symlinkSync(usage, soft)
      for (const path of [usage, hard, soft]) {
        for (const [source, stdinFrom] of [
          [usage, undefined],
          ["-", usage]
        ] as const) {
          const ended = yield* Effect.promise(() =>
            run(["submit", source, ...product, "--rejected", path], { env, stdinFrom })
          )
          assert.strictEqual(ended.code, 2, ended.stdout)
          assert.match(ended.stderr, /is being read: choose another file with --rejected/)
          assert.isTrue(readFileSync(usage, "utf8") === before)
        }
      }
      // standard output is not appended to the source, and its file is not replaced
      const printed = write("printed.txt", ["printed before"])
      for (const [args, stdoutInto, expected] of [
        [[usage, "--json"], usage, /precious\.csv is also where standard output goes/],
        [[usage, "--rejected", printed], printed, /printed\.txt is where standard output goes/]
      ] as const) {
        const ended = yield* Effect.promise(() =>
          run(["submit", ...args, ...product], { env, stdoutInto })
        )
        assert.strictEqual(ended.code, 2)
        assert.match(ended.stderr, expected)
      }
      assert.isTrue(readFileSync(usage, "utf8") === before)
      assert.strictEqual(readFileSync(printed, "utf8"), "printed before\n")
      assert.deepStrictEqual(yield* (yield* MeteringSandbox.MeteringSandbox).report.records, [])
    }).pipe(Effect.provide(sandboxLayer(manyCustomers)))
  )

  it.live("is readable only for its owner, and leaves no temporary file", () =>
    Effect.gen(function* () {
      const usage = write("private.csv", [head, "x"])
      const rejected = write("private-rejected.csv", ["of an earlier one"])
      assert.strictEqual(statSync(rejected).mode & 0o777, 0o644)
      const ended = yield* call(["submit", usage, ...product, "--rejected", rejected])
      assert.strictEqual(ended.code, 1)
      assert.strictEqual(statSync(rejected).mode & 0o777, 0o600)
      assert.strictEqual(
        readFileSync(rejected, "utf8"),
        `${head},line,reason\nx,,,,2,"expected 4 cells, as in the first line, got 1",cells were missing: complete the row and remove this cell\n`
      )
      assert.deepStrictEqual(
        readdirSync(file(".")).filter((name) => name.endsWith(".tmp")),
        []
      )
    }).pipe(Effect.provide(sandboxLayer(manyCustomers)))
  )
})

describe("a dry run", () => {
  it.live("reports rows that would not be billed as they are", () =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const at = DateTime.formatIso(now)
      const ahead = (minutes: number) => DateTime.formatIso(DateTime.add(now, { minutes }))
      const row = (time: string, quantity: number, account = 1) =>
        `${time},${accounts[account]},a,${quantity}`
      const usage = write("losses.csv", [
        head,
        row(at, 3),
        row(at, 4),
        row(at, 3),
        row(ahead(60), 1, 2),
        row(ahead(4), 1, 3)
      ])
      const ended = yield* Effect.promise(() =>
        run(["submit", usage, ...product, "--dry-run", "--json"])
      )
      assert.strictEqual(ended.code, 1, ended.stderr)
      const result = objects(ended).filter(({ reason }) => reason !== undefined)
      assert.deepStrictEqual(result.map(({ line, status }) => [line, status]).sort(), [
        [3, "Duplicate"],
        [5, "Rejected"]
      ])
      assert.match(
        String(result.find(({ line }) => line === 3)?.reason),
        /^Line 2 .* quantity of 3 /
      )
      assert.match(String(result.find(({ line }) => line === 5)?.reason), /is in the future/)
      assert.match(ended.stderr, /1 row repeats an earlier row/)
      assert.match(ended.stderr, /2 of 5 records would not be accepted/)
    })
  )
})

describe("messages", () => {
  it.live("report a rejected product once, with the number of rows", () =>
    Effect.gen(function* () {
      const usage = write("foreign.csv", [head, ...validRows(200, yield* DateTime.now)])
      const ended = yield* call(["submit", usage, "--product-code", "not-mine", ...fast])
      assert.strictEqual(ended.code, 1)
      const result = ended.stderr.split("\n").filter((line) => line.includes("foreign.csv:"))
      const rows = result.map((line) => Number(/the same for ([\d,]+) rows/.exec(line)?.[1] ?? 1))
      assert.isAtMost(result.length, 20)
      assert.strictEqual(
        rows.reduce((sum, count) => sum + count, 0),
        200
      )
    }).pipe(Effect.provide(sandboxLayer(manyCustomers)))
  )

  it.live("report a missing product once, with the option for it", () =>
    Effect.gen(function* () {
      const usage = write("unnamed.csv", [head, ...validRows(60, yield* DateTime.now)])
      const ended = yield* Effect.promise(() => run(["submit", usage, "--dry-run"]))
      assert.strictEqual(ended.code, 1)
      const result = ended.stderr.split("\n").filter((line) => line.includes("unnamed.csv:"))
      assert.lengthOf(result, 1)
      assert.match(result[0] ?? "", /Give --product-code .* \(the same for 60 rows\)/)
    })
  )

  it.live("say that a file has no records", () =>
    Effect.gen(function* () {
      const ended = yield* call(["submit", write("bare.csv", [head]), ...product])
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.match(ended.stdout, /^There are no records in .*bare\.csv: nothing was sent\.\n$/)
    }).pipe(Effect.provide(sandboxLayer(manyCustomers)))
  )

  it.live("have no control characters of the file or the service", () =>
    Effect.gen(function* () {
      const at = DateTime.formatIso(yield* DateTime.now)
      const bad = "a\u001b[2K\u009b1A\u202e\n  999  forged  accepted  1"
      const usage = write("forged.csv", [
        head,
        `${at},${accounts[1]},"${bad}",1`,
        `${at},"1\u001b[1m",a,1`
      ])
      for (const more of [[], ["--json"]]) {
        const { stderr, stdout } = yield* call(["submit", usage, ...product, ...more])
        assert.notMatch(stdout + stderr, /[^\P{Cc}\n]|\u202e/u)
        assert.include(stdout, "\\u001b[2K\\u009b1A\\u202e")
        assert.lengthOf(stdout.trimEnd().split("\n"), 3)
      }
    }).pipe(Effect.provide(sandboxLayer(manyCustomers)))
  )

  it.live("report an unreachable endpoint after the first failed call", () =>
    Effect.gen(function* () {
      const usage = write("down.csv", [head, ...validRows(100, yield* DateTime.now)])
      const { child, ended, until } = yield* startCommand([
        ...["submit", usage, ...product, "--endpoint", yield* closedEndpoint]
      ])
      yield* Effect.promise(() => until(/retried for up to 5 minutes: .*ECONNREFUSED/))
      child.kill("SIGINT")
      const { stderr } = yield* Effect.promise(() => ended)
      assert.lengthOf(stderr.match(/retried/g) ?? [], 1)
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )
})

describe("a shutdown", () => {
  /** The third call has no response for an hour. */
  const hanging = sandboxLayer({
    ...manyCustomers,
    faults: {
      script: [
        { fault: "none", times: 2 },
        { fault: "latency", duration: "1 hour" }
      ]
    }
  })

  it.live(
    "by a signal awaits calls under way, and gives every record an outcome",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        // more than the read-ahead
        const usage = write("long.csv", [head, ...validRows(9_000, yield* DateTime.now)])
        const rejected = file("unsent.csv")
        const { child, ended, until } = yield* startCommand([
          ...["submit", usage, ...product, "--rate", "5", "--rejected", rejected, "--json"]
        ])
        yield* Effect.promise(() => until(/"Accepted"/))
        child.kill("SIGINT")
        const result = yield* Effect.promise(() => ended)
        assert.strictEqual(result.code, 1, result.stderr)
        assert.match(result.stderr, /Stopping: waiting for calls under way/)
        const billed = (yield* sandbox.report.records).length
        assert.deepInclude(summaryOf(result), {
          records: 9_000,
          counts: { Accepted: billed, NotSent: 9_000 - billed },
          stopped: true,
          readToTheEnd: true
        })
        const unsent = readFileSync(rejected, "utf8").trim().split("\n").slice(1)
        assert.lengthOf(unsent, 9_000 - billed)
        assert.match(unsent[0] ?? "", /The submission was stopped before/)
      }).pipe(Effect.provide(sandboxLayer(manyCustomers))),
    60_000
  )

  it.live(
    "by a second signal is immediate",
    () =>
      Effect.gen(function* () {
        const usage = write("hanging.csv", [head, ...validRows(200, yield* DateTime.now)])
        const rejected = file("given-up.csv")
        const { child, ended, until } = yield* startCommand([
          ...["submit", usage, ...product, "--json", "--rejected", rejected]
        ])
        yield* Effect.repeat((yield* MeteringSandbox.MeteringSandbox).report.callCounts, {
          until: ({ BatchMeterUsage }) => BatchMeterUsage >= 3,
          schedule: Schedule.spaced("20 millis")
        })
        child.kill("SIGINT")
        yield* Effect.promise(() => until(/Stopping/))
        // the first ones count as echoes
        yield* Effect.sync(() => child.kill("SIGINT")).pipe(
          Effect.repeat(Schedule.spaced("200 millis")),
          Effect.raceFirst(Effect.promise(() => ended))
        )
        const result = yield* Effect.promise(() => ended)
        assert.strictEqual(result.code, 130, result.stderr)
        const billed = (yield* (yield* MeteringSandbox.MeteringSandbox).report.records).length
        const counts = summaryOf(result).counts as Record<string, number>
        const { Accepted: accepted = 0, NotSent: notSent = 0, Unknown: unknown = 0 } = counts
        assert.isAtLeast(unknown, 25)
        assert.strictEqual(accepted + notSent + unknown, 200)
        // records that may have been billed are never reported as not sent
        assert.isAtMost(billed, accepted + unknown)
        assert.deepInclude(summaryOf(result), { records: 200, stopped: true })
        const open = readFileSync(rejected, "utf8").trim().split("\n").slice(1)
        assert.lengthOf(open, 200 - accepted)
        assert.lengthOf(
          open.filter((line) => line.includes("may have been billed")),
          unknown
        )
      }).pipe(Effect.provide(hanging)),
    60_000
  )

  it.live(
    "happens when standard output is closed",
    () =>
      Effect.gen(function* () {
        const usage = write("unread.csv", [head, ...validRows(2_000, yield* DateTime.now)])
        const rejected = file("rest.csv")
        const { child, ended, until } = yield* startCommand([
          ...["submit", usage, ...product, "--rate", "5", "--rejected", rejected, "--json"]
        ])
        yield* Effect.promise(() => until(/"Accepted"/))
        child.stdout?.destroy()
        assert.strictEqual((yield* Effect.promise(() => ended)).code, 1)
        assert.isAbove(statSync(rejected).size, 0)
      }).pipe(Effect.provide(sandboxLayer(manyCustomers))),
    60_000
  )

  it.live("works when standard error is closed", () =>
    Effect.gen(function* () {
      const usage = write("unheard.csv", [head, ...validRows(500, yield* DateTime.now)])
      const rejected = file("unheard-rejected.csv")
      const { child, ended, until } = yield* startCommand([
        ...["submit", usage, ...product, "--rate", "5", "--rejected", rejected, "--json"]
      ])
      yield* Effect.promise(() => until(/"Accepted"/))
      child.stderr?.destroy()
      child.kill("SIGHUP")
      const result = yield* Effect.promise(() => ended)
      assert.deepStrictEqual([result.code, result.signal], [1, null])
      const billed = (yield* (yield* MeteringSandbox.MeteringSandbox).report.records).length
      assert.deepInclude(summaryOf(result), {
        counts: { Accepted: billed, NotSent: 500 - billed },
        stopped: true
      })
      assert.lengthOf(readFileSync(rejected, "utf8").trim().split("\n"), 501 - billed)
    }).pipe(Effect.provide(sandboxLayer(manyCustomers)))
  )

  it.live.each(["SIGTERM", "SIGHUP"] as const)(
    "by %s reports records without a response as unknown",
    (signal) =>
      Effect.gen(function* () {
        const usage = write("deaf.csv", [head, ...validRows(25, yield* DateTime.now)])
        const rejected = file("open.csv")
        const called = yield* Deferred.make<void>()
        const failing = yield* serve((_, response) => {
          response.statusCode = 500
          response.end()
          Deferred.unsafeDone(called, Effect.void)
        })
        const { child, ended } = yield* startCommand([
          ...["submit", usage, ...product, "--json", "--endpoint", failing, "--rejected", rejected]
        ])
        yield* Deferred.await(called)
        child.kill(signal)
        const result = yield* Effect.promise(() => ended)
        assert.strictEqual(result.code, 1)
        assert.deepInclude(summaryOf(result), { records: 25, counts: { Unknown: 25 } })
        assert.match(
          readFileSync(rejected, "utf8"),
          /may have been billed\. It is safe to submit it again unchanged/
        )
      }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )
})
