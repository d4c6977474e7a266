import { readFileSync } from "node:fs"
import { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { type EndpointOptions, resolveEndpoint } from "../../../src/internal/config/endpoint.js"
import { marketplaceMetering } from "../../../src/Operation.js"

const sdkRoot = new URL("../../../node_modules/@aws-sdk/", import.meta.url)

/** Every region that the SDK knows by name, pseudo regions such as aws-cn-global among them. */
const knownRegions = Array.from(
  readFileSync(
    new URL("core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js", sdkRoot),
    "utf8"
  ).matchAll(/"([a-z0-9-]+)": \{\s+"description"/g),
  ([, region = ""]) => region
)

const madeUpRegions = [
  "ap-middle-9",
  "cn-south-7",
  "eusc-de-west-2",
  "eusc-fr-west-1",
  "us-iso-north-3",
  "us-isob-south-12",
  "eu-isoe-east-2",
  "us-isof-west-4",
  "us-gov-north-1",
  "xx-nowhere-1",
  "us-iso",
  "aws-eusc-global",
  "cn-north-1a",
  "US-EAST-1",
  "CN-NORTH-1",
  "a",
  "0",
  "a".repeat(63)
]

const flags = [undefined, false, true]
const endpoints = [
  undefined,
  "https://example.com",
  "http://localhost:8080/",
  "https://example.com:443/base/path?stage=test&x=%20",
  "https://EXAMPLE.com/a/../b"
]

const { endpointProvider } = new MarketplaceMeteringClient({ region: "us-east-1" }).config

const bySdk = ({ endpoint, region, useDualStack, useFips }: EndpointOptions) => {
  try {
    const { url } = endpointProvider({
      ...(endpoint === undefined ? {} : { Endpoint: endpoint }),
      ...(region === undefined ? {} : { Region: region }),
      ...(useDualStack === undefined ? {} : { UseDualStack: useDualStack }),
      ...(useFips === undefined ? {} : { UseFIPS: useFips })
    })
    return Either.right(url.href)
  } catch (error) {
    return Either.left(error instanceof Error ? error.message : error)
  }
}

const ours = (options: EndpointOptions) => resolveEndpoint(marketplaceMetering, options)

describe("endpoint", () => {
  it("knows which regions the SDK knows", () => {
    expect(knownRegions).toEqual(
      expect.arrayContaining(["us-east-1", "aws-cn-global", "eusc-de-east-1", "us-isof-south-1"])
    )
    expect(knownRegions.length).toBeGreaterThanOrEqual(50)
  })

  it.each([undefined, ...knownRegions, ...madeUpRegions])("is the SDK's in %s", (region) => {
    for (const endpoint of endpoints) {
      for (const useFips of flags) {
        for (const useDualStack of flags) {
          const options = { endpoint, region, useDualStack, useFips }
          expect(ours(options), JSON.stringify(options)).toEqual(bySdk(options))
        }
      }
    }
  })

  it("is the SDK's in any region of the right form", () => {
    const word = FastCheck.stringMatching(/^[a-z]{2,9}$/)
    const partition = FastCheck.constantFrom("us", "cn", "eusc-de", "us-gov", "us-iso", "us-isob")
    const region = FastCheck.tuple(partition, word, FastCheck.nat(99)).map((parts) =>
      parts.join("-")
    )
    FastCheck.assert(
      FastCheck.property(region, FastCheck.boolean(), FastCheck.boolean(), (region, fips, dual) => {
        const options = { region, useDualStack: dual, useFips: fips }
        expect(ours(options)).toEqual(bySdk(options))
      })
    )
  })

  it.each<[EndpointOptions, string]>([
    [{ region: "us-east-1" }, "https://metering.marketplace.us-east-1.amazonaws.com/"],
    [
      { region: "us-east-1", useDualStack: true },
      "https://metering-marketplace.us-east-1.api.aws/"
    ],
    [
      { region: "us-east-1", useFips: true },
      "https://metering.marketplace-fips.us-east-1.amazonaws.com/"
    ],
    [
      { region: "us-east-1", useFips: true, useDualStack: true },
      "https://metering.marketplace-fips.us-east-1.api.aws/"
    ],
    [
      { region: "us-gov-west-1", useDualStack: true },
      "https://metering-marketplace.us-gov-west-1.api.aws/"
    ],
    [
      { region: "cn-northwest-1", useDualStack: true },
      "https://metering-marketplace.cn-northwest-1.api.amazonwebservices.com.cn/"
    ],
    [{ region: "cn-northwest-1" }, "https://metering.marketplace.cn-northwest-1.amazonaws.com.cn/"],
    [{ region: "eusc-de-east-1" }, "https://metering-marketplace.eusc-de-east-1.amazonaws.eu/"],
    [
      { region: "eusc-de-east-1", useDualStack: true },
      "https://metering.marketplace.eusc-de-east-1.api.amazonwebservices.eu/"
    ],
    [{ region: "us-iso-east-1" }, "https://metering.marketplace.us-iso-east-1.c2s.ic.gov/"],
    [
      { region: "us-isob-east-1", useFips: true },
      "https://metering.marketplace-fips.us-isob-east-1.sc2s.sgov.gov/"
    ],
    [{ region: "eu-isoe-west-1" }, "https://metering.marketplace.eu-isoe-west-1.cloud.adc-e.uk/"],
    [{ region: "us-isof-south-1" }, "https://metering.marketplace.us-isof-south-1.csp.hci.ic.gov/"]
  ])("%j is %s", (options, url) => {
    expect(resolveEndpoint(marketplaceMetering, options)).toEqual(Either.right(url))
  })

  it("is the given one in any region", () => {
    const endpoint = "http://localhost:4566"
    const url = "http://localhost:4566/"
    expect(resolveEndpoint(marketplaceMetering, { endpoint })).toEqual(Either.right(url))
    expect(resolveEndpoint(marketplaceMetering, { endpoint, region: "eu-west-1" })).toEqual(
      Either.right(url)
    )
  })

  it("takes empty text for absent", () => {
    expect(resolveEndpoint(marketplaceMetering, { region: "" })).toEqual(
      Either.left("Invalid Configuration: Missing Region")
    )
    expect(resolveEndpoint(marketplaceMetering, { endpoint: "", region: "us-east-1" })).toEqual(
      resolveEndpoint(marketplaceMetering, { region: "us-east-1" })
    )
  })

  it("never passes user, password or fragment on", () => {
    expect(
      resolveEndpoint(marketplaceMetering, { endpoint: "https://user:secret@example.com/a#b" })
    ).toEqual(Either.right("https://example.com/a"))
  })

  it.each([
    "localhost:8080",
    "example.com",
    "ftp://example.com",
    "https://",
    "//example.com",
    "\n"
  ])("rejects the endpoint %j", (endpoint) => {
    expect(resolveEndpoint(marketplaceMetering, { endpoint })).toEqual(
      Either.left("Invalid Configuration: endpoint is not an http or https URL")
    )
  })

  it.each([
    "evil.com/",
    "evil.com#",
    "evil.com?",
    "x@evil.com",
    "us-east-1.evil",
    "us-east-1\n",
    "us east",
    "-us-east-1",
    "us-east-1-",
    "*",
    "ü",
    "a".repeat(64)
  ])("rejects the region %j, with or without an endpoint", (region) => {
    const rejection = Either.left(
      `Region not accepted: region="${region}" is not a valid hostname component.`
    )
    expect(resolveEndpoint(marketplaceMetering, { region })).toEqual(rejection)
    expect(
      resolveEndpoint(marketplaceMetering, { endpoint: "https://example.com", region })
    ).toEqual(rejection)
  })

  it("rejects a region that is not valid in a host name", () => {
    expect(resolveEndpoint(marketplaceMetering, { region: "xn--0" })).toEqual(
      Either.left('Region not accepted: region="xn--0" is not a valid hostname component.')
    )
  })

  it("lets no region name another host", () => {
    const suffix = /^metering[.-]marketplace(-fips)?\.[a-z0-9-]+\.(amazonaws\.com|api\.aws)$/
    const region = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.string({ unit: FastCheck.constantFrom("a", "-", ".", "/", "@", ":", "#", "\t") })
    )
    FastCheck.assert(
      FastCheck.property(region, FastCheck.boolean(), (region, useDualStack) => {
        Either.match(resolveEndpoint(marketplaceMetering, { region, useDualStack }), {
          onLeft: (message) => expect(message).toMatch(/^(Region not accepted|Invalid Config)/),
          onRight: (url) => expect(new URL(url).host).toMatch(suffix)
        })
      })
    )
  })

  it("accepts the region that the SDK accepts", async () => {
    const region = FastCheck.string({
      unit: FastCheck.constantFrom("a", "Z", "9", "-", "."),
      maxLength: 66
    })
    await FastCheck.assert(
      FastCheck.asyncProperty(region, async (region) => {
        FastCheck.pre(region !== "")
        const client = new MarketplaceMeteringClient({ region })
        const theirs = await client.config.region().then(
          () => Either.right(region),
          (error: Error) => Either.left(error.message)
        )
        expect(Either.map(resolveEndpoint(marketplaceMetering, { region }), () => region)).toEqual(
          theirs
        )
      }),
      { numRuns: 50 }
    )
  })
})
