/** A small program of a user's, type-checked and run with the peers that are installed beside the package. */
import assert from "node:assert/strict"
import { FetchHttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { DateTime, Effect, Layer, Option, pipe, Redacted, Stream } from "effect"
import {
  Accessors,
  AwsCredentials,
  MeteringClient,
  MeteringConfig,
  MeteringRetry,
  Optic,
  UsageRecord,
  UsageSubmission
} from "effect-marketplace-metering"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import { EntitlementClient, EntitlementConfig } from "effect-marketplace-metering/entitlement"
import { AwsSdkEntitlementClient } from "effect-marketplace-metering/entitlement/aws-sdk"
import * as Node from "effect-marketplace-metering/node"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"

const productCode = "sandbox-analytics"
const customerAWSAccountId = "111122223333"

const SandboxLive = Layer.provideMerge(SandboxServer.layerNode(), MeteringSandbox.layer())

const seats = { dimension: "seats", value: { integerValue: 25 } }

/** Leads what reads the environment to the sandbox. */
const configureEnvironment = Effect.map(SandboxServer.SandboxServer, ({ url }) => {
  Object.assign(process.env, {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "sandbox",
    AWS_SECRET_ACCESS_KEY: "sandbox",
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: url
  })
  return url
})

const configLayer = (endpoint: string) =>
  Layer.merge(
    MeteringConfig.layer({ region: "us-east-1", endpoint }),
    AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" })
  )

const overFetch = (url: string) =>
  MeteringClient.layer.pipe(Layer.provide([configLayer(url), FetchHttpClient.layer]))

const clientsAt = (url: string) =>
  [
    overFetch(url),
    MeteringClient.layer.pipe(Layer.provide([configLayer(url), NodeHttpClient.layerUndici])),
    MeteringClient.layer.pipe(Layer.provide(Node.layer), Layer.orDie),
    AwsSdkClient.layer.pipe(Layer.provide(configLayer(url)))
  ] as const

const entitlementClientsAt = (url: string) =>
  [
    EntitlementClient.layer.pipe(Layer.provide(FetchHttpClient.layer)),
    AwsSdkEntitlementClient.layer
  ].map(
    Layer.provide([
      EntitlementConfig.layer({ endpoint: url }),
      AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" })
    ])
  )

const readEntitlements = Effect.gen(function* () {
  const entitlements = yield* EntitlementClient.entitlements({
    productCode,
    filter: { customerAWSAccountId: ["555566667777"] }
  }).pipe(Stream.runCollect)
  assert.deepEqual(
    Array.from(entitlements, ({ dimension, value }) => [dimension, value?.integerValue]),
    [[seats.dimension, seats.value.integerValue]]
  )
})

/** A record of usage, by way of the accessors. */
const record = (timestamp: DateTime.Utc, quantity: number) =>
  pipe(
    UsageRecord.make({ timestamp, dimension: "api-calls", quantity: 1, customerAWSAccountId }),
    Optic.replace(Accessors.urCustomerAWSAccountId, Option.some(customerAWSAccountId)),
    Optic.replace(Accessors.urQuantity, quantity)
  )

const calls = (usage: UsageRecord.UsageRecord) =>
  Effect.gen(function* () {
    const { results, unprocessedRecords } = yield* MeteringClient.batchMeterUsage({
      productCode,
      usageRecords: [usage]
    }).pipe(Effect.retry(MeteringRetry.standard))
    assert.deepEqual([results.map(({ status }) => status), unprocessedRecords], [["Success"], []])
    const rejected = yield* MeteringClient.resolveCustomer({
      registrationToken: Redacted.make("none")
    }).pipe(
      Effect.as("resolved"),
      Effect.catchTag("InvalidTokenException", ({ _tag }) => Effect.succeed(_tag))
    )
    assert.equal(rejected, "InvalidTokenException")
  })

const hoursAgo = (hours: number) => Effect.map(DateTime.now, DateTime.subtract({ hours }))

const program = Effect.gen(function* () {
  const url = yield* configureEnvironment
  const sandbox = yield* MeteringSandbox.MeteringSandbox
  yield* sandbox.control.setFaults({ script: [{ fault: "cutAfter" }] })

  const last = yield* hoursAgo(1)
  yield* Effect.forEach(clientsAt(url), (client) => Effect.provide(calls(record(last, 7)), client))

  const records = yield* Effect.forEach([2, 3, 4], (hours) =>
    Effect.map(hoursAgo(hours), (timestamp) => record(timestamp, hours))
  )
  const outcomes = yield* UsageSubmission.submit(Stream.fromIterable(records), {
    productCode
  }).pipe(Stream.runCollect, Effect.provide(overFetch(url)))
  assert.deepEqual(
    Array.from(outcomes, ({ _tag }) => _tag),
    ["Accepted", "Accepted", "Accepted"]
  )

  const billed = yield* sandbox.report.billed
  assert.deepEqual(billed.map(({ quantity }) => quantity).sort(), [2, 3, 4, 7])
  yield* sandbox.marketplace.buy({
    customerAWSAccountId: "555566667777",
    productCode,
    entitlements: [seats]
  })
  yield* Effect.forEach(entitlementClientsAt(url), (client) =>
    Effect.provide(readEntitlements, client)
  )

  const control = yield* Effect.promise(() => fetch(`${url}/_sandbox/billed`))
  assert.equal(control.status, 200)
})

await Effect.runPromise(program.pipe(Effect.provide(SandboxLive)))
console.log("passed")
