/** Resolves the endpoint. Gives the same results and the same errors as the official SDK. */
import * as Either from "effect/Either"

export interface EndpointOptions {
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly useFips?: boolean | undefined
  readonly useDualStack?: boolean | undefined
}

export interface Endpoint {
  readonly url: string
  /** Absent for a custom endpoint without a region. */
  readonly signingRegion?: string
}

type Partition = readonly [
  regions: RegExp,
  dnsSuffix: string,
  dualStackDnsSuffix: string,
  host: string,
  dualStackHost: string
]

const dotted = "metering.marketplace"
const hyphenated = "metering-marketplace"

const partitions: ReadonlyArray<Partition> = [
  [
    /^(cn-\w+-\d+|aws-cn-global)$/,
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    dotted,
    hyphenated
  ],
  [/^eusc-de-\w+-\d+$/, "amazonaws.eu", "api.amazonwebservices.eu", hyphenated, dotted],
  [/^(us-iso-\w+-\d+|aws-iso-global)$/, "c2s.ic.gov", "api.aws.ic.gov", dotted, dotted],
  [/^(us-isob-\w+-\d+|aws-iso-b-global)$/, "sc2s.sgov.gov", "api.aws.scloud", dotted, dotted],
  [
    /^(eu-isoe-\w+-\d+|aws-iso-e-global)$/,
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    dotted,
    dotted
  ],
  [/^(us-isof-\w+-\d+|aws-iso-f-global)$/, "csp.hci.ic.gov", "api.aws.hci.ic.gov", dotted, dotted]
]

/** Includes aws-us-gov, whose host names are the same, and unknown regions. */
const defaultPartition: Partition = [/^/, "amazonaws.com", "api.aws", dotted, hyphenated]

/**
 * The region becomes part of a host name, so that a dot, slash or "@" in it could lead to another host. Internationalised
 * names are excluded, since runtimes differ in which of them are valid.
 */
const hostLabel = /^(?!-)(?!xn--)(?!.*-$)[a-z0-9-]{1,63}$/i

const invalidRegion = (region: string) =>
  `Region not accepted: region="${region}" is not a valid hostname component.`

/** Drops user, password and fragment: none of them may reach the service. */
const parseUrl = (text: string): string | undefined => {
  try {
    const { origin, pathname, protocol, search } = new URL(text)
    return /^https?:$/.test(protocol) ? origin + pathname + search : undefined
  } catch {
    return undefined
  }
}

/** Resolves the endpoint, or fails with the SDK's message. */
export const resolveEndpoint = (options: EndpointOptions): Either.Either<Endpoint, string> => {
  const { endpoint, region, useDualStack, useFips } = options
  if (region && !hostLabel.test(region)) return Either.left(invalidRegion(region))
  if (endpoint) {
    if (useFips) {
      return Either.left("Invalid Configuration: FIPS and custom endpoint are not supported")
    }
    if (useDualStack) {
      return Either.left("Invalid Configuration: Dualstack and custom endpoint are not supported")
    }
    const url = parseUrl(endpoint)
    if (!url) return Either.left("Invalid Configuration: endpoint is not an http or https URL")
    return Either.right(region ? { url, signingRegion: region } : { url })
  }
  if (!region) return Either.left("Invalid Configuration: Missing Region")
  const [, dnsSuffix, dualStackDnsSuffix, host, dualStackHost] =
    partitions.find(([regions]) => regions.test(region)) ?? defaultPartition
  const hostPrefix = useFips ? `${dotted}-fips` : useDualStack ? dualStackHost : host
  const url = parseUrl(
    `https://${hostPrefix}.${region}.${useDualStack ? dualStackDnsSuffix : dnsSuffix}`
  )
  return url ? Either.right({ url, signingRegion: region }) : Either.left(invalidRegion(region))
}
