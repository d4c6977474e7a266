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
import * as Redacted from "effect/Redacted"
import { AwsCredentials, type Credentials } from "../AwsCredentials.js"
import { callProvider, describeError } from "../internal/credentials/credentialProvider.js"
import { isSameCredentials } from "../internal/credentials/credentials.js"
import { MeteringClient, make } from "../MeteringClient.js"
import { type Service as Config, MeteringConfig } from "../MeteringConfig.js"
import { MeteringConfigError } from "../MeteringError.js"
import type { Rule } from "../Preflight.js"
import { clientProvider, isSignedWith, sendAttempt } from "./internal/sdkTransport.js"

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
      const url = new URL(config.endpoint)
      const clientFor = yield* makeClients(config)
      return make(
        {
          credentials: yield* AwsCredentials,
          endpoint: url,
          // each attempt has credentials, because this transport has
          send: (attempt) =>
            sendAttempt(
              clientFor(attempt.credentials as Credentials),
              config.requestTimeout,
              attempt
            )
        },
        {
          skipRules: config.skipRules,
          spanAttributes: { "cloud.region": config.region, "server.address": url.hostname }
        }
      )
    })
  )

/** Makes a client for each set of credentials. The clients share connections and the corrected clock. */
const makeClients = ({ endpoint, region }: Config) =>
  Effect.gen(function* () {
    let client: MarketplaceMeteringClient | undefined
    let last: Credentials | undefined
    yield* Effect.addFinalizer(() => Effect.sync(() => client?.destroy()))
    return (credentials: Credentials) => {
      if (client && last && isSameCredentials(last, credentials)) return client
      const { accessKeyId, secretAccessKey, sessionToken } = credentials
      client = new MarketplaceMeteringClient({
        region,
        endpoint,
        useFipsEndpoint: false,
        useDualstackEndpoint: false,
        maxAttempts: 1,
        retryMode: "standard",
        credentials: {
          accessKeyId,
          secretAccessKey: Redacted.value(secretAccessKey),
          ...(sessionToken !== undefined && { sessionToken: Redacted.value(sessionToken) })
        },
        ...(client && {
          requestHandler: client.config.requestHandler,
          systemClockOffset: client.config.systemClockOffset
        })
      })
      last = credentials
      return client
    }
  })

/**
 * Options of `layerFrom`.
 *
 * - `requestTimeout`: limit of one attempt. Defaults to the limits of the SDK client
 * - `skipRules`: preflight rules to skip. Defaults to none
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly requestTimeout?: Duration.DurationInput | undefined
  readonly skipRules?: ReadonlyArray<Rule> | undefined
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
        catch: (error) =>
          new MeteringConfigError(
            { reason: `The SDK client has no usable region: ${describeError(error)}` },
            true
          )
      })
      const requestTimeout = Duration.decode(options.requestTimeout ?? Duration.infinity)
      return make(
        {
          send: (attempt) => sendAttempt(client, requestTimeout, attempt),
          refresh: (response) =>
            Effect.map(
              callProvider(() => client.config.credentials({ forceRefresh: true }), clientProvider),
              (credentials) => !isSignedWith(response, credentials)
            )
        },
        { skipRules: options.skipRules, spanAttributes: { "cloud.region": region } }
      )
    })
  )
