/**
 * The client over the official SDK, `@aws-sdk/client-marketplace-metering`: the same tag, the same requests,
 * answers and errors as over HTTP.
 *
 * The SDK resolves the endpoint, makes the request, signs and sends. Answers are read by this package and not by
 * the SDK, or before it, so that an answer which the SDK cannot read (a record with an odd timestamp, a proxy's
 * page) is what it is with `MeteringClient.layer`. None of the SDK's own errors is kept.
 *
 * There is one attempt per call, whatever the SDK's retry settings are: retries are the app's, see
 * `MeteringRetry`. As over HTTP, expired credentials are renewed once, and when the SDK has corrected its
 * clock by four minutes or more, the call is made once more. The SDK's clock is the system's, not Effect's.
 *
 * @since 0.1.0
 */
import { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AwsCredentials from "../AwsCredentials.js"
import { isSameCredentials, providerTimeout } from "../internal/credentials/credentialProvider.js"
import { MeteringClient, make } from "../MeteringClient.js"
import { type Service as Config, MeteringConfig } from "../MeteringConfig.js"
import { MeteringConfigError } from "../MeteringError.js"
import type { Rule } from "../Preflight.js"
import * as guest from "./internal/guest.js"
import * as own from "./internal/own.js"
import { credentialsError } from "./internal/sdkError.js"
import { type Connection, makeTransport } from "./internal/sdkTransport.js"

/**
 * The client over an SDK client of its own, which is destroyed with the scope.
 *
 * Region, endpoint and timeout are the configuration's, and the credentials are `AwsCredentials`'; nothing
 * comes from the SDK's environment variables or files.
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
        // every attempt has some, since this transport has a source of them
        connectionOf: (current) => clients.forCredentials(current as AwsCredentials.Credentials),
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
 * What a client that the user has built cannot tell.
 *
 * - `requestTimeout`: how long an answer may take; no limit but the SDK's own when left out
 * - `skipRules`: preflight rules that are not checked
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly requestTimeout?: Duration.DurationInput | undefined
  readonly skipRules?: ReadonlyArray<Rule> | undefined
}

/**
 * The client over an SDK client that the user has built, and goes on to own: it is not destroyed.
 *
 * It keeps its region, endpoint, credentials, request handler, logger and middlewares, those added later as well;
 * only its retry strategy is not asked. A call costs least while all middlewares are the SDK's own and there is no
 * logger: else the SDK reads each answer as well, for them to see. A client without a region is a
 * `MeteringConfigError`. Since only the SDK knows where it sends, there is a span per call and none per attempt.
 *
 * A request without a `clientToken` is given one by this package, the same in every attempt, and none by the SDK.
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
      const connection: Connection = { client, send: guest.makeSend(client) }
      return make(
        makeTransport({
          connectionOf: () => connection,
          requestTimeout: Duration.decode(requestTimeout),
          refresh: (request) =>
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
                refreshed.accessKeyId !== request?.accessKeyId ||
                refreshed.sessionToken !== request.sessionToken
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

/**
 * The SDK asks a provider when it likes and keeps what it says; a client for each set of credentials signs with
 * exactly those. Connections and the corrected clock pass on from one to the next.
 */
const makeClients = ({ endpoint, region }: Config) => {
  let last:
    | {
        readonly credentials: AwsCredentials.Credentials
        readonly signing: Connection
      }
    | undefined
  return {
    forCredentials: (credentials: AwsCredentials.Credentials): Connection => {
      if (
        last !== undefined &&
        (last.credentials === credentials || isSameCredentials(last.credentials, credentials))
      ) {
        return last.signing
      }
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
          requestHandler: last.signing.client.config.requestHandler,
          systemClockOffset: last.signing.client.config.systemClockOffset
        })
      })
      last = { credentials, signing: { client, send: own.makeSend(client) } }
      return last.signing
    },
    destroy: () => last?.signing.client.destroy()
  }
}
