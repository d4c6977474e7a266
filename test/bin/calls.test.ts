import { writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Deferred, Effect, Exit, Queue, Redacted, Scope } from "effect"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { closedEndpoint, serve } from "../support/loopbackServer.js"
import { command } from "./command.js"
import { environment, sandboxLayer } from "./sandboxServer.js"

const { file, run, start } = command()

/** Runs the command against the sandbox of the context. */
const call = (args: ReadonlyArray<string>, stdin?: string, more: Record<string, string> = {}) =>
  Effect.flatMap(environment, (env) =>
    Effect.promise(() => run(args, { env: { ...env, ...more }, stdin }))
  )

const usageOf = (change: Record<string, string>) =>
  Object.entries({
    "--product-code": "sandbox-container",
    "--dimension": "nodes",
    "--quantity": "3",
    ...change
  }).flat()

const usage = usageOf({})

describe("meter", () => {
  it.live("meters once, and prints the record id", () =>
    Effect.gen(function* () {
      const first = yield* call(["meter", ...usage])
      const again = yield* call(["meter", ...usage, "--json"])
      const [record] = yield* (yield* MeteringSandbox.MeteringSandbox).report.records
      assert.deepStrictEqual([first.code, again.code], [0, 0], first.stderr)
      assert.include(first.stdout, `record id  ${record?.meteringRecordId}`)
      const output = JSON.parse(again.stdout) as Record<string, unknown>
      assert.strictEqual(output.meteringRecordId, record?.meteringRecordId)
      assert.deepStrictEqual(yield* (yield* MeteringSandbox.MeteringSandbox).report.callCounts, {
        MeterUsage: 2,
        BatchMeterUsage: 0,
        RegisterUsage: 0,
        ResolveCustomer: 0,
        GetEntitlements: 0
      })
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("sends allocations with field names or those of AWS, a time and a token", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const timestamp = DateTime.formatIso(DateTime.subtract(yield* DateTime.now, { hours: 2 }))
      for (const allocations of [
        '[{"allocatedUsageQuantity":3,"tags":[{"key":"a","value":"b"}]}]',
        '[{"AllocatedUsageQuantity":3,"Tags":[{"Key":"a","Value":"b"}]}]'
      ]) {
        const ended = yield* call([
          ...["meter", ...usage, "--timestamp", timestamp, "--client-token", "mine"],
          ...["--allocations", allocations, "--json"]
        ])
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.deepInclude(JSON.parse(ended.stdout), { timestamp, clientToken: "mine" })
      }
      const records = yield* sandbox.report.records
      assert.lengthOf(records, 1)
      assert.strictEqual(records[0]?.usageAllocations?.[0]?.tags?.[0].value, "b")
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("meters nothing in a dry run", () =>
    Effect.gen(function* () {
      const ended = yield* call(["meter", ...usage, "--dry-run"])
      assert.strictEqual(ended.code, 0)
      assert.match(ended.stdout, /nothing was/)
      assert.deepStrictEqual(yield* (yield* MeteringSandbox.MeteringSandbox).report.records, [])
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("exits with 1 when it is rejected, with one line and no stack trace", () =>
    Effect.gen(function* () {
      const ended = yield* call(["meter", ...usageOf({ "--product-code": "another" })])
      assert.strictEqual(ended.code, 1)
      assert.strictEqual(ended.stdout, "")
      assert.match(ended.stderr, /^MeterUsage: The product code[^\n]*\n$/)
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("exits with 130 when it is stopped, with the options for the same charge", () =>
    Effect.gen(function* () {
      const called = yield* Queue.unbounded<void>()
      const silent = yield* serve(() => Queue.unsafeOffer(called, undefined))
      const env = yield* environment
      for (const [args, expected] of [
        [
          ["meter", ...usage],
          /may have been metered.*--timestamp 20[^ ]+Z --client-token [^ ]+\n$/
        ],
        [["meter", ...usage, "--dry-run"], /^Stopping\.\n$/],
        [["register", "--product-code", "sandbox-container"], /may have been registered/],
        [["resolve"], /^Stopping\.\n$/]
      ] as const) {
        const { child, ended } = start([...args, "--endpoint", silent], { env, stdin: "a-token" })
        yield* called.take
        child.kill("SIGINT")
        const result = yield* Effect.promise(() => ended)
        assert.deepStrictEqual([result.code, result.stdout], [130, ""])
        assert.match(result.stderr, expected)
      }
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("exits with 2 when nothing was sent", () =>
    Effect.gen(function* () {
      const closed = yield* closedEndpoint
      for (const [change, expected] of [
        [{ "--quantity": "1.5" }, /--quantity: expected a whole number from 0, got "1.5"/],
        [{ "--allocations": '[{"allocatedUsageQuantity":2}]' }, /allocationSum/],
        [{ "--allocations": "{" }, /--allocations: expected a JSON list/],
        [{ "--endpoint": closed }, /ECONNREFUSED/],
        [{ "--profile": "unknown" }, /No AWS credentials/]
      ] as const) {
        const ended = yield* call(["meter", ...usageOf(change)])
        assert.strictEqual(ended.code, 2, ended.stdout)
        assert.match(ended.stderr, expected)
        assert.notMatch(ended.stderr, /\n\s+at /)
      }
      assert.strictEqual(
        (yield* (yield* MeteringSandbox.MeteringSandbox).report.callCounts).MeterUsage,
        0
      )
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )
})

describe("a call whose first attempt was lost", () => {
  const again = /--timestamp 20[^ ]+Z --client-token \S+\n$/
  const product = ["--product-code", "sandbox-container"]

  /** Cuts the connection of the first request, and has this response for the others. */
  const cutsFirst = (statusCode: number, type: string) => {
    let requests = 0
    return serve((request, response) => {
      requests += 1
      if (requests === 1) {
        request.socket.destroy()
        return
      }
      response.statusCode = statusCode
      response.end(JSON.stringify({ __type: type, message: "text" }))
    })
  }

  /** Cuts the connection of the first request, and rejects the next connection. */
  const endsAtFirst = (args: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const called = yield* Deferred.make<void>()
      const url = yield* Scope.extend(
        serve(() => Deferred.unsafeDone(called, Effect.void)),
        scope
      )
      const env = yield* environment
      const { ended } = start([...args, "--endpoint", url], { env, stdin: "a-token" })
      yield* Deferred.await(called)
      yield* Scope.close(scope, Exit.void)
      return yield* Effect.promise(() => ended)
    })

  it.live("is never reported as not sent, and has the token for the same charge", () =>
    Effect.gen(function* () {
      const unreachable = yield* endsAtFirst(["meter", ...usage])
      const responded = yield* Effect.forEach(
        [
          [400, "AccessDeniedException"],
          [400, "com.amazonaws.marketplacemetering#CustomerNotEntitledException"],
          [503, "ServiceUnavailable"],
          [408, "SomethingNew"]
        ] as const,
        ([statusCode, type]) =>
          Effect.flatMap(cutsFirst(statusCode, type), (url) =>
            call(["meter", ...usage, "--endpoint", url])
          )
      )
      for (const { code, stderr, stdout } of [unreachable, ...responded]) {
        assert.deepStrictEqual([code, stdout], [1, ""], stderr)
        assert.match(stderr, /may have been metered|ServiceUnavailable|SomethingNew/)
        assert.match(stderr, again)
        assert.notMatch(stderr, /nothing was sent/i)
      }
      assert.match(
        unreachable.stderr,
        /ECONNREFUSED[\s\S]*An earlier attempt may have been metered: /
      )
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("is billed once when it is repeated with the reported options", () =>
    Effect.gen(function* () {
      const lost = yield* endsAtFirst(["meter", ...usage])
      const [, timestamp = "", token = ""] =
        /--timestamp (\S+) --client-token (\S+)/.exec(lost.stderr) ?? []
      const repeated = ["meter", ...usage, "--timestamp", timestamp, "--client-token", token]
      for (const ended of [yield* call(repeated), yield* call([...repeated, "--json"])]) {
        assert.strictEqual(ended.code, 0, ended.stderr)
      }
      const records = yield* (yield* MeteringSandbox.MeteringSandbox).report.records
      assert.deepStrictEqual(
        records.map(({ quantity }) => quantity),
        [3]
      )
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("reports that three responses of 503 may have metered", () =>
    Effect.gen(function* () {
      const unavailable = yield* serve((_request, response) => {
        response.statusCode = 503
        response.end(JSON.stringify({ __type: "ServiceUnavailable" }))
      })
      const ended = yield* call(["meter", ...usage, "--endpoint", unavailable])
      assert.strictEqual(ended.code, 1)
      assert.match(ended.stderr, again)
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("reports that register and resolve were sent, and has no token for a dry run", () =>
    Effect.gen(function* () {
      const register = yield* endsAtFirst(["register", ...product])
      const resolve = yield* endsAtFirst(["resolve"])
      const dryRun = yield* endsAtFirst(["meter", ...usage, "--dry-run"])
      for (const { code, stderr } of [register, resolve, dryRun]) {
        assert.strictEqual(code, 1)
        assert.notMatch(stderr, /nothing was sent|client-token/i)
      }
      assert.match(register.stderr, /may have been registered[\s\S]*again is safe/)
      assert.notMatch(resolve.stderr, /may have been/)
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("reports a dry run that was given a record", () =>
    Effect.gen(function* () {
      const metering = yield* serve((_request, response) =>
        response.end(JSON.stringify({ MeteringRecordId: "a-record" }))
      )
      const ended = yield* call(["meter", ...usage, "--dry-run", "--endpoint", metering])
      assert.deepStrictEqual([ended.code, ended.stdout], [1, ""])
      assert.match(ended.stderr, /a-record\. It may have been metered/)
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )
})

describe("resolve", () => {
  const minted = Effect.gen(function* () {
    const { mintToken } = (yield* MeteringSandbox.MeteringSandbox).marketplace
    return Redacted.value(yield* mintToken({ customerAWSAccountId: "222233334444" }))
  })

  it.live("reads the token from a file, from a pipe, and from -", () =>
    Effect.gen(function* () {
      const token = yield* minted
      const path = file("token")
      writeFileSync(path, `${token}\n`)
      for (const [args, stdin] of [
        [[path], ""],
        [["-"], `${token}\r\n`],
        [[], token]
      ] as const) {
        const ended = yield* call(["resolve", ...args], stdin)
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.match(ended.stdout, /AWS account +222233334444\n/)
        assert.match(ended.stdout, /customer identifier +cust-globex\n/)
        assert.notInclude(ended.stdout + ended.stderr, token)
      }
      const { stdout } = yield* call(["resolve", "--json", path])
      assert.deepInclude(JSON.parse(stdout), {
        customerAWSAccountId: "222233334444",
        productCode: "sandbox-analytics"
      })
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("never prints a token, with any error", () =>
    Effect.gen(function* () {
      const token = yield* minted
      for (const [args, env, code] of [
        [["--log-level", "all"], { AWS_SECRET_ACCESS_KEY: "another-secret" }, 1],
        [["--log-level", "all", "--endpoint", yield* closedEndpoint], {}, 2]
      ] as const) {
        const ended = yield* call(["resolve", ...args], token, env)
        assert.strictEqual(ended.code, code, ended.stderr)
        assert.notInclude(ended.stdout + ended.stderr, token)
      }
      const invalid = `${token}x`
      const ended = yield* call(["resolve"], invalid)
      assert.strictEqual(ended.code, 1)
      assert.match(ended.stderr, /registration token is not valid/)
      assert.notInclude(ended.stderr, token)
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("reports a missing token, and how to give one", () =>
    Effect.gen(function* () {
      const none = yield* call(["resolve"], "\n")
      assert.strictEqual(none.code, 2)
      assert.match(none.stderr, /Give a file with it, or pipe it in/)
      const nowhere = yield* call(["resolve", "nowhere"])
      assert.strictEqual(nowhere.code, 2)
      assert.match(nowhere.stderr, /The file with the token cannot be read: no such file/)
      for (const args of [
        ["A-TOKEN"],
        ["--token", "A-TOKEN"],
        ["--token=A-TOKEN"],
        ["-t", "A-TOKEN"]
      ]) {
        const result = yield* call(["resolve", ...args])
        assert.strictEqual(result.code, 2)
        assert.notInclude(result.stdout + result.stderr, "A-TOKEN")
      }
    }).pipe(Effect.provide(sandboxLayer()))
  )
})

describe("register", () => {
  const product = ["register", "--product-code", "sandbox-container"]

  it.live("verifies the response with the public key", () =>
    Effect.gen(function* () {
      const key = file("key.pem")
      writeFileSync(key, yield* (yield* MeteringSandbox.MeteringSandbox).report.publicKey)
      const ended = yield* call([...product, "--public-key", key, "--nonce", "instance-7"])
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.match(ended.stdout, /verified +the buyer may run this product/)
      assert.match(ended.stdout, /nonce +instance-7/)
      assert.notMatch(ended.stdout, /eyJ/)
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("verifies nothing without a key, and fails with another one", () =>
    Effect.gen(function* () {
      const unverified = yield* call(product)
      assert.strictEqual(unverified.code, 0)
      assert.match(unverified.stdout, /Give --public-key/)

      const key = file("another.pem")
      const { generateKeyPairSync } = yield* Effect.promise(() => import("node:crypto"))
      const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
      writeFileSync(key, publicKey.export({ type: "spki", format: "pem" }))
      const rejected = yield* call([...product, "--public-key", key])
      assert.deepStrictEqual([rejected.code, rejected.stdout], [1, ""])
      assert.match(rejected.stderr, /No proof of entitlement/)
      assert.notMatch(rejected.stderr, /eyJ/)
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("prints the signed response as JSON, and warns of an expired key", () =>
    Effect.gen(function* () {
      const ended = yield* call([...product, "--json", "--nonce", "n"])
      assert.strictEqual(ended.code, 0)
      const output = JSON.parse(ended.stdout) as Record<string, unknown>
      assert.match(String(output.signature), /^eyJ/)
      assert.deepInclude(output, { verified: false, nonce: "n" })
      assert.match(ended.stderr, /public key has expired at 2026-01-01T00:00:00Z/)
    }).pipe(
      Effect.provide(
        sandboxLayer({
          products: [
            {
              code: "sandbox-container",
              dimensions: ["nodes"],
              publicKeyVersions: [
                { version: 1, rotationTimestamp: DateTime.unsafeMake("2026-01-01T00:00:00Z") }
              ]
            }
          ],
          customers: [
            {
              customerAWSAccountId: "111122223333",
              agreements: [{ productCode: "sandbox-container" }]
            }
          ]
        })
      )
    )
  )
})
