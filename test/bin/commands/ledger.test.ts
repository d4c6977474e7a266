import { writeFileSync } from "node:fs"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { Postgres } from "../../support/postgres.js"
import { command } from "../command.js"
import { environment, sandboxLayer } from "../sandboxServer.js"

const account = "111122223333"
const hour = 3_600_000
/** The beginning of an hour that is over, and that can still be reported. */
const usedAt = new Date(Math.floor(Date.now() / hour) * hour - 2 * hour)
const month = usedAt.toISOString().slice(0, 7)

const products = {
  analytics: {
    region: "us-east-1",
    productCode: "sandbox-analytics",
    dimensions: { "api-calls": {} }
  }
}

const usage = `id,timestamp,dimension,quantity,customerAWSAccountId
r-1,${usedAt.toISOString()},api-calls,42,${account}
r-2,${usedAt.toISOString()},api-calls,8,${account}
r-2,${usedAt.toISOString()},api-calls,8,${account}
r-3,${usedAt.toISOString()},api-calls,x,${account}
`

const { file, run, start } = command()

/** Runs commands on a database against the sandbox. */
const commandsOn = (database: string, env: Record<string, string>) => {
  const on = (words: string, stdin?: string) =>
    run(words.split(" "), { env: { ...env, LEDGER_DATABASE_URL: database }, stdin })
  const init = async () => {
    const from = new Date(usedAt.getTime() - hour).toISOString()
    await on("ledger init --seller acme --target sandbox --products -", JSON.stringify(products))
    return on(
      `ledger subscribe one --product analytics --customer-aws-account-id ${account} --from ${from}`
    )
  }
  return { on, init }
}

/** Records, reports once, and reads what became of it. */
const recordsAndReports = (database: string) =>
  Effect.gen(function* () {
    const { init, on } = commandsOn(database, yield* environment)
    const steps = yield* Effect.promise(async () => {
      assert.strictEqual((await init()).code, 0)
      writeFileSync(file("usage.csv"), usage)
      const record = await on("ledger record usage.csv --json")
      const again = await on("ledger record - --format csv", usage)
      const once = await on("ledger run --once")
      const [status, statement, csv, verify] = await Promise.all([
        on("ledger status --json"),
        on(`ledger statement --customer ${account} --month ${month} --json`),
        on(`ledger statement --customer ${account} --month ${month} --csv`),
        on("ledger verify")
      ])
      return { record, again, once, status, statement, csv, verify }
    })
    const { again, csv, once, record, statement, status, verify } = steps
    assert.strictEqual(record.code, 1, record.stderr)
    const rows = record.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.deepStrictEqual(
      rows.slice(0, -1).map(({ line, status }) => [line, status]),
      [
        [2, "Recorded"],
        [3, "Recorded"],
        [4, "AlreadyRecorded"],
        [5, "Rejected"]
      ]
    )
    assert.deepStrictEqual(rows.at(-1).summary, {
      source: "usage.csv",
      rows: 4,
      counts: { Recorded: 2, AlreadyRecorded: 1, Rejected: 1 }
    })
    assert.match(again.stdout, /already recorded +3\n/)
    assert.match(again.stderr, /^standard input:5: quantity: expected a whole number/)
    assert.strictEqual(once.code, 0, once.stderr)
    assert.match(once.stdout, /sealed 1, sent 1, accepted 1, expired 0/)
    const { counts, health } = JSON.parse(status.stdout)
    assert.deepStrictEqual(
      [health.state, counts.map(({ count, state }: Record<string, unknown>) => [state, count])],
      ["ok", [["accepted", 1]]]
    )
    const [entry] = statement.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.deepInclude(entry, { state: "accepted", recorded: "50", quantity: 50 })
    assert.deepStrictEqual(
      entry.moves.map(({ became }: { readonly became: string }) => became),
      ["sealed", "accepted"]
    )
    assert.lengthOf(entry.attempts, 1)
    assert.include(csv.stdout, `,one,api-calls,accepted,50,50,2,`)
    assert.strictEqual(csv.stdout.trim().split("\n").length, 2)
    assert.strictEqual(verify.code, 0)
    const sandbox = yield* MeteringSandbox.MeteringSandbox
    const billed = yield* sandbox.report.billed
    assert.deepStrictEqual(
      billed.map(({ dimension, quantity }) => [dimension, quantity]),
      [["api-calls", 50]]
    )
  })

describe("a ledger in a file", () => {
  it.live("records, reports, and shows the evidence", () =>
    recordsAndReports("sqlite:usage.db").pipe(Effect.provide(sandboxLayer()))
  )

  it.live("is reported by a process until a signal, with its health on a port", () =>
    Effect.gen(function* () {
      const env = yield* environment
      const { init, on } = commandsOn("sqlite:process.db", env)
      const seen = yield* Effect.promise(async () => {
        await init()
        await on("ledger record - --format csv", usage)
        const { child, ended, until } = start(
          ["ledger", "run", "--interval", "1", "--port", "0", "--database", "sqlite:process.db"],
          { env }
        )
        const [, url = ""] = await until(/health: (http:\S+)/)
        let body = await fetch(url).then((response) => response.text())
        const unknown = await fetch(new URL("/", url)).then(({ status }) => status)
        const status = async () => JSON.parse((await on("ledger status --json")).stdout).counts
        while ((await status())[0].state !== "accepted") body = await (await fetch(url)).text()
        child.kill("SIGTERM")
        return { body, unknown, ...(await ended) }
      })
      assert.strictEqual(JSON.parse(seen.body).state, "ok")
      assert.strictEqual(seen.unknown, 404)
      assert.strictEqual(seen.code, 0, seen.stderr)
      assert.match(seen.stderr, /Z INFO: \S+ reports \S*process\.db to the sandbox in us-east-1\n/)
      assert.match(seen.stderr, /INFO: ok: /)
      assert.match(seen.stderr, /INFO: stopped\n$/)
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("closes a subscription, and reports its last hour at once", () =>
    Effect.gen(function* () {
      const { init, on } = commandsOn("sqlite:closed.db", yield* environment)
      const [close, once, text] = yield* Effect.promise(async () => {
        await init()
        await on(
          "ledger record - --format ndjson",
          JSON.stringify({
            id: "last",
            timestamp: new Date().toISOString(),
            dimension: "api-calls",
            quantity: 3,
            subscription: "one"
          })
        )
        const adjust = await on("ledger adjust last --quantity 4 --reason mistaken")
        assert.match(adjust.stdout, /^last is corrected to 4, in the hour of 20/)
        assert.strictEqual((await on("ledger adjust other --quantity 4 --reason x")).code, 2)
        const close = await on("ledger close one")
        const once = await on("ledger run --once")
        return [close, once, await on("ledger status")] as const
      })
      assert.deepStrictEqual([close.code, once.code], [0, 0], once.stderr)
      assert.match(once.stdout, /accepted 1/)
      assert.match(text.stdout, /us-east-1 +analytics +accepted +1 /)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      assert.deepStrictEqual(
        (yield* sandbox.report.billed).map(({ quantity }) => quantity),
        [4]
      )
      assert.match(text.stdout, /\n {2}analytics {2}\.+A\n/)
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("is not mixed up with another", () =>
    Effect.gen(function* () {
      const { on } = commandsOn("sqlite:service.db", yield* environment)
      const text = JSON.stringify(products)
      const failures = yield* Effect.promise(async () => {
        await on("ledger init --seller acme --target service --products -", text)
        await on(
          `ledger subscribe one --product analytics --customer-aws-account-id ${account} --from 2026-01-01T00:00:00Z`
        )
        await on("ledger record - --format csv", usage)
        return [
          await on("ledger run --once"),
          await on("ledger init --seller acme --target sandbox --products -", text),
          await on("ledger init --seller other --target service --products -", text),
          await on("ledger status --database sqlite:missing.db"),
          await on("ledger status --database usage.db"),
          await on("ledger status --database http://user:A-SECRET@host/name"),
          await on("ledger subscribe two --product unknown"),
          await on("ledger close two"),
          await on(`ledger statement --customer ${account} --month november`),
          await on("ledger init --seller a --target service --products -", '{"a":{"region":1}}'),
          await run(["ledger", "status"])
        ]
      })
      const [mixed] = failures
      assert.match(mixed?.stderr ?? "", /sandbox/)
      for (const { code, stderr, stdout } of failures) {
        assert.strictEqual(code, 2, stderr)
        assert.strictEqual(stdout, "")
        assert.notInclude(stderr, "A-SECRET")
        assert.notInclude(stderr, "    at ")
      }
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      assert.lengthOf(yield* sandbox.report.billed, 0)
    }).pipe(Effect.provide(sandboxLayer()))
  )
})

layer(Postgres.layer, { excludeTestServices: true })("a ledger in PostgreSQL", (it) => {
  it.effect("records, reports, and shows the evidence", () =>
    Effect.gen(function* () {
      const { createDatabase } = yield* Postgres
      yield* recordsAndReports(yield* createDatabase)
    }).pipe(Effect.provide(sandboxLayer()))
  )
})
