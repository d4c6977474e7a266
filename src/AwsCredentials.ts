/**
 * The AWS credentials that requests are signed with.
 *
 * Secrets are `Redacted`, and no error shows them. Credentials are loaded on the first call, cached, and refreshed before
 * they expire. Concurrent callers share one refresh.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { optionalString, unwrap } from "./internal/config/configValues.js"
import { callProvider } from "./internal/credentials/credentialProvider.js"
import {
  type Credentials,
  credentialsError,
  isSameCredentials,
  toCredentials
} from "./internal/credentials/credentials.js"
import { singleFlight } from "./internal/credentials/singleFlight.js"
import type { CredentialsError } from "./MeteringError.js"

export type { Credentials }

/**
 * The source of credentials.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Returns the current credentials. */
  readonly get: Effect.Effect<Credentials, CredentialsError>
  /** Returns credentials that replace those that the service rejected as expired. */
  readonly refresh: (expired: Credentials) => Effect.Effect<Credentials, CredentialsError>
}

/**
 * The AWS credentials that requests are signed with.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { AwsCredentials } from "effect-marketplace-metering"
 *
 * const keyId = Effect.flatMap(AwsCredentials.AwsCredentials, (credentials) => credentials.get).pipe(
 *   Effect.map(({ accessKeyId }) => accessKeyId)
 * )
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class AwsCredentials extends Context.Tag("effect-marketplace-metering/AwsCredentials")<
  AwsCredentials,
  Service
>() {}

/**
 * Credentials as text: `accessKeyId`, `secretAccessKey` and, for temporary credentials, `sessionToken`. The secret key and
 * the token may be `Redacted`. Line breaks and other characters that a header cannot carry are errors. Values are not
 * trimmed. An empty session token counts as absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly accessKeyId: string
  readonly secretAccessKey: string | Redacted.Redacted
  readonly sessionToken?: string | Redacted.Redacted | undefined
}

/** Time before expiry at which a refresh starts in the background, in milliseconds. */
const refreshWindow = 5 * 60_000

/** Time before expiry from which callers wait for the refresh, in milliseconds. */
const safetyMargin = 60_000

/** Minimum interval between two refreshes, in milliseconds. */
const minRefreshInterval = 10_000

/**
 * Caches the credentials of a source, and refreshes them.
 *
 * - Credentials are validated. A malformed field, such as a key with a line break, is a `CredentialsError` that names the
 *   field but not its value.
 * - The first caller runs the source, and concurrent callers share that run. The run is interrupted only when all of its
 *   callers are interrupted. It has no time limit other than the source's own.
 * - In the last 5 minutes before they expire, credentials are refreshed in the background, and callers get the cached ones.
 *   In the last minute, callers wait for the refresh. A refresh runs at most every 10 seconds. A background refresh is
 *   interrupted when the scope closes.
 * - When a refresh fails, the cached credentials are served until they expire. Only then do callers get the error.
 *   Errors are not cached: the next caller runs the source again.
 * - Credentials without expiration are cached until `refresh` replaces them.
 * - `refresh` runs the source again, unless the expired credentials have been replaced already.
 *
 * @example
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { AwsCredentials } from "effect-marketplace-metering"
 *
 * const credentials = AwsCredentials.make(
 *   Effect.succeed({
 *     accessKeyId: "AKIAIOSFODNN7EXAMPLE",
 *     secretAccessKey: Redacted.make("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <R>(
  source: Effect.Effect<Credentials, CredentialsError, R>
): Effect.Effect<Service, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    let cached: Credentials | undefined
    let nextRefreshAt = Number.NEGATIVE_INFINITY

    const resolve = yield* Effect.scoped(source).pipe(
      Effect.flatMap((credentials) => toCredentials(credentials, ["the given source"])),
      Effect.tap((credentials) => {
        cached = credentials
      }),
      Effect.ensuring(
        Effect.map(Clock.currentTimeMillis, (now) => {
          nextRefreshAt = now + minRefreshInterval
        })
      ),
      singleFlight
    )

    let isRefreshing = false
    // an interruption between setting and forking would leave `isRefreshing` set for ever
    const refreshInBackground = Effect.uninterruptible(
      Effect.suspend(() => {
        if (isRefreshing) return Effect.void
        isRefreshing = true
        return resolve.pipe(
          Effect.catchAll(({ reason }) =>
            Effect.logWarning(`The AWS credentials expire soon and cannot be refreshed: ${reason}`)
          ),
          Effect.interruptible,
          Effect.ensuring(
            Effect.sync(() => {
              isRefreshing = false
            })
          ),
          Effect.forkIn(scope)
        )
      })
    )

    const get = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (cached === undefined) return resolve
      const current = cached
      const timeLeft = (current.expiration?.epochMillis ?? Number.POSITIVE_INFINITY) - now
      if (timeLeft <= 0) return resolve
      if (timeLeft > refreshWindow || now < nextRefreshAt) return Effect.succeed(current)
      return timeLeft > safetyMargin
        ? Effect.as(refreshInBackground, current)
        : Effect.catchAllCause(resolve, (cause) =>
            Effect.flatMap(Clock.currentTimeMillis, (later) =>
              later - now < timeLeft && !Cause.isInterrupted(cause)
                ? Effect.succeed(current)
                : Effect.failCause(cause)
            )
          )
    })

    return {
      get,
      refresh: (expired) =>
        Effect.suspend(() =>
          cached === undefined || isSameCredentials(cached, expired) ? resolve : get
        )
    }
  })

/**
 * Credentials from any effect, cached and refreshed as `make` does.
 *
 * @example
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { AwsCredentials, MeteringError } from "effect-marketplace-metering"
 *
 * const fromVault = (read: Effect.Effect<{ readonly id: string; readonly secret: string }, Error>) =>
 *   AwsCredentials.layer(
 *     read.pipe(
 *       Effect.map(({ id, secret }) => ({ accessKeyId: id, secretAccessKey: Redacted.make(secret) })),
 *       Effect.mapError(
 *         () => new MeteringError.CredentialsError({ tried: ["vault"], reason: "it is sealed" })
 *       )
 *     )
 *   )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <R>(
  source: Effect.Effect<Credentials, CredentialsError, R>
): Layer.Layer<AwsCredentials, never, Exclude<R, Scope.Scope>> =>
  Layer.scoped(AwsCredentials, make(source))

/**
 * Constant credentials. Malformed ones fail with `CredentialsError` when the layer is built.
 *
 * @example
 * ```ts
 * import { AwsCredentials } from "effect-marketplace-metering"
 *
 * const CredentialsTest = AwsCredentials.layerStatic({
 *   accessKeyId: "AKIAIOSFODNN7EXAMPLE",
 *   secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStatic = (credentials: Options): Layer.Layer<AwsCredentials, CredentialsError> =>
  Layer.effect(
    AwsCredentials,
    Effect.map(toCredentials(credentials, ["the given credentials"]), (valid) => {
      const get = Effect.succeed(valid)
      return { get, refresh: () => get }
    })
  )

/**
 * Credentials from Effect's `Config`, under names of your own. The key of the session token can be omitted.
 *
 * Credentials are read when the layer is built. The layer fails with `ConfigError` if they are missing, and with
 * `CredentialsError` if they are malformed. When the service rejects them as expired, they are read again from the same
 * `ConfigProvider`.
 *
 * @example
 * ```ts
 * import { Config } from "effect"
 * import { AwsCredentials } from "effect-marketplace-metering"
 *
 * const CredentialsLive = AwsCredentials.layerConfig({
 *   accessKeyId: Config.string("SELLER_KEY_ID"),
 *   secretAccessKey: Config.redacted("SELLER_SECRET")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<AwsCredentials, CredentialsError | ConfigError.ConfigError> =>
  Layer.scoped(
    AwsCredentials,
    Effect.configProviderWith((provider) => {
      const tried = ["the configuration"]
      const read = Effect.suspend(() => provider.load(unwrap(config))).pipe(
        Effect.flatMap((options) => toCredentials(options, tried))
      )
      const source = Effect.catchTag(read, "ConfigError", (error) =>
        Effect.fail(credentialsError(tried, `cannot read ${pathsOf(error).join(" and ")}`))
      )
      return Effect.zipRight(read, make(source))
    })
  )

/** Returns only the names of settings, because a custom error message could contain a value. */
const pathsOf = (error: ConfigError.ConfigError): ReadonlyArray<string> =>
  error._op === "And" || error._op === "Or"
    ? [...pathsOf(error.left), ...pathsOf(error.right)]
    : [error.path.join(".")]

/**
 * Credentials from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` (optional), read as
 * `layerConfig` does. An empty variable counts as missing.
 *
 * @example
 * ```ts
 * import { Layer } from "effect"
 * import { AwsCredentials, MeteringConfig } from "effect-marketplace-metering"
 *
 * const EnvironmentLive = Layer.merge(MeteringConfig.layerEnv, AwsCredentials.layerEnv)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEnv: Layer.Layer<AwsCredentials, CredentialsError | ConfigError.ConfigError> =
  layerConfig({
    accessKeyId: Config.nonEmptyString("AWS_ACCESS_KEY_ID"),
    secretAccessKey: Config.redacted(Config.nonEmptyString("AWS_SECRET_ACCESS_KEY")),
    sessionToken: Config.map(optionalString("AWS_SESSION_TOKEN"), (found) => found?.value)
  })

/**
 * A credential provider of the AWS SDK for JavaScript, such as those of `@aws-sdk/credential-providers`: a function that
 * promises credentials.
 *
 * The provider is called with `{ forceRefresh: true }`, so that it does not return credentials from its own cache.
 *
 * @since 0.1.0
 * @category models
 */
export type Provider = (
  // biome-ignore lint/suspicious/noExplicitAny: providers take options of different types
  options?: Record<string, any>
) => PromiseLike<Options & { readonly expiration?: Date | undefined }>

/**
 * Credentials from a credential provider of the AWS SDK for JavaScript, cached and refreshed as `make` does.
 *
 * A call fails with `CredentialsError` if the provider rejects, returns malformed credentials, or takes longer than 1
 * minute. The error has the name of the provider's error and the first line of its message, without anything that could be a
 * secret.
 *
 * @example
 * ```ts
 * import { AwsCredentials } from "effect-marketplace-metering"
 *
 * const CredentialsLive = AwsCredentials.layerProvider(async () => ({
 *   accessKeyId: "AKIAIOSFODNN7EXAMPLE",
 *   secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
 *   expiration: new Date("2026-11-24T10:15:00Z")
 * }))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerProvider = (provider: Provider): Layer.Layer<AwsCredentials> =>
  layer(
    callProvider(() => provider({ forceRefresh: true }), {
      tried: ["the given provider"],
      notes: []
    })
  )
