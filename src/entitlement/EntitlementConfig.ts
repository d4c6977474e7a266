/**
 * Configuration of the entitlement client: Region, endpoint, request timeout and skipped preflight rules.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { unwrap } from "../internal/config/configValues.js"
import {
  configError,
  environmentOf,
  makeConfig,
  resolveConfig,
  type Settings
} from "../internal/config/resolveConfig.js"
import type * as MeteringConfig from "../MeteringConfig.js"
import type { MeteringConfigError } from "../MeteringError.js"
import { marketplaceEntitlement, serviceRegion } from "./internal/serviceModel.js"

/**
 * A resolved configuration.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service extends MeteringConfig.Service {}

/**
 * The client's configuration.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { EntitlementConfig } from "effect-marketplace-metering/entitlement"
 *
 * const endpoint = Effect.map(EntitlementConfig.EntitlementConfig, (config) => config.endpoint)
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class EntitlementConfig extends Context.Tag(
  "effect-marketplace-metering/entitlement/EntitlementConfig"
)<EntitlementConfig, Service>() {}

/**
 * The options of a configuration: those of `MeteringConfig`, and
 *
 * - `region`: the Region to call and to sign for. In the partition `aws` the service is only in us-east-1, and in China only
 *   in cn-northwest-1. With an `endpoint`, any Region is valid. Defaults to us-east-1.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Omit<MeteringConfig.Options, "region"> {
  readonly region?: string | undefined
}

const isFipsOf = (region: string, name: string) =>
  name === `${region}-fips` || name === `fips-${region}`

/** Partitions other than `aws`. */
const otherPartition = /^(aws|cn|eu-isoe|eusc|us-(gov|iso[bf]?))-/

/** Returns whether a Region is in the partition `aws` but without the service. */
const isWithoutService = (region: string): boolean =>
  !otherPartition.test(region) && region !== serviceRegion && !isFipsOf(serviceRegion, region)

/**
 * Makes a configuration, or fails if the options are invalid or contradict each other.
 *
 * The endpoint is the one that the official SDK would call. A Region without the service is an error, whereas the SDK would
 * call a host that does not exist.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { EntitlementConfig } from "effect-marketplace-metering/entitlement"
 *
 * const config = EntitlementConfig.make({ requestTimeout: "10 seconds" })
 *
 * Either.map(config, ({ endpoint }) => endpoint) // Either.right("https://entitlement.marketplace.us-east-1.amazonaws.com/")
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({
  region = serviceRegion,
  ...options
}: Options = {}): Either.Either<Service, MeteringConfigError> =>
  options.endpoint === undefined && isWithoutService(region)
    ? configError(
        `The Marketplace Entitlement Service is not in the region ${JSON.stringify(region)}: leave the region out to call ${serviceRegion}`
      )
    : makeConfig(marketplaceEntitlement, { ...options, region })

/**
 * The configuration from options in code.
 *
 * @example
 * ```ts
 * import { EntitlementConfig } from "effect-marketplace-metering/entitlement"
 *
 * const ConfigLive = EntitlementConfig.layer({ requestTimeout: "10 seconds" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<EntitlementConfig, MeteringConfigError> =>
  Layer.effect(EntitlementConfig, make(options))

/**
 * The configuration from Effect's `Config`, under names of your own. Keys of optional settings can be omitted.
 *
 * @example
 * ```ts
 * import { Config } from "effect"
 * import { EntitlementConfig } from "effect-marketplace-metering/entitlement"
 *
 * const ConfigLive = EntitlementConfig.layerConfig({
 *   requestTimeout: Config.duration("ENTITLEMENT_TIMEOUT").pipe(Config.withDefault("10 seconds"))
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<EntitlementConfig, MeteringConfigError | ConfigError.ConfigError> =>
  Layer.effect(EntitlementConfig, Effect.flatMap(unwrap(config), make))

/** Uses the service's Region if no Region is set, or if a Region without the service is set and no endpoint. */
const withServiceRegion = (variables: Settings): Settings => {
  const { endpoint, ignoreEndpoints, region } = variables
  const hasEndpoint = endpoint !== undefined && ignoreEndpoints?.value !== "true"
  return region === undefined || (!hasEndpoint && isWithoutService(region.value))
    ? { ...variables, region: { value: serviceRegion, source: "the default region" } }
    : variables
}

/**
 * The configuration from the environment variables of the AWS SDKs, read through Effect's `Config`.
 *
 * - Region: `AWS_REGION`, then `AWS_DEFAULT_REGION`. Without an endpoint, any Region of the partition `aws` means
 *   us-east-1, where the service is. Defaults to us-east-1.
 * - Endpoint: `AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE`, then `AWS_ENDPOINT_URL`. Both are ignored if
 *   `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
 * - `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`: `true` or `false`. Any other text is an error.
 *
 * An empty variable counts as missing. The shared config file is not read.
 *
 * @example
 * ```ts
 * import { ConfigProvider, Layer } from "effect"
 * import { EntitlementConfig } from "effect-marketplace-metering/entitlement"
 *
 * const ConfigTest = EntitlementConfig.layerEnv.pipe(
 *   Layer.provide(
 *     Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["AWS_REGION", "eu-central-1"]])))
 *   )
 * )
 * ```
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 * @since 0.1.0
 * @category layers
 */
export const layerEnv: Layer.Layer<
  EntitlementConfig,
  MeteringConfigError | ConfigError.ConfigError
> = Layer.effect(
  EntitlementConfig,
  Effect.flatMap(environmentOf("AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE"), (variables) =>
    resolveConfig(marketplaceEntitlement, [withServiceRegion(variables)], [])
  )
)
