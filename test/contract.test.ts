/**
 * The contract of the client, run on each implementation. All three use the same sandbox: one in memory, the others
 * over signed HTTP on loopback.
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, layer } from "@effect/vitest"
import { DateTime, Effect, Equal, Layer, Redacted, Schema } from "effect"
import {
  AwsCredentials,
  Entitlement,
  MeteringClient,
  MeteringConfig,
  MeterUsage,
  UsageRecord
} from "effect-marketplace-metering"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"
import { closedEndpoint } from "./support/loopbackServer.js"

const SandboxLive = MeteringSandbox.layer({
  products: [
    { code: "saas", dimensions: ["requests", "seats"] },
    { code: "container", dimensions: ["nodes"], publicKeyVersions: [{ version: 1 }] }
  ],
  customers: [
    {
      customerAWSAccountId: "111122223333",
      customerIdentifier: "cust-1",
      agreements: [{ productCode: "saas" }, { productCode: "container" }]
    },
    { customerAWSAccountId: "222233334444", agreements: [] }
  ]
})

const ServerLive = Layer.provideMerge(SandboxServer.layerNode(), SandboxLive)

const ConfigLive = Layer.unwrapEffect(
  Effect.map(SandboxServer.SandboxServer, ({ url }) =>
    MeteringConfig.layer({ region: "us-east-1", endpoint: url })
  )
)

const credentials = (secretAccessKey: string) =>
  AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey })

const clients = {
  "over HTTP by undici": MeteringClient.layer.pipe(Layer.provide(NodeHttpClient.layerUndici)),
  "over HTTP by node:http": MeteringClient.layer.pipe(Layer.provide(NodeHttpClient.layer)),
  "over HTTP by fetch": MeteringClient.layer.pipe(Layer.provide(FetchHttpClient.layer)),
  "over the official SDK": AwsSdkClient.layer
}

const overLoopback = (
  client: (typeof clients)[keyof typeof clients],
  secretAccessKey = "sandbox"
) =>
  client.pipe(
    Layer.provide([ConfigLive, credentials(secretAccessKey)]),
    Layer.provideMerge(ServerLive)
  )

/** One time for all, so that no full hour comes between two records of a case. */
const timestamp = DateTime.unsafeNow()

const record = (fields: Partial<UsageRecord.Input> = {}) =>
  Effect.sync(() =>
    UsageRecord.make({
      timestamp,
      dimension: "requests",
      quantity: 7,
      customerAWSAccountId: "111122223333",
      ...fields
    })
  )

const batch = (...usageRecords: ReadonlyArray<UsageRecord.UsageRecord>) =>
  MeteringClient.batchMeterUsage({ productCode: "saas", usageRecords })

const metered = (fields: Partial<MeterUsage.Input> = {}) =>
  Effect.sync(() =>
    MeterUsage.make({
      productCode: "container",
      timestamp,
      usageDimension: "nodes",
      usageQuantity: 3,
      ...fields
    })
  )

const sandbox = MeteringSandbox.MeteringSandbox

const contract = (
  name: string,
  implementation: Layer.Layer<
    MeteringClient.MeteringClient | MeteringSandbox.MeteringSandbox,
    unknown
  >
) =>
  layer(implementation, { excludeTestServices: true })(name, (it) => {
    /** Each case starts with nothing billed. */
    const fresh = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.zipRight(
        Effect.flatMap(sandbox, (one) => one.control.reset),
        effect
      )

    it.effect("resolves a token, again and again to the same", () =>
      fresh(
        Effect.gen(function* () {
          const registrationToken = yield* (yield* sandbox).marketplace.mintToken({
            productCode: "saas"
          })
          const first = yield* MeteringClient.resolveCustomer({ registrationToken })
          const second = yield* MeteringClient.resolveCustomer({ registrationToken })
          expect(first).toMatchObject({
            customerAWSAccountId: "111122223333",
            customerIdentifier: "cust-1",
            productCode: "saas",
            statusCode: 200
          })
          expect({ ...second, requestId: "" }).toEqual({ ...first, requestId: "" })
        })
      )
    )

    it.effect(
      "fails with InvalidTokenException for an unknown token, with request id and status",
      () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(
            MeteringClient.resolveCustomer({ registrationToken: Redacted.make("unknown") })
          )
          expect(error).toMatchObject({
            _tag: "InvalidTokenException",
            operation: "ResolveCustomer",
            statusCode: 400,
            isRetryable: false
          })
          expect(error).toHaveProperty("requestId", expect.stringMatching(/^sandbox-/))
        })
    )

    it.effect("accepts a record, echoes it as it was, and gives a repeat the same id", () =>
      fresh(
        Effect.gen(function* () {
          const sent = yield* record()
          const first = yield* batch(sent)
          const second = yield* batch(sent)
          const [result] = first.results
          expect(result?.status).toBe("Success")
          expect(result?.usageRecord).toBeInstanceOf(UsageRecord.UsageRecord)
          expect(Equal.equals(result?.usageRecord, sent)).toBe(true)
          expect(result?.meteringRecordId).toMatch(/./)
          expect(second.results[0]?.meteringRecordId).toBe(result?.meteringRecordId)
          expect(first).toMatchObject({ unprocessedRecords: [], unreadable: [], statusCode: 200 })
          expect((yield* (yield* sandbox).report.billed).map(({ quantity }) => quantity)).toEqual([
            7
          ])
        })
      )
    )

    it.effect("returns the status of each record, in the order of the request", () =>
      fresh(
        Effect.gen(function* () {
          const first = yield* record()
          yield* batch(first)
          const { results } = yield* batch(
            yield* record({ customerAWSAccountId: "222233334444" }),
            first,
            UsageRecord.make({ ...first, quantity: 8 }),
            UsageRecord.make({ ...first, dimension: "seats", quantity: 0 })
          )
          expect(results.map(({ status }) => status)).toEqual([
            "CustomerNotSubscribed",
            "Success",
            "DuplicateRecord",
            "Success"
          ])
        })
      )
    )

    it.effect("keeps allocations, tags and fractional seconds on the way there and back", () =>
      fresh(
        Effect.gen(function* () {
          const sent = yield* record({
            quantity: 10,
            usageAllocations: [
              { allocatedUsageQuantity: 6, tags: [{ key: "team", value: "search" }] },
              { allocatedUsageQuantity: 4 }
            ]
          })
          const echo = (yield* batch(sent)).results[0]?.usageRecord
          expect(echo?.timestamp.epochMillis).toBe(sent.timestamp.epochMillis)
          expect(echo && Schema.equivalence(UsageRecord.UsageRecord)(echo, sent)).toBe(true)
        })
      )
    )

    it.effect("rejects a call with one invalid record, and stores nothing", () =>
      fresh(
        Effect.gen(function* () {
          const error = yield* Effect.flip(
            batch(yield* record(), yield* record({ dimension: "unheard-of" }))
          )
          expect(error._tag).toBe("InvalidUsageDimensionException")
          const late = DateTime.subtract(yield* DateTime.now, { hours: 25 })
          const tooLate = yield* Effect.flip(batch(yield* record({ timestamp: late })))
          expect(tooLate._tag).toBe("TimestampOutOfBoundsException")
          expect(yield* (yield* sandbox).report.billed).toEqual([])
        })
      )
    )

    it.effect("sends nothing that is not valid, and says where it is not", () =>
      fresh(
        Effect.gen(function* () {
          const good = yield* record()
          const error = yield* Effect.flip(
            MeteringClient.batchMeterUsage({
              productCode: "saas",
              usageRecords: [
                good,
                { ...good, quantity: -1 },
                { timestamp, dimension: "x", quantity: 1 }
              ]
            })
          )
          expect(error).toMatchObject({
            _tag: "InvalidInputError",
            operation: "BatchMeterUsage",
            violations: [
              { index: 1, field: "quantity", rule: "quantity", value: -1 },
              { index: 2, field: "customerAWSAccountId", rule: "oneCustomerIdentity" }
            ]
          })
          const many = Array.from({ length: 26 }, () => good)
          expect(yield* Effect.flip(batch(...many))).toMatchObject({
            violations: [{ field: "usageRecords", rule: "recordCount" }]
          })
          expect((yield* (yield* sandbox).report.callCounts).BatchMeterUsage).toBe(0)
        })
      )
    )

    it.effect("meters once, whatever is sent again", () =>
      fresh(
        Effect.gen(function* () {
          const request = yield* metered()
          const once = MeteringClient.meterUsage(request)
          const first = yield* once
          const second = yield* once
          expect(first.meteringRecordId).toMatch(/./)
          expect(second.meteringRecordId).toBe(first.meteringRecordId)
          expect((yield* (yield* sandbox).report.billed).map(({ quantity }) => quantity)).toEqual([
            3
          ])

          const otherQuantity = yield* Effect.flip(
            MeteringClient.meterUsage(yield* metered({ usageQuantity: 4 }))
          )
          expect(otherQuantity._tag).toBe("DuplicateRequestException")
          const { clientToken } = request
          const sameToken = yield* Effect.flip(
            MeteringClient.meterUsage(yield* metered({ usageQuantity: 5, clientToken }))
          )
          expect(sameToken._tag).toBe("IdempotencyConflictException")
        })
      )
    )

    it.effect("answers a dry run with its own type, and meters nothing", () =>
      fresh(
        Effect.gen(function* () {
          const answer = yield* MeteringClient.meterUsageDryRun({
            productCode: "container",
            timestamp,
            usageDimension: "nodes",
            usageQuantity: 3
          })
          expect(answer).toBeInstanceOf(MeterUsage.DryRunResponse)
          expect(answer).not.toHaveProperty("meteringRecordId")
          expect(yield* (yield* sandbox).report.billed).toEqual([])
        })
      )
    )

    it.effect("registers, with an answer that can be verified", () =>
      Effect.gen(function* () {
        const request = { productCode: "container", publicKeyVersion: 1, nonce: "instance-7" }
        const { publicKeyRotationTimestamp, signature } =
          yield* MeteringClient.registerUsage(request)
        const publicKey = yield* (yield* sandbox).report.publicKey
        const entitlement = yield* Entitlement.verify(signature, { ...request, publicKey })
        expect(entitlement).toMatchObject(request)
        expect(publicKeyRotationTimestamp).toBeUndefined()
        const error = yield* Effect.flip(
          MeteringClient.registerUsage({ ...request, publicKeyVersion: 9 })
        )
        expect(error._tag).toBe("InvalidPublicKeyVersionException")
      })
    )
  })

describe("the contract of the tag", () => {
  for (const [name, client] of Object.entries(clients)) contract(name, overLoopback(client))
  contract("in memory (cannot show: rejected signatures, a server that is gone)", SandboxLive)

  for (const [name, client] of Object.entries(clients)) {
    layer(overLoopback(client, "wrong"), { excludeTestServices: true })(
      `${name}, with a wrong secret`,
      (it) => {
        it.effect("is rejected, and nothing is billed", () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(batch(yield* record()))
            expect(error).toMatchObject({
              _tag: "CredentialsRejectedError",
              code: "InvalidSignatureException"
            })
            expect(yield* (yield* sandbox).report.billed).toEqual([])
          })
        )
      }
    )

    const gone = client.pipe(
      Layer.provide([
        Layer.unwrapEffect(
          Effect.map(closedEndpoint, (endpoint) =>
            MeteringConfig.layer({ region: "us-east-1", endpoint })
          )
        ),
        credentials("sandbox")
      ])
    )
    layer(gone, { excludeTestServices: true })(`${name}, without a server`, (it) => {
      it.effect("fails as a connection that never was", () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(batch(yield* record()))
          expect(error).toMatchObject({
            _tag: "ConnectionError",
            reason: "ECONNREFUSED",
            delivery: "notSent",
            isRetryable: true
          })
        })
      )
    })
  }
})
