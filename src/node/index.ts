/**
 * What needs Node: the credentials and the configuration that the AWS SDKs and tools share, and all that the
 * client needs in one layer. The SDK's packages are loaded when they are first used.
 *
 * Some of those packages are CommonJS. A bundle in the form of an ES module has to define `require` for them, as by
 * esbuild's `banner`: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url)`.
 * webpack for the target `node` needs nothing, and Rollup its plugin for CommonJS, which is to `ignore` what is loaded only
 * where it is: `node:sqlite`, `bufferutil` and `utf-8-validate`.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as AwsCredentials from "../AwsCredentials.js"
import { type LoadError, loadPackage, notInstalled } from "../internal/optionalPackage.js"
import * as MeteringConfig from "../MeteringConfig.js"
import { MeteringConfigError } from "../MeteringError.js"
import * as defaultChain from "./defaultChain.js"
import * as sharedConfig from "./sharedConfig.js"

/**
 * Which profile of which files; what is left out is found as every AWS tool finds it.
 *
 * @since 0.1.0
 * @category models
 */
export interface SharedFilesOptions {
  /** In place of `AWS_PROFILE`, or else `default`. */
  readonly profile?: string | undefined
  /** In place of `AWS_CONFIG_FILE`, or else `~/.aws/config`. */
  readonly configFile?: string | undefined
  /** In place of `AWS_SHARED_CREDENTIALS_FILE`, or else `~/.aws/credentials`. */
  readonly credentialsFile?: string | undefined
}

/**
 * How credentials are looked for.
 *
 * @since 0.1.0
 * @category models
 */
export interface DefaultChainOptions extends SharedFilesOptions {
  /** The Region whose STS and SSO give credentials for a role. The SDK finds one unless it is given. */
  readonly region?: string | undefined
  /** Asks somebody for the code of the MFA device with this serial number. */
  readonly mfaCode?: ((serialNumber: string) => Promise<string>) | undefined
  /**
   * How long one request to a container's or an instance's metadata may take. Defaults to 1 second. A container's
   * endpoint is asked for `timeout` times `2 * maxRetries + 1` in all, pauses included.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /** How often they are asked again. Defaults to 3 for a container, and to the SDK's own for an instance. */
  readonly maxRetries?: number | undefined
}

/**
 * Credentials by the official default provider chain, with options.
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
  options: DefaultChainOptions
): Layer.Layer<AwsCredentials.AwsCredentials> => AwsCredentials.layer(defaultChain.resolve(options))

/**
 * Credentials by the official default provider chain: environment, shared files with SSO, roles and
 * `credential_process`, web identity, container, instance.
 *
 * The chain is `@aws-sdk/credential-provider-node`, which you install beside this package; it is loaded when
 * credentials are first asked for, and reads the environment and the files itself. Credentials are kept and
 * renewed as `AwsCredentials.make` does, and files are read again for that. A search takes a minute at most.
 * The `CredentialsError` says which sources were tried, and what each of them lacked.
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
 * Which files the configuration is read from, and what they cannot say.
 *
 * @since 0.1.0
 * @category models
 */
export interface SharedConfigOptions
  extends SharedFilesOptions,
    Pick<MeteringConfig.Options, "requestTimeout" | "skipRules"> {}

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
  options: SharedConfigOptions
): Layer.Layer<MeteringConfig.MeteringConfig, MeteringConfigError | ConfigError.ConfigError> =>
  Layer.effect(MeteringConfig.MeteringConfig, sharedConfig.resolve(options))

/**
 * The configuration from the environment and the shared files, as the official SDK finds it.
 *
 * Each setting is taken from the environment, as `MeteringConfig.layerEnv` does, or else from the profile:
 * `region`, `use_fips_endpoint`, `use_dualstack_endpoint`, `ignore_configured_endpoint_urls`, `endpoint_url` of
 * `marketplace_metering` in the profile's `services` section, `endpoint_url` of the profile. A Region that is
 * nowhere else is asked of the EC2 instance, unless `AWS_EC2_METADATA_DISABLED` is set.
 *
 * The files are read by `@smithy/core`, which comes with every package of the SDK. Where there is no Region,
 * the `MeteringConfigError` names every place looked at. A flag that is neither `true` nor `false` and a
 * `services` section that does not exist are errors, where the SDK for JavaScript would call the public endpoint.
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

/** Loaded late, as those who bring another HTTP client need not install this one. */
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

/** Where a package is wanting, everything that is wanting is told at once, also what would be loaded later. */
const checkInstalled = Effect.gen(function* () {
  const now = [sharedConfig.library, undici]
  if ((yield* loadFailuresOf(now)).length === 0) return
  const failures = yield* loadFailuresOf([defaultChain.library, ...now])
  const missing = failures.filter(({ isMissing }) => isMissing).map(({ name }) => name)
  const reasons = [
    ...(missing.length === 0 ? [] : [notInstalled(missing)]),
    ...failures.filter(({ isMissing }) => !isMissing).map(({ reason }) => reason)
  ]
  return yield* new MeteringConfigError({ reason: reasons.join("; ") }, true)
})

/**
 * All that `MeteringClient.layer` needs, the shortest way for a server: `layerSharedConfig`,
 * `layerDefaultChain` and an HTTP client over undici.
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
