/** Access keys of the scenario, any credentials, and the log of callers. */
import { request } from "node:http"
import { json } from "node:stream/consumers"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Redacted } from "effect"
import { MeteringSandbox, SandboxServer, type Scenario } from "../../src/sandbox/index.js"
import { coral, eventually, modelled, post, type RawRequest } from "./http.js"
import { billed } from "./support.js"

const [seller, buyer, expired]: readonly [
  Scenario.AccessKey,
  Scenario.AccessKey,
  Scenario.AccessKey
] = [
  {
    accessKeyId: "AKIASELLER",
    secretAccessKey: Redacted.make("seller-secret"),
    allow: ["BatchMeterUsage", "ResolveCustomer"]
  },
  {
    accessKeyId: "ASIABUYER",
    secretAccessKey: Redacted.make("buyer-secret"),
    sessionToken: Redacted.make("buyer-token"),
    caller: { customerAWSAccountId: "222233334444", instanceId: "i-2" }
  },
  {
    accessKeyId: "AKIAEXPIRED",
    secretAccessKey: Redacted.make("expired-secret"),
    expiration: DateTime.unsafeMake(0)
  }
]

const signedBy = ({
  accessKeyId,
  secretAccessKey,
  sessionToken
}: Scenario.AccessKey): RawRequest => ({
  accessKeyId,
  secretAccessKey: Redacted.value(secretAccessKey),
  sessionToken: sessionToken === undefined ? "" : Redacted.value(sessionToken)
})

const batch = {
  body: JSON.stringify({
    ProductCode: "sandbox-analytics",
    UsageRecords: [
      { Timestamp: 0, Dimension: "api-calls", Quantity: 1, CustomerIdentifier: "cust-acme" }
    ]
  })
}

const meter = {
  operation: "MeterUsage",
  body: JSON.stringify({
    ProductCode: "sandbox-analytics",
    Timestamp: 0,
    UsageDimension: "api-calls",
    UsageQuantity: 1
  })
}

const live = (options?: SandboxServer.NodeOptions) =>
  Layer.provideMerge(
    SandboxServer.layerNode(options),
    MeteringSandbox.layer({ credentials: [seller, buyer, expired] })
  )

const log = Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ report }) => report.log)

type Cases = ReadonlyArray<readonly [what: string, RawRequest, status: number, type?: string]>

const itResponds = (cases: Cases, options?: SandboxServer.NodeOptions) => {
  for (const [what, request, status, type] of cases) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const response = yield* post(request)
        assert.deepStrictEqual([response.status, response.type], [status, type], response.text)
      }).pipe(Effect.provide(live(options)))
    )
  }
}

describe("the access keys of a scenario", () => {
  itResponds([
    ["are accepted", { ...signedBy(seller), ...batch }, 200],
    ["are accepted with a session token", { ...signedBy(buyer), ...batch }, 200],
    [
      "replace the default access key",
      { accessKeyId: "sandbox", secretAccessKey: "sandbox", ...batch },
      400,
      coral("UnrecognizedClientException")
    ],
    [
      "are rejected without their session token",
      { ...signedBy(buyer), sessionToken: "", ...batch },
      400,
      coral("UnrecognizedClientException")
    ],
    [
      "are rejected after their expiration",
      { ...signedBy(expired), ...batch },
      400,
      coral("ExpiredTokenException")
    ],
    [
      "allow only their operations",
      { ...signedBy(seller), ...meter },
      400,
      coral("AccessDeniedException")
    ],
    [
      "fail a dry run with UnauthorizedException",
      { ...signedBy(seller), ...meter, body: meter.body.replace("{", '{"DryRun":true,') },
      400,
      coral("UnauthorizedException")
    ]
  ])

  it.effect("identify the caller's account", () =>
    Effect.gen(function* () {
      yield* post({ ...signedBy(buyer), ...meter })
      const [call] = yield* billed
      assert.include(call, "222233334444")
    }).pipe(Effect.provide(live()))
  )
})

describe("access keys of the server", () => {
  itResponds(
    [
      ["are accepted", { accessKeyId: "AKIA1", secretAccessKey: "s", ...batch }, 200],
      [
        "replace the scenario's",
        { ...signedBy(seller), ...batch },
        400,
        coral("UnrecognizedClientException")
      ]
    ],
    { credentials: [{ accessKeyId: "AKIA1", secretAccessKey: Redacted.make("s") }] }
  )
})

describe("any credentials", () => {
  const options: SandboxServer.NodeOptions = { anyCredentials: true }
  itResponds(
    [
      ["an unknown key", { accessKeyId: "AKIAOTHER", ...batch }, 200],
      ["a wrong secret", { ...signedBy(seller), secretAccessKey: "other", ...batch }, 200],
      ["no signature", { unsigned: true, ...batch }, 200],
      ["a stale date", { now: -86_400_000, ...batch }, 200],
      ["another service's scope", { service: "s3", ...batch }, 200],
      [
        "a body that is not JSON",
        { unsigned: true, body: "[" },
        400,
        coral("SerializationException")
      ],
      [
        "an operation that a known key does not allow",
        { ...signedBy(seller), ...meter },
        400,
        coral("AccessDeniedException")
      ],
      [
        "a product that a known key's account is not subscribed to",
        {
          ...signedBy(buyer),
          ...meter,
          body: meter.body.replaceAll("analytics", "container").replace("api-calls", "pods")
        },
        400,
        modelled("CustomerNotEntitledException")
      ]
    ],
    options
  )

  it.effect("are logged as unchecked", () =>
    Effect.gen(function* () {
      yield* post({ accessKeyId: "AKIAOTHER", ...batch })
      yield* post({ unsigned: true, ...batch })
      assert.deepStrictEqual(
        (yield* log).map(({ accessKeyId, signature }) => [signature, accessKeyId]),
        [
          ["unchecked", "AKIAOTHER"],
          ["unchecked", undefined]
        ]
      )
    }).pipe(Effect.provide(live(options)))
  )
})

/** Names another access key in an unrelated field of the header. */
const withDecoy = (accessKeyId: string) => ({
  altered: {
    authorization: (signed: string) => signed.replace(" ", ` X-Credential=${accessKeyId}/x, `)
  }
})

describe("the caller is the access key of the signature, not one named elsewhere in the header", () => {
  const decoys: ReadonlyArray<readonly [what: string, RawRequest, expected: string]> = [
    [
      "an operation that only the other key allows",
      { ...signedBy(seller), ...meter, ...withDecoy("ASIABUYER") },
      `AKIASELLER verified 400 ${coral("AccessDeniedException")}`
    ],
    [
      "the other key has expired",
      { ...signedBy(seller), ...batch, ...withDecoy("AKIAEXPIRED") },
      "AKIASELLER verified 200 "
    ],
    [
      "its own key has expired",
      { ...signedBy(expired), ...batch, ...withDecoy("AKIASELLER") },
      `AKIAEXPIRED rejected 400 ${coral("ExpiredTokenException")}`
    ]
  ]
  for (const [what, request, expected] of decoys) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const { status, type = "" } = yield* post(request)
        const [call] = yield* log
        assert.strictEqual(`${call?.accessKeyId} ${call?.signature} ${status} ${type}`, expected)
      }).pipe(Effect.provide(live()))
    )
  }

  it.effect("also with any credentials", () =>
    Effect.gen(function* () {
      const request = { ...signedBy(seller), ...meter, ...withDecoy("ASIABUYER") }
      assert.strictEqual((yield* post(request)).type, coral("AccessDeniedException"))
      assert.deepStrictEqual(
        (yield* log).map(({ accessKeyId }) => accessKeyId),
        ["AKIASELLER"]
      )
    }).pipe(Effect.provide(live({ anyCredentials: true })))
  )
})

describe("the log", () => {
  it.effect("has every call with the result of its verification and its error", () =>
    Effect.gen(function* () {
      const requests: ReadonlyArray<RawRequest> = [
        { ...signedBy(seller), ...batch },
        { ...signedBy(seller), ...batch, secretAccessKey: "other" },
        { ...signedBy(expired), ...batch },
        { ...signedBy(seller), body: "[" },
        { ...signedBy(seller), body: " ".repeat(1_000_000) },
        { ...signedBy(seller), operation: "MeterEverything" },
        { ...signedBy(seller), path: "/v1" },
        { ...signedBy(seller), ...meter },
        { unsigned: true, ...batch }
      ]
      const ids: Array<string | null> = []
      for (const request of requests) {
        const { headers } = yield* post(request)
        ids.push(headers.get("x-amzn-requestid"))
      }
      yield* post({ method: "GET", unsigned: true })
      const calls = yield* log
      assert.deepStrictEqual(
        calls.map(({ requestId }) => requestId),
        ids
      )
      const codeOf = (response: unknown) => /#(\w+)/.exec(JSON.stringify(response))?.[1]
      assert.deepStrictEqual(
        calls.map(({ accessKeyId, operation, response, signature, status }) =>
          [operation, accessKeyId, signature, status, codeOf(response)].join(" ")
        ),
        [
          "BatchMeterUsage AKIASELLER verified 200 ",
          "BatchMeterUsage AKIASELLER rejected 400 InvalidSignatureException",
          "BatchMeterUsage AKIAEXPIRED rejected 400 ExpiredTokenException",
          "BatchMeterUsage AKIASELLER verified 400 SerializationException",
          "BatchMeterUsage AKIASELLER unchecked 413 RequestEntityTooLargeException",
          " AKIASELLER unchecked 400 UnknownOperationException",
          " AKIASELLER unchecked 404 UnknownOperationException",
          "MeterUsage AKIASELLER verified 400 AccessDeniedException",
          "BatchMeterUsage  rejected 400 MissingAuthenticationTokenException"
        ]
      )
      assert.deepStrictEqual(calls[0]?.request, JSON.parse(batch.body))
    }).pipe(Effect.provide(live()))
  )
})

it.effect("setting the clock does not affect signatures", () =>
  Effect.gen(function* () {
    const sandbox = yield* MeteringSandbox.MeteringSandbox
    yield* sandbox.control.setTime(DateTime.unsafeMake("2026-11-25T10:00:00Z"))
    const { headers, message, status } = yield* post({ ...signedBy(seller), ...batch })
    assert.deepStrictEqual([status, headers.get("date")], [400, "Thu, 01 Jan 1970 00:00:00 GMT"])
    assert.include(message, "24 hours")
  }).pipe(Effect.provide(live()))
)

it.effect("the scenario limits the size of a body", () =>
  Effect.gen(function* () {
    const sent = (length: number) => post({ body: batch.body.padEnd(length) })
    assert.strictEqual((yield* sent(299)).status, 200)
    assert.strictEqual((yield* sent(300)).status, 413)
  }).pipe(
    Effect.provide(
      Layer.provide(
        SandboxServer.layerNode(),
        MeteringSandbox.layer({ rules: { requestSizeLimit: 300 } })
      )
    )
  )
)

it.effect("concurrent calls without a ClientToken are each charged, on Bedrock AgentCore", () =>
  Effect.gen(function* () {
    const { save } = (yield* MeteringSandbox.MeteringSandbox).control
    const { url } = yield* SandboxServer.SandboxServer
    const pending = [1, 2].map(() =>
      request(url, {
        method: "POST",
        headers: {
          "x-amz-target": "AWSMPMeteringService.MeterUsage",
          "content-length": body.length
        }
      })
    )
    const responses = pending.map(
      (call) =>
        new Promise<unknown>((resolve, reject) =>
          call.on("error", reject).on("response", (response) => resolve(json(response)))
        )
    )
    for (const call of pending) call.flushHeaders()
    yield* eventually(save, (saved) => saved.includes('"arrivals":2'))
    for (const call of pending) call.end(body)
    const ids = yield* Effect.promise(() => Promise.all(responses))
    assert.notDeepEqual(ids[0], ids[1])
    assert.deepStrictEqual(yield* billed, ["agent 111122223333 tokens 1970-01-01T00:00:00.000Z 6"])
  }).pipe(
    Effect.provide(
      Layer.provideMerge(
        SandboxServer.layerNode({ anyCredentials: true }),
        MeteringSandbox.layer({
          products: [{ code: "agent", dimensions: ["tokens"], metering: "agentCore" }],
          customers: [
            { customerAWSAccountId: "111122223333", agreements: [{ productCode: "agent" }] }
          ]
        })
      )
    )
  )
)

const body = JSON.stringify({
  ProductCode: "agent",
  Timestamp: 0,
  UsageDimension: "tokens",
  UsageQuantity: 3
})
