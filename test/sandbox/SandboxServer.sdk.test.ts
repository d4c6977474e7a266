/** The official SDK with the sandbox as endpoint. */
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient,
  type MarketplaceMeteringServiceException,
  MeterUsageCommand,
  RegisterUsageCommand,
  ResolveCustomerCommand
} from "@aws-sdk/client-marketplace-metering"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as jose from "jose"
import { type Fault, MeteringSandbox, SandboxServer } from "../../src/sandbox/index.js"

const live = SandboxServer.layerNode().pipe(Layer.provideMerge(MeteringSandbox.layer()))

const connect = (secretAccessKey = "sandbox", maxAttempts = 1) =>
  Effect.map(
    SandboxServer.SandboxServer,
    ({ url }) =>
      new MarketplaceMeteringClient({
        region: "us-east-1",
        endpoint: url,
        credentials: { accessKeyId: "sandbox", secretAccessKey },
        maxAttempts
      })
  )

const failure = (call: Promise<unknown>) =>
  Effect.promise(() =>
    call.then(
      () => {
        throw new Error("it has succeeded")
      },
      (error: MarketplaceMeteringServiceException) => error
    )
  )

describe("the official SDK's own retries", () => {
  /** Faults, their log, and the number of processed attempts. */
  const faults: ReadonlyArray<
    readonly [ReadonlyArray<Fault.ScriptedFault>, log: ReadonlyArray<string>, calls: number]
  > = [
    [[{ fault: "throttling", retryAfter: "10 millis" }], ["throttling 400", "none 200"], 2],
    [[{ fault: "internalError" }], ["internalError 500", "none 200"], 2],
    [[{ fault: "unavailable" }], ["unavailable 503", "none 200"], 2],
    [[{ fault: "cutBefore" }], ["cutBefore -", "none 200"], 2],
    [[{ fault: "cutAfter" }], ["cutAfter 200", "none 200"], 2],
    [
      [{ fault: "cutAfter" }, { fault: "internalError" }],
      ["cutAfter 200", "internalError 500", "none 200"],
      3
    ],
    [[{ fault: "slowBody", duration: "50 millis" }], ["slowBody 200"], 1],
    [[{ fault: "latency", duration: "50 millis" }], ["latency 200"], 1],
    [[{ fault: "clockSkew", ahead: "1 hour", times: 2 }], ["clockSkew 400", "clockSkew 200"], 1],
    [[{ fault: "clockSkew", behind: "1 hour", times: 2 }], ["clockSkew 400", "clockSkew 200"], 1]
  ]
  for (const [script, log, calls] of faults) {
    it.live(`${script.map(({ fault }) => fault).join(", ")}: billed once`, () =>
      Effect.gen(function* () {
        const sdk = yield* connect("sandbox", 3)
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        const { Results } = yield* Effect.promise(() =>
          sdk.send(
            new BatchMeterUsageCommand({
              ProductCode: "sandbox-analytics",
              UsageRecords: [
                {
                  Timestamp: new Date(),
                  Dimension: "api-calls",
                  Quantity: 3,
                  CustomerAWSAccountId: "111122223333"
                }
              ]
            })
          )
        )
        assert.deepStrictEqual(
          Results?.map(({ Status }) => Status),
          ["Success"]
        )
        assert.deepStrictEqual(
          (yield* sandbox.report.billed).map(({ quantity }) => quantity),
          [3]
        )
        assert.deepStrictEqual(
          (yield* sandbox.report.log).map(({ fault, status }) => `${fault} ${status ?? "-"}`),
          log
        )
        assert.strictEqual((yield* sandbox.report.callCounts).BatchMeterUsage, calls)
      }).pipe(
        Effect.provide(
          Layer.provideMerge(
            SandboxServer.layerNode(),
            MeteringSandbox.layer({ faults: { script } })
          )
        )
      )
    )
  }

  it.live("a lost response of MeterUsage: the same client token is charged once", () =>
    Effect.gen(function* () {
      const sdk = yield* connect("sandbox", 2)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      yield* Effect.promise(() =>
        sdk.send(
          new MeterUsageCommand({
            ProductCode: "agent",
            UsageDimension: "tokens",
            Timestamp: new Date(),
            UsageQuantity: 7
          })
        )
      )
      assert.deepStrictEqual(
        (yield* sandbox.report.billed).map(({ quantity }) => quantity),
        [7]
      )
      assert.strictEqual((yield* sandbox.report.callCounts).MeterUsage, 2)
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          SandboxServer.layerNode(),
          MeteringSandbox.layer({
            products: [{ code: "agent", dimensions: ["tokens"], metering: "agentCore" }],
            customers: [
              { customerAWSAccountId: "111122223333", agreements: [{ productCode: "agent" }] }
            ],
            faults: { script: [{ fault: "cutAfter" }] }
          })
        )
      )
    )
  )

  it.live("fails after maxAttempts with the service's error", () =>
    Effect.gen(function* () {
      const sdk = yield* connect("sandbox", 2)
      const error = yield* failure(sdk.send(new BatchMeterUsageCommand({ UsageRecords: [] })))
      assert.strictEqual(error.name, "ThrottlingException")
      assert.strictEqual(error.$metadata.attempts, 2)
    }).pipe(
      Effect.provide(
        Layer.provide(
          SandboxServer.layerNode(),
          MeteringSandbox.layer({
            faults: { chances: [{ fault: "throttling", retryAfter: "1 millis", probability: 1 }] }
          })
        )
      )
    )
  )
})

// last, since `layer` replaces `it.effect` for what follows
layer(live, { excludeTestServices: true })("the official SDK", (it) => {
  it.effect("BatchMeterUsage", () =>
    Effect.gen(function* () {
      const sdk = yield* connect()
      const Timestamp = new Date(Date.now() - 1234)
      const record = { Timestamp, Dimension: "api-calls", CustomerAWSAccountId: "111122223333" }
      const send = (Quantity: number) =>
        Effect.promise(() =>
          sdk.send(
            new BatchMeterUsageCommand({
              ProductCode: "sandbox-analytics",
              UsageRecords: [
                { ...record, Quantity },
                { ...record, Quantity: 1, CustomerAWSAccountId: "999999999999" }
              ]
            })
          )
        )
      const first = yield* send(3)
      assert.deepStrictEqual(
        first.Results?.map(({ Status, UsageRecord }) => [Status, UsageRecord?.Timestamp]),
        [
          ["Success", Timestamp],
          ["CustomerNotSubscribed", Timestamp]
        ]
      )
      assert.deepStrictEqual(first.UnprocessedRecords, [])
      assert.match(first.$metadata.requestId ?? "", /^sandbox-/)
      assert.strictEqual((yield* send(4)).Results?.[0]?.Status, "DuplicateRecord")
      assert.strictEqual(
        (yield* send(3)).Results?.[0]?.MeteringRecordId,
        first.Results?.[0]?.MeteringRecordId
      )
      const error = yield* failure(
        sdk.send(new BatchMeterUsageCommand({ ProductCode: "other", UsageRecords: [] }))
      )
      assert.strictEqual(error.name, "InvalidProductCodeException")
      assert.strictEqual(error.$metadata.httpStatusCode, 400)
    })
  )

  it.effect("MeterUsage", () =>
    Effect.gen(function* () {
      const sdk = yield* connect()
      const usage = {
        ProductCode: "sandbox-container",
        UsageDimension: "pods",
        Timestamp: new Date(),
        UsageQuantity: 2
      }
      const { MeteringRecordId } = yield* Effect.promise(() =>
        sdk.send(new MeterUsageCommand(usage))
      )
      assert.match(MeteringRecordId ?? "", /^[0-9a-f-]{36}$/)
      const dry = yield* failure(sdk.send(new MeterUsageCommand({ ...usage, DryRun: true })))
      assert.strictEqual(dry.name, "DryRunOperation")
      const twice = yield* failure(sdk.send(new MeterUsageCommand({ ...usage, UsageQuantity: 3 })))
      assert.strictEqual(twice.name, "DuplicateRequestException")
    })
  )

  it.effect("RegisterUsage", () =>
    Effect.gen(function* () {
      const sdk = yield* connect()
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const { Signature = "" } = yield* Effect.promise(() =>
        sdk.send(
          new RegisterUsageCommand({
            ProductCode: "sandbox-container",
            PublicKeyVersion: 1,
            Nonce: "n"
          })
        )
      )
      const pem = yield* sandbox.report.publicKey
      const { payload } = yield* Effect.promise(async () =>
        jose.jwtVerify(Signature, await jose.importSPKI(pem, "PS256"))
      )
      assert.strictEqual(payload.nonce, "n")
    })
  )

  it.effect("ResolveCustomer", () =>
    Effect.gen(function* () {
      const sdk = yield* connect()
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const token = yield* sandbox.marketplace.mintToken({ productCode: "sandbox-container" })
      const response = yield* Effect.promise(() =>
        sdk.send(new ResolveCustomerCommand({ RegistrationToken: Redacted.value(token) }))
      )
      assert.deepInclude(response, {
        CustomerIdentifier: "cust-acme",
        CustomerAWSAccountId: "111122223333",
        ProductCode: "sandbox-container"
      })
      const error = yield* failure(
        sdk.send(new ResolveCustomerCommand({ RegistrationToken: "made-up" }))
      )
      assert.strictEqual(error.name, "InvalidTokenException")
    })
  )

  it.effect("a wrong secret", () =>
    Effect.gen(function* () {
      const sdk = yield* connect("wrong")
      const error = yield* failure(sdk.send(new BatchMeterUsageCommand({ UsageRecords: [] })))
      assert.strictEqual(error.name, "InvalidSignatureException")
    })
  )
})
