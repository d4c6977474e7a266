import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { dirname } from "node:path"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Redacted } from "effect"
import { AwsCredentials, MeteringClient, MeteringConfig } from "effect-marketplace-metering"
import { command } from "../command.js"

const { file, run, start } = command()

const client = (endpoint: string) =>
  MeteringClient.layer.pipe(
    Layer.provide([
      MeteringConfig.layer({ region: "us-east-1", endpoint }),
      AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" }),
      FetchHttpClient.layer
    ])
  )

const meter = (endpoint: string, timestamp: DateTime.Utc, quantity: number) =>
  MeteringClient.batchMeterUsage({
    productCode: "sandbox-analytics",
    usageRecords: [
      { timestamp, dimension: "api-calls", quantity, customerAWSAccountId: "111122223333" }
    ]
  }).pipe(Effect.provide(client(endpoint)))

const address = /AWS_ENDPOINT_URL_MARKETPLACE_METERING=(http:\/\/\S+)/

const sandbox = (...args: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const process = start(["sandbox", "--port", "0", ...args])
    const [, url = ""] = await process.until(address)
    return { ...process, url }
  })

describe("the text at the start", () => {
  it.live("has everything for a call", () =>
    Effect.gen(function* () {
      const { child, ended, url } = yield* sandbox()
      const { results } = yield* meter(url, yield* DateTime.now, 42)
      assert.strictEqual(results[0]?.status, "Success")
      const docs = yield* Effect.promise(() => fetch(`${url}/_sandbox/docs`))
      assert.strictEqual(docs.status, 200)
      child.kill("SIGTERM")
      const { code, stderr, stdout } = yield* Effect.promise(() => ended)
      assert.strictEqual(code, 0)
      assert.strictEqual(stderr, "")
      for (const message of [
        "sandbox of AWS Marketplace Metering",
        "AWS_ACCESS_KEY_ID=sandbox",
        "AWS_SECRET_ACCESS_KEY=sandbox",
        "AWS_REGION=us-east-1",
        "AWS_DEFAULT_REGION=us-east-1",
        "api-calls, events, seats, storage-gb",
        "arn:aws:license-manager::123456789012:license:l-000000000000000000000000000000a3",
        "aws meteringmarketplace batch-meter-usage --product-code sandbox-analytics",
        `${url}/_sandbox/ `,
        `${url}/_sandbox/docs`
      ]) {
        assert.include(stdout, message)
      }
      // no styles in a pipe
      assert.notInclude(stdout, "\u001b")
    })
  )

  it.live("warns of an address that other machines may reach", () =>
    Effect.gen(function* () {
      const { child, ended, until } = yield* sandbox("--host", "0.0.0.0")
      yield* Effect.promise(() => until(/Warning/))
      child.kill("SIGTERM")
      assert.match((yield* Effect.promise(() => ended)).stderr, /listens on 0\.0\.0\.0/)
    })
  )
})

describe("a shutdown", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.live(`by ${signal} takes less than a second with open connections`, () =>
      Effect.gen(function* () {
        const scenario = file("slow.json")
        writeFileSync(
          scenario,
          JSON.stringify({ faults: { script: [{ fault: "latency", duration: "1 hour" }] } })
        )
        const { child, ended, url } = yield* sandbox("--scenario", scenario)
        const { hostname, port } = new URL(url)
        const idle = connect(Number(port), hostname)
        idle.on("error", () => {})
        yield* Effect.promise(() => new Promise((resolve) => idle.once("connect", resolve)))
        const waiting = yield* Effect.fork(meter(url, yield* DateTime.now, 1))
        yield* Effect.promise(() => fetch(url))
        const before = performance.now()
        child.kill(signal)
        const { code, stderr } = yield* Effect.promise(() => ended)
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.isBelow(performance.now() - before, 1000)
        yield* waiting.interruptAsFork(waiting.id())
        idle.destroy()
      })
    )
  }
})

describe("--state", () => {
  it.live("survives a kill", () =>
    Effect.gen(function* () {
      const state = file("killed.state")
      const now = yield* DateTime.now
      const first = yield* sandbox("--state", state)
      const before = (yield* meter(first.url, now, 42)).results[0]
      first.child.kill("SIGKILL")
      assert.strictEqual((yield* Effect.promise(() => first.ended)).signal, "SIGKILL")
      assert.isTrue(existsSync(`${state}.lock`))

      const second = yield* sandbox("--state", state)
      const same = (yield* meter(second.url, now, 42)).results[0]
      const other = (yield* meter(second.url, now, 43)).results[0]
      second.child.kill("SIGTERM")
      assert.isDefined(before?.meteringRecordId)
      assert.strictEqual(same?.meteringRecordId, before?.meteringRecordId)
      assert.strictEqual(other?.status, "DuplicateRecord")
    })
  )

  it.live("belongs to one sandbox at a time, whose state a second one leaves alone", () =>
    Effect.gen(function* () {
      const state = file("shared.state")
      const now = yield* DateTime.now
      const first = yield* sandbox("--state", state)
      const port = new URL(first.url).port
      for (const other of ["0", port]) {
        const second = yield* Effect.promise(() =>
          run(["sandbox", "--port", other, "--state", state])
        )
        assert.deepStrictEqual([second.code, second.stdout], [2, ""])
        assert.include(second.stderr, `in use by the sandbox of process ${first.child.pid}`)
        assert.include(second.stderr, `${state}.lock`)
      }
      const before = (yield* meter(first.url, now, 42)).results[0]
      first.child.kill("SIGTERM")
      yield* Effect.promise(() => first.ended)
      assert.isFalse(existsSync(`${state}.lock`))
      const third = yield* sandbox("--state", state)
      const same = (yield* meter(third.url, now, 42)).results[0]
      third.child.kill("SIGTERM")
      assert.isDefined(before?.meteringRecordId)
      assert.strictEqual(same?.meteringRecordId, before?.meteringRecordId)
    })
  )

  it.live("of another scenario is reported", () =>
    Effect.gen(function* () {
      const state = file("other.state")
      const scenario = file("none.json")
      writeFileSync(scenario, '{"products":[]}')
      const first = yield* sandbox("--state", state)
      yield* meter(first.url, yield* DateTime.now, 42)
      first.child.kill("SIGTERM")
      assert.strictEqual((yield* Effect.promise(() => first.ended)).stderr, "")

      const { child, ended, until } = yield* sandbox("--state", state, "--scenario", scenario)
      yield* Effect.promise(() => until(/Warning/))
      child.kill("SIGTERM")
      assert.match(
        (yield* Effect.promise(() => ended)).stderr,
        /products that the scenario does not have: sandbox-analytics\./
      )
    })
  )

  it.live("of another format is rejected", () =>
    Effect.gen(function* () {
      const state = file("letter.txt")
      writeFileSync(state, "Dear all,\n")
      const ended = yield* Effect.promise(() => run(["sandbox", "--port", "0", "--state", state]))
      assert.deepStrictEqual([ended.code, ended.stdout], [2, ""])
      assert.match(ended.stderr, /letter\.txt/)
      assert.notMatch(ended.stderr, /\n\s+at /)
    })
  )
})

describe("its options", () => {
  it.live("--now sets the time of usage", () =>
    Effect.gen(function* () {
      const { child, url } = yield* sandbox("--now", "2027-01-01T05:59:00Z")
      const lateInDecember = DateTime.unsafeMake("2026-12-31T23:30:00Z")
      const { results } = yield* meter(url, lateInDecember, 42)
      child.kill("SIGTERM")
      assert.strictEqual(results[0]?.status, "Success")
    })
  )

  it.live("--any-credentials accepts any credentials, which are rejected without it", () =>
    Effect.gen(function* () {
      const unsigned = (url: string) =>
        Effect.promise(() =>
          fetch(url, {
            method: "POST",
            headers: { "x-amz-target": "AWSMPMeteringService.ResolveCustomer" },
            body: '{"RegistrationToken":"none"}'
          }).then((response) => response.text())
        )
      const open = yield* sandbox("--any-credentials")
      const strict = yield* sandbox()
      const responses = [yield* unsigned(open.url), yield* unsigned(strict.url)]
      open.child.kill("SIGTERM")
      strict.child.kill("SIGTERM")
      assert.match(responses[0] ?? "", /InvalidTokenException/)
      assert.match(responses[1] ?? "", /MissingAuthenticationTokenException/)
      assert.match((yield* Effect.promise(() => open.ended)).stdout, /no signature is checked/)
    })
  )

  it.live("--quota throttles", () =>
    Effect.gen(function* () {
      const { child, url } = yield* sandbox("--quota")
      const now = yield* DateTime.now
      const outcomes = yield* Effect.all(
        Array.from({ length: 30 }, () => Effect.either(meter(url, now, 42))),
        { concurrency: "unbounded" }
      )
      child.kill("SIGTERM")
      const throttled = outcomes.filter(
        (outcome) => outcome._tag === "Left" && outcome.left._tag === "ThrottlingException"
      )
      assert.isAbove(throttled.length, 0)
    })
  )

  it.live("--scenario replaces products and customers", () =>
    Effect.gen(function* () {
      const scenario = file("mine.json")
      writeFileSync(
        scenario,
        JSON.stringify({
          region: "eu-west-1",
          products: [{ code: "mine", dimensions: ["hours"] }],
          customers: [{ customerAWSAccountId: "999988887777", agreements: [] }],
          credentials: [{ accessKeyId: "AKIAMINE", secretAccessKey: "not-to-be-shown" }]
        })
      )
      const { child, ended } = yield* sandbox("--scenario", scenario)
      child.kill("SIGTERM")
      const { stdout } = yield* Effect.promise(() => ended)
      assert.match(stdout, /mine +hours/)
      assert.match(stdout, /999988887777 +- +not subscribed/)
      assert.match(stdout, /AWS_REGION=eu-west-1/)
      assert.match(stdout, /AWS_ACCESS_KEY_ID=AKIAMINE/)
      assert.notInclude(stdout, "not-to-be-shown")
    })
  )
})

describe("--ready-file", () => {
  /** Reads the file as soon as it is there: it must be whole. */
  const contentOf = (path: string) =>
    Effect.promise(async () => {
      while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve))
      return JSON.parse(readFileSync(path, "utf8"))
    })

  it.live("is there while the sandbox listens", () =>
    Effect.gen(function* () {
      const path = file("ready.json")
      const { child, ended } = start(["sandbox", "--port", "0", "--ready-file", path])
      const { pid, url } = yield* contentOf(path)
      assert.strictEqual(pid, child.pid)
      const { results } = yield* meter(url, yield* DateTime.now, 42)
      assert.strictEqual(results[0]?.status, "Success")
      child.kill("SIGTERM")
      assert.deepStrictEqual((yield* Effect.promise(() => ended)).code, 0)
      assert.deepStrictEqual(
        readdirSync(dirname(path)).filter((name) => name.includes("ready.json")),
        []
      )
    })
  )

  it.live("of a killed sandbox is replaced", () =>
    Effect.gen(function* () {
      const path = file("killed.json")
      const first = start(["sandbox", "--port", "0", "--ready-file", path])
      yield* contentOf(path)
      first.child.kill("SIGKILL")
      yield* Effect.promise(() => first.ended)
      assert.isTrue(existsSync(path))
      const second = yield* sandbox("--ready-file", path)
      const { pid, url } = yield* contentOf(path)
      assert.deepStrictEqual([pid, url], [second.child.pid, second.url])
      second.child.kill("SIGTERM")
      yield* Effect.promise(() => second.ended)
      assert.isFalse(existsSync(path))
    })
  )

  it.live("is removed by a sandbox that cannot start", () =>
    Effect.gen(function* () {
      const path = file("stale.json")
      const { child, ended } = start(["--version"])
      yield* Effect.promise(() => ended)
      writeFileSync(path, JSON.stringify({ url: "http://127.0.0.1:1", pid: child.pid }))
      const args = ["--ready-file", path, "--host", "192.0.2.1"]
      const { code } = yield* Effect.promise(() => run(["sandbox", ...args]))
      assert.deepStrictEqual([code, existsSync(path)], [2, false])
    })
  )

  it.live("of a running sandbox stays, and another one with it does not start", () =>
    Effect.gen(function* () {
      const path = file("shared.json")
      const { child, ended } = start(["sandbox", "--port", "0", "--ready-file", path])
      const content = yield* contentOf(path)
      const args = ["--port", "0", "--ready-file", path]
      const { code, stderr } = yield* Effect.promise(() => run(["sandbox", ...args]))
      assert.strictEqual(code, 2)
      assert.include(stderr, `shared.json is in use by the sandbox of process ${child.pid}`)
      assert.deepStrictEqual(yield* contentOf(path), content)
      child.kill("SIGTERM")
      yield* Effect.promise(() => ended)
      assert.isFalse(existsSync(path))
    })
  )

  it.live("leaves the file of another sandbox", () =>
    Effect.gen(function* () {
      const path = file("taken.json")
      const { child, ended } = start(["sandbox", "--port", "0", "--ready-file", path])
      yield* contentOf(path)
      const other = '{"url":"http://127.0.0.1:1","pid":1}'
      writeFileSync(path, other)
      child.kill("SIGTERM")
      yield* Effect.promise(() => ended)
      assert.strictEqual(readFileSync(path, "utf8"), other)
    })
  )

  it.live.each<readonly [string, string | undefined, RegExp]>([
    ["usage.csv", "timestamp,dimension", /usage\.csv exists, and no sandbox has written it/],
    ["large.json", `{"url":"","pid":1}${" ".repeat(1_000)}`, /large\.json exists/],
    ["no-folder/ready.json", undefined, /no-folder\/ready\.json cannot be used: no such file/]
  ])("at %s is an error that changes nothing", ([name, text, expected]) =>
    Effect.gen(function* () {
      const path = file(name)
      if (text !== undefined) writeFileSync(path, text)
      const args = ["--port", "0", "--ready-file", path]
      const { code, stderr } = yield* Effect.promise(() => run(["sandbox", ...args]))
      assert.strictEqual(code, 2)
      assert.match(stderr, expected)
      if (text !== undefined) assert.strictEqual(readFileSync(path, "utf8"), text)
    })
  )
})

describe("--verbose", () => {
  it.live("prints a line for every call, without secrets", () =>
    Effect.gen(function* () {
      const scenario = file("verbose.json")
      writeFileSync(
        scenario,
        JSON.stringify({ faults: { script: [{ fault: "none", times: 2 }, { fault: "cutAfter" }] } })
      )
      const { child, ended, until, url } = yield* sandbox("--verbose", "--scenario", scenario)
      const now = yield* DateTime.now
      yield* meter(url, now, 42)
      yield* Effect.promise(() => fetch(url, { method: "POST" }))
      yield* Effect.ignore(
        MeteringClient.resolveCustomer({ registrationToken: Redacted.make("no-token") }).pipe(
          Effect.provide(client(url))
        )
      )
      yield* Effect.ignore(meter(url, now, 43))
      yield* Effect.promise(() => until(/cutAfter/))
      child.kill("SIGTERM")
      const { stderr, stdout } = yield* Effect.promise(() => ended)
      assert.strictEqual(stderr, "")
      const lines = stdout.split("\n").filter((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z /.test(line))
      assert.deepStrictEqual(
        lines.map((line) => line.replace(/^\S+ /, "").replace(/\d+ ms/, "N ms")),
        [
          "BatchMeterUsage 200 1 Success sandbox-000000000001 N ms",
          "- 400 UnknownOperationException sandbox-000000000002 N ms",
          "ResolveCustomer 400 InvalidTokenException sandbox-000000000003 N ms",
          "BatchMeterUsage connection cut sandbox-000000000004 N ms fault cutAfter"
        ]
      )
      assert.notMatch(lines.join(), /no-token|Signature|Authorization/)
    })
  )
})

describe("when its parent process is killed", () => {
  /** A parent like `npx`, without installation. */
  const parent = `
    const { spawn } = require("node:child_process")
    const stdio = ["ignore", "inherit", "inherit"]
    const { pid } = spawn(process.execPath, [process.env.COMMAND, "sandbox", "--port", "0"], { stdio })
    console.log("pid=" + pid)
    setInterval(() => {}, 1e6)`

  const startBy = (env: Record<string, string>) => {
    const child = spawn(process.execPath, ["-e", parent], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env.PATH, COMMAND: file("command.mjs"), ...env }
    })
    const closed = new Promise<void>((resolve) => child.stdout.once("close", () => resolve()))
    const started = new Promise<{ readonly pid: number; readonly url: string }>((resolve) => {
      let text = ""
      child.stdout.setEncoding("utf8").on("data", (part: string) => {
        text += part
        const [, url] = address.exec(text) ?? []
        if (url !== undefined) resolve({ url, pid: Number(/pid=(\d+)/.exec(text)?.[1]) })
      })
    })
    return { child, closed, started }
  }

  it.live("exits with npx, which forwards no signal", () =>
    Effect.promise(async () => {
      const npx = startBy({ npm_command: "exec", npm_lifecycle_event: "npx" })
      await npx.started
      npx.child.kill("SIGKILL")
      // all processes with its output have exited
      await npx.closed
    })
  )

  it.live("keeps running with any other parent, as in the background of a script", () =>
    Effect.gen(function* () {
      const shell = startBy({})
      const { pid, url } = yield* Effect.promise(() => shell.started)
      const gone = new Promise((resolve) => shell.child.once("exit", resolve))
      shell.child.kill("SIGKILL")
      yield* Effect.promise(() => gone)
      const { results } = yield* meter(url, yield* DateTime.now, 42)
      process.kill(pid, "SIGTERM")
      yield* Effect.promise(() => shell.closed)
      assert.strictEqual(results[0]?.status, "Success")
    })
  )
})

describe("an error", () => {
  const scenario = (text: string) => {
    const path = file("bad.json")
    writeFileSync(path, text)
    return ["--scenario", path]
  }
  it.live.each<readonly [string, () => ReadonlyArray<string>, RegExp]>([
    ["for an invalid port", () => ["--port", "70000"], /--port: expected a port/],
    ["for a time without a zone", () => ["--now", "2027-01-01T05:59"], /--now: expected a time/],
    ["for a missing scenario", () => ["--scenario", "/nowhere.json"], /no such file/],
    ["for a scenario that is not JSON", () => scenario('{"products": [}'), /is not JSON/],
    [
      "for a scenario with invalid members",
      () => scenario('{"products": [{ "code": 1 }]}'),
      /products\[0\]\.code[\s\S]*products\[0\]\.dimensions/
    ],
    [
      "for an inconsistent scenario",
      () =>
        scenario(
          '{"customers":[{"customerAWSAccountId":"1","agreements":[{"productCode":"none"}]}]}'
        ),
      /not a product of the scenario/
    ],
    ["for a host of another machine", () => ["--host", "192.0.2.1"], /does not have that address/]
  ])("%s", ([_, args, expected]) =>
    Effect.gen(function* () {
      const ended = yield* Effect.promise(() => run(["sandbox", ...args()]))
      assert.deepStrictEqual([ended.code, ended.stdout], [2, ""])
      assert.match(ended.stderr, expected)
      assert.notMatch(ended.stderr, /\n\s+at /)
    })
  )

  it.live("for a port in use", () =>
    Effect.gen(function* () {
      const { child, url } = yield* sandbox()
      const ended = yield* Effect.promise(() => run(["sandbox", "--port", new URL(url).port]))
      child.kill("SIGTERM")
      assert.deepStrictEqual([ended.code, ended.stdout], [2, ""])
      assert.match(
        ended.stderr,
        /port in use\. Choose another with --port; --port 0 takes any free port/
      )
    })
  )
})
