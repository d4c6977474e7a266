/**
 * The client over the official SDK, `@aws-sdk/client-marketplace-metering`: interchangeable with `MeteringClient.layer`.
 *
 * The SDK resolves the endpoint, serializes, signs and sends. A middleware at its `deserialize` step captures the raw
 * response, which this package decodes. The SDK decodes it too, so a call costs more CPU than with the SDK alone.
 *
 * Each call is one attempt, regardless of the SDK's retry settings: see `MeteringRetry`. Expired credentials are
 * refreshed once, and a clock that is off by 4 minutes or more is corrected once. The SDK reads the system's clock.
 *
 * @since 0.1.0
 */
import * as Sdk from "@aws-sdk/client-marketplace-metering"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AwsCredentials } from "../AwsCredentials.js"
import type { MakeCommand } from "../internal/sdk/sdkCall.js"
import { makeTransport, transportFrom } from "../internal/sdk/sdkTransport.js"
import { type Options as ClientOptions, MeteringClient, make } from "../MeteringClient.js"
import { MeteringConfig } from "../MeteringConfig.js"
import type { MeteringConfigError } from "../MeteringError.js"

const makeCommand: MakeCommand = (operation, input) => {
  // this transport is called only with the operations of this service
  const name = `${operation}Command` as "MeterUsageCommand"
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: every command is used
  return new Sdk[name](input)
}

/**
 * Creates an SDK client and destroys it with the scope.
 *
 * `MeteringConfig` sets region, endpoint and timeout, and `AwsCredentials` the credentials. The SDK's environment
 * variables and files are not read.
 *
 * @example
 * ```ts
 * import { Layer } from "effect"
 * import { MeteringConfig } from "effect-marketplace-metering"
 * import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
 * import { layerDefaultChain } from "effect-marketplace-metering/node"
 *
 * const MeteringLive = AwsSdkClient.layer.pipe(
 *   Layer.provide([MeteringConfig.layer({ region: "us-east-1" }), layerDefaultChain])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<MeteringClient, never, MeteringConfig | AwsCredentials> =
  Layer.scoped(
    MeteringClient,
    Effect.gen(function* () {
      const config = yield* MeteringConfig
      const transport = yield* makeTransport(
        config,
        yield* AwsCredentials,
        (options) => new Sdk.MarketplaceMeteringClient(options),
        makeCommand
      )
      return make(transport, config)
    })
  )

/**
 * Options of `layerFrom`.
 *
 * - `requestTimeout`: time limit of one attempt. Defaults to the limits of the SDK client.
 * - `skipRules`: preflight rules to skip. Defaults to none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Pick<ClientOptions, "skipRules"> {
  readonly requestTimeout?: Duration.DurationInput | undefined
}

/**
 * Uses an SDK client of the app, with its region, endpoint, credentials, request handler, logger and middlewares. Its
 * retry strategy is not used. The client is not destroyed.
 *
 * A client without a region is a `MeteringConfigError`. Calls have spans, but attempts have none, because only the SDK knows
 * their endpoint. A request without a `clientToken` gets one from this package, the same in every attempt.
 *
 * @example
 * ```ts
 * import { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
 * import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
 *
 * const sdk = new MarketplaceMeteringClient({ region: "us-east-1" })
 *
 * const MeteringLive = AwsSdkClient.layerFrom(sdk, { requestTimeout: "10 seconds" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFrom = (
  client: Sdk.MarketplaceMeteringClient,
  options: Options = {}
): Layer.Layer<MeteringClient, MeteringConfigError> =>
  Layer.effect(
    MeteringClient,
    Effect.map(transportFrom(client, makeCommand, options.requestTimeout), (transport) =>
      make(transport, options)
    )
  )
