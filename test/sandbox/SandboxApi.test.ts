/** The control API over HTTP: typed client, raw requests, and requests from web pages. */
import { FetchHttpClient, HttpApiClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Context, DateTime, Effect, Layer, Redacted } from "effect"
import { MeteringClient } from "../../src/MeteringClient.js"
import {
  MeteringSandbox,
  SandboxApi,
  SandboxServer,
  type Scenario
} from "../../src/sandbox/index.js"
import * as UsageAllocation from "../../src/UsageAllocation.js"
import { post } from "./http.js"
import { acme, analytics, at, batch, record, setTime, unknownAccount } from "./support.js"

const live = Layer.provideMerge(
  SandboxServer.layerNode(),
  MeteringSandbox.layer({
    credentials: [{ accessKeyId: "AKIA1", secretAccessKey: Redacted.make("scenario-secret") }]
  })
)

const connect = Effect.flatMap(SandboxServer.SandboxServer, ({ url }) =>
  HttpApiClient.make(SandboxApi.Api, { baseUrl: url })
).pipe(Effect.provide(FetchHttpClient.layer))

const both = Effect.all([connect, MeteringSandbox.MeteringSandbox])

const now = "2026-11-24T10:30:00Z"

describe("the typed client matches MeteringSandbox", () => {
  it.effect("mintToken", () =>
    Effect.gen(function* () {
      const [api] = yield* both
      const { registrationToken } = yield* api.marketplace.mintToken({
        payload: { customerIdentifier: "cust-globex" }
      })
      const { customerIdentifier } = yield* Effect.flatMap(MeteringClient, (client) =>
        client.resolveCustomer({ registrationToken })
      )
      assert.strictEqual(customerIdentifier, "cust-globex")
    }).pipe(Effect.provide(live))
  )

  it.effect("addCustomer, subscribe, cancel, suspend, resume, customers", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const [api, sandbox] = yield* both
      const selector = { customerAWSAccountId: unknownAccount }
      const current = Effect.map(sandbox.marketplace.customers, (all) =>
        all.find(({ customerAWSAccountId }) => customerAWSAccountId === unknownAccount)
      )
      const same = (customer: Scenario.Customer) =>
        Effect.map(current, (found) => assert.deepStrictEqual(customer, found))

      yield* same(
        yield* api.marketplace.addCustomer({
          payload: { ...selector, customerIdentifier: "cust-new" }
        })
      )
      const agreement = yield* api.marketplace.subscribe({
        payload: {
          ...selector,
          productCode: analytics,
          startsAt: at(now),
          endsAt: at("2026-12-01T00:00:00Z")
        }
      })
      assert.deepStrictEqual((yield* current)?.agreements, [agreement])
      assert.match(agreement.licenseArn ?? "", /^arn:aws:license-manager::123456789012:license:l-/)
      const old = yield* api.marketplace.subscribe({
        payload: { ...selector, productCode: analytics, licenseArn: null }
      })
      assert.notProperty(old, "licenseArn")
      const cancelled = yield* api.marketplace.cancel({
        payload: { ...selector, productCode: analytics }
      })
      assert.deepStrictEqual(cancelled.agreements[0]?.cancelledAt, at(now))
      yield* same(cancelled)
      const suspended = yield* api.marketplace.suspend({ payload: selector })
      assert.isTrue(suspended.suspended)
      yield* same(suspended)
      yield* same(yield* api.marketplace.resume({ payload: selector }))
      assert.deepStrictEqual(
        yield* api.marketplace.customers(),
        yield* sandbox.marketplace.customers
      )
    }).pipe(Effect.provide(live))
  )

  it.effect("billed, records, calls, log, publicKey", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const [api, sandbox] = yield* both
      const usageAllocations = [
        UsageAllocation.make({ allocatedUsageQuantity: 1, tags: [{ key: "team", value: "a" }] }),
        UsageAllocation.make({ allocatedUsageQuantity: 2 })
      ] as const
      yield* batch([record(at(now), { quantity: 3, usageAllocations })])
      yield* Effect.ignore(batch([record(at(now))], "unknown"))
      yield* post({ unsigned: true })
      assert.deepStrictEqual(yield* api.report.billed({ urlParams: {} }), {
        billed: [
          {
            productCode: analytics,
            customerAWSAccountId: acme,
            dimension: "api-calls",
            hour: at("2026-11-24T10:00:00Z"),
            quantity: 3
          }
        ]
      })
      assert.deepStrictEqual(yield* api.report.records({ urlParams: {} }), {
        records: yield* sandbox.report.records
      })
      assert.strictEqual((yield* api.report.callCounts()).BatchMeterUsage, 2)
      const log = yield* api.report.log({ urlParams: {} })
      assert.lengthOf(log, 3)
      assert.deepStrictEqual(log, yield* sandbox.report.log)
      assert.deepStrictEqual(yield* api.report.log({ urlParams: { limit: 2 } }), log.slice(1))
      assert.strictEqual(yield* api.report.publicKey(), yield* sandbox.report.publicKey)
    }).pipe(Effect.provide(live))
  )

  it.effect("now, setTime, advance", () =>
    Effect.gen(function* () {
      const [api, sandbox] = yield* both
      assert.deepStrictEqual(yield* api.control.now(), { now: DateTime.unsafeMake(0) })
      yield* api.control.setTime({ payload: { now: at(now) } })
      assert.deepStrictEqual(yield* sandbox.control.now, at(now))
      assert.deepStrictEqual(yield* api.control.advance({ payload: { by: "90 minutes" } }), {
        now: at("2026-11-24T12:00:00Z")
      })
    }).pipe(Effect.provide(live))
  )

  it.effect("setFaults", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const [api] = yield* both
      yield* api.control.setFaults({
        payload: {
          script: [{ fault: "throttling", operation: "BatchMeterUsage", retryAfter: "1 second" }],
          chances: [{ fault: "internalError", probability: 1 }],
          seed: 3
        }
      })
      const failure = Effect.map(Effect.flip(batch([record(at(now))])), ({ _tag }) => _tag)
      assert.strictEqual(yield* failure, "ThrottlingException")
      assert.strictEqual(yield* failure, "InternalServiceErrorException")
      yield* api.control.setFaults({ payload: {} })
      yield* batch([record(at(now))])
    }).pipe(Effect.provide(live))
  )

  it.effect.each(["records", "billed", "events", "events/scheduled"])(
    "an invalid page of %s is rejected with a readable message",
    (list) =>
      Effect.gen(function* () {
        for (const [query, message] of [
          ["limit=0", "limit: expected a whole number from 1 to 10000"],
          ["limit=10001", "limit: expected a whole number from 1 to 10000"],
          ["limit=x", "limit: expected a whole number from 1 to 10000"],
          ["limit=1&limit=2", "limit: expected a whole number from 1 to 10000"],
          ["after=a&after=b", "after: expected next of the previous page"]
        ]) {
          const { json, status } = yield* send(`/_sandbox/${list}?${query}`)
          assert.strictEqual(status, 400)
          assert.strictEqual(json.message, message)
        }
      }).pipe(Effect.provide(live))
  )

  it.effect("reset, save, load", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const [api, sandbox] = yield* both
      yield* batch([record(at(now))])
      const saved = yield* api.control.save()
      assert.strictEqual(saved, yield* sandbox.control.save)
      yield* api.control.reset()
      assert.lengthOf(yield* sandbox.report.billed, 0)
      yield* api.control.load({ payload: saved })
      assert.lengthOf(yield* sandbox.report.billed, 1)
    }).pipe(Effect.provide(live))
  )
})

/** A raw request. */
const send = (path: string, init: RequestInit = {}) =>
  Effect.flatMap(SandboxServer.SandboxServer, ({ url }) =>
    Effect.promise(async (signal) => {
      const response = await fetch(url + path, { signal, ...init })
      const text = await response.text()
      assert.strictEqual(response.headers.get("x-effect-marketplace-metering-sandbox"), "true")
      return {
        status: response.status,
        type: response.headers.get("content-type") ?? "",
        text,
        json: /^[[{]/.test(text) ? JSON.parse(text) : undefined
      }
    })
  )

const json = (body: unknown, method = "POST"): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: typeof body === "string" ? body : JSON.stringify(body)
})

describe("a state is read as text with any content type", () => {
  for (const type of ["", "text/plain", "application/json", "application/octet-stream"]) {
    it.effect(type === "" ? "no content type" : type, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const [, sandbox] = yield* both
        yield* batch([record(at(now))])
        const saved = yield* sandbox.control.save
        yield* sandbox.control.reset
        const { status, text } = yield* send("/_sandbox/state", {
          method: "PUT",
          headers: type === "" ? {} : { "content-type": type },
          body: new TextEncoder().encode(saved)
        })
        assert.strictEqual(status, 204, text)
        assert.lengthOf(yield* sandbox.report.billed, 1)
      }).pipe(Effect.provide(live))
    )
  }
})

describe("errors", () => {
  it.effect("the typed client fails with SandboxError", () =>
    Effect.gen(function* () {
      const [api] = yield* both
      const errors = yield* Effect.all([
        Effect.flip(api.marketplace.mintToken({ payload: { customerIdentifier: "unknown" } })),
        Effect.flip(api.control.load({ payload: "not a state" }))
      ])
      for (const error of errors) assert.instanceOf(error, MeteringSandbox.SandboxError)
      assert.deepStrictEqual(
        errors.map(({ message }) => message),
        ["There is no customer unknown in the sandbox.", "line 1: this is not a sandbox's state"]
      )
    }).pipe(Effect.provide(live))
  )

  const rejected: ReadonlyArray<
    readonly [what: string, path: string, init: RequestInit, status: number, tag: string, RegExp]
  > = [
    [
      "an unknown customer",
      "/tokens",
      json({ customerIdentifier: "x" }),
      409,
      "SandboxError",
      /no customer x/
    ],
    [
      "an unknown product",
      "/subscribe",
      json({ customerIdentifier: "cust-acme", productCode: "x" }),
      409,
      "SandboxError",
      /no product x/
    ],
    [
      "a misspelled field",
      "/tokens",
      json({ customerIdentifer: "cust-acme" }),
      400,
      "HttpApiDecodeError",
      /customerIdentifer/
    ],
    ["no body", "/tokens", { method: "POST" }, 400, "HttpApiDecodeError", /Expected an object/],
    ["truncated JSON", "/tokens", json('{"a'), 400, "HttpApiDecodeError", /not JSON/],
    [
      "well-formed deep JSON",
      "/tokens",
      json(`${"[".repeat(3000)}${"]".repeat(3000)}`),
      400,
      "HttpApiDecodeError",
      /Expected an object/
    ],
    [
      "deep JSON in a field",
      "/customers",
      json(`{"agreements":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`),
      400,
      "HttpApiDecodeError",
      /agreements: Expected a list/
    ],
    ["deep JSON", "/tokens", json("[".repeat(100_000)), 400, "HttpApiDecodeError", /not JSON/],
    [
      "a time without a zone",
      "/clock",
      json({ now: "2026-11-24T10:30:00" }, "PUT"),
      400,
      "HttpApiDecodeError",
      /zone/
    ],
    [
      "a time beyond the year 9999",
      "/clock/advance",
      json({ by: "9000000 days" }),
      409,
      "SandboxError",
      /years from 0 to 9999/
    ],
    [
      "an invalid duration",
      "/clock/advance",
      json({ by: "soon" }),
      400,
      "HttpApiDecodeError",
      /duration/
    ],
    [
      "an account of invalid form",
      "/customers",
      json({ customerAWSAccountId: "acme-1" }),
      400,
      "HttpApiDecodeError",
      /digits only/
    ],
    [
      "an unknown fault",
      "/faults",
      json({ script: [{ fault: "x" }] }, "PUT"),
      400,
      "HttpApiDecodeError",
      /script\[0\]\.fault: Expected \\"none\\"/
    ],
    [
      "a latency of 200 years",
      "/faults",
      json({ script: [{ fault: "latency", duration: 8e12 }] }, "PUT"),
      400,
      "HttpApiDecodeError",
      /script\[0\]\.duration: Expected a duration of at most 1 day/
    ],
    [
      "a form",
      "/tokens",
      { method: "POST", body: new URLSearchParams({ customerIdentifier: "cust-acme" }) },
      415,
      "Rejected",
      /application\/json/
    ],
    [
      "a form of curl -X PUT",
      "/faults",
      { method: "PUT", body: new URLSearchParams({ '{"script":[]}': "" }) },
      415,
      "Rejected",
      /application\/json/
    ],
    [
      "a body of more than 1 MiB",
      "/customers",
      json(" ".repeat(1_048_577)),
      413,
      "Rejected",
      /longer than 1048576 bytes/
    ]
  ]
  for (const [what, path, init, status, tag, said] of rejected) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const response = yield* send(`/_sandbox${path}`, init)
        assert.deepStrictEqual([response.status, response.json?._tag], [status, tag], response.text)
        assert.match(response.text, said)
        // readable, without names of TypeScript types
        assert.isBelow(response.text.length, 1500)
        assert.notMatch(response.text, /readonly|DateTime\.|Redacted/)
      }).pipe(Effect.provide(live))
    )
  }

  /** A body without its length, as a stream is sent. */
  const chunked = (...chunks: ReadonlyArray<string>) => ({
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: new ReadableStream({
      start: (controller) => {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
        controller.close()
      }
    }),
    duplex: "half" as const
  })

  it.effect("a body without its length has the same limit", () =>
    Effect.gen(function* () {
      const space = " ".repeat(524_288)
      const long = yield* send("/_sandbox/faults", chunked(space, space, "{}"))
      assert.deepStrictEqual([long.status, long.json?._tag], [413, "Rejected"])
      const script = '{"script":[{"fault":"cutAfter"}]}'
      const short = yield* send(
        "/_sandbox/faults",
        chunked(space, script.slice(0, 9), script.slice(9))
      )
      assert.strictEqual(short.status, 204, short.text)
      const { control } = yield* MeteringSandbox.MeteringSandbox
      assert.strictEqual((yield* control.faults).script?.[0]?.fault, "cutAfter")
      const truncated = yield* send("/_sandbox/faults", chunked('{"script":'))
      assert.deepStrictEqual([truncated.status, truncated.json?._tag], [400, "HttpApiDecodeError"])
    }).pipe(Effect.provide(live))
  )

  it.effect("only a saved state may be longer", () =>
    Effect.gen(function* () {
      const body = "x".repeat(2_000_000)
      const { json, status } = yield* send("/_sandbox/state", { method: "PUT", body })
      assert.deepStrictEqual([status, json?._tag], [409, "SandboxError"])
    }).pipe(Effect.provide(live))
  )

  it.effect("an unknown page is a 404 that names the documentation", () =>
    Effect.gen(function* () {
      for (const path of ["/", "/_sandbox/nothing", "/_sandboxes"]) {
        const { json, status } = yield* send(path)
        assert.strictEqual(status, 404)
        assert.include(json.message, "sandbox of AWS Marketplace Metering")
        assert.include(json.message, "/_sandbox/docs")
      }
    }).pipe(Effect.provide(live))
  )
})

describe("the documentation", () => {
  it.effect("browsers are redirected to the pages from the root", () =>
    Effect.gen(function* () {
      for (const path of ["/", "/_sandbox"]) {
        const accept = "text/html,application/xhtml+xml,*/*;q=0.8"
        const { url } = yield* SandboxServer.SandboxServer
        const redirect = yield* Effect.promise(() =>
          fetch(url + path, { redirect: "manual", headers: { accept } })
        )
        assert.deepStrictEqual(
          [redirect.status, redirect.headers.get("location")],
          [302, "/_sandbox/"]
        )
        assert.include((yield* send(path, { headers: { accept } })).type, "text/html")
      }
      // a POST to the same address is a call
      assert.strictEqual((yield* post({ unsigned: true })).status, 400)
    }).pipe(Effect.provide(live))
  )

  /** Endpoints with a valid example for which the default scenario has no agreement, event or target. */
  const needsState = new Set([
    "/_sandbox/fail-payment",
    "/_sandbox/events/resend",
    "/_sandbox/targets/subscribe"
  ])

  it.effect("has a valid example for every body, and no authorization", () =>
    Effect.gen(function* () {
      const { json } = yield* send("/_sandbox/openapi.json")
      assert.notProperty(json.components, "securitySchemes")
      type Body = Readonly<Record<string, { readonly example?: unknown }>>
      type Described = { readonly requestBody?: { readonly content: Body } }
      const requests = Object.entries<Record<string, Described>>(json.paths).flatMap(
        ([path, methods]) =>
          Object.entries(methods).flatMap(([method, { requestBody }]) =>
            Object.entries(requestBody?.content ?? {}).map(([type, { example }]) => ({
              path,
              method: method.toUpperCase(),
              type,
              example
            }))
          )
      )
      assert.lengthOf(requests, 23)
      yield* Effect.forEach(requests, ({ example, method, path, type }) =>
        Effect.gen(function* () {
          const { status, text } = yield* send(path, {
            method,
            headers: { "content-type": type },
            body: typeof example === "string" ? example : JSON.stringify(example)
          })
          assert.include(needsState.has(path) ? [409] : [200, 204], status, `${path}: ${text}`)
        })
      )
    }).pipe(Effect.provide(live))
  )

  it.effect("has a summary for every endpoint, and no secret", () =>
    Effect.gen(function* () {
      const { json, status, text } = yield* send("/_sandbox/openapi.json")
      assert.strictEqual(status, 200)
      assert.strictEqual(json.info.title, "Sandbox of AWS Marketplace Metering")
      const operations = Object.values<Record<string, { operationId: string; summary?: string }>>(
        json.paths
      ).flatMap((methods) => Object.values(methods))
      assert.sameMembers(
        operations.map(({ operationId }) => operationId),
        Object.entries(yield* MeteringSandbox.MeteringSandbox).flatMap(([group, members]) =>
          Object.keys(members)
            // pages are at the endpoint with the name of the list, and events in memory have none
            .filter((name) => !name.endsWith("Page") && name !== "stream")
            .map((name) => `${group}.${name}`)
        )
      )
      for (const { operationId, summary } of operations) assert.isString(summary, operationId)
      for (const name of Object.keys(json.components.schemas)) assert.match(name, /^\w+$/)
      assert.notInclude(text, "scenario-secret")
    }).pipe(Effect.provide(live))
  )
})

describe("requests from web pages", () => {
  /** Sends headers that `fetch` does not allow to set. */
  const asBrowser = (headers: Readonly<Record<string, string>>, method = "POST") =>
    Effect.flatMap(SandboxServer.SandboxServer, ({ url }) =>
      Effect.promise(async () => {
        const { request } = await import("node:http")
        return new Promise<number | undefined>((resolve, reject) => {
          request(`${url}/_sandbox/${method === "POST" ? "reset" : "billed"}`, { method, headers })
            .on("response", (response) => resolve(response.resume().statusCode))
            .on("error", reject)
            .end()
        })
      })
    )

  const cases: ReadonlyArray<readonly [Readonly<Record<string, string>>, string, number]> = [
    [{}, "POST", 204],
    [{ origin: "http://evil.example" }, "POST", 403],
    [{ origin: "null" }, "POST", 403],
    [{ origin: "http://localhost:1" }, "POST", 403],
    [{ host: "localhost:4598", origin: "http://localhost:4598" }, "POST", 204],
    [{ host: "127.0.0.1:4598", origin: "http://127.0.0.1:4598" }, "POST", 204],
    [{ host: "[::1]:4598" }, "POST", 204],
    // DNS rebinding: a foreign name that resolves to the local machine
    [{ host: "evil.example", origin: "http://evil.example" }, "POST", 403],
    [{ host: "evil.example" }, "GET", 403],
    [{ host: "localhost.evil.example" }, "GET", 403],
    [{ host: "127.0.0.1.evil.example" }, "GET", 403],
    [{ host: "evil.example#localhost" }, "GET", 403],
    [{ "content-type": "text/plain" }, "POST", 415],
    [{ "content-type": "multipart/form-data; boundary=x" }, "POST", 415],
    [{ "content-type": "application/x-www-form-urlencoded" }, "POST", 415]
  ]
  for (const [headers, method, status] of cases) {
    it.effect(`${method} with ${JSON.stringify(headers)} is a ${status}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* asBrowser(headers, method), status)
      }).pipe(Effect.provide(live))
    )
  }

  it.effect("make no calls from another site, not even with a valid signature", () =>
    Effect.gen(function* () {
      const { url } = yield* SandboxServer.SandboxServer
      const call = (origin: string) =>
        Effect.map(
          post({
            headers: { origin },
            body: '{"ProductCode":"sandbox-analytics","UsageRecords":[]}'
          }),
          ({ status }) => status
        )
      assert.strictEqual(yield* call(url), 200)
      for (const origin of ["http://evil.example", "null"]) {
        assert.strictEqual(yield* call(origin), 403)
      }
    }).pipe(Effect.provide(Layer.provide(SandboxServer.layerNode(), MeteringSandbox.layer())))
  )

  it.effect("make no calls by a name that leads to this machine", () =>
    Effect.gen(function* () {
      const { url } = yield* SandboxServer.SandboxServer
      const { request } = yield* Effect.promise(() => import("node:http"))
      const call = (host: string) =>
        Effect.promise(
          () =>
            new Promise<number | undefined>((resolve, reject) => {
              const headers = {
                host,
                origin: `http://${host}`,
                "x-amz-target": "AWSMPMeteringService.BatchMeterUsage"
              }
              request(url, { method: "POST", headers })
                .on("response", (response) => resolve(response.resume().statusCode))
                .on("error", reject)
                .end("{}")
            })
        )
      assert.strictEqual(yield* call("evil.example"), 403)
      // unsigned
      assert.strictEqual(yield* call("localhost"), 400)
    }).pipe(Effect.provide(live))
  )

  it.effect("do not get CORS preflight responses", () =>
    Effect.gen(function* () {
      const { status } = yield* send("/_sandbox/reset", { method: "OPTIONS" })
      assert.strictEqual(status, 404)
    }).pipe(Effect.provide(live))
  )

  const anywhere = Layer.provide(
    SandboxServer.layerNode({ host: "0.0.0.0", publicUrl: "http://Sandbox.example:4598/" }),
    MeteringSandbox.layer()
  )
  const hosts: ReadonlyArray<readonly [host: string, status: number]> = [
    ["localhost:4598", 204],
    ["sandbox", 204],
    ["sandbox:4598", 204],
    ["sandbox.internal:4598", 204],
    ["sandbox.default.svc", 204],
    ["sandbox.default.svc.cluster.local:4598", 204],
    ["192.0.2.1:4598", 204],
    ["[2001:db8::1]:4598", 204],
    ["sandbox.example:4598", 204],
    // DNS rebinding
    ["sandbox.example", 403],
    ["evil.example:4598", 403],
    ["192.0.2.1.evil.example:4598", 403],
    ["evil.internal.example", 403],
    ["evil.example#internal", 403]
  ]
  for (const [host, status] of hosts) {
    it.effect(`a server on another interface responds to the host "${host}" with ${status}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* asBrowser({ host, origin: `http://${host}` }), status)
        assert.strictEqual(yield* asBrowser({ host }, "GET"), status === 204 ? 200 : status)
      }).pipe(Effect.provide(anywhere))
    )
  }

  it.effect("a server on another interface accepts no other origin", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* asBrowser({ host: "sandbox.internal:4598", origin: "http://evil.example" }),
        403
      )
    }).pipe(Effect.provide(anywhere))
  )

  it.effect("a server behind a proxy accepts the host of its public URL", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* asBrowser({ host: "tunnel.example" }), 204)
      for (const host of ["evil.example", "sandbox", "192.0.2.1"]) {
        assert.strictEqual(yield* asBrowser({ host }), 403, host)
      }
    }).pipe(
      Effect.provide(
        Layer.provide(
          SandboxServer.layerNode({ publicUrl: "https://tunnel.example" }),
          MeteringSandbox.layer()
        )
      )
    )
  )

  it.effect("a server on a loopback address in IPv6 accepts no foreign host", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* asBrowser({ host: "evil.example" }), 403)
    }).pipe(
      Effect.provide(
        Layer.provide(
          SandboxServer.layerNode({ host: "::ffff:127.0.0.1" }),
          MeteringSandbox.layer()
        )
      )
    )
  )
})

describe("with another client", () => {
  it.effect("that is not a sandbox, there is no control API", () =>
    Effect.gen(function* () {
      const { json, status } = yield* send("/_sandbox/billed")
      assert.strictEqual(status, 404)
      assert.notInclude(json.message, "/_sandbox")
    }).pipe(
      Effect.provide(
        Layer.provide(
          SandboxServer.layerNode(),
          Layer.map(MeteringSandbox.layer(), (context) =>
            Context.make(MeteringClient, Context.get(context, MeteringClient))
          )
        )
      )
    )
  )

  it.effect("that wraps a sandbox, calls go through it and the control API is served", () => {
    const seen: Array<string> = []
    const spied = Layer.map(MeteringSandbox.layer(), (context) => {
      const client = Context.get(context, MeteringClient)
      return Context.add(context, MeteringClient, {
        ...client,
        batchMeterUsage: (request) => {
          seen.push("batchMeterUsage")
          return client.batchMeterUsage(request)
        }
      })
    })
    return Effect.gen(function* () {
      const { status } = yield* post({
        body: '{"ProductCode":"sandbox-analytics","UsageRecords":[]}'
      })
      assert.deepStrictEqual([status, seen], [200, ["batchMeterUsage"]])
      assert.strictEqual((yield* send("/_sandbox/calls")).json.BatchMeterUsage, 1)
    }).pipe(Effect.provide(Layer.provide(SandboxServer.layerNode(), spied)))
  })
})
