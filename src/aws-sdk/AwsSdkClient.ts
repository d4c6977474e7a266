/**
 * The client over the official SDK, `@aws-sdk/client-marketplace-metering`: interchangeable with `MeteringClient.layer`.
 *
 * The SDK resolves the endpoint, serializes, signs and sends. A middleware at its `deserialize` step captures the raw
 * response, which this package decodes. The SDK decodes it too, so that a call costs more CPU than with the SDK alone.
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
import { clientProvider, type SdkResponse, sendAttempt } from "./internal/sdkTransport.js"

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
      const clients = yield* Effect.acquireRelease(
        Effect.sync(() => makeClients(config)),
        (clients) => Effect.sync(clients.destroy)
      )
      return make(
        {
          credentials: yield* AwsCredentials,
          endpoint: url,
          send: (attempt) => {
            // a transport with `credentials` gets some for each attempt
            const client = clients.forCredentials(attempt.credentials as Credentials)
            return sendAttempt(client, config.requestTimeout, attempt)
          }
        },
        {
          skipRules: config.skipRules,
          spanAttributes: { "cloud.region": config.region, "server.address": url.hostname }
        }
      )
    })
  )

/** Makes clients that each sign with exactly one set of credentials. They share connections and the corrected clock. */
const makeClients = ({ endpoint, region }: Config) => {
  let last:
    | { readonly client: MarketplaceMeteringClient; readonly credentials: Credentials }
    | undefined
  return {
    forCredentials: (credentials: Credentials) => {
      if (last !== undefined && isSameCredentials(last.credentials, credentials)) return last.client
      const { accessKeyId, secretAccessKey, sessionToken } = credentials
      const client = new MarketplaceMeteringClient({
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
        ...(last !== undefined && {
          requestHandler: last.client.config.requestHandler,
          systemClockOffset: last.client.config.systemClockOffset
        })
      })
      last = { client, credentials }
      return client
    },
    destroy: () => last?.client.destroy()
  }
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
export interface Options {
  readonly requestTimeout?: Duration.DurationInput | undefined
  readonly skipRules?: ReadonlyArray<Rule> | undefined
}

/**
 * Uses an SDK client of the user, which keeps its region, endpoint, credentials, request handler, logger and
 * middlewares, and is not destroyed. Only its retry strategy is not used.
 *
 * A client without a region is a `MeteringConfigError`. A call has a span, and an attempt has none, because only the
 * SDK knows the endpoint. A request without a `clientToken` gets one from this package, the same in every attempt.
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
              callProvider(() => client.config.credentials({ forceRefresh: true }), {
                tried: clientProvider,
                notes: []
              }),
              ({ accessKeyId, sessionToken }) => {
                // `send` returned this response
                const { request } = response as SdkResponse
                return (
                  !request?.authorization.includes(`Credential=${accessKeyId}/`) ||
                  request.sessionToken !== (sessionToken && Redacted.value(sessionToken))
                )
              }
            )
        },
        { skipRules: options.skipRules, spanAttributes: { "cloud.region": region } }
      )
    })
  )
