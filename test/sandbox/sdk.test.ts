/** The official SDK, pointed at the sandbox. */
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient,
  type MarketplaceMeteringServiceException,
  MeterUsageCommand,
  RegisterUsageCommand,
  ResolveCustomerCommand
} from "@aws-sdk/client-marketplace-metering"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as jose from "jose"
import { MeteringSandbox, SandboxServer } from "../../src/sandbox/index.js"

const live = SandboxServer.layerNode().pipe(Layer.provideMerge(MeteringSandbox.layer()))

const connect = (secretAccessKey = "sandbox") =>
  Effect.map(
    SandboxServer.SandboxServer,
    ({ url }) =>
      new MarketplaceMeteringClient({
        region: "us-east-1",
        endpoint: url,
        credentials: { accessKeyId: "sandbox", secretAccessKey },
        maxAttempts: 1
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
      const pem = yield* sandbox.publicKey
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
      const token = yield* sandbox.mintToken({ productCode: "sandbox-container" })
      const answer = yield* Effect.promise(() =>
        sdk.send(new ResolveCustomerCommand({ RegistrationToken: Redacted.value(token) }))
      )
      assert.deepInclude(answer, {
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
