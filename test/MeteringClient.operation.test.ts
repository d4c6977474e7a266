/** A fifth operation that exists only here: all but its behavior in the sandbox is derived. */
import { HttpApp } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Either, Option, Schema, TestClock } from "effect"
import { MeteringClient, MeteringError, Operation } from "effect-marketplace-metering"
import { makeHttpTransport } from "../src/internal/client/httpTransport.js"
import { makeClient } from "../src/internal/client/makeClient.js"
import { operations } from "../src/internal/operations.js"
import { targetOf } from "../src/internal/protocol/awsJson.js"
import { field, optionalField, ProductCode, Timestamp } from "../src/internal/schema/fields.js"
import { responseFields } from "../src/internal/schema/responseFields.js"
import * as sandboxRegistry from "../src/sandbox/internal/model/operations.js"
import type { CallContext } from "../src/sandbox/internal/operations/handler.js"
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
  service: Operation.marketplaceMetering,
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
  const transport = makeHttpTransport(Operation.marketplaceMetering, config, provider, http.client)
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
      const handler = handlers.get(targetOf(getTotal))
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

/** Adds entries for the time of a test. */
const addEntries = (target: object, entries: object) =>
  Effect.acquireRelease(
    Effect.sync(() => Object.assign(target, entries)),
    () => Effect.sync(() => Object.keys(entries).map((key) => Reflect.deleteProperty(target, key)))
  )

describe("an operation in the registry of the sandbox", () => {
  const makeSandbox = Effect.gen(function* () {
    // the modules of the sandbox read the registry when they are loaded
    const { MeteringSandbox, SandboxServer } = yield* Effect.promise(
      () => import("../src/sandbox/index.js")
    )
    const { makeTransport } = yield* Effect.promise(
      () => import("../src/sandbox/internal/runtime/inMemoryTransport.js")
    )
    const { RunningSandbox } = yield* Effect.promise(
      () => import("../src/sandbox/internal/runtime/runtime.js")
    )
    // a spread, since the type of the quotas has no such name
    const quotas = { MeterUsage: 5, ...{ GetTotal: 1 } }
    const now = DateTime.unsafeMake(0)
    return yield* Effect.gen(function* () {
      const runtime = Option.getOrThrow(yield* Effect.serviceOption(RunningSandbox))
      const handler = HttpApp.toWebHandlerRuntime(yield* Effect.runtime())(
        yield* SandboxServer.make({ credentials: [credentials] })
      )
      const serve: Stub = ({ body, headers, url }) =>
        Effect.promise(async () => {
          const response = await handler(new Request(url, { method: "POST", headers, body }))
          return {
            status: response.status,
            headers: Object.fromEntries(response.headers),
            body: await response.text()
          }
        })
      return {
        report: (yield* MeteringSandbox.MeteringSandbox).report,
        inMemory: makeClient(registry, makeTransport(runtime)),
        overHttp: clientOver(serve).client
      }
    }).pipe(Effect.provide(MeteringSandbox.layer({ quotas, now })))
  })
  const sandboxWithOperation = Effect.zipRight(
    addEntries(sandboxRegistry.operations, { getTotal }),
    makeSandbox
  )

  const serviceOperationsModule = Effect.promise(
    () => import("../src/sandbox/internal/operations/serviceOperations.js")
  )

  it.scoped.each(["inMemory", "overHttp"] as const)(
    "has routes, a quota, a call count and log entries: %s",
    (transport) =>
      Effect.gen(function* () {
        const { [transport]: client, report } = yield* sandboxWithOperation
        const { makeServiceOperation, serviceOperations } = yield* serviceOperationsModule
        const { succeed } = yield* Effect.promise(
          () => import("../src/sandbox/internal/operations/handler.js")
        )
        const GetTotal = makeServiceOperation(getTotal, (state, _request, context: CallContext) => [
          state,
          succeed({ total: context.now })
        ])
        yield* addEntries(serviceOperations, { GetTotal })

        const response = yield* client.getTotal(fields)
        assert.instanceOf(response, GetTotalResponse)
        assert.strictEqual(response.total, 0)
        const throttled = yield* Effect.flip(client.getTotal(fields))
        assert.strictEqual(throttled._tag, "ThrottlingException")
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual((yield* client.getTotal(fields)).total, 1000)

        assert.deepStrictEqual(
          { ...(yield* report.callCounts) },
          {
            MeterUsage: 0,
            BatchMeterUsage: 0,
            RegisterUsage: 0,
            ResolveCustomer: 0,
            GetEntitlements: 0,
            ...{ GetTotal: 3 }
          }
        )
        const request = { ProductCode: fields.productCode, Since: 1_795_515_330.789 }
        assert.deepStrictEqual(
          (yield* report.log).map(({ operation, request, response, status }) => ({
            operation,
            request,
            response,
            status
          })),
          [
            { operation: getTotal.name, request, status: 200, response: { Total: 0 } },
            {
              operation: getTotal.name,
              request,
              status: 400,
              response: {
                __type: "com.amazonaws.marketplacemetering#ThrottlingException",
                message: "Rate exceeded"
              }
            },
            { operation: getTotal.name, request, status: 200, response: { Total: 1000 } }
          ]
        )
      })
  )

  it.scoped.each(["inMemory", "overHttp"] as const)(
    "is unknown without a behavior, and not counted: %s",
    (transport) =>
      Effect.gen(function* () {
        const { [transport]: client, report } = yield* sandboxWithOperation
        const error = yield* Effect.flip(client.getTotal(fields))
        assert.deepInclude(
          { ...error },
          { _tag: "UnknownServiceError", code: "UnknownOperationException", statusCode: 400 }
        )
        assert.deepStrictEqual(Object.values(yield* report.callCounts), [0, 0, 0, 0, 0, 0])
        const [logged] = yield* report.log
        assert.deepInclude(logged, { operation: getTotal.name, status: 400, fault: "none" })
      })
  )

  it.scoped.each(["inMemory", "overHttp"] as const)(
    "is unknown once it is taken out of it: %s",
    (transport) =>
      Effect.gen(function* () {
        yield* Effect.scoped(sandboxWithOperation)
        const { [transport]: client, report } = yield* makeSandbox
        const error = yield* Effect.flip(client.getTotal(fields))
        assert.deepInclude(
          { ...error },
          { _tag: "UnknownServiceError", code: "UnknownOperationException", statusCode: 400 }
        )
        const [logged] = yield* report.log
        assert.deepInclude(logged, { status: 400, fault: "none" })
        assert.notProperty(logged, "operation")
      })
  )
})

describe("the registry", () => {
  it("has an operation for each name, and a method of the client for each operation", () => {
    assert.deepStrictEqual(
      Object.keys(sandboxRegistry.operationsByName(sandboxRegistry.operations)).sort(),
      [...MeteringError.OperationName.literals].sort()
    )
    const { region, ...methods } = MeteringClient.make({
      send: () => Effect.dieMessage("not called"),
      region: "eu-west-1"
    })
    assert.strictEqual(region, "eu-west-1")
    assert.deepStrictEqual(Object.keys(methods), Object.keys(operations))
  })
})
