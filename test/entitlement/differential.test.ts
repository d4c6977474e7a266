/** The client and the official SDK's: the same requests, the same model, and the same meaning of responses. */
import * as sdk from "@aws-sdk/client-marketplace-entitlement-service"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import {
  EntitlementClient,
  EntitlementError,
  GetEntitlements
} from "effect-marketplace-metering/entitlement"
import { AwsSdkEntitlementClient } from "effect-marketplace-metering/entitlement/aws-sdk"
import type { ServiceException } from "effect-marketplace-metering/MeteringError"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import { shapeOf } from "../../src/internal/schema/shape.js"
import { credentials } from "../support/client.js"
import {
  type CannedResponse,
  clientLayer,
  productCode,
  request,
  sdkClient,
  toSdk,
  validRequest,
  validResponse,
  wireEntitlement
} from "./support.js"

const ok = (json: unknown): CannedResponse => ({
  status: 200,
  headers: {},
  body: JSON.stringify(json)
})

/** A network for our client, whose response can be replaced. */
const makeNetwork = (respond: () => CannedResponse) => {
  const sent: Array<{
    readonly host: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }> = []
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      const { body } = request
      sent.push({
        host: url.host,
        headers: { ...request.headers },
        body: body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : ""
      })
      const { body: text, headers, status } = respond()
      return HttpClientResponse.fromWeb(request, new Response(text, { status, headers }))
    })
  )
  return { layer: Layer.succeed(HttpClient.HttpClient, client), sent }
}

/** All clients with one response, which can be replaced. */
const makeClients = () => {
  let response = ok({})
  const network = makeNetwork(() => response)
  const official = sdkClient(() => response)
  const below = sdkClient(() => response)
  return {
    respondWith: (next: CannedResponse) => {
      response = next
    },
    network,
    official,
    below,
    overHttp: clientLayer(network.layer, {
      credentials: { refresh: () => Effect.succeed(credentials) }
    }),
    overSdk: AwsSdkEntitlementClient.layerFrom(below.client)
  }
}

const callSdk = (client: sdk.MarketplaceEntitlementServiceClient, input = request) =>
  Effect.promise(() =>
    client.send(new sdk.GetEntitlementsCommand(toSdk(input))).then(
      (output): Either.Either<sdk.GetEntitlementsCommandOutput, Error> => Either.right(output),
      (error: Error) => Either.left(error)
    )
  )

describe("a request", () => {
  const clients = makeClients()

  it.effect.prop(
    "has the SDK's host, target, content type and JSON",
    [validRequest],
    ([fields]) =>
      Effect.gen(function* () {
        yield* EntitlementClient.getEntitlements(fields).pipe(Effect.provide(clients.overHttp))
        yield* EntitlementClient.getEntitlements(fields).pipe(Effect.provide(clients.overSdk))
        yield* Effect.promise(() =>
          clients.official.client.send(new sdk.GetEntitlementsCommand(toSdk(fields)))
        )
        const ours = clients.network.sent.at(-1)
        const below = clients.below.sent.at(-1)
        const theirs = clients.official.sent.at(-1)
        assert.isDefined(theirs)
        assert.deepStrictEqual(JSON.parse(ours?.body ?? ""), JSON.parse(theirs?.body ?? ""))
        assert.strictEqual(below?.body, theirs?.body)
        assert.strictEqual(ours?.host, theirs?.hostname)
        for (const name of ["content-type", "x-amz-target"]) {
          assert.strictEqual(ours?.headers[name], theirs?.headers[name], name)
        }
        const scopeOf = (authorization = "") =>
          /Credential=[^/]+\/\d{8}\/([^,]+)/.exec(authorization)?.[1]
        assert.strictEqual(
          scopeOf(ours?.headers.authorization),
          scopeOf(theirs?.headers.authorization)
        )
      }),
    { fastCheck: { numRuns: 50 }, timeout: 60_000 }
  )
})

/** A response of ours in the SDK's names and types. Made without any of the code under test. */
const toOutput = ({ entitlements, nextToken }: GetEntitlements.GetEntitlementsResponse) => ({
  entitlements: entitlements.map(({ expirationDate, value, ...texts }) => ({
    ...Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [
        name.charAt(0).toUpperCase() + name.slice(1),
        text
      ])
    ),
    ...(expirationDate !== undefined && { ExpirationDate: DateTime.toDateUtc(expirationDate) }),
    ...(value !== undefined && {
      Value: Object.fromEntries(
        Object.entries(value).map(([name, part]) => [
          name.charAt(0).toUpperCase() + name.slice(1),
          part
        ])
      )
    })
  })),
  nextToken
})

describe("a response", () => {
  const clients = makeClients()

  it.effect.prop(
    "has the members that the SDK reads",
    [validResponse],
    ([json]) =>
      Effect.gen(function* () {
        clients.respondWith(ok(json))
        const theirs = Either.getOrThrow(yield* callSdk(clients.official.client))
        for (const layer of [clients.overHttp, clients.overSdk]) {
          const ours = yield* EntitlementClient.getEntitlements(request).pipe(Effect.provide(layer))
          assert.deepStrictEqual<object>(toOutput(ours), {
            entitlements: theirs.Entitlements ?? [],
            nextToken: theirs.NextToken
          })
        }
      }),
    { fastCheck: { numRuns: 50 }, timeout: 60_000 }
  )

  it.effect.each<readonly [string, unknown, number, number]>([
    ["null for every member", { Entitlements: null, NextToken: null }, 0, 0],
    ["an empty entitlement", { Entitlements: [{}] }, 1, 0],
    ["an unknown member", { Entitlements: [{ ...wireEntitlement, Novel: 1 }], Novel: 2 }, 1, 0],
    ["an unknown type of value", { Entitlements: [{ Value: { NovelValue: 1 } }] }, 1, 0],
    ["elements that are none", { Entitlements: [wireEntitlement, 1, null, []] }, 1, 3],
    ["entitlements that are no list", { Entitlements: "x" }, 0, 1]
  ])("is read leniently: %s", ([_, json, entitlements, unreadable]) =>
    Effect.gen(function* () {
      clients.respondWith(ok(json))
      for (const layer of [clients.overHttp, clients.overSdk]) {
        const response = yield* EntitlementClient.getEntitlements(request).pipe(
          Effect.provide(layer)
        )
        assert.deepStrictEqual(
          [response.entitlements.length, response.unreadable.length],
          [entitlements, unreadable]
        )
      }
    })
  )

  const namespace = "com.amazonaws.marketplaceentitlementservice"
  const codes = [
    "InvalidParameterException",
    "ThrottlingException",
    "InternalServiceErrorException"
  ] as const

  it.effect.each(codes)("is %s as with the SDK, wherever the code stands", (code) =>
    Effect.gen(function* () {
      const forms: ReadonlyArray<CannedResponse> = [
        { status: 400, headers: {}, body: JSON.stringify({ __type: `${namespace}#${code}` }) },
        { status: 400, headers: {}, body: JSON.stringify({ __type: code, message: "m" }) },
        { status: 400, headers: {}, body: JSON.stringify({ code, Message: "m" }) },
        { status: 500, headers: { "x-amzn-errortype": `${code}:http://x/` }, body: "{}" }
      ]
      for (const form of forms) {
        clients.respondWith(form)
        const theirs = Either.getOrThrow(Either.flip(yield* callSdk(clients.official.client)))
        assert.strictEqual(theirs.name, code)
        for (const layer of [clients.overHttp, clients.overSdk]) {
          const ours = yield* EntitlementClient.getEntitlements(request).pipe(
            Effect.flip,
            Effect.provide(layer)
          )
          assert.strictEqual(ours._tag as string, code)
          assert.strictEqual(ours.statusCode, form.status)
        }
      }
    })
  )

  const word = FastCheck.constantFrom(...codes, "ExpiredTokenException", "x#AccessDenied", "")
  const body = FastCheck.oneof(
    FastCheck.json(),
    FastCheck.string(),
    FastCheck.record({ __type: word, code: word, message: FastCheck.string() }).map((json) =>
      JSON.stringify(json)
    )
  )

  it.effect.prop(
    "of any kind means the same over HTTP and over the SDK",
    [FastCheck.constantFrom(200, 201, 301, 400, 403, 429, 500, 503), body],
    ([status, body]) =>
      Effect.gen(function* () {
        clients.respondWith({ status, headers: {}, body })
        const [http, sdk] = yield* Effect.forEach([clients.overHttp, clients.overSdk], (layer) =>
          EntitlementClient.getEntitlements(request).pipe(Effect.provide(layer), Effect.either)
        )
        assert.deepStrictEqual(sdk, http)
      }),
    { fastCheck: { numRuns: 100 }, timeout: 60_000 }
  )
})

describe("the model", () => {
  const model = sdk as unknown as Readonly<Record<string, ReadonlyArray<unknown>>>
  const membersOf = (name: string) => model[`${name}$`]?.[4]
  const wireNamesOf = (schema: Parameters<typeof shapeOf>[0]) =>
    shapeOf(schema).fields.map(({ wireName }) => wireName)

  it("has the members of the SDK's", () => {
    const { entitlements } = GetEntitlements.GetEntitlementsResponse.fields
    assert.isDefined(entitlements)
    for (const [schema, name] of [
      [GetEntitlements.GetEntitlementsRequest, "GetEntitlementsRequest"],
      [GetEntitlements.GetEntitlementsResponse, "GetEntitlementsResult"]
    ] as const) {
      assert.sameMembers(wireNamesOf(schema), [...(membersOf(name) as ReadonlyArray<string>)])
    }
  })

  it("has the filters of the SDK's", () => {
    assert.sameMembers(
      wireNamesOf(GetEntitlements.EntitlementFilter),
      Object.values(sdk.GetEntitlementFilterName)
    )
  })

  it("has the exceptions of the SDK's", () => {
    const registered = Object.values(model).flatMap((value) =>
      Array.isArray(value) && value[0] === -3 ? [String(value[2])] : []
    )
    const ours = GetEntitlements.operation.exceptions.map(({ _tag }) => _tag)
    assert.sameMembers(
      registered.filter((name) => name !== "MarketplaceEntitlementServiceServiceException"),
      ours
    )
  })

  it("has an exception like those of MeteringError", () => {
    const fields = { operation: "GetEntitlements", statusCode: 400, requestId: "r" } as const
    const error: ServiceException = new EntitlementError.InvalidParameterException(fields)
    assert.instanceOf(error, Error)
    assert.deepStrictEqual([error._tag, error.isRetryable], ["InvalidParameterException", false])
    assert.include(error.message, "(HTTP 400, request r)")
    assert.sameMembers(
      Object.keys(EntitlementError.InvalidParameterException.fields),
      Object.keys(MeteringError.ThrottlingException.fields)
    )
  })

  it("names one product in each request", () => {
    assert.deepStrictEqual({ ...GetEntitlements.make({ productCode }) }, { productCode })
  })
})
