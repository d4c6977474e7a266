/** A fifth operation that exists only here: all else about it is derived. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Either, Schema } from "effect"
import { MeteringClient, MeteringError, type Operation } from "effect-marketplace-metering"
import { makeHttpTransport } from "../src/internal/client/httpTransport.js"
import { makeClient } from "../src/internal/client/makeClient.js"
import { operations, operationsByName } from "../src/internal/operations.js"
import { field, optionalField, ProductCode, Timestamp } from "../src/internal/schema/fields.js"
import { responseFields } from "../src/internal/schema/responseFields.js"
import { verifySignature } from "../src/sandbox/internal/protocol/verifySignature.js"
import * as operationHandlers from "../src/sandbox/internal/runtime/operationHandlers.js"
import { credentials, secrets } from "./support/client.js"
import { exceptionResponse, type Stub, stubHttp } from "./support/stubHttp.js"

class GetTotalRequest extends Schema.Class<GetTotalRequest>("test/GetTotalRequest")({
  productCode: field("ProductCode", ProductCode),
  since: optionalField("Since", Timestamp)
}) {}

class GetTotalResponse extends Schema.Class<GetTotalResponse>("test/GetTotalResponse")(
  responseFields({ total: optionalField("Total", Schema.Number) })
) {}

const getTotal: Operation.Operation<
  GetTotalRequest,
  GetTotalResponse,
  MeteringError.ThrottlingException | MeteringError.DisabledApiException
> = {
  // no line was added to the names
  name: "GetTotal" as MeteringError.OperationName,
  request: GetTotalRequest,
  response: GetTotalResponse,
  exceptions: [MeteringError.ThrottlingException, MeteringError.DisabledApiException],
  missing: ({ total }) => (total === undefined ? "Total" : undefined)
}

const registry = { ...operations, getTotal }

const clientOver = (...stubs: ReadonlyArray<Stub>) => {
  const http = stubHttp(...stubs)
  const config = {
    region: "us-east-1",
    endpoint: "https://metering.marketplace.us-east-1.amazonaws.com",
    requestTimeout: Duration.seconds(30),
    skipRules: []
  }
  const provider = { get: Effect.succeed(credentials), refresh: Effect.succeed }
  const transport = makeHttpTransport(config, provider, http.client)
  return { client: makeClient(registry, transport), sent: http.sent }
}

const fields = { productCode: "4v9hm1u3i5p7l3c0", since: DateTime.unsafeMake(1_795_515_330_789) }

describe("an operation that is only in the registry", () => {
  it.effect("sends its request, signed, under its name", () =>
    Effect.gen(function* () {
      const { client, sent } = clientOver({ body: { Total: 42 } })
      const response = yield* client.getTotal(fields)
      assert.instanceOf(response, GetTotalResponse)
      assert.deepInclude({ ...response }, { total: 42, statusCode: 200 })
      const { body, headers } = sent[0] ?? { body: "", headers: {} as Record<string, string> }
      assert.strictEqual(body, '{"ProductCode":"4v9hm1u3i5p7l3c0","Since":1795515330.789}')
      assert.strictEqual(headers["x-amz-target"], "AWSMPMeteringService.GetTotal")
      const host = "metering.marketplace.us-east-1.amazonaws.com"
      const verified = yield* verifySignature(
        { method: "POST", url: "/", headers: { host, ...headers }, body },
        {
          credentials: () => ({ ...secrets }),
          service: "aws-marketplace",
          regions: ["us-east-1"],
          now: 0
        }
      )
      assert.strictEqual(verified._tag, "Verified")
    })
  )

  it.effect("fails with its own exceptions, and with no other's", () =>
    Effect.gen(function* () {
      const { client } = clientOver(
        exceptionResponse("DisabledApiException"),
        exceptionResponse("InvalidTokenException"),
        { body: {} }
      )
      const tags = yield* Effect.all(
        [1, 2, 3].map(() => Effect.map(Effect.flip(client.getTotal(fields)), ({ _tag }) => _tag))
      )
      assert.deepStrictEqual(tags, [
        "DisabledApiException",
        "UnknownServiceError",
        "UnexpectedResponseError"
      ])
    })
  )

  it.effect("sends no invalid request", () =>
    Effect.gen(function* () {
      const { client, sent } = clientOver({})
      const error = yield* Effect.flip(client.getTotal({ productCode: "no code" }))
      assert.strictEqual(error._tag, "InvalidInputError")
      assert.lengthOf(sent, 0)
    })
  )

  it.effect("is served by the sandbox's handlers", () =>
    Effect.gen(function* () {
      const requests: Array<unknown> = []
      const handlers = operationHandlers.handlersFromClient(registry, {
        ...clientOver({}).client,
        getTotal: (request: GetTotalRequest) => {
          requests.push(request)
          return request.since === undefined
            ? Effect.fail(new MeteringError.ThrottlingException({ operation: getTotal.name }, true))
            : Effect.succeed(new GetTotalResponse({ total: 42 }))
        }
      })
      const handler = handlers.get(getTotal.name)
      const serve: Stub = ({ body }) => {
        assert.isDefined(handler)
        const request = Either.getOrThrow(handler.decode(new TextEncoder().encode(body)))
        const incoming = { requestId: "r-1", operation: getTotal.name }
        return Effect.map(
          handler.handle(request, incoming, { signature: "inMemory" }, undefined),
          (outcome) => outcome?.response ?? {}
        )
      }
      const { client } = clientOver(serve)
      assert.strictEqual((yield* client.getTotal(fields)).total, 42)
      const error = yield* Effect.flip(client.getTotal({ productCode: fields.productCode }))
      assert.strictEqual(error._tag, "ThrottlingException")
      assert.deepStrictEqual(requests, [
        new GetTotalRequest(fields),
        new GetTotalRequest({ productCode: fields.productCode })
      ])
    })
  )
})

describe("the registry", () => {
  it("has an operation for each name, and a method of the client for each operation", () => {
    assert.deepStrictEqual(
      Object.keys(operationsByName(operations)).sort(),
      [...MeteringError.OperationName.literals].sort()
    )
    const client = MeteringClient.make({ send: () => Effect.dieMessage("not called") })
    assert.deepStrictEqual(Object.keys(client), Object.keys(operations))
  })
})
