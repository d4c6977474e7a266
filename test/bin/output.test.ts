import { readdirSync, readFileSync } from "node:fs"
import { Writable } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import { Console, DateTime, Effect, Fiber, Logger, Option } from "effect"
import { exitCodes } from "../../src/bin/internal/exitCodes.js"
import { flags, normalizeArgs } from "../../src/bin/internal/normalizeArgs.js"
import * as signals from "../../src/bin/internal/signals.js"
import * as describeSandbox from "../../src/bin/output/describeSandbox.js"
import * as format from "../../src/bin/output/format.js"
import { printable } from "../../src/bin/output/printable.js"
import * as progressBar from "../../src/bin/output/progressBar.js"
import * as summary from "../../src/bin/output/summary.js"
import { table } from "../../src/bin/output/table.js"
import { logger, sanitizeConsole, supportsColor } from "../../src/bin/output/terminal.js"
import * as writable from "../../src/bin/output/writable.js"
import { Scenario } from "../../src/sandbox/index.js"
import * as UsageSubmission from "../../src/UsageSubmission.js"

describe("arguments", () => {
  for (const [given, expected] of [
    ["sandbox --port 0", "sandbox --port 0"],
    ["sandbox --port 0 --help", "sandbox --help"],
    ["sandbox --port x -h", "sandbox --help"],
    ["--help", "--help"],
    ["--log-level debug --help", "--help"],
    ["sandbox --port 0 --log-level debug --quota", "--log-level debug sandbox --port 0 --quota"],
    ["sandbox --log-level=debug --quota", "--log-level=debug sandbox --quota"],
    ["submit - --rate 5", "submit --rate 5 -"],
    ["submit --log-level all - --rate 5", "--log-level all submit --rate 5 -"],
    ["submit --rejected - usage.csv", "submit --rejected - usage.csv"],
    ["submit --rejected - - --rate 5", "submit --rejected - --rate 5 -"],
    ["submit --json - --rate 5", "submit --json --rate 5 -"],
    ["submit --format=csv - --rate 5", "submit --format=csv --rate 5 -"],
    ["register --public-key - --nonce n", "register --public-key - --nonce n"],
    ["submit -- --help", "submit -- --help"],
    ["submit -- --log-level", "submit -- --log-level"],
    ["", ""]
  ] as const) {
    it(`"${given}" is "${expected}"`, () => {
      const words = (text: string) => text.split(" ").filter((word) => word !== "")
      assert.deepStrictEqual(normalizeArgs(words(given)), words(expected))
    })
  }
})

describe("a signal", () => {
  it("ends in good order, then at once, then the process; an echo within a second means nothing", () => {
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

describe("flags", () => {
  it("are all options without a value", () => {
    const folder = new URL("../../src/bin/", import.meta.url)
    const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) => [
        ...readFileSync(new URL(name, folder), "utf8").matchAll(/Options\.boolean\("([^"]+)"/g)
      ])
      .map(([, name]) => `--${name}`)
    assert.deepStrictEqual(new Set(found), flags)
  })
})

describe("arguments of resolve", () => {
  it("that nobody knows are not told, for they may be a token", () => {
    for (const [given, expected] of [
      [["token-file"], ["token-file"]],
      [
        ["--region", "us-east-1", "token-file", "--json"],
        ["--region", "us-east-1", "token-file", "--json"]
      ],
      [
        ["--endpoint=http://x", "-"],
        ["--endpoint=http://x", "-"]
      ],
      [
        ["--token", "SECRET"],
        ["--token", "(not shown)"]
      ],
      [["--token=SECRET"], ["--token"]],
      [
        ["file", "SECRET", "SECRET"],
        ["file", "(not shown)", "(not shown)"]
      ],
      [
        ["SECRET", "--token", "SECRET"],
        ["SECRET", "--token", "(not shown)"]
      ]
    ] as const) {
      assert.deepStrictEqual(normalizeArgs(["resolve", ...given]), ["resolve", ...expected])
    }
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

describe("a tally", () => {
  it("sums by customer, dimension and status, whatever could be read of a record", () => {
    const made = summary.make(true)
    made.add({ customerAWSAccountId: "b", dimension: "x", quantity: 2 }, "Accepted")
    made.add({ customerAWSAccountId: "b", dimension: "x", quantity: 3 }, "Accepted")
    made.add({ customerIdentifier: "a", dimension: "x", quantity: "?" }, "Invalid")
    made.add(undefined, "Invalid")
    assert.strictEqual(made.total, 4)
    assert.strictEqual(made.count("Accepted"), 2)
    assert.deepStrictEqual(made.counts(), { Accepted: 2, Invalid: 2 })
    const unshown = summary.make(false)
    unshown.add({ customerAWSAccountId: "b", dimension: "x", quantity: 2 }, "Accepted")
    assert.deepStrictEqual([unshown.total, unshown.counts()], [1, { Accepted: 1 }])
    assert.strictEqual(
      made.show("would be sent"),
      [
        "  customer  dimension  status         records  units",
        "  ?         ?          invalid              1      0",
        "  a         x          invalid              1      0",
        "  b         x          would be sent        2      5"
      ].join("\n")
    )
  })

  it("shows forty lines of a status, and what the others come to", () => {
    const { add, show } = summary.make(true)
    for (let i = 0; i < 1_040; i++) {
      add({ customerIdentifier: String(10_000 + i), dimension: "x", quantity: 2 }, "NotSent")
    }
    add({ customerIdentifier: "20000", dimension: "x", quantity: 1 }, "Accepted")
    const lines = show("accepted").split("\n")
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

  it("is the settled part of what was read, by the part of the file that was", () => {
    assert.strictEqual(
      progressBar.formatLine(progress, { bytes: 500, size: 1_000 }, 120),
      "[######..................]  25%  1,000 records  10 not accepted  40 calls  250/s"
    )
  })

  it("has no share where the end is not known, and never more than the line", () => {
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
  it("is for terminals, and not for those who want none", () => {
    assert.isTrue(supportsColor({ isTTY: true }, {}))
    assert.isTrue(supportsColor({ isTTY: true }, { NO_COLOR: "" }))
    assert.isFalse(supportsColor({ isTTY: true }, { NO_COLOR: "1" }))
    assert.isFalse(supportsColor({}, {}))
  })

  it.effect("is taken out where it is not welcome", () =>
    Effect.gen(function* () {
      const told: Array<ReadonlyArray<unknown>> = []
      const console: Console.Console = {
        ...(yield* Console.consoleWith(Effect.succeed)),
        log: (...args) => Effect.sync(() => told.push(["out", ...args])),
        error: (...args) => Effect.sync(() => told.push(["err", ...args]))
      }
      const both = Effect.zip(Console.log("\u001b[1mbold\u001b[0m"), Console.error("\u001b[1mbold"))
      yield* Effect.withConsole(both, sanitizeConsole(console, { stdout: true, stderr: false }))
      assert.deepStrictEqual(told, [
        ["out", "bold"],
        ["err", "\u001b[1mbold"]
      ])
    })
  )
})

describe("text of others", () => {
  const hostile = "a\u001b[2K\u0007\u007f\u009b1A\u202e\u2066\u2028\r\nb\t"

  it("is shown without what would move the cursor, reorder it or break its line", () => {
    const harmless = "a\\u001b[2K\\u0007\\u007f\\u009b1A\\u202e\\u2066\\u2028\\u000d\\u000ab\\u0009"
    assert.strictEqual(printable(hostile), harmless)
    assert.strictEqual(printable("Zürich 東京 👩‍💻"), "Zürich 東京 👩‍💻")
    assert.strictEqual(table(["x"], [[hostile]]), `  x\n  ${harmless}`)
    assert.strictEqual(format.formatFields([["x", hostile]]), `x  ${harmless}`)
  })

  it("is the same for machines", () => {
    const text = format.formatJson({ hostile })
    assert.strictEqual(printable(text), text)
    assert.deepStrictEqual(JSON.parse(text), { hostile })
  })

  it.effect("is harmless wherever it is printed or logged, styles or not", () =>
    Effect.gen(function* () {
      const told: Array<unknown> = []
      const console = yield* Console.consoleWith(Effect.succeed)
      const safe = sanitizeConsole(
        {
          ...console,
          log: (...args) => Effect.sync(() => told.push(...args)),
          error: (...args) => Effect.sync(() => told.push(...args)),
          unsafe: { ...console.unsafe, error: (...args) => told.push(...args) }
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
      assert.strictEqual(told[0], `\u001b[1ma\\u001b[2K${rest}\u001b[0m`)
      for (const text of told.slice(1)) assert.notMatch(String(text), /[^\P{Cc}\n\t]|\u202e/u)
      assert.lengthOf(told, 3)
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
  it.effect("waits for its reader, and no longer than it is wanted or read", () =>
    Effect.gen(function* () {
      const taken: Array<() => void> = []
      const stream = new Writable({
        highWaterMark: 4,
        decodeStrings: false,
        write: (_chunk, _encoding, done) => taken.push(done)
      })
      yield* writable.write(stream, "abc", Effect.never)
      const waiting = yield* Effect.fork(writable.write(stream, "def", Effect.never))
      yield* Effect.yieldNow()
      assert.isNull(yield* Fiber.poll(waiting).pipe(Effect.map(Option.getOrNull)))
      taken.shift()?.()
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      taken.shift()?.()
      yield* Fiber.join(waiting)

      yield* writable.write(stream, "not read, and not wanted", Effect.void)
      const unread = yield* Effect.fork(writable.write(stream, "its reader goes", Effect.never))
      yield* Effect.yieldNow()
      stream.on("error", () => {})
      stream.destroy(new Error("EPIPE"))
      yield* Fiber.join(unread)
      yield* writable.write(stream, "nobody is there", Effect.never)
      assert.deepStrictEqual(
        ["drain", "close"].map((event) => stream.listenerCount(event)),
        [0, 0]
      )
    })
  )
})

describe("a world", () => {
  const now = DateTime.unsafeMake("2026-11-25T10:15:20.500Z")
  const told = (customers: ReadonlyArray<Scenario.Customer>, change: object = {}) =>
    describeSandbox.describe({
      url: "http://127.0.0.1:1",
      now,
      scenario: { ...Scenario.defaultScenario, ...change },
      customers,
      anyCredentials: false
    })

  it("offers a call that can be made", () => {
    const text = told([
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
  const nobody: ReadonlyArray<readonly [string, Partial<Scenario.Customer>, change?: object]> = [
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
  for (const [when, change, scenario] of nobody) {
    it(`offers no call ${when}`, () => {
      const customer = { customerAWSAccountId: "1", agreements: [agreement], ...change }
      assert.notInclude(told([customer], scenario), "AWS CLI:\n  aws")
      assert.include(
        told([{ ...customer, suspended: false, agreements: [agreement] }]),
        "AWS CLI:\n  aws"
      )
    })
  }

  it("tells twenty customers, and how many more there are", () => {
    const customers = Array.from({ length: 1_025 }, (_, i) => ({
      customerAWSAccountId: `account-${i}`,
      agreements: []
    }))
    const text = told(customers)
    assert.include(text, "account-19 ")
    assert.notInclude(text, "account-20 ")
    assert.include(text, "and 1,005 more")
  })

  it("tells the lives of agreements and what is out of the ordinary", () => {
    const text = told(
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
