/**
 * Configuration of the client: Region, endpoint, request timeout and skipped preflight rules.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { unwrap } from "./internal/config/configValues.js"
import {
  environmentOf,
  makeConfig,
  type Options,
  regionVariables,
  resolveConfig,
  type Service
} from "./internal/config/resolveConfig.js"
import { metering } from "./internal/protocol/serviceModel.js"
import type { MeteringConfigError } from "./MeteringError.js"

export type { Options, Service }

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
 * Makes a configuration, or fails if the options are invalid or contradict each other.
 *
 * The endpoint is the one that the official SDK would call, and combinations that the SDK rejects are rejected.
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
export const make = (options: Options): Either.Either<Service, MeteringConfigError> =>
  makeConfig(metering, options)

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
 * The configuration from Effect's `Config`, under names of your own. Keys of optional settings can be omitted.
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
 * The configuration from the environment variables of the AWS SDKs, read through Effect's `Config`.
 *
 * - Region: `AWS_REGION`, then `AWS_DEFAULT_REGION`. Without either the layer fails: there is no default Region.
 * - Endpoint: `AWS_ENDPOINT_URL_MARKETPLACE_METERING`, then `AWS_ENDPOINT_URL`. Both are ignored if
 *   `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
 * - `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`: `true` or `false`. Any other text is an error, whereas the SDK
 *   for JavaScript treats it as `false`.
 *
 * An empty variable counts as missing. The shared config file is read by `layerSharedConfig` of
 * `effect-marketplace-metering/node`.
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
    Effect.flatMap(environmentOf("AWS_ENDPOINT_URL_MARKETPLACE_METERING"), (variables) =>
      resolveConfig(metering, [variables], regionVariables)
    )
  )
