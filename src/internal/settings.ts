/** From options, or from what was found in the environment and elsewhere, to one settled configuration. */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Options, Service } from "../MeteringConfig.js"
import { MeteringConfigError } from "../MeteringError.js"
import { Rule } from "../Preflight.js"
import { type Found, optionalText } from "./config.js"
import { resolve } from "./endpoint.js"

const defaultTimeout = "30 seconds"

const refuse = (reason: string): Either.Either<never, MeteringConfigError> =>
  Either.left(new MeteringConfigError({ reason }, true))

/** Names such as `us-east-1-fips` and `fips-us-east-1`: a region and the wish for FIPS in one. */
const isFipsName = (region: string) => region.startsWith("fips-") || region.endsWith("-fips")

/** The region that such a name means, as the SDK has it. */
const realRegion = (name: string) =>
  name === "fips-aws-global" || name === "aws-fips"
    ? "us-east-1"
    : name.replace(/fips-(dkr-|prod-)?|-fips/, "")

export const make = (options: Options): Either.Either<Service, MeteringConfigError> => {
  const { dualStack, endpoint, except = [], requestTimeout = defaultTimeout } = options
  if (!options.region) return refuse("The region is empty")
  if (endpoint === "") return refuse("The endpoint is empty: leave it out to call the service")
  const timeout = Duration.decodeUnknown(requestTimeout)
  if (Option.isNone(timeout) || Duration.lessThanOrEqualTo(timeout.value, Duration.zero)) {
    return refuse("The request timeout is not a duration longer than 0")
  }
  const unknownRule = except.find((rule) => !Rule.literals.includes(rule))
  if (unknownRule !== undefined) {
    return refuse(`${JSON.stringify(unknownRule)} is no preflight rule`)
  }
  const impliesFips = isFipsName(options.region)
  const region = impliesFips ? realRegion(options.region) : options.region
  const useFips = impliesFips || options.fips
  const resolved = resolve({ region, endpoint, useFips, useDualStack: dualStack })
  return Either.isLeft(resolved)
    ? refuse(resolved.left)
    : Either.right({
        region,
        endpoint: resolved.right.url,
        requestTimeout: timeout.value,
        except
      })
}

/** What one place, such as the environment, says. Flags are texts still. */
export interface Settings {
  readonly region?: Found | undefined
  readonly fips?: Found | undefined
  readonly dualStack?: Found | undefined
  readonly endpoint?: Found | undefined
  readonly ignoreEndpoints?: Found | undefined
}

const firstOf = ([first, second]: readonly [string, string]) =>
  Config.map(Config.all([optionalText(first), optionalText(second)]), ([a, b]) => a ?? b)

export const regionVariables = ["AWS_REGION", "AWS_DEFAULT_REGION"] as const

export const environment: Config.Config<Settings> = Config.all({
  region: firstOf(regionVariables),
  fips: optionalText("AWS_USE_FIPS_ENDPOINT"),
  dualStack: optionalText("AWS_USE_DUALSTACK_ENDPOINT"),
  endpoint: firstOf(["AWS_ENDPOINT_URL_MARKETPLACE_METERING", "AWS_ENDPOINT_URL"]),
  ignoreEndpoints: optionalText("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
})

/** The SDK takes anything but these two for absent, and calls another endpoint than was meant. */
const flag = (found: Found | undefined): Either.Either<boolean, MeteringConfigError> =>
  found === undefined || found.value === "false"
    ? Either.right(false)
    : found.value === "true"
      ? Either.right(true)
      : refuse(`${found.source}: expected "true" or "false", got ${JSON.stringify(found.value)}`)

/** Settles each setting by the first place that has it. Errors say where a setting came from. */
export const settle = (
  places: ReadonlyArray<Settings>,
  regionPlaces: ReadonlyArray<string>,
  rest: Pick<Options, "requestTimeout" | "except"> = {}
): Either.Either<Service, MeteringConfigError> =>
  Either.gen(function* () {
    const first = (key: keyof Settings) => places.find((place) => place[key])?.[key]
    const region = first("region")
    if (region === undefined) {
      return yield* refuse(
        `No AWS region was found; looked at ${regionPlaces.join(", ")}. Set ${regionVariables[0]}, or give the region in code`
      )
    }
    const fips = yield* flag(first("fips"))
    const dualStack = yield* flag(first("dualStack"))
    const ignoreEndpoints = yield* flag(first("ignoreEndpoints"))
    const endpoint = ignoreEndpoints ? undefined : first("endpoint")
    const options = { ...rest, region: region.value, endpoint: endpoint?.value, fips, dualStack }
    return yield* Either.mapLeft(make(options), ({ reason }) => {
      const isEndpointAlone =
        endpoint !== undefined &&
        Either.isLeft(make({ region: "us-east-1", endpoint: endpoint.value }))
      const used = isEndpointAlone
        ? [endpoint]
        : [region, endpoint, fips && first("fips"), dualStack && first("dualStack")]
      const sources = used.flatMap((found) => (found ? [found.source] : []))
      return new MeteringConfigError({ reason: `${reason} (set by ${sources.join(", ")})` }, true)
    })
  })
