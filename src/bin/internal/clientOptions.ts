/** Where the service is called, and as whom: as every AWS tool finds it, but for what the options say. */
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
// not by the index, which would bring another HTTP client into the bundle
import * as defaultChain from "../../node/defaultChain.js"
import * as sharedConfig from "../../node/sharedConfig.js"
import { validatedOption } from "./options.js"
import * as proxies from "./proxies.js"

const region = validatedOption(
  "region",
  "region",
  "a Region such as us-east-1",
  (region) => region !== "" && Either.isRight(resolveEndpoint({ region }))
).pipe(
  Options.optional,
  Options.withDescription("The Region to call, in place of the environment's or the profile's.")
)

const endpoint = validatedOption(
  "endpoint",
  "url",
  "an http or https URL",
  (endpoint) => endpoint !== "" && Either.isRight(resolveEndpoint({ endpoint }))
).pipe(
  Options.optional,
  Options.withDescription("Where to call in place of the Region's endpoint, such as a sandbox.")
)

const profile = Options.text("profile").pipe(
  Options.withPseudoName("name"),
  Options.optional,
  Options.withDescription(
    "The profile of the shared AWS files to take credentials and Region from."
  )
)

export const options = { region, endpoint, profile }

export interface ClientOptions {
  readonly region: Option.Option<string>
  readonly endpoint: Option.Option<string>
  readonly profile: Option.Option<string>
}

/** What options say goes before the environment, under the names that it is known by there. */
const configOverrides = ({ endpoint, region }: ClientOptions) =>
  new Map([
    ...Option.match(region, {
      onNone: () => [],
      onSome: (region) => [["AWS_REGION", region] as const]
    }),
    ...Option.match(endpoint, {
      onNone: () => [],
      onSome: (endpoint) => [
        ["AWS_ENDPOINT_URL_MARKETPLACE_METERING", endpoint] as const,
        ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"] as const
      ]
    })
  ])

export const config = (clientOptions: ClientOptions) =>
  Layer.effect(
    MeteringConfig.MeteringConfig,
    sharedConfig.resolve({ profile: Option.getOrUndefined(clientOptions.profile) })
  ).pipe(
    Layer.provide(
      Layer.setConfigProvider(
        ConfigProvider.orElse(ConfigProvider.fromMap(configOverrides(clientOptions)), () =>
          ConfigProvider.fromEnv()
        )
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

/** The client, and what it was made from. */
export const layer = (clientOptions: ClientOptions) =>
  MeteringClient.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(config(clientOptions), credentials(clientOptions), proxies.httpClient)
    )
  )

/** A source that has just answered, and does not now. */
const sourceIdsTimeout = "5 seconds"

/** How the SDK marks credentials that it has found, which tells their source; nothing where it cannot be told. */
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
