/**
 * The contract of the client, run on each implementation. All use the same sandbox: one in memory, the others over signed
 * HTTP on loopback.
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, layer } from "@effect/vitest"
import { Chunk, DateTime, Effect, Layer, Stream } from "effect"
import { AwsCredentials, MeteringRetry } from "effect-marketplace-metering"
import {
  Entitlement,
  EntitlementClient,
  EntitlementConfig,
  GetEntitlements
} from "effect-marketplace-metering/entitlement"
import { AwsSdkEntitlementClient } from "effect-marketplace-metering/entitlement/aws-sdk"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"
import { closedEndpoint } from "../support/loopbackServer.js"

const endsAt = DateTime.unsafeMake("2999-01-01T00:00:00Z")
const license = (digit: string) =>
  `arn:aws:license-manager::111122223333:license:l-${digit.repeat(32)}`

const SandboxLive = MeteringSandbox.layer({
  region: "eu-west-1",
  products: [
    { code: "contract", dimensions: ["requests"], contractDimensions: ["seats", "sla", "tier"] },
    { code: "other", dimensions: ["requests"] }
  ],
  customers: [
    {
      customerAWSAccountId: "111122223333",
      customerIdentifier: "cust-1",
      agreements: [
        {
          productCode: "contract",
          licenseArn: license("a"),
          endsAt,
          entitlements: [
            { dimension: "seats", value: { integerValue: 25 } },
            { dimension: "requests", value: { doubleValue: 1.5 } },
            { dimension: "sla", value: { booleanValue: false } },
            {
              dimension: "tier",
              value: { stringValue: "gold" },
              expirationDate: DateTime.unsafeMake("2998-06-01T12:00:00.250Z")
            }
          ]
        }
      ]
    },
    {
      customerAWSAccountId: "222233334444",
      agreements: [
        {
          productCode: "contract",
          licenseArn: license("b"),
          entitlements: [{ dimension: "seats", value: { integerValue: 0 } }]
        }
      ]
    }
  ]
})

const ServerLive = Layer.provideMerge(SandboxServer.layerNode(), SandboxLive)

// the default Region of the service, at a sandbox of another one
const ConfigLive = Layer.unwrapEffect(
  Effect.map(SandboxServer.SandboxServer, ({ url }) => EntitlementConfig.layer({ endpoint: url }))
)

const credentials = (secretAccessKey: string) =>
  AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey })

const clients = {
  "over HTTP by undici": EntitlementClient.layer.pipe(Layer.provide(NodeHttpClient.layerUndici)),
  "over HTTP by fetch": EntitlementClient.layer.pipe(Layer.provide(FetchHttpClient.layer)),
  "over the official SDK": AwsSdkEntitlementClient.layer
}

type ClientLayer = (typeof clients)[keyof typeof clients]

const overLoopback = (client: ClientLayer, secretAccessKey = "sandbox") =>
  client.pipe(
    Layer.provide([ConfigLive, credentials(secretAccessKey)]),
    Layer.provideMerge(ServerLive)
  )

const sandbox = MeteringSandbox.MeteringSandbox

const dimensionsOf = (response: GetEntitlements.GetEntitlementsResponse) =>
  response.entitlements.map(({ customerAWSAccountId, dimension }) => [
    customerAWSAccountId,
    dimension
  ])

const contract = (
  name: string,
  implementation: Layer.Layer<
    EntitlementClient.EntitlementClient | MeteringSandbox.MeteringSandbox,
    unknown
  >
) =>
  layer(implementation, { excludeTestServices: true })(name, (it) => {
    it.effect("returns entitlements of every type, as instances with all fields", () =>
      Effect.gen(function* () {
        const response = yield* EntitlementClient.getEntitlements({
          productCode: "contract",
          filter: { customerAWSAccountId: ["111122223333"] }
        })
        expect(response).toBeInstanceOf(GetEntitlements.GetEntitlementsResponse)
        expect(response).toMatchObject({ statusCode: 200, unreadable: [] })
        expect(response.requestId).toMatch(/^sandbox-/)
        expect(response).not.toHaveProperty("nextToken")
        expect(response).not.toHaveProperty("missingRecords")
        for (const entitlement of response.entitlements) {
          expect(entitlement).toBeInstanceOf(Entitlement.Entitlement)
          expect(entitlement.value).toBeInstanceOf(Entitlement.EntitlementValue)
        }
        expect(response.entitlements.map(Entitlement.valueOf)).toEqual([
          { _tag: "Integer", value: 25 },
          { _tag: "Double", value: 1.5 },
          { _tag: "Boolean", value: false },
          { _tag: "String", value: "gold" }
        ])
        const [first, , , last] = response.entitlements
        expect({ ...first, value: undefined }).toEqual({
          productCode: "contract",
          dimension: "seats",
          customerIdentifier: "cust-1",
          customerAWSAccountId: "111122223333",
          value: undefined,
          expirationDate: endsAt,
          licenseArn: license("a")
        })
        expect(last?.expirationDate && DateTime.formatIso(last.expirationDate)).toBe(
          "2998-06-01T12:00:00.250Z"
        )
      })
    )

    it.effect("filters: any value of a field, and all fields", () =>
      Effect.gen(function* () {
        const get = (filter: GetEntitlements.FilterInput) =>
          Effect.map(
            EntitlementClient.getEntitlements({ productCode: "contract", filter }),
            dimensionsOf
          )
        expect(yield* get({ dimension: ["tier", "seats"] })).toEqual([
          ["111122223333", "seats"],
          ["111122223333", "tier"],
          ["222233334444", "seats"]
        ])
        expect(yield* get({ customerIdentifier: ["cust-1"], dimension: ["sla"] })).toEqual([
          ["111122223333", "sla"]
        ])
        expect(yield* get({ licenseArn: [license("b")] })).toEqual([["222233334444", "seats"]])
        expect(
          yield* get({ customerAWSAccountId: ["222233334444"], licenseArn: [license("a")] })
        ).toEqual([])
      })
    )

    it.effect("has no entitlements for another product", () =>
      Effect.gen(function* () {
        const response = yield* EntitlementClient.getEntitlements({ productCode: "other" })
        expect(response.entitlements).toEqual([])
      })
    )

    it.effect("pages by maxResults and nextToken", () =>
      Effect.gen(function* () {
        const first = yield* EntitlementClient.getEntitlements({
          productCode: "contract",
          maxResults: 3
        })
        const second = yield* EntitlementClient.getEntitlements({
          productCode: "contract",
          maxResults: 3,
          nextToken: first.nextToken
        })
        expect([first, second].map(({ entitlements }) => entitlements.length)).toEqual([3, 2])
        expect(second).not.toHaveProperty("nextToken")
      })
    )

    it.effect("streams all pages", () =>
      Effect.gen(function* () {
        const all = yield* EntitlementClient.entitlements({
          productCode: "contract",
          maxResults: 1
        }).pipe(Stream.runCollect)
        expect(Chunk.toReadonlyArray(all).map(({ dimension }) => dimension)).toEqual([
          "seats",
          "requests",
          "sla",
          "tier",
          "seats"
        ])
      })
    )

    it.effect("fails with InvalidParameterException, with request id and status", () =>
      Effect.gen(function* () {
        for (const fields of [
          { productCode: "unheard-of" },
          { productCode: "contract", nextToken: "not-a-token" }
        ]) {
          const error = yield* Effect.flip(EntitlementClient.getEntitlements(fields))
          expect(error).toMatchObject({
            _tag: "InvalidParameterException",
            operation: "GetEntitlements",
            statusCode: 400,
            isRetryable: false,
            isThrottling: false
          })
          expect(error.message).toMatch(/^GetEntitlements: A parameter is not valid; check/)
          expect(error).toHaveProperty("requestId", expect.stringMatching(/^sandbox-/))
        }
      })
    )

    it.effect("sends nothing that is not valid, and says where it is not", () =>
      Effect.gen(function* () {
        const { report } = yield* sandbox
        const { GetEntitlements: before } = yield* report.callCounts
        const error = yield* Effect.flip(
          EntitlementClient.getEntitlements({
            productCode: "contract",
            filter: { customerAWSAccountId: ["x"], dimension: [] },
            maxResults: 26,
            nextToken: " "
          })
        )
        expect(error).toMatchObject({
          _tag: "InvalidInputError",
          operation: "GetEntitlements",
          violations: [
            {
              field: "filter.customerAWSAccountId[0]",
              rule: "customerAWSAccountId",
              value: "x"
            },
            { field: "filter.dimension", rule: "filterValues", value: 0 },
            { field: "nextToken", rule: "nextToken" },
            { field: "maxResults", rule: "maxResults", value: 26 }
          ]
        })
        expect((yield* report.callCounts).GetEntitlements).toBe(before)
      })
    )

    it.effect("is retried by the schedules of the package", () =>
      Effect.gen(function* () {
        const { control } = yield* sandbox
        yield* control.setFaults({
          script: [{ fault: "internalError" }, { fault: "throttling", retryAfter: 0 }]
        })
        const response = yield* EntitlementClient.getEntitlements({ productCode: "other" }).pipe(
          Effect.retry(MeteringRetry.standard)
        )
        expect(response.entitlements).toEqual([])
        yield* control.setFaults({ script: [{ fault: "internalError", times: 3 }] })
        const error = yield* Effect.flip(
          EntitlementClient.getEntitlements({ productCode: "other" }).pipe(
            Effect.retry(MeteringRetry.standard)
          )
        )
        expect(error).toMatchObject({ _tag: "InternalServiceErrorException", isRetryable: true })
        yield* control.setFaults({})
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
        it.effect("is rejected", () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(
              EntitlementClient.getEntitlements({ productCode: "contract" })
            )
            expect(error).toMatchObject({
              _tag: "CredentialsRejectedError",
              code: "InvalidSignatureException"
            })
          })
        )
      }
    )

    const gone = client.pipe(
      Layer.provide([
        Layer.unwrapEffect(
          Effect.map(closedEndpoint, (endpoint) => EntitlementConfig.layer({ endpoint }))
        ),
        credentials("sandbox")
      ])
    )
    layer(gone, { excludeTestServices: true })(`${name}, without a server`, (it) => {
      it.effect("fails as a connection that never was", () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(
            EntitlementClient.getEntitlements({ productCode: "contract" })
          )
          expect(error).toMatchObject({
            _tag: "ConnectionError",
            reason: "ECONNREFUSED",
            delivery: "notSent",
            isRetryable: true
          })
          expect(error.message).not.toContain("metered")
        })
      )
    })
  }
})
