// A program to bundle: `node` and the sandbox's server, which import optional packages lazily.
import { Console, Effect, Layer } from "effect"
import { MeteringClient } from "effect-marketplace-metering"
import * as Node from "effect-marketplace-metering/node"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"

const program = Effect.gen(function* () {
  const { url } = yield* SandboxServer.SandboxServer
  Object.assign(process.env, {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "sandbox",
    AWS_SECRET_ACCESS_KEY: "sandbox",
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: url
  })
  const sandbox = yield* MeteringSandbox.MeteringSandbox
  yield* MeteringClient.batchMeterUsage({
    productCode: "sandbox-analytics",
    usageRecords: [
      {
        timestamp: yield* sandbox.control.now,
        dimension: "api-calls",
        quantity: 42,
        customerAWSAccountId: "111122223333"
      }
    ]
  }).pipe(Effect.provide(MeteringClient.layer.pipe(Layer.provide(Node.layer))))
  const [usage] = yield* sandbox.report.billed
  yield* Console.log(`billed ${usage?.quantity}`)
})

Effect.runPromise(
  program.pipe(
    Effect.provide(Layer.provideMerge(SandboxServer.layerNode(), MeteringSandbox.layer()))
  )
).catch((error) => {
  console.error(error)
  process.exitCode = 1
})
