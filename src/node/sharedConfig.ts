/** The configuration that the official SDK would find in the environment and the shared files. */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import { type ConfigValue, optionalString } from "../internal/config/configValues.js"
import {
  environmentOf,
  regionVariables,
  resolveConfig,
  type Settings
} from "../internal/config/resolveConfig.js"
import { type LoadError, loadPackage } from "../internal/optionalPackage.js"
import type * as MeteringConfig from "../MeteringConfig.js"
import { MeteringConfigError } from "../MeteringError.js"
import { marketplaceMetering } from "../Operation.js"

/**
 * The profile and the files that AWS tools share.
 *
 * @since 0.1.0
 * @category models
 */
export interface SharedFilesOptions {
  /** The profile. Defaults to `AWS_PROFILE`, then `default`. */
  readonly profile?: string | undefined
  /** The path of the config file. Defaults to `AWS_CONFIG_FILE`, then `~/.aws/config`. */
  readonly configFile?: string | undefined
  /** The path of the credentials file. Defaults to `AWS_SHARED_CREDENTIALS_FILE`, then `~/.aws/credentials`. */
  readonly credentialsFile?: string | undefined
}

/**
 * The files that the configuration is read from, and settings that the files cannot hold.
 *
 * @since 0.1.0
 * @category models
 */
export interface SharedConfigOptions
  extends SharedFilesOptions,
    Pick<MeteringConfig.Options, "requestTimeout" | "skipRules"> {}

type Library = typeof import("@smithy/core/config")

export const library: Effect.Effect<Library, LoadError> = loadPackage(
  "@smithy/core",
  () => import("@smithy/core/config")
)

const loadLibrary = library.pipe(
  Effect.mapError(
    ({ reason }) => new MeteringConfigError({ reason: `No shared config: ${reason}` }, true)
  )
)

const variables = Config.all({
  profile: optionalString("AWS_PROFILE"),
  configFile: optionalString("AWS_CONFIG_FILE"),
  credentialsFile: optionalString("AWS_SHARED_CREDENTIALS_FILE"),
  metadataDisabled: optionalString("AWS_EC2_METADATA_DISABLED")
})

/** Reads the Region of the EC2 instance, with versions of the SDK from 2025 on. */
const instanceRegion = ({ NODE_REGION_CONFIG_OPTIONS }: Library) =>
  Effect.tryPromise(async (): Promise<unknown> => {
    const region: unknown = NODE_REGION_CONFIG_OPTIONS.default
    return typeof region === "function" ? region() : undefined
  }).pipe(
    Effect.map((value): ConfigValue | undefined =>
      typeof value === "string" && value !== ""
        ? { value, source: "the instance metadata service" }
        : undefined
    ),
    Effect.orElseSucceed(() => undefined)
  )

type Section = Readonly<Record<string, string | undefined>>

const serviceEndpoint = "marketplace_metering.endpoint_url"

export const resolve = (
  options: SharedConfigOptions
): Effect.Effect<MeteringConfig.Service, MeteringConfigError | ConfigError.ConfigError> =>
  Effect.gen(function* () {
    const library = yield* loadLibrary
    const found = yield* variables
    const home = `${library.getHomeDir()}/.aws`
    const profile = options.profile ?? found.profile?.value ?? "default"
    const configFile = options.configFile ?? found.configFile?.value ?? `${home}/config`
    const credentialsFile =
      options.credentialsFile ?? found.credentialsFile?.value ?? `${home}/credentials`
    const files = yield* Effect.promise(() =>
      library.loadSharedConfigFiles({
        configFilepath: configFile,
        filepath: credentialsFile,
        ignoreCache: true
      })
    )
    const inConfig: Section = files.configFile[profile] ?? {}
    const inCredentials: Section = files.credentialsFile[profile] ?? {}
    const profileSource = `profile "${profile}" of ${configFile} and ${credentialsFile}`

    const from = (
      section: Section,
      key: string,
      source = profileSource
    ): ConfigValue | undefined => {
      const value = section[key]
      return value ? { value, source: `${key} in ${source}` } : undefined
    }
    const merged = { ...inCredentials, ...inConfig }
    const endpoint = (): ConfigValue | undefined => {
      const name = merged.services
      if (!name) return from(merged, "endpoint_url")
      const section = files.configFile[`services.${name}`]
      const source = `services section "${name}" of ${configFile}`
      // an error, because the SDK would fall back to the public endpoint, where usage is billed
      if (section === undefined) return { value: "", source: `${source}, which does not exist` }
      return from(section, serviceEndpoint, source) ?? from(merged, "endpoint_url")
    }
    const shared: Settings = {
      // only for the region, the credentials file takes precedence over the config file
      region: from({ ...inConfig, ...inCredentials }, "region"),
      fips: from(merged, "use_fips_endpoint"),
      dualStack: from(merged, "use_dualstack_endpoint"),
      endpoint: endpoint(),
      ignoreEndpoints: from(merged, "ignore_configured_endpoint_urls")
    }
    const variablesFound = yield* environmentOf("AWS_ENDPOINT_URL_MARKETPLACE_METERING")
    const isKnown = variablesFound.region !== undefined || shared.region !== undefined
    const isDisabled = (found.metadataDisabled?.value ?? "false") !== "false"
    const metadata: Settings =
      isKnown || isDisabled ? {} : { region: yield* instanceRegion(library) }
    return yield* resolveConfig(
      marketplaceMetering,
      [variablesFound, shared, metadata],
      [
        ...regionVariables,
        `region in ${profileSource}`,
        isDisabled
          ? "not the instance metadata service, as AWS_EC2_METADATA_DISABLED is set"
          : "the instance metadata service"
      ],
      options
    )
  })
