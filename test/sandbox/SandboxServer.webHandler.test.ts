/** The sandbox as a web handler, whose requests have absolute URLs and no Host header. */
import { FetchHttpClient, HttpApiClient, HttpApp } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { AwsCredentials, MeteringClient, MeteringConfig } from "effect-marketplace-metering"
import { MeteringSandbox, SandboxApi, SandboxServer } from "../../src/sandbox/index.js"
import { acme, analytics, at, record, setTime } from "./support.js"

/** A fetch client that calls the handler. */
const webHandler = Layer.unwrapEffect(
  Effect.gen(function* () {
    // with the test's clock
    const handler = HttpApp.toWebHandlerRuntime(yield* Effect.runtime())(
      yield* SandboxServer.make()
    )
    return Layer.provideMerge(
      FetchHttpClient.layer,
      Layer.succeed(FetchHttpClient.Fetch, (input, init) => handler(new Request(input, init)))
    )
  })
)

const call = (endpoint: string, secretAccessKey = "sandbox") =>
  MeteringClient.batchMeterUsage({
    productCode: analytics,
    usageRecords: [record(at("2026-11-24T10:05:00Z"))]
  }).pipe(
    Effect.provide(
      MeteringClient.layer.pipe(
        Layer.provide([
          MeteringConfig.layer({ region: "us-east-1", endpoint }),
          AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey }),
          webHandler
        ])
      )
    )
  )

describe("behind a web handler", () => {
  it.effect.each(["http://127.0.0.1:4598", "https://sandbox.example/?a=b+c"])(
    "verifies the signature of a call to %s",
    (endpoint) =>
      Effect.gen(function* () {
        yield* setTime("2026-11-24T10:30:00Z")
        const { results } = yield* call(endpoint)
        assert.deepStrictEqual(
          results.map(({ status }) => status),
          ["Success"]
        )
        const error = yield* Effect.flip(call(endpoint, "another"))
        assert.strictEqual(error._tag, "CredentialsRejectedError")
      }).pipe(Effect.provide(MeteringSandbox.layer()))
  )

  it.effect("serves the control API to its own origin only", () =>
    Effect.gen(function* () {
      const api = yield* HttpApiClient.make(SandboxApi.Api, { baseUrl: "http://localhost" })
      const [customer] = yield* api.marketplace.customers()
      assert.strictEqual(customer?.customerAWSAccountId, acme)
      const { now } = yield* api.control.advance({ payload: { by: "1 hour" } })
      yield* api.control.reset()
      assert.isTrue(DateTime.lessThan((yield* api.control.now()).now, now))
      const elsewhere = yield* HttpApiClient.make(SandboxApi.Api, {
        baseUrl: "http://evil.example"
      })
      const { message } = yield* Effect.flip(elsewhere.marketplace.customers())
      assert.include(message, "403")
    }).pipe(Effect.provide(Layer.provideMerge(webHandler, MeteringSandbox.layer())))
  )
})
