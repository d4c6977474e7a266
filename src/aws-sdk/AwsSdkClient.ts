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
import { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AwsCredentials, type Credentials } from "../AwsCredentials.js"
import { describeError } from "../internal/credentials/credentialProvider.js"
import { isSameCredentials, unredact } from "../internal/credentials/credentials.js"
import { type Options as ClientOptions, MeteringClient, make } from "../MeteringClient.js"
import { MeteringConfig } from "../MeteringConfig.js"
import { MeteringConfigError } from "../MeteringError.js"
import type { Attempt, Response } from "../Transport.js"
import { refreshCredentials, sendAttempt } from "./internal/sdkTransport.js"

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
      const { endpoint, region, requestTimeout, skipRules } = yield* MeteringConfig
      const clientFor = yield* makeClients(endpoint, region)
      const credentials = yield* AwsCredentials
      const send = (attempt: Attempt) => sendAttempt(clientFor(attempt), requestTimeout, attempt)
      const spanAttributes = {
        "cloud.region": region,
        "server.address": new URL(endpoint).hostname
      }
      return make({ credentials, endpoint, send }, { skipRules, spanAttributes })
    })
  )

/** Makes a client for each set of credentials, which every attempt has. They share connections and the corrected clock. */
const makeClients = (endpoint: string, region: string) => {
  let client: MarketplaceMeteringClient | undefined
  let last: Credentials | undefined
  const clientFor = (attempt: Attempt) => {
    const credentials = attempt.credentials as Credentials
    if (client && last && isSameCredentials(last, credentials)) return client
    last = credentials
    client = new MarketplaceMeteringClient({
      region,
      endpoint,
      useFipsEndpoint: false,
      useDualstackEndpoint: false,
      maxAttempts: 1,
      retryMode: "standard",
      credentials: unredact(credentials),
      ...(client && {
        requestHandler: client.config.requestHandler,
        systemClockOffset: client.config.systemClockOffset
      })
    })
    return client
  }
  const destroy = () => Effect.sync(() => client?.destroy())
  return Effect.as(Effect.addFinalizer(destroy), clientFor)
}

/**
 * Options of `layerFrom`.
 *
 * - `requestTimeout`: limit of one attempt. Defaults to the limits of the SDK client
 * - `skipRules`: preflight rules to skip. Defaults to none
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
 * A client without a region is a `MeteringConfigError`. Only calls have spans, because only the SDK knows the endpoint
 * of an attempt. A request without a `clientToken` gets one from this package, the same in every attempt.
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
  client: MarketplaceMeteringClient,
  options: Options = {}
): Layer.Layer<MeteringClient, MeteringConfigError> =>
  Layer.effect(
    MeteringClient,
    Effect.gen(function* () {
      const region = yield* Effect.tryPromise({
        try: () => client.config.region(),
        catch: (error) => {
          const reason = `The SDK client has no usable region: ${describeError(error)}`
          return new MeteringConfigError({ reason }, true)
        }
      })
      const requestTimeout = Duration.decode(options.requestTimeout ?? Duration.infinity)
      const send = (attempt: Attempt) => sendAttempt(client, requestTimeout, attempt)
      const refresh = (response: Response) => refreshCredentials(client, response)
      const spanAttributes = { "cloud.region": region }
      return make({ send, refresh }, { skipRules: options.skipRules, spanAttributes })
    })
  )
