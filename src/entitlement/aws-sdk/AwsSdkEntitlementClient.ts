/**
 * The client over the official SDK, `@aws-sdk/client-marketplace-entitlement-service`: interchangeable with
 * `EntitlementClient.layer`.
 *
 * As with `AwsSdkClient`, the SDK serializes, signs and sends, and this package decodes. Each call is one attempt.
 *
 * @since 0.1.0
 */
import {
  GetEntitlementsCommand,
  MarketplaceEntitlementServiceClient
} from "@aws-sdk/client-marketplace-entitlement-service"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AwsCredentials } from "../../AwsCredentials.js"
import type { MakeCommand } from "../../internal/sdk/sdkCall.js"
import { makeTransport, transportFrom } from "../../internal/sdk/sdkTransport.js"
import type { MeteringConfigError } from "../../MeteringError.js"
import { type Options as ClientOptions, EntitlementClient, make } from "../EntitlementClient.js"
import { EntitlementConfig } from "../EntitlementConfig.js"

const makeCommand: MakeCommand = (_, input) => new GetEntitlementsCommand(input)

/**
 * Creates an SDK client and destroys it with the scope.
 *
 * `EntitlementConfig` sets region, endpoint and timeout, and `AwsCredentials` the credentials. The SDK's environment
 * variables and files are not read.
 *
 * @example
 * ```ts
 * import { Layer } from "effect"
 * import { EntitlementConfig } from "effect-marketplace-metering/entitlement"
 * import { AwsSdkEntitlementClient } from "effect-marketplace-metering/entitlement/aws-sdk"
 * import { layerDefaultChain } from "effect-marketplace-metering/node"
 *
 * const EntitlementLive = AwsSdkEntitlementClient.layer.pipe(
 *   Layer.provide([EntitlementConfig.layer(), layerDefaultChain])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<EntitlementClient, never, EntitlementConfig | AwsCredentials> =
  Layer.scoped(
    EntitlementClient,
    Effect.gen(function* () {
      const config = yield* EntitlementConfig
      const transport = yield* makeTransport(
        config,
        yield* AwsCredentials,
        (options) => new MarketplaceEntitlementServiceClient(options),
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
 * retry strategy is not used. The client is not destroyed. A client without a region is a `MeteringConfigError`.
 *
 * @example
 * ```ts
 * import { MarketplaceEntitlementServiceClient } from "@aws-sdk/client-marketplace-entitlement-service"
 * import { AwsSdkEntitlementClient } from "effect-marketplace-metering/entitlement/aws-sdk"
 *
 * const sdk = new MarketplaceEntitlementServiceClient({ region: "us-east-1" })
 *
 * const EntitlementLive = AwsSdkEntitlementClient.layerFrom(sdk, { requestTimeout: "10 seconds" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFrom = (
  client: MarketplaceEntitlementServiceClient,
  options: Options = {}
): Layer.Layer<EntitlementClient, MeteringConfigError> =>
  Layer.effect(
    EntitlementClient,
    Effect.map(transportFrom(client, makeCommand, options.requestTimeout), (transport) =>
      make(transport, options)
    )
  )
