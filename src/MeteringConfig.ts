/**
 * Where the service is called, and how long an answer may take.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { unwrap } from "./internal/config/configValues.js"
import * as resolveConfig from "./internal/config/resolveConfig.js"
import type { MeteringConfigError } from "./MeteringError.js"
import type { Rule } from "./Preflight.js"

/**
 * A configuration in which region and endpoint have been settled.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The Region that requests are signed for. */
  readonly region: string
  /** Where requests go. */
  readonly endpoint: string
  /** How long one attempt may take, from looking up the host to the last byte read. */
  readonly requestTimeout: Duration.Duration
  /** Preflight rules that are not checked. */
  readonly skipRules: ReadonlyArray<Rule>
}

/**
 * The client's configuration.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringConfig } from "effect-marketplace-metering"
 *
 * const region = Effect.map(MeteringConfig.MeteringConfig, (config) => config.region)
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class MeteringConfig extends Context.Tag("effect-marketplace-metering/MeteringConfig")<
  MeteringConfig,
  Service
>() {}

/**
 * What a configuration is made from.
 *
 * - `region`: the Region to call and to sign for, also where there is an `endpoint`. A name such as
 *   `us-east-1-fips` means that Region and `fips`.
 * - `endpoint`: an http or https URL to call in place of the Region's own. It excludes `fips` and `dualStack`.
 * - `fips`, `dualStack`: the Region's endpoint with validated cryptography, or with IPv6
 * - `requestTimeout`: how long one attempt may take, from looking up the host to the last byte read,
 *   30 seconds unless given, more than 0. `Duration.infinity` is no limit.
 * - `skipRules`: preflight rules that are not to be checked
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly region: string
  readonly endpoint?: string | undefined
  readonly fips?: boolean | undefined
  readonly dualStack?: boolean | undefined
  readonly requestTimeout?: Duration.DurationInput | undefined
  readonly skipRules?: ReadonlyArray<Rule> | undefined
}

/**
 * Settles region and endpoint, or says why they do not go together.
 *
 * The endpoint is the one that the official SDK would call, and what the SDK refuses is refused here.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { MeteringConfig } from "effect-marketplace-metering"
 *
 * const config = MeteringConfig.make({ region: "us-east-1", requestTimeout: "10 seconds" })
 *
 * Either.map(config, ({ endpoint }) => endpoint) // https://metering.marketplace.us-east-1.amazonaws.com/
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options: Options) => Either.Either<Service, MeteringConfigError> =
  resolveConfig.make

/**
 * The configuration from options in code.
 *
 * @example
 * ```ts
 * import { MeteringConfig } from "effect-marketplace-metering"
 *
 * const ConfigLive = MeteringConfig.layer({ region: "eu-central-1", requestTimeout: "10 seconds" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<MeteringConfig, MeteringConfigError> =>
  Layer.effect(MeteringConfig, make(options))

/**
 * The configuration from Effect's `Config`, under names of your own. Optional keys may be left out.
 *
 * @example
 * ```ts
 * import { Config } from "effect"
 * import { MeteringConfig } from "effect-marketplace-metering"
 *
 * const ConfigLive = MeteringConfig.layerConfig({
 *   region: Config.string("METERING_REGION"),
 *   requestTimeout: Config.duration("METERING_TIMEOUT").pipe(Config.withDefault("10 seconds"))
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<MeteringConfig, MeteringConfigError | ConfigError.ConfigError> =>
  Layer.effect(MeteringConfig, Effect.flatMap(unwrap(config), make))

/**
 * The configuration from the environment, read through Effect's `Config`, under the names and in the order of
 * the AWS SDKs.
 *
 * - Region: `AWS_REGION`, `AWS_DEFAULT_REGION`. Where neither is set, the error names both; no Region is ever
 *   assumed.
 * - Endpoint: `AWS_ENDPOINT_URL_MARKETPLACE_METERING`, `AWS_ENDPOINT_URL`, neither if
 *   `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`
 * - `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`: `true` or `false`. Any other text is an error, where
 *   the SDK for JavaScript would go on as if it were `false`.
 *
 * An empty variable counts as none. The shared config file is not read; `layerSharedConfig` of
 * `effect-marketplace-metering/node` does that.
 *
 * @example
 * ```ts
 * import { ConfigProvider, Layer } from "effect"
 * import { MeteringConfig } from "effect-marketplace-metering"
 *
 * const ConfigTest = MeteringConfig.layerEnv.pipe(
 *   Layer.provide(
 *     Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["AWS_REGION", "us-east-1"]])))
 *   )
 * )
 * ```
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 * @since 0.1.0
 * @category layers
 */
export const layerEnv: Layer.Layer<MeteringConfig, MeteringConfigError | ConfigError.ConfigError> =
  Layer.effect(
    MeteringConfig,
    Effect.flatMap(resolveConfig.environment, (environment) =>
      resolveConfig.resolveConfig([environment], resolveConfig.regionVariables)
    )
  )
