/**
 * The client over the official SDK, `@aws-sdk/client-marketplace-metering`: the same tag, the same requests,
 * answers and errors as over HTTP.
 *
 * The SDK resolves the endpoint, serializes, signs and sends. A middleware at its `deserialize` step captures the raw
 * response, which this package decodes, so that an odd response (a record with an unreadable timestamp, a proxy's
 * page) means the same as with `MeteringClient.layer`. The SDK deserializes it as well, for the middlewares of the
 * user. This layer makes the two interchangeable; a call costs more CPU than with the SDK alone. No error of the SDK is
 * kept.
 *
 * Each call is one attempt, regardless of the SDK's retry settings: see `MeteringRetry`. Expired credentials are
 * refreshed once, and the call is sent once more when the SDK has corrected its clock by 4 minutes or more. The SDK
 * reads the system's clock, not Effect's.
 *
 * @since 0.1.0
 */
import { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AwsCredentials from "../AwsCredentials.js"
import { providerTimeout } from "../internal/credentials/credentialProvider.js"
import { isSameCredentials } from "../internal/credentials/credentials.js"
import { MeteringClient, make } from "../MeteringClient.js"
import { type Service as Config, MeteringConfig } from "../MeteringConfig.js"
import { MeteringConfigError } from "../MeteringError.js"
import type { Rule } from "../Preflight.js"
import { credentialsError } from "./internal/sdkError.js"
import { makeTransport } from "./internal/sdkTransport.js"

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
export const layer: Layer.Layer<
  MeteringClient,
  never,
  MeteringConfig | AwsCredentials.AwsCredentials
> = Layer.scoped(
  MeteringClient,
  Effect.gen(function* () {
    const config = yield* MeteringConfig
    const credentials = yield* AwsCredentials.AwsCredentials
    const clients = yield* Effect.acquireRelease(
      Effect.sync(() => makeClients(config)),
      (clients) => Effect.sync(clients.destroy)
    )
    const url = new URL(config.endpoint)
    return make(
      makeTransport({
        credentials,
        endpoint: url,
        // the transport has a source of credentials, so that each attempt has some
        clientFor: (current) => clients.forCredentials(current as AwsCredentials.Credentials),
        requestTimeout: config.requestTimeout
      }),
      {
        skipRules: config.skipRules,
        spanAttributes: { "cloud.region": config.region, "server.address": url.hostname }
      }
    )
  })
)

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
    Effect.map(regionOf(client), (region) => {
      const { skipRules = [], requestTimeout = Duration.infinity } = options
      return make(
        makeTransport({
          clientFor: () => client,
          requestTimeout: Duration.decode(requestTimeout),
          refresh: (signed) =>
            Effect.map(
              Effect.tryPromise({
                try: () => client.config.credentials({ forceRefresh: true }),
                catch: credentialsError
              }).pipe(
                Effect.timeoutFail({
                  duration: providerTimeout,
                  onTimeout: () => credentialsError(`no answer within ${providerTimeout}`)
                })
              ),
              (refreshed) =>
                refreshed.accessKeyId !== signed?.accessKeyId ||
                refreshed.sessionToken !== signed.sessionToken
            )
        }),
        { skipRules, spanAttributes: { "cloud.region": region } }
      )
    })
  )

const regionOf = (client: MarketplaceMeteringClient) =>
  Effect.tryPromise({
    try: () => client.config.region(),
    catch: (error) =>
      new MeteringConfigError(
        {
          reason: `The SDK client has no region that can be used${error instanceof Error ? `: ${error.message}` : ""}`
        },
        true
      )
  })

/** Returns a client that signs with exactly these credentials. Clients share their connections and corrected clock. */
const makeClients = ({ endpoint, region }: Config) => {
  let last:
    | {
        readonly client: MarketplaceMeteringClient
        readonly credentials: AwsCredentials.Credentials
      }
    | undefined
  const forCredentials = (credentials: AwsCredentials.Credentials): MarketplaceMeteringClient => {
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
  }
  return { destroy: () => last?.client.destroy(), forCredentials }
}
