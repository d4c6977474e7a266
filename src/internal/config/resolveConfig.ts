/** From options, or from what was found in the environment and elsewhere, to one settled configuration. */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Options, Service } from "../../MeteringConfig.js"
import { MeteringConfigError } from "../../MeteringError.js"
import { Rule } from "../../Preflight.js"
import { type ConfigValue, optionalString } from "./configValues.js"
import { resolveEndpoint } from "./endpoint.js"

const defaultTimeout = "30 seconds"

const configError = (reason: string): Either.Either<never, MeteringConfigError> =>
  Either.left(new MeteringConfigError({ reason }, true))

/** Names such as `us-east-1-fips` and `fips-us-east-1`: a region and the wish for FIPS in one. */
const isFipsName = (region: string) => region.startsWith("fips-") || region.endsWith("-fips")

/** The region that such a name means, as the SDK has it. */
const withoutFips = (name: string) =>
  name === "fips-aws-global" || name === "aws-fips"
    ? "us-east-1"
    : name.replace(/fips-(dkr-|prod-)?|-fips/, "")

export const make = (options: Options): Either.Either<Service, MeteringConfigError> => {
  const { dualStack, endpoint, skipRules = [], requestTimeout = defaultTimeout } = options
  if (!options.region) return configError("The region is empty")
  if (endpoint === "") return configError("The endpoint is empty: leave it out to call the service")
  const timeout = Duration.decodeUnknown(requestTimeout)
  if (Option.isNone(timeout) || Duration.lessThanOrEqualTo(timeout.value, Duration.zero)) {
    return configError("The request timeout is not a duration longer than 0")
  }
  const unknownRule = skipRules.find((rule) => !Rule.literals.includes(rule))
  if (unknownRule !== undefined) {
    return configError(`${JSON.stringify(unknownRule)} is no preflight rule`)
  }
  const impliesFips = isFipsName(options.region)
  const region = impliesFips ? withoutFips(options.region) : options.region
  const useFips = impliesFips || options.fips
  const resolved = resolveEndpoint({ region, endpoint, useFips, useDualStack: dualStack })
  return Either.isLeft(resolved)
    ? configError(resolved.left)
    : Either.right({
        region,
        endpoint: resolved.right.url,
        requestTimeout: timeout.value,
        skipRules
      })
}

/** What one place, such as the environment, says. Flags are texts still. */
export interface Settings {
  readonly region?: ConfigValue | undefined
  readonly fips?: ConfigValue | undefined
  readonly dualStack?: ConfigValue | undefined
  readonly endpoint?: ConfigValue | undefined
  readonly ignoreEndpoints?: ConfigValue | undefined
}

const firstOf = ([first, second]: readonly [string, string]) =>
  Config.map(Config.all([optionalString(first), optionalString(second)]), ([a, b]) => a ?? b)

export const regionVariables = ["AWS_REGION", "AWS_DEFAULT_REGION"] as const

export const environment: Config.Config<Settings> = Config.all({
  region: firstOf(regionVariables),
  fips: optionalString("AWS_USE_FIPS_ENDPOINT"),
  dualStack: optionalString("AWS_USE_DUALSTACK_ENDPOINT"),
  endpoint: firstOf(["AWS_ENDPOINT_URL_MARKETPLACE_METERING", "AWS_ENDPOINT_URL"]),
  ignoreEndpoints: optionalString("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
})

/** The SDK takes anything but these two for absent, and calls another endpoint than was meant. */
const parseFlag = (
  setting: ConfigValue | undefined
): Either.Either<boolean, MeteringConfigError> =>
  setting === undefined || setting.value === "false"
    ? Either.right(false)
    : setting.value === "true"
      ? Either.right(true)
      : configError(
          `${setting.source}: expected "true" or "false", got ${JSON.stringify(setting.value)}`
        )

/** Resolves each setting by the first place that has it. Errors say where a setting came from. */
export const resolveConfig = (
  sources: ReadonlyArray<Settings>,
  regionSources: ReadonlyArray<string>,
  rest: Pick<Options, "requestTimeout" | "skipRules"> = {}
): Either.Either<Service, MeteringConfigError> =>
  Either.gen(function* () {
    const first = (key: keyof Settings) => sources.find((source) => source[key])?.[key]
    const region = first("region")
    if (region === undefined) {
      return yield* configError(
        `No AWS region was found; looked at ${regionSources.join(", ")}. Set ${regionVariables[0]}, or give the region in code`
      )
    }
    const fips = yield* parseFlag(first("fips"))
    const dualStack = yield* parseFlag(first("dualStack"))
    const ignoreEndpoints = yield* parseFlag(first("ignoreEndpoints"))
    const endpoint = ignoreEndpoints ? undefined : first("endpoint")
    const options = { ...rest, region: region.value, endpoint: endpoint?.value, fips, dualStack }
    return yield* Either.mapLeft(make(options), ({ reason }) => {
      const isEndpointInvalid =
        endpoint !== undefined &&
        Either.isLeft(make({ region: "us-east-1", endpoint: endpoint.value }))
      const used = isEndpointInvalid
        ? [endpoint]
        : [region, endpoint, fips && first("fips"), dualStack && first("dualStack")]
      const usedSources = used.flatMap((setting) => (setting ? [setting.source] : []))
      return new MeteringConfigError(
        { reason: `${reason} (set by ${usedSources.join(", ")})` },
        true
      )
    })
  })
