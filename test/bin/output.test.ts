import { readFileSync } from "node:fs"
import { Writable } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import { Console, DateTime, Effect, Fiber, Logger, Option } from "effect"
import { exitCodes } from "../../src/bin/internal/cliError.js"
import * as signals from "../../src/bin/internal/signals.js"
import { describeSandbox } from "../../src/bin/output/describeSandbox.js"
import { formatFields, formatJson, printable } from "../../src/bin/output/format.js"
import * as progressBar from "../../src/bin/output/progressBar.js"
import * as summary from "../../src/bin/output/summary.js"
import { table } from "../../src/bin/output/table.js"
import { logger, sanitizeConsole, supportsColor, write } from "../../src/bin/output/terminal.js"
import { Scenario } from "../../src/sandbox/index.js"
import * as UsageSubmission from "../../src/UsageSubmission.js"

describe("a signal", () => {
  it("stops, then aborts, then exits; echoes within a second are ignored", () => {
    const meaningOf = signals.makeEscalation()
    assert.deepStrictEqual([5_000, 5_000, 5_999, 6_000, 6_001, 7_000, 9_000].map(meaningOf), [
      "stop",
      undefined,
      undefined,
      "abort",
      undefined,
      "exit",
      "exit"
    ])
  })
})

describe("a table", () => {
  it("has numbers to the right and text to the left", () => {
    assert.strictEqual(
      table(
        ["customer", "units"],
        [
          ["a", 7],
          ["longer than its title", 12345]
        ]
      ),
      [
        "  customer                units",
        "  a                           7",
        "  longer than its title  12,345"
      ].join("\n")
    )
  })

  it("has a head without rows", () => {
    assert.strictEqual(table(["a", "b"], []), "  a  b")
  })
})

describe("a summary", () => {
  it("sums by customer, dimension and status, also for partly valid records", () => {
    const full = summary.make(true)
    full.add({ customerAWSAccountId: "b", dimension: "x", quantity: 2 }, "Accepted")
    full.add({ customerAWSAccountId: "b", dimension: "x", quantity: 3 }, "Accepted")
    full.add({ customerIdentifier: "a", dimension: "x", quantity: "?" }, "Invalid")
    full.add(undefined, "Invalid")
    assert.strictEqual(full.total(), 4)
    assert.strictEqual(full.count("Accepted"), 2)
    assert.deepStrictEqual(full.counts(), { Accepted: 2, Invalid: 2 })
    const countsOnly = summary.make(false)
    countsOnly.add({ customerAWSAccountId: "b", dimension: "x", quantity: 2 }, "Accepted")
    assert.deepStrictEqual([countsOnly.total(), countsOnly.counts()], [1, { Accepted: 1 }])
    assert.strictEqual(
      full.format("would be sent"),
      [
        "  customer  dimension  status         records  units",
        "  ?         ?          invalid              1      0",
        "  a         x          invalid              1      0",
        "  b         x          would be sent        2      5"
      ].join("\n")
    )
  })

  it("has forty lines of a status, and the sums of the others", () => {
    const { add, format } = summary.make(true)
    for (let i = 0; i < 1_040; i++) {
      add({ customerIdentifier: String(10_000 + i), dimension: "x", quantity: 2 }, "NotSent")
    }
    add({ customerIdentifier: "20000", dimension: "x", quantity: 1 }, "Accepted")
    const lines = format("accepted").split("\n")
    assert.lengthOf(lines, 1 + 40 + 1 + 1)
    assert.match(lines.at(-1) ?? "", /and 1,000 more +not sent +1,000 +2,000/)
  })
})

describe("a progress bar", () => {
  const progress = {
    ...UsageSubmission.initialProgress,
    read: 2_000,
    resolved: 1_000,
    counts: { ...UsageSubmission.initialProgress.counts, Accepted: 990, Invalid: 10 },
    calls: 40,
    recordsPerSecond: 250.4
  }

  it("shows the resolved part of the records times the read part of the file", () => {
    assert.strictEqual(
      progressBar.formatLine(progress, { bytes: 500, size: 1_000 }, 120),
      "[######..................]  25%  1,000 records  10 not accepted  40 calls  250/s"
    )
  })

  it("has no percentage for a source of unknown size, and never exceeds the line", () => {
    assert.strictEqual(
      progressBar.formatLine(progress, { bytes: 500, size: undefined }, 120),
      "1,000 records  10 not accepted  40 calls  250/s"
    )
    assert.lengthOf(progressBar.formatLine(progress, { bytes: 1, size: 1 }, 30), 30)
    assert.match(
      progressBar.formatLine(UsageSubmission.initialProgress, { bytes: 0, size: 9 }, 80),
      /^0 records/
    )
  })
})

describe("styling", () => {
  it("is for terminals, unless NO_COLOR is set", () => {
    assert.isTrue(supportsColor({ isTTY: true }, {}))
    assert.isTrue(supportsColor({ isTTY: true }, { NO_COLOR: "" }))
    assert.isFalse(supportsColor({ isTTY: true }, { NO_COLOR: "1" }))
    assert.isFalse(supportsColor({}, {}))
  })

  it.effect("is removed from plain streams", () =>
    Effect.gen(function* () {
      const printed: Array<ReadonlyArray<unknown>> = []
      const console: Console.Console = {
        ...(yield* Console.consoleWith(Effect.succeed)),
        log: (...args) => Effect.sync(() => printed.push(["out", ...args])),
        error: (...args) => Effect.sync(() => printed.push(["err", ...args]))
      }
      const both = Effect.zip(Console.log("\u001b[1mbold\u001b[0m"), Console.error("\u001b[1mbold"))
      yield* Effect.withConsole(both, sanitizeConsole(console, { stdout: true, stderr: false }))
      assert.deepStrictEqual(printed, [
        ["out", "bold"],
        ["err", "\u001b[1mbold"]
      ])
    })
  )
})

describe("untrusted text", () => {
  const hostile = "a\u001b[2K\u0007\u007f\u009b1A\u202e\u2066\u2028\r\nb\t"

  it("is shown without control characters, reordering and line breaks", () => {
    const escaped = "a\\u001b[2K\\u0007\\u007f\\u009b1A\\u202e\\u2066\\u2028\\u000d\\u000ab\\u0009"
    assert.strictEqual(printable(hostile), escaped)
    assert.strictEqual(printable("Zürich 東京 👩‍💻"), "Zürich 東京 👩‍💻")
    assert.strictEqual(table(["x"], [[hostile]]), `  x\n  ${escaped}`)
    assert.strictEqual(formatFields([["x", hostile]]), `x  ${escaped}`)
  })

  it("is escaped in JSON, too", () => {
    const text = formatJson({ hostile })
    assert.strictEqual(printable(text), text)
    assert.deepStrictEqual(JSON.parse(text), { hostile })
  })

  it.effect("is escaped wherever it is printed or logged, with or without styles", () =>
    Effect.gen(function* () {
      const printed: Array<unknown> = []
      const console = yield* Console.consoleWith(Effect.succeed)
      const safe = sanitizeConsole(
        {
          ...console,
          log: (...args) => Effect.sync(() => printed.push(...args)),
          error: (...args) => Effect.sync(() => printed.push(...args)),
          unsafe: { ...console.unsafe, error: (...args) => printed.push(...args) }
        },
        { stdout: false, stderr: true }
      )
      const all = Effect.all([
        Console.log(`\u001b[1m${hostile}\u001b[0m`),
        Console.error(hostile),
        Effect.logError(hostile)
      ])
      yield* Effect.withConsole(all, safe).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      const rest = "\\u0007\\u007f\\u009b1A\\u202e\\u2066\\u2028\\u000d\nb\t"
      assert.strictEqual(printed[0], `\u001b[1ma\\u001b[2K${rest}\u001b[0m`)
      for (const text of printed.slice(1)) assert.notMatch(String(text), /[^\P{Cc}\n\t]|\u202e/u)
      assert.lengthOf(printed, 3)
    })
  )
})

describe("exit codes", () => {
  it("are described by the README as by the help", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
    const [, table = ""] = /^\| exit code.*\n\|[ -|]*\n((?:\|.*\n)+)/m.exec(readme) ?? []
    const described = table
      .trim()
      .split("\n")
      .map((line) => line.split("|").map((cell) => cell.trim()))
      .map(([, code, meaning]) => [Number(code), meaning])
    assert.deepStrictEqual(
      described,
      exitCodes.map(([...row]) => row)
    )
  })
})

describe("output", () => {
  it.effect("waits for its reader, until it is aborted or closed", () =>
    Effect.gen(function* () {
      const taken: Array<() => void> = []
      const stream = new Writable({
        highWaterMark: 4,
        decodeStrings: false,
        write: (_chunk, _encoding, done) => taken.push(done)
      })
      yield* write(stream, "abc", Effect.never)
      const waiting = yield* Effect.fork(write(stream, "def", Effect.never))
      yield* Effect.yieldNow()
      assert.isNull(yield* Fiber.poll(waiting).pipe(Effect.map(Option.getOrNull)))
      taken.shift()?.()
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      taken.shift()?.()
      yield* Fiber.join(waiting)

      yield* write(stream, "not read, and aborted", Effect.void)
      const unread = yield* Effect.fork(write(stream, "its reader goes", Effect.never))
      yield* Effect.yieldNow()
      stream.on("error", () => {})
      stream.destroy(new Error("EPIPE"))
      yield* Fiber.join(unread)
      yield* write(stream, "closed", Effect.never)
      assert.deepStrictEqual(
        ["drain", "close"].map((event) => stream.listenerCount(event)),
        [0, 0]
      )
    })
  )
})

describe("the text of a sandbox", () => {
  const now = DateTime.unsafeMake("2026-11-25T10:15:20.500Z")
  const printed = (customers: ReadonlyArray<Scenario.Customer>, change: object = {}) =>
    describeSandbox({
      url: "http://127.0.0.1:1",
      now,
      scenario: { ...Scenario.defaultScenario, ...change },
      customers,
      anyCredentials: false
    })

  it("offers a call that can be made", () => {
    const text = printed([
      { customerAWSAccountId: "1", agreements: [] },
      { customerAWSAccountId: "2", agreements: [{ productCode: "sandbox-container" }] }
    ])
    assert.include(text, "--product-code sandbox-container")
    assert.include(
      text,
      "Timestamp=2026-11-25T10:15:20Z,CustomerAWSAccountId=2,Dimension=nodes,Quantity=42"
    )
  })

  const agreement = { productCode: "sandbox-container" }
  const withoutCall: ReadonlyArray<readonly [string, Partial<Scenario.Customer>, change?: object]> =
    [
      ["without an agreement", { agreements: [] }],
      ["when suspended", { suspended: true }],
      [
        "before it begins",
        { agreements: [{ ...agreement, startsAt: DateTime.add(now, { hours: 1 }) }] }
      ],
      ["after its end", { agreements: [{ ...agreement, endsAt: now }] }],
      [
        "when cancelled an hour ago",
        { agreements: [{ ...agreement, cancelledAt: DateTime.subtract(now, { hours: 1 }) }] }
      ],
      [
        "in another Region",
        {},
        { products: [{ code: "sandbox-container", dimensions: ["nodes"], region: "eu-west-1" }] }
      ],
      ["without dimensions", {}, { products: [{ code: "sandbox-container", dimensions: [] }] }]
    ]
  for (const [when, change, scenario] of withoutCall) {
    it(`offers no call ${when}`, () => {
      const customer = { customerAWSAccountId: "1", agreements: [agreement], ...change }
      assert.notInclude(printed([customer], scenario), "AWS CLI:\n  aws")
      assert.include(
        printed([{ ...customer, suspended: false, agreements: [agreement] }]),
        "AWS CLI:\n  aws"
      )
    })
  }

  it("lists twenty customers, and counts the others", () => {
    const customers = Array.from({ length: 1_025 }, (_, i) => ({
      customerAWSAccountId: `account-${i}`,
      agreements: []
    }))
    const text = printed(customers)
    assert.include(text, "account-19 ")
    assert.notInclude(text, "account-20 ")
    assert.include(text, "and 1,005 more")
  })

  it("shows the dates of agreements, suspension and quotas", () => {
    const text = printed(
      [
        {
          customerAWSAccountId: "1",
          suspended: true,
          agreements: [
            {
              productCode: "sandbox-analytics",
              startsAt: now,
              cancelledAt: DateTime.add(now, { days: 1 })
            }
          ]
        }
      ],
      { quotas: Scenario.documentedQuotas }
    )
    assert.include(
      text,
      "sandbox-analytics (from 2026-11-25T10:15Z, cancelled 2026-11-26T10:15Z) (suspended)"
    )
    assert.include(text, "MeterUsage 10, BatchMeterUsage 10, RegisterUsage 5, ResolveCustomer 10")
  })
})
