/**
 * Every modelled exception of every operation over real HTTP: raised by a client behind the server, and
 * caught from a client in front of it, over each transport.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { expect, layer } from "@effect/vitest"
import { Context, Effect, Layer, Ref } from "effect"
import {
  AwsCredentials,
  MeteringClient,
  MeteringConfig,
  MeteringError
} from "effect-marketplace-metering"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import { SandboxServer } from "effect-marketplace-metering/sandbox"
import { exceptionKinds } from "./support/exceptionKinds.js"
import { operations } from "./support/operations.js"

/** The next error of the client behind the server. */
class Next extends Context.Tag("test/Next")<Next, Ref.Ref<MeteringError.MeteringError>>() {}

const NextLive = Layer.effect(
  Next,
  Ref.make<MeteringError.MeteringError>(
    new MeteringError.ThrottlingException({ operation: "MeterUsage" })
  )
)

/** Fails every operation alike; whether the model lets it is the question. */
const FailingClient = Layer.effect(
  MeteringClient.MeteringClient,
  Effect.map(Next, (next) => {
    const fail = () => Effect.flatMap(Ref.get(next), (error) => Effect.fail(error as never))
    return {
      meterUsage: fail,
      meterUsageDryRun: fail,
      batchMeterUsage: fail,
      registerUsage: fail,
      resolveCustomer: fail
    }
  })
)

const ServerLive = SandboxServer.layerNode().pipe(
  Layer.provide(FailingClient),
  Layer.provideMerge(NextLive)
)

const ConfigLive = Layer.unwrapEffect(
  Effect.map(SandboxServer.SandboxServer, ({ url }) =>
    MeteringConfig.layer({ region: "us-east-1", endpoint: url })
  )
)

const clients = {
  "over HTTP": MeteringClient.layer.pipe(Layer.provide(NodeHttpClient.layerUndici)),
  "over the official SDK": AwsSdkClient.layer
}

for (const [name, client] of Object.entries(clients)) {
  const implementation = client.pipe(
    Layer.provide([ConfigLive, AwsCredentials.layerStatic(SandboxServer.defaultCredentials)]),
    Layer.provideMerge(ServerLive)
  )
  layer(implementation, { excludeTestServices: true })(name, (it) => {
    for (const operation of Object.values(operations)) {
      it.effect.each(Object.entries(exceptionKinds))(`${operation.name}: %s`, ([tag, kind]) =>
        Effect.gen(function* () {
          const said = { operation: operation.name, serviceMessage: "as the service says" }
          const isOfTheModel = operation.exceptions.includes(tag)
          const Exception = MeteringError[tag as keyof typeof exceptionKinds]
          yield* Ref.set(
            yield* Next,
            isOfTheModel
              ? new Exception(said)
              : new MeteringError.UnknownServiceError({ ...said, code: tag, statusCode: 400 })
          )
          const caught = yield* Effect.flip(operation.call())

          // the one word that means two things: to any other operation, the caller's session is meant
          const elsewhere =
            tag === "ExpiredTokenException" ? "CredentialsExpiredError" : "UnknownServiceError"
          expect({ ...caught }).toMatchObject({
            _tag: isOfTheModel ? tag : elsewhere,
            operation: operation.name,
            serviceMessage: "as the service says",
            statusCode: tag === "InternalServiceErrorException" ? 500 : 400
          })
          if (!isOfTheModel) expect({ ...caught }).toHaveProperty("code", tag)
          expect(caught.isRetryable).toBe(kind !== "final")
          expect(caught.isThrottling).toBe(kind === "throttling")
        })
      )
    }
  })
}
