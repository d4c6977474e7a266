/** A request that came without a client token: every attempt of one call is the same charge. */
import { FetchHttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Option, Schedule, Schema } from "effect"
import {
  Accessors,
  AwsCredentials,
  MeteringClient,
  MeteringConfig,
  MeterUsage
} from "effect-marketplace-metering"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"

const productCode = "agent"

const SandboxLive = MeteringSandbox.layer({
  products: [{ code: productCode, dimensions: ["tokens"], metering: "agentCore" }],
  customers: [{ customerAWSAccountId: "111122223333", agreements: [{ productCode }] }]
})

const overLoopback = <E>(
  client: Layer.Layer<
    MeteringClient.MeteringClient,
    E,
    MeteringConfig.MeteringConfig | AwsCredentials.AwsCredentials
  >
) =>
  client.pipe(
    Layer.provide([
      Layer.unwrapEffect(
        Effect.map(SandboxServer.SandboxServer, ({ url }) =>
          MeteringConfig.layer({ region: "us-east-1", endpoint: url })
        )
      ),
      AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" })
    ]),
    Layer.provideMerge(Layer.provideMerge(SandboxServer.layerNode(), SandboxLive))
  )

const clients = {
  "in memory": SandboxLive,
  "over undici": overLoopback(Layer.provide(MeteringClient.layer, NodeHttpClient.layerUndici)),
  "over node:http": overLoopback(Layer.provide(MeteringClient.layer, NodeHttpClient.layer)),
  "over fetch": overLoopback(Layer.provide(MeteringClient.layer, FetchHttpClient.layer)),
  "over the official SDK": overLoopback(AwsSdkClient.layer)
}

const decoded = Effect.gen(function* () {
  const now = yield* DateTime.now
  return yield* Schema.decode(MeterUsage.MeterUsageRequest)({
    ProductCode: productCode,
    Timestamp: now.epochMillis / 1000,
    UsageDimension: "tokens",
    UsageQuantity: 7
  })
})

const removed = Effect.map(decoded, (request) =>
  Accessors.muClientToken.replace(Option.none(), MeterUsage.make(request))
)

const requests = { decoded, "with its token removed by a lens": removed }

const again = Effect.retry(Schedule.recurs(2))

/** How a program may come to send it again. */
const calls: Readonly<
  Record<
    string,
    (
      request: MeterUsage.MeterUsageRequest
    ) => Effect.Effect<unknown, unknown, MeteringClient.MeteringClient>
  >
> = {
  "the function's effect": (request) => again(MeteringClient.meterUsage(request)),
  "the function, called each time": (request) =>
    again(Effect.suspend(() => MeteringClient.meterUsage(request))),
  "the method, called each time": (request) =>
    again(Effect.flatMap(MeteringClient.MeteringClient, (client) => client.meterUsage(request)))
}

it.live(
  "a request that was changed in place is sent as it is, with the token that it was given",
  () =>
    Effect.gen(function* () {
      const request = yield* decoded
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      yield* sandbox.control.setFaults({ script: [{ fault: "throttling" }] })
      yield* Effect.flip(MeteringClient.meterUsage(request))
      Object.assign(request, { usageQuantity: 9 })
      yield* MeteringClient.meterUsage(request)
      yield* MeteringClient.meterUsage(request)
      assert.deepStrictEqual(
        (yield* sandbox.report.billed).map(({ quantity }) => quantity),
        [9]
      )
    }).pipe(Effect.provide(SandboxLive))
)

describe.each(Object.entries(clients))("%s", (_, layer) => {
  for (const [which, make] of Object.entries(requests)) {
    for (const [how, call] of Object.entries(calls)) {
      it.live(`bills once, when the response was lost: a request ${which}, by ${how}`, () =>
        Effect.gen(function* () {
          const sandbox = yield* MeteringSandbox.MeteringSandbox
          yield* sandbox.control.setFaults({ script: [{ fault: "cutAfter" }] })
          const request = yield* make
          assert.isUndefined(request.clientToken)
          yield* call(request)
          assert.isUndefined(request.clientToken)
          assert.deepStrictEqual(
            (yield* sandbox.report.billed).map(({ quantity }) => quantity),
            [7]
          )
        }).pipe(Effect.provide(layer))
      )
    }
  }
})
