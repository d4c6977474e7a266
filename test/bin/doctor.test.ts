import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Redacted } from "effect"
import { MeteringError } from "effect-marketplace-metering"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import * as findings from "../../src/bin/internal/findings.js"
import { nobody } from "../support/loopback.js"
import { command } from "./command.js"
import { environment, World } from "./world.js"

const { run } = command()

interface Told {
  readonly ok: boolean
  readonly checks: ReadonlyArray<findings.Finding>
}

const doctor = (args: ReadonlyArray<string>, change: Record<string, string> = {}) =>
  Effect.gen(function* () {
    const env = { ...(yield* environment), ...change }
    const ended = yield* Effect.promise(() => run(["doctor", ...args, "--json"], { env }))
    const told = JSON.parse(ended.stdout) as Told
    return { ...ended, told, status: told.checks.map(({ check, status }) => `${check}: ${status}`) }
  })

describe("on a machine", () => {
  it.live("where nothing is wrong, it ends with 0 and has metered nothing", () =>
    Effect.gen(function* () {
      const { code, status, told } = yield* doctor([
        ...["--product-code", "sandbox-analytics"],
        ...["--operation", "ResolveCustomer", "--operation", "BatchMeterUsage"]
      ])
      assert.deepStrictEqual(status, [
        "credentials: ok",
        "region: ok",
        "endpoint: ok",
        "clock: ok",
        "permission for ResolveCustomer: ok",
        "permission for BatchMeterUsage: ok"
      ])
      assert.deepStrictEqual([code, told.ok], [0, true])
      assert.match(told.checks[0]?.found ?? "", /from the environment/)
      assert.match(told.checks[2]?.found ?? "", /it is a sandbox/)
      assert.deepStrictEqual(yield* (yield* MeteringSandbox.MeteringSandbox).records, [])
    }).pipe(Effect.provide(World()))
  )

  it.live("where the secret is wrong, it says so for every call, and ends with 1", () =>
    Effect.gen(function* () {
      const secret = "a-secret-that-is-wrong"
      const { code, status, stderr, stdout } = yield* doctor([], { AWS_SECRET_ACCESS_KEY: secret })
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(status.slice(4), [
        "permission for ResolveCustomer: problem",
        "permission for BatchMeterUsage: problem",
        "permission for MeterUsage: problem"
      ])
      assert.strictEqual(stderr, "3 things would stop metering.\n")
      assert.notInclude(stdout, secret)
    }).pipe(Effect.provide(World()))
  )

  it.live("without credentials and endpoint, it looks no further", () =>
    Effect.gen(function* () {
      const { code, status } = yield* doctor(["--endpoint", yield* nobody], {
        AWS_ACCESS_KEY_ID: ""
      })
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(status, [
        "credentials: problem",
        "region: ok",
        "endpoint: problem",
        "clock: skipped",
        "permissions: skipped"
      ])
    }).pipe(Effect.scoped, Effect.provide(World()))
  )

  it.live("without a Region, it names the places to put one", () =>
    Effect.gen(function* () {
      const { code, told } = yield* doctor([], { AWS_REGION: "" })
      assert.strictEqual(code, 1)
      assert.match(told.checks[1]?.advice ?? "", /AWS_REGION/)
    }).pipe(Effect.provide(World()))
  )
})

describe("findings", () => {
  const now = DateTime.unsafeMake("2026-11-25T10:00:00Z")
  const keys = (accessKeyId: string, expiration?: DateTime.Utc) => ({
    accessKeyId,
    secretAccessKey: Redacted.make("hidden-secret"),
    expiration
  })

  it("tell credentials by their kind, and never a secret", () => {
    for (const [id, marks, expected] of [
      [
        "AKIAIOSFODNN7EXAMPLE",
        ["CREDENTIALS_ENV_VARS"],
        "AKIA…MPLE: long-lived keys of an IAM user from the environment"
      ],
      ["ASIAIOSFODNN7EXAMPLE", [], "ASIA…MPLE: temporary credentials of a role or session"],
      ["other", ["NEW_MARK"], "other: an access key of unknown kind"]
    ] as const) {
      assert.deepStrictEqual(findings.ofCredentials(keys(id), marks, now), {
        check: "credentials",
        status: "ok",
        found: expected
      })
    }
    const expired = findings.ofCredentials(keys("ASIAIOSFODNN7EXAMPLE", now), [], now)
    assert.strictEqual(expired.status, "problem")
  })

  it("tell a clock by how far it is off", () => {
    const seen = [0, 1999, -59_000, 60_000, -299_999, 300_000, -3_600_000].map((ahead) => {
      const { found, status } = findings.ofClock(ahead)
      return `${status} ${found}`
    })
    assert.deepStrictEqual(seen, [
      "ok agrees with the service's",
      "ok agrees with the service's",
      "ok 59s behind the service's",
      "warning 1m ahead of the service's",
      "warning 5m behind the service's",
      "problem 5m ahead of the service's",
      "problem 1h behind the service's"
    ])
  })

  it("know the documented Regions of two operations, and do not guess at the others", () => {
    const status = (region: string, name: MeteringError.OperationName) =>
      findings.ofRegion(region, [name]).status
    assert.strictEqual(status("eu-central-1", "BatchMeterUsage"), "ok")
    assert.strictEqual(status("cn-northwest-1", "BatchMeterUsage"), "ok")
    assert.strictEqual(status("cn-northwest-1", "MeterUsage"), "warning")
    assert.strictEqual(status("us-gov-west-1", "BatchMeterUsage"), "warning")
    assert.strictEqual(status("us-gov-west-1", "MeterUsage"), "ok")
    assert.strictEqual(status("mars-north-1", "ResolveCustomer"), "ok")
  })

  it("take for granted what only the permitted are told", () => {
    const answer = { operation: "ResolveCustomer" as const, statusCode: 400 }
    const status = (error: Parameters<typeof findings.ofPermission>[1]) =>
      findings.ofPermission("ResolveCustomer", error).status
    assert.strictEqual(status(undefined), "ok")
    assert.strictEqual(status(new MeteringError.InvalidTokenException(answer)), "ok")
    assert.strictEqual(status(new MeteringError.InvalidProductCodeException(answer)), "warning")
    assert.strictEqual(
      status(new MeteringError.AccessDeniedError({ ...answer, code: "AccessDeniedException" })),
      "problem"
    )
    assert.strictEqual(status(new MeteringError.DisabledApiException(answer)), "problem")
  })
})
