/**
 * Layers for Node: the credentials and the configuration that the AWS SDKs and tools share, and everything that the client
 * needs in one layer. Packages of the SDK are loaded on first use.
 *
 * Some of those packages are CommonJS. A bundle in the form of an ES module has to define `require` for them, for example
 * with esbuild's `banner`: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url)`.
 * webpack needs no setting for the target `node`. Rollup needs its plugin for CommonJS, with `ignore` for the optional
 * `node:sqlite`, `bufferutil` and `utf-8-validate`.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as AwsCredentials from "../AwsCredentials.js"
import { type LoadError, loadPackage, notInstalled } from "../internal/optionalPackage.js"
import * as MeteringConfig from "../MeteringConfig.js"
import { MeteringConfigError } from "../MeteringError.js"
import * as defaultChain from "./defaultChain.js"
import * as sharedConfig from "./sharedConfig.js"

export type { DefaultChainOptions } from "./defaultChain.js"
export type { SharedConfigOptions, SharedFilesOptions } from "./sharedConfig.js"

/**
 * Credentials from the official default provider chain, with options.
 *
 * @example
 * ```ts
 * import { layerDefaultChainWith } from "effect-marketplace-metering/node"
 *
 * const CredentialsLive = layerDefaultChainWith({ profile: "seller" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerDefaultChainWith = (
  options: defaultChain.DefaultChainOptions
): Layer.Layer<AwsCredentials.AwsCredentials> => AwsCredentials.layer(defaultChain.resolve(options))

/**
 * Credentials from the official default provider chain: environment, shared files with SSO, roles and `credential_process`,
 * web identity, container, instance.
 *
 * The chain is `@aws-sdk/credential-provider-node`, which has to be installed beside this package. It is loaded on the first
 * call, and reads the environment and the files itself. Credentials are cached and refreshed as `AwsCredentials.make` does,
 * and each refresh reads the files again. A search takes at most 1 minute. The `CredentialsError` names the sources that
 * were tried and the reason why each of them failed.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Layer } from "effect"
 * import { MeteringConfig } from "effect-marketplace-metering"
 * import { layerDefaultChain } from "effect-marketplace-metering/node"
 *
 * const MeteringNeeds = Layer.mergeAll(
 *   MeteringConfig.layer({ region: "us-east-1" }),
 *   layerDefaultChain,
 *   FetchHttpClient.layer
 * )
 * ```
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 * @since 0.1.0
 * @category layers
 */
export const layerDefaultChain: Layer.Layer<AwsCredentials.AwsCredentials> = layerDefaultChainWith(
  {}
)

/**
 * The configuration from the environment and the shared files, with options.
 *
 * @example
 * ```ts
 * import { layerSharedConfigWith } from "effect-marketplace-metering/node"
 *
 * const ConfigLive = layerSharedConfigWith({ profile: "seller", requestTimeout: "10 seconds" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSharedConfigWith = (
  options: sharedConfig.SharedConfigOptions
): Layer.Layer<MeteringConfig.MeteringConfig, MeteringConfigError | ConfigError.ConfigError> =>
  Layer.effect(MeteringConfig.MeteringConfig, sharedConfig.resolve(options))

/**
 * The configuration from the environment and the shared files, as the official SDK finds it.
 *
 * Each setting is taken from the environment, as `MeteringConfig.layerEnv` does, or else from the profile: `region`,
 * `use_fips_endpoint`, `use_dualstack_endpoint`, `ignore_configured_endpoint_urls`, `endpoint_url` of `marketplace_metering`
 * in the profile's `services` section, `endpoint_url` of the profile. If none of them has a Region, it is read from the EC2
 * instance metadata service, unless `AWS_EC2_METADATA_DISABLED` is set.
 *
 * The files are read by `@smithy/core`, which comes with every package of the SDK. Without a Region, the
 * `MeteringConfigError` names every source. A flag that is neither `true` nor `false` and a missing `services` section are
 * errors, whereas the SDK for JavaScript would call the public endpoint.
 *
 * @example
 * ```ts
 * import { Layer } from "effect"
 * import { layerDefaultChain, layerSharedConfig } from "effect-marketplace-metering/node"
 *
 * const AwsLive = Layer.merge(layerSharedConfig, layerDefaultChain)
 * ```
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 * @since 0.1.0
 * @category layers
 */
export const layerSharedConfig: Layer.Layer<
  MeteringConfig.MeteringConfig,
  MeteringConfigError | ConfigError.ConfigError
> = layerSharedConfigWith({})

/** Loaded lazily, because applications with another HTTP client do not install it. */
const undici = loadPackage(
  "@effect/platform-node",
  () => import("@effect/platform-node/NodeHttpClient")
)

const layerUndici = undici.pipe(
  Effect.mapBoth({
    onFailure: ({ reason }) =>
      new MeteringConfigError({ reason: `No HTTP client: ${reason}` }, true),
    onSuccess: (library) => library.layerUndici
  }),
  Layer.unwrapEffect
)

const loadFailuresOf = (packages: ReadonlyArray<Effect.Effect<unknown, LoadError>>) =>
  Effect.map(Effect.partition(packages, identity), ([failures]) => failures)

/** Reports all missing packages at once, including those that would be loaded later. */
const checkInstalled = Effect.gen(function* () {
  const packages = [sharedConfig.library, undici]
  if ((yield* loadFailuresOf(packages)).length === 0) return
  const failures = yield* loadFailuresOf([defaultChain.library, ...packages])
  const missing = failures.filter(({ isMissing }) => isMissing).map(({ name }) => name)
  const reasons = [
    ...(missing.length === 0 ? [] : [notInstalled(missing)]),
    ...failures.filter(({ isMissing }) => !isMissing).map(({ reason }) => reason)
  ]
  return yield* new MeteringConfigError({ reason: reasons.join("; ") }, true)
})

/**
 * Everything that `MeteringClient.layer` needs on a server: `layerSharedConfig`, `layerDefaultChain` and an HTTP client over
 * undici.
 *
 * @example
 * ```ts
 * import { Layer } from "effect"
 * import { MeteringClient } from "effect-marketplace-metering"
 * import { layer } from "effect-marketplace-metering/node"
 *
 * const MeteringLive = MeteringClient.layer.pipe(Layer.provide(layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  AwsCredentials.AwsCredentials | MeteringConfig.MeteringConfig | HttpClient.HttpClient,
  MeteringConfigError | ConfigError.ConfigError
> = Layer.unwrapEffect(
  Effect.as(checkInstalled, Layer.mergeAll(layerSharedConfig, layerDefaultChain, layerUndici))
)
