/** Resolves the endpoint. Gives the same results and the same errors as the official SDK. */
import * as Either from "effect/Either"
import type { ServiceModel } from "../../Operation.js"

export interface EndpointOptions {
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly useFips?: boolean | undefined
  readonly useDualStack?: boolean | undefined
}

type Partition = readonly [regions: RegExp, dnsSuffix: string, dualStackDnsSuffix: string]

/** The last partition includes aws-us-gov, which has the same suffixes, and unknown regions. */
const partitions: ReadonlyArray<Partition> = [
  [/^(cn-\w+-\d+|aws-cn-global)$/, "amazonaws.com.cn", "api.amazonwebservices.com.cn"],
  [/^eusc-de-\w+-\d+$/, "amazonaws.eu", "api.amazonwebservices.eu"],
  [/^(us-iso-\w+-\d+|aws-iso-global)$/, "c2s.ic.gov", "api.aws.ic.gov"],
  [/^(us-isob-\w+-\d+|aws-iso-b-global)$/, "sc2s.sgov.gov", "api.aws.scloud"],
  [/^(eu-isoe-\w+-\d+|aws-iso-e-global)$/, "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"],
  [/^(us-isof-\w+-\d+|aws-iso-f-global)$/, "csp.hci.ic.gov", "api.aws.hci.ic.gov"],
  [/^/, "amazonaws.com", "api.aws"]
]

/**
 * Matches a valid label of a host name. The region is such a label, so a dot, slash or "@" in it could change the host.
 * Internationalized (`xn--`) labels are excluded, because runtimes differ in which of them are valid.
 */
const hostLabel = /^(?!-)(?!xn--)(?!.*-$)[a-z0-9-]{1,63}$/i

const invalidRegion = (region: string) =>
  `Region not accepted: region="${region}" is not a valid hostname component.`

/** Parses an http or https URL. Drops user, password and fragment, which must not reach the service. */
const parseUrl = (text: string): string | undefined => {
  try {
    const { origin, pathname, protocol, search } = new URL(text)
    return /^https?:$/.test(protocol) ? origin + pathname + search : undefined
  } catch {
    return undefined
  }
}

/** Resolves the URL of a service, or fails with the SDK's message. */
export const resolveEndpoint = (
  { endpointPrefix, hyphenatedDomains }: Pick<ServiceModel, "endpointPrefix" | "hyphenatedDomains">,
  options: EndpointOptions
): Either.Either<string, string> => {
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
    return url
      ? Either.right(url)
      : Either.left("Invalid Configuration: endpoint is not an http or https URL")
  }
  if (!region) return Either.left("Invalid Configuration: Missing Region")
  // the last partition matches every region
  const [, dnsSuffix, dualStackDnsSuffix] = partitions.find(([regions]) =>
    regions.test(region)
  ) as Partition
  const domain = `${region}.${useDualStack ? dualStackDnsSuffix : dnsSuffix}`
  const host = useFips
    ? `${endpointPrefix}-fips`
    : hyphenatedDomains.test(domain)
      ? endpointPrefix.replace(".", "-")
      : endpointPrefix
  const url = parseUrl(`https://${host}.${domain}`)
  return url ? Either.right(url) : Either.left(invalidRegion(region))
}
