/**
 * The AWS credentials that requests are signed with.
 *
 * Secrets are `Redacted`, and no error tells them. Credentials are had when they are first asked for, kept,
 * and renewed before they expire, by one fiber however many wait.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { optionalString, unwrap } from "./internal/config/configValues.js"
import {
  callProvider,
  credentialsError,
  isSameCredentials,
  toCredentials
} from "./internal/credentials/credentialProvider.js"
import { singleFlight } from "./internal/credentials/singleFlight.js"
import type { CredentialsError } from "./MeteringError.js"

/**
 * One set of credentials: `accessKeyId` and `secretAccessKey`, the `sessionToken` of temporary ones, and their
 * `expiration` where it is known.
 *
 * @since 0.1.0
 * @category models
 */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
  readonly expiration?: DateTime.Utc | undefined
}

/**
 * Where credentials come from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The credentials to sign with now. */
  readonly get: Effect.Effect<Credentials, CredentialsError>
  /** Other credentials in place of some that the service has just called expired. */
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
 * Credentials as text: `accessKeyId`, `secretAccessKey`, and the `sessionToken` of temporary ones. The secret ones
 * may be `Redacted`. None may hold line breaks or other
 * characters that a header cannot carry; nothing is trimmed. An empty session token is none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly accessKeyId: string
  readonly secretAccessKey: string | Redacted.Redacted
  readonly sessionToken?: string | Redacted.Redacted | undefined
}

/** So many milliseconds before they expire, credentials are renewed in the background. */
const refreshWindow = 5 * 60_000

/** So long before they expire, credentials are not handed out before a renewal has been tried. */
const safetyMargin = 60_000

/** A source that fails, or has nothing newer yet, is not asked again at once. */
const minRefreshInterval = 10_000

/**
 * Keeps the credentials of a source, and renews them.
 *
 * - What the source gives is checked each time: malformed credentials, such as a key with a line break, are a
 *   `CredentialsError` that names the field and never its value.
 * - The source is run when credentials are first asked for, by one fiber however many wait. It goes on when one
 *   of them is interrupted, and ends with the last of them. How long it may take is for the source to limit.
 * - From 5 minutes before they expire, credentials are renewed in the background and handed out meanwhile. In
 *   the last minute callers wait for the renewal. It is tried every 10 seconds at most, and not after the end of
 *   the scope.
 * - When it fails, the credentials at hand serve until they have expired. Only then is the error the caller's.
 *   No failure is kept: the next caller runs the source again.
 * - Credentials without expiration are kept for good, and replaced only by `refresh`.
 * - `refresh` runs the source again, unless other credentials than the expired ones are at hand already.
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
    // between the mark and the fiber that takes it off, nothing may be interrupted
    const refreshInBackground = Effect.uninterruptible(
      Effect.suspend(() => {
        if (isRefreshing) return Effect.void
        isRefreshing = true
        return resolve.pipe(
          Effect.catchAll(({ reason }) =>
            Effect.logWarning(`The AWS credentials expire soon and could not be renewed: ${reason}`)
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
 * Credentials from any effect, kept and renewed as `make` does.
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
 * The same credentials for good. Malformed ones fail with `CredentialsError` when the layer is built.
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
 * Credentials from Effect's `Config`, under names of your own. Optional keys may be left out.
 *
 * They are read when the layer is built, so that what is missing is found at the start: it fails with
 * `ConfigError`, or with `CredentialsError` where they are malformed. When the service calls them expired they
 * are read again, from the same `ConfigProvider`.
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

/** The names only: a message of the application's own could hold the value. */
const pathsOf = (error: ConfigError.ConfigError): ReadonlyArray<string> =>
  error._op === "And" || error._op === "Or"
    ? [...pathsOf(error.left), ...pathsOf(error.right)]
    : [error.path.join(".")]

/**
 * Credentials from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` (optional), read as
 * `layerConfig` does. An empty variable counts as none.
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
 * A credential provider in the manner of the AWS SDK for JavaScript: a function that promises credentials.
 *
 * It is called with `{ forceRefresh: true }`, by which one that keeps credentials itself gets new ones; others ignore
 * it. Every provider of `@aws-sdk/credential-providers` is one.
 *
 * @since 0.1.0
 * @category models
 */
export type Provider = (
  // biome-ignore lint/suspicious/noExplicitAny: providers take different options, none of which another one's type knows
  options?: Record<string, any>
) => PromiseLike<Options & { readonly expiration?: Date | undefined }>

/**
 * Credentials from a credential provider of the AWS SDK for JavaScript, kept and renewed as `make` does.
 *
 * Where it rejects, gives something malformed, or takes longer than a minute, the `CredentialsError` has the
 * name of its error and the first line of its message, without whatever could be a secret.
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
