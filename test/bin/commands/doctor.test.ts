import { writeFileSync } from "node:fs"
import type { IncomingMessage } from "node:http"
import { connect, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Either, Redacted } from "effect"
import { MeteringError } from "effect-marketplace-metering"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import * as doctorChecks from "../../../src/bin/internal/doctorChecks.js"
import * as proxies from "../../../src/bin/internal/proxies.js"
import { closedEndpoint, serve } from "../../support/loopbackServer.js"
import { command } from "../command.js"
import { environment, sandboxLayer } from "../sandboxServer.js"

const { file, run } = command()

interface DoctorReport {
  readonly ok: boolean
  readonly checks: ReadonlyArray<doctorChecks.CheckResult>
}

const doctor = (args: ReadonlyArray<string>, change: Record<string, string> = {}) =>
  Effect.gen(function* () {
    const env = { ...(yield* environment), ...change }
    const ended = yield* Effect.promise(() => run(["doctor", ...args, "--json"], { env }))
    const report = JSON.parse(ended.stdout) as DoctorReport
    return {
      ...ended,
      report,
      status: report.checks.map(({ check, status }) => `${check}: ${status}`)
    }
  })

describe("doctor", () => {
  it.live("exits with 0 without problems, and meters nothing", () =>
    Effect.gen(function* () {
      const { code, status, report } = yield* doctor([
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
      assert.deepStrictEqual([code, report.ok], [0, true])
      assert.match(report.checks[0]?.found ?? "", /from the environment/)
      assert.match(report.checks[2]?.found ?? "", /it is a sandbox/)
      assert.deepStrictEqual(yield* (yield* MeteringSandbox.MeteringSandbox).report.records, [])
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("reports a wrong secret for every call, and exits with 1", () =>
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
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("skips calls without credentials and endpoint", () =>
    Effect.gen(function* () {
      const { code, status } = yield* doctor(["--endpoint", yield* closedEndpoint], {
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
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("reports a missing Region with the places to set it", () =>
    Effect.gen(function* () {
      const { code, report } = yield* doctor([], { AWS_REGION: "" })
      assert.strictEqual(code, 1)
      assert.match(report.checks[1]?.advice ?? "", /AWS_REGION/)
    }).pipe(Effect.provide(sandboxLayer()))
  )
})

describe("a problem", () => {
  it.live("is an invalid endpoint of the option, a variable or a profile", () =>
    Effect.gen(function* () {
      const env = yield* environment
      const wrong = yield* Effect.promise(() => run(["doctor", "--endpoint", "sandbox"], { env }))
      assert.strictEqual(wrong.code, 2)
      assert.include(wrong.stderr, '--endpoint: expected an http or https URL, got "sandbox"')

      const config = file("config-with-endpoint")
      writeFileSync(config, "[profile p]\nregion = us-east-1\nendpoint_url = ftp://x\n")
      const profile = { AWS_CONFIG_FILE: config, AWS_PROFILE: "p", AWS_REGION: "" }
      for (const change of [
        { AWS_ENDPOINT_URL_MARKETPLACE_METERING: "sandbox" },
        { ...profile, AWS_ENDPOINT_URL_MARKETPLACE_METERING: "" }
      ]) {
        const { code, status, report } = yield* doctor([], change)
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(status.slice(1), [
          "region: ok",
          "endpoint: problem",
          "permissions: skipped"
        ])
        assert.match(report.checks[2]?.advice ?? "", /endpoint is not an http or https URL/)
      }
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("is an invalid Region, or an invalid flag", () =>
    Effect.gen(function* () {
      const region = yield* doctor([], { AWS_REGION: "us east" })
      assert.deepStrictEqual(region.status.slice(1, 3), ["region: problem", "endpoint: skipped"])
      const flag = yield* doctor([], { AWS_USE_FIPS_ENDPOINT: "maybe" })
      assert.deepStrictEqual(flag.status.slice(1, 2), ["configuration: problem"])
      assert.match(flag.report.checks[1]?.advice ?? "", /AWS_USE_FIPS_ENDPOINT/)
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.live("is a wrong clock, before permissions", () =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const date = new Date(DateTime.toEpochMillis(now) - 3_600_000).toUTCString()
      const rejecting = yield* serve((request, response) => {
        response.setHeader("date", date)
        response.statusCode = request.method === "GET" ? 404 : 400
        response.end(JSON.stringify({ __type: "RequestExpired", message: "Request has expired" }))
      })
      const { code, status, stderr } = yield* doctor(["--endpoint", rejecting])
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(status.slice(2), [
        "endpoint: ok",
        "clock: problem",
        "permission for ResolveCustomer: skipped",
        "permission for BatchMeterUsage: skipped",
        "permission for MeterUsage: skipped"
      ])
      assert.strictEqual(stderr, "1 thing would stop metering.\n")
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("is a source of credentials that hangs, after 10 seconds", () =>
    Effect.gen(function* () {
      const config = file("config-that-hangs")
      writeFileSync(
        config,
        '[profile hangs]\ncredential_process = node -e "setTimeout(() => {}, 120000)"\n'
      )
      const { code, report } = yield* doctor(["--profile", "hangs"], {
        AWS_CONFIG_FILE: config,
        AWS_ACCESS_KEY_ID: "",
        AWS_SECRET_ACCESS_KEY: ""
      })
      assert.strictEqual(code, 1)
      assert.match(report.checks[0]?.found ?? "", /no response within 10 seconds/)
      assert.match(report.checks[0]?.advice ?? "", /credential_process/)
    }).pipe(Effect.provide(sandboxLayer()))
  )
})

describe("a proxy of the environment", () => {
  /** Connects every request to the sandbox, for any host. */
  const proxy = (port: number) =>
    Effect.gen(function* () {
      const requests: Array<string> = []
      const url = yield* serve(
        (_request, response) => response.writeHead(400).end(),
        (server) =>
          server.on("connect", (request: IncomingMessage, client: Socket) => {
            requests.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`)
            const upstream = connect(port, "127.0.0.1", () => {
              client.write("HTTP/1.1 200 Connection established\r\n\r\n")
              upstream.pipe(client).pipe(upstream)
            })
            upstream.on("error", () => client.destroy())
            client.on("error", () => upstream.destroy())
          })
      )
      return { requests, url }
    })

  it.live("is used for calls, and reported without its password", () =>
    Effect.gen(function* () {
      const env = yield* environment
      const { requests, url } = yield* proxy(
        Number(new URL(env.AWS_ENDPOINT_URL_MARKETPLACE_METERING).port)
      )
      const withPassword = url.replace("//", "//user:hidden-password@")
      const change = { HTTP_PROXY: withPassword, no_proxy: "other.example" }
      const far = ["--endpoint", "http://metering.example:1234"]
      const { status, stdout, report } = yield* doctor(
        ["--operation", "BatchMeterUsage", ...far, "--product-code", "sandbox-analytics"],
        change
      )
      assert.deepStrictEqual(status, [
        "credentials: ok",
        "region: ok",
        "proxy: ok",
        "endpoint: ok",
        "clock: ok",
        "permission for BatchMeterUsage: ok"
      ])
      assert.include(report.checks[2]?.found ?? "", `http by ${url} (HTTP_PROXY)`)
      assert.notInclude(stdout, "hidden-password")
      const basic = Buffer.from("user:hidden-password").toString("base64")
      assert.deepStrictEqual(new Set(requests), new Set([`metering.example:1234 Basic ${basic}`]))
      const token = yield* (yield* MeteringSandbox.MeteringSandbox).marketplace.mintToken()
      const resolved = yield* Effect.promise(() =>
        run(["resolve", ...far], { env: { ...env, ...change }, stdin: Redacted.value(token) })
      )
      assert.strictEqual(resolved.code, 0, resolved.stderr)
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("is not used for this machine, nor for hosts in NO_PROXY", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* proxy(1)
      const here = yield* doctor(["--operation", "BatchMeterUsage"], { http_proxy: url })
      assert.notInclude(here.status, "endpoint: problem")
      const excepted = yield* doctor(["--endpoint", "http://metering.invalid"], {
        HTTP_PROXY: url,
        NO_PROXY: ".invalid"
      })
      assert.include(excepted.status, "endpoint: problem")
      const everything = yield* doctor([], { HTTP_PROXY: url, NO_PROXY: "*" })
      assert.notInclude(everything.status, "proxy: ok")
      assert.deepStrictEqual(requests, [])
    }).pipe(Effect.scoped, Effect.provide(sandboxLayer()))
  )

  it.live("stops every command before anything is sent if it is invalid", () =>
    Effect.gen(function* () {
      const change = { HTTPS_PROXY: "socks5://user:hidden-password@proxy.example" }
      const { code, status, stdout } = yield* doctor([], change)
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(status.slice(1), [
        "region: ok",
        "proxy: problem",
        "endpoint: skipped",
        "permissions: skipped"
      ])
      const env = { ...(yield* environment), ...change }
      const resolved = yield* Effect.promise(() => run(["resolve"], { env, stdin: "a-token" }))
      assert.strictEqual(resolved.code, 2)
      assert.match(resolved.stderr, /HTTPS_PROXY is not the URL of an http or https proxy/)
      assert.notInclude(stdout + resolved.stderr, "hidden-password")
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it("is read as by other tools", () => {
    const read = (environment: Record<string, string>) =>
      Either.match(proxies.fromEnvironment(environment), {
        onLeft: (reason) => reason,
        onRight: (found) =>
          found && [found.http, found.https].map((proxy) => proxy && proxies.formatProxy(proxy))
      })
    assert.isUndefined(read({}))
    assert.isUndefined(read({ NO_PROXY: "a", HTTP_PROXY: " " }))
    assert.deepStrictEqual(read({ http_proxy: "a:1", HTTP_PROXY: "http://b" }), [
      "http://a:1 (http_proxy)",
      "http://a:1 (http_proxy)"
    ])
    assert.deepStrictEqual(read({ HTTPS_PROXY: "https://p:9/x" }), [
      undefined,
      "https://p:9 (HTTPS_PROXY)"
    ])
    for (const value of ["http://", "socks5://a", "http://a:99999"]) {
      assert.match(String(read({ https_proxy: value })), /^https_proxy is not the URL/)
    }
  })
})

describe("check results", () => {
  const now = DateTime.unsafeMake("2026-11-25T10:00:00Z")
  const keys = (accessKeyId: string, expiration?: DateTime.Utc) => ({
    accessKeyId,
    secretAccessKey: Redacted.make("hidden-secret"),
    expiration
  })

  it("show the kind of credentials, and no secret", () => {
    for (const [id, marks, expected] of [
      [
        "AKIAIOSFODNN7EXAMPLE",
        ["CREDENTIALS_ENV_VARS"],
        "AKIA…MPLE: long-lived keys of an IAM user from the environment"
      ],
      ["ASIAIOSFODNN7EXAMPLE", [], "ASIA…MPLE: temporary credentials of a role or session"],
      ["other", ["NEW_MARK"], "other: an access key of unknown kind"]
    ] as const) {
      assert.deepStrictEqual(doctorChecks.credentialsResult(keys(id), marks, now), {
        check: "credentials",
        status: "ok",
        found: expected
      })
    }
    const expired = doctorChecks.credentialsResult(keys("ASIAIOSFODNN7EXAMPLE", now), [], now)
    assert.strictEqual(expired.status, "problem")
  })

  it("rate a clock by its difference", () => {
    const seen = [0, 1999, -59_000, 60_000, -299_999, 300_000, -3_600_000].map((ahead) => {
      const { found, status } = doctorChecks.clockResult(ahead)
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

  it("know the documented Regions of two operations, and accept any for others", () => {
    const status = (region: string, name: MeteringError.OperationName) =>
      doctorChecks.regionResult(region, [name]).status
    assert.strictEqual(status("eu-central-1", "BatchMeterUsage"), "ok")
    assert.strictEqual(status("cn-northwest-1", "BatchMeterUsage"), "ok")
    assert.strictEqual(status("cn-northwest-1", "MeterUsage"), "warning")
    assert.strictEqual(status("us-gov-west-1", "BatchMeterUsage"), "warning")
    assert.strictEqual(status("us-gov-west-1", "MeterUsage"), "ok")
    assert.strictEqual(status("mars-north-1", "ResolveCustomer"), "ok")
  })

  it("take errors of permitted calls as permission", () => {
    const response = { operation: "ResolveCustomer" as const, statusCode: 400 }
    const status = (error: Parameters<typeof doctorChecks.permissionResult>[1]) =>
      doctorChecks.permissionResult("ResolveCustomer", error).status
    assert.strictEqual(status(undefined), "ok")
    assert.strictEqual(status(new MeteringError.InvalidTokenException(response)), "ok")
    assert.strictEqual(status(new MeteringError.InvalidProductCodeException(response)), "warning")
    assert.strictEqual(
      status(new MeteringError.AccessDeniedError({ ...response, code: "AccessDeniedException" })),
      "problem"
    )
    assert.strictEqual(status(new MeteringError.DisabledApiException(response)), "problem")
  })
})
