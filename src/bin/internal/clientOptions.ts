/** Options of commands that call the service. They default to the environment and the shared AWS files. */
import * as Options from "@effect/cli/Options"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AwsCredentials from "../../AwsCredentials.js"
import { resolveEndpoint } from "../../internal/config/endpoint.js"
import * as MeteringClient from "../../MeteringClient.js"
import * as MeteringConfig from "../../MeteringConfig.js"
// not from the index, which would bundle a second HTTP client
import * as defaultChain from "../../node/defaultChain.js"
import * as sharedConfig from "../../node/sharedConfig.js"
import { marketplaceMetering } from "../../Operation.js"
import { validatedOption } from "./options.js"
import * as proxies from "./proxies.js"

export const regionOption = validatedOption(
  "region",
  "region",
  "a Region such as us-east-1",
  (region) => region !== "" && Either.isRight(resolveEndpoint(marketplaceMetering, { region }))
).pipe(Options.optional)

const region = regionOption.pipe(
  Options.withDescription("The Region to call. Defaults to that of the environment or the profile.")
)

const endpoint = validatedOption(
  "endpoint",
  "url",
  "an http or https URL",
  (endpoint) =>
    endpoint !== "" && Either.isRight(resolveEndpoint(marketplaceMetering, { endpoint }))
).pipe(
  Options.optional,
  Options.withDescription(
    "The URL to call, such as a sandbox. Defaults to the endpoint of the Region."
  )
)

const profile = Options.text("profile").pipe(
  Options.withPseudoName("name"),
  Options.optional,
  Options.withDescription("The profile of the shared AWS files for credentials and Region.")
)

export const options = { region, endpoint, profile }

export interface ClientOptions {
  readonly region: Option.Option<string>
  readonly endpoint: Option.Option<string>
  readonly profile: Option.Option<string>
}

/** Returns the given options by the names of the environment variables that they override. */
const configOverrides = ({ endpoint, region }: ClientOptions) => {
  const overrides = new Map<string, string>()
  if (Option.isSome(region)) overrides.set("AWS_REGION", region.value)
  if (Option.isSome(endpoint)) {
    overrides.set("AWS_ENDPOINT_URL_MARKETPLACE_METERING", endpoint.value)
    overrides.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false")
  }
  return ConfigProvider.fromMap(overrides)
}

export const config = (options: ClientOptions) =>
  Layer.effect(
    MeteringConfig.MeteringConfig,
    sharedConfig.resolve({ profile: Option.getOrUndefined(options.profile) })
  ).pipe(
    Layer.provide(
      Layer.setConfigProvider(
        ConfigProvider.orElse(configOverrides(options), () => ConfigProvider.fromEnv())
      )
    )
  )

export const credentials = ({ profile, region }: ClientOptions) =>
  AwsCredentials.layer(
    defaultChain.resolve({
      profile: Option.getOrUndefined(profile),
      region: Option.getOrUndefined(region)
    })
  )

/** The client, with its configuration, credentials and HTTP client. */
export const layer = (options: ClientOptions) =>
  MeteringClient.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(config(options), credentials(options), proxies.httpClient))
  )

/** Loads the credentials before anything is read or sent, because without them every call would fail. */
export const loadCredentials = Effect.flatMap(AwsCredentials.AwsCredentials, ({ get }) => get)

/** Time limit of the second request for credentials, which determines their source. */
const sourceIdsTimeout = "5 seconds"

/** Returns the ids by which the AWS SDK names the source of credentials. Empty if it cannot be determined. */
export const credentialSourceIds = ({
  profile
}: ClientOptions): Effect.Effect<ReadonlyArray<string>> =>
  Effect.tryPromise(async () => {
    const { defaultProvider } = await import("@aws-sdk/credential-provider-node")
    const provider = defaultProvider(Option.isSome(profile) ? { profile: profile.value } : {})
    const found: object = await provider()
    return "$source" in found ? Object.keys(found.$source ?? {}) : []
  }).pipe(
    Effect.timeout(sourceIdsTimeout),
    Effect.orElseSucceed(() => [])
  )
