/** Resolves the configuration from options, or from the environment and other sources. */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { MeteringConfigError } from "../../MeteringError.js"
import type { ServiceModel } from "../../Operation.js"
import { Rule } from "../../Preflight.js"
import { type ConfigValue, optionalString } from "./configValues.js"
import { resolveEndpoint } from "./endpoint.js"

/**
 * A resolved configuration.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The Region that requests are signed for. */
  readonly region: string
  /** The URL that requests are sent to. */
  readonly endpoint: string
  /** Maximum duration of one attempt, from looking up the host to reading the last byte. */
  readonly requestTimeout: Duration.Duration
  /** Preflight rules that are not checked. */
  readonly skipRules: ReadonlyArray<Rule>
}

/**
 * The options of a configuration.
 *
 * - `region`: the Region to call and to sign for, also with an `endpoint`. A name such as `us-east-1-fips` means `us-east-1`
 *   with `fips`.
 * - `endpoint`: an http or https URL to call instead of the Region's own. It cannot be combined with `fips` or `dualStack`.
 * - `fips`, `dualStack`: the Region's endpoint with validated cryptography, or with IPv6. Default to `false`.
 * - `requestTimeout`: maximum duration of one attempt, from looking up the host to reading the last byte. More than 0;
 *   `Duration.infinity` is no limit. Defaults to 30 seconds.
 * - `skipRules`: preflight rules that are not checked
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

const defaultTimeout = "30 seconds"

export const configError = (reason: string): Either.Either<never, MeteringConfigError> =>
  Either.left(new MeteringConfigError({ reason }, true))

/** Names such as `us-east-1-fips` and `fips-us-east-1` stand for a Region and its FIPS endpoint. */
const isFipsName = (region: string) => region.startsWith("fips-") || region.endsWith("-fips")

/** Removes the FIPS part of a name as the SDK does, including its special cases. */
const withoutFips = (name: string) =>
  name === "fips-aws-global" || name === "aws-fips"
    ? "us-east-1"
    : name.replace(/fips-(dkr-|prod-)?|-fips/, "")

/** Makes the configuration of a service's client. */
export const makeConfig = (
  service: ServiceModel,
  options: Options
): Either.Either<Service, MeteringConfigError> => {
  const { dualStack, endpoint, skipRules = [], requestTimeout = defaultTimeout } = options
  if (!options.region)
    return configError("The region is empty: set it to an AWS Region, such as us-east-1")
  if (endpoint === "") return configError("The endpoint is empty: leave it out to call the service")
  const timeout = Duration.decodeUnknown(requestTimeout)
  if (Option.isNone(timeout) || Duration.lessThanOrEqualTo(timeout.value, Duration.zero)) {
    return configError("The request timeout is not a duration longer than 0")
  }
  const unknownRule = skipRules.find((rule) => !Rule.literals.includes(rule))
  if (unknownRule !== undefined) {
    return configError(`${JSON.stringify(unknownRule)} is not a preflight rule`)
  }
  const impliesFips = isFipsName(options.region)
  const region = impliesFips ? withoutFips(options.region) : options.region
  const useFips = impliesFips || options.fips
  const resolved = resolveEndpoint(service, { region, endpoint, useFips, useDualStack: dualStack })
  return Either.isLeft(resolved)
    ? configError(resolved.left)
    : Either.right({
        region,
        endpoint: resolved.right,
        requestTimeout: timeout.value,
        skipRules
      })
}

/** The settings of one source, such as the environment. Flags are not parsed yet. */
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

/** Reads a client's settings from the environment. `endpointVariable` is the endpoint variable of its service. */
export const environmentOf = (endpointVariable: string): Config.Config<Settings> =>
  Config.all({
    region: firstOf(regionVariables),
    fips: optionalString("AWS_USE_FIPS_ENDPOINT"),
    dualStack: optionalString("AWS_USE_DUALSTACK_ENDPOINT"),
    endpoint: firstOf([endpointVariable, "AWS_ENDPOINT_URL"]),
    ignoreEndpoints: optionalString("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
  })

/** Parses `true` or `false`. Rejects any other text, which the SDK ignores and may therefore call the wrong endpoint. */
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

/** Resolves each setting from the first source that has it. Errors name the sources. */
export const resolveConfig = (
  service: ServiceModel,
  sources: ReadonlyArray<Settings>,
  regionSources: ReadonlyArray<string>,
  rest: Pick<Options, "requestTimeout" | "skipRules"> = {}
): Either.Either<Service, MeteringConfigError> =>
  Either.gen(function* () {
    const first = (key: keyof Settings) => sources.find((source) => source[key])?.[key]
    const region = first("region")
    if (region === undefined) {
      return yield* configError(
        `No AWS region was found; searched ${regionSources.join(", ")}. Set ${regionVariables[0]}, or pass the region in code`
      )
    }
    const fips = yield* parseFlag(first("fips"))
    const dualStack = yield* parseFlag(first("dualStack"))
    const ignoreEndpoints = yield* parseFlag(first("ignoreEndpoints"))
    const endpoint = ignoreEndpoints ? undefined : first("endpoint")
    const options = { ...rest, region: region.value, endpoint: endpoint?.value, fips, dualStack }
    return yield* Either.mapLeft(makeConfig(service, options), ({ reason }) => {
      const isEndpointInvalid =
        endpoint !== undefined &&
        Either.isLeft(resolveEndpoint(service, { endpoint: endpoint.value }))
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
