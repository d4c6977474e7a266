/** An HTTP sandbox in this process, for commands in other processes. */
import { Effect, Layer } from "effect"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"

export const sandboxLayer = (options: MeteringSandbox.Options = {}) =>
  SandboxServer.layerNode().pipe(Layer.provideMerge(MeteringSandbox.layer(options)))

/** The environment of AWS tools for the sandbox. */
export const environment = Effect.map(SandboxServer.SandboxServer, ({ url }) => ({
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "sandbox",
  AWS_SECRET_ACCESS_KEY: "sandbox",
  AWS_ENDPOINT_URL_MARKETPLACE_METERING: url
}))
