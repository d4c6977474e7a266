/** Endpoints and settings of the Marketplace Entitlement Service, against the official client's. */
import { readFileSync } from "node:fs"
import { MarketplaceEntitlementServiceClient } from "@aws-sdk/client-marketplace-entitlement-service"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import { EntitlementConfig } from "effect-marketplace-metering/entitlement"
import { marketplaceEntitlement } from "../../src/entitlement/internal/serviceModel.js"
import { type EndpointOptions, resolveEndpoint } from "../../src/internal/config/endpoint.js"

const partitions = new URL(
  "../../node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js",
  import.meta.url
)

/** Every region that the SDK knows by name, pseudo regions such as aws-cn-global among them. */
const knownRegions = Array.from(
  readFileSync(partitions, "utf8").matchAll(/"([a-z0-9-]+)": \{\s+"description"/g),
  ([, region = ""]) => region
)

const madeUpRegions = [
  "ap-middle-9",
  "cn-south-7",
  "eusc-de-west-2",
  "eusc-fr-west-1",
  "us-iso-north-3",
  "us-isob-south-12",
  "us-gov-north-1",
  "us-gov",
  "xx-us-gov-west-1",
  "aws-eusc-global",
  "cn-north-1a"
]

const { endpointProvider } = new MarketplaceEntitlementServiceClient({
  region: "us-east-1"
}).config

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
    return Either.left(error instanceof Error ? error.message : "no error")
  }
}

const flags = [undefined, false, true]

describe("the endpoint", () => {
  it.each([undefined, ...knownRegions, ...madeUpRegions])("is the SDK's in %s", (region) => {
    for (const endpoint of [undefined, "https://example.com", "http://localhost:8080/base"]) {
      for (const useFips of flags) {
        for (const useDualStack of flags) {
          const options = { endpoint, region, useDualStack, useFips }
          assert.deepStrictEqual(
            resolveEndpoint(marketplaceEntitlement, options),
            bySdk(options),
            JSON.stringify(options)
          )
        }
      }
    }
  })

  it("is the SDK's in any region of the right form", () => {
    const partition = FastCheck.constantFrom("us", "cn", "eusc-de", "us-gov", "us-iso", "eu-isoe")
    const region = FastCheck.tuple(
      partition,
      FastCheck.stringMatching(/^[a-z]{2,9}$/),
      FastCheck.nat(99)
    ).map((parts) => parts.join("-"))
    FastCheck.assert(
      FastCheck.property(region, FastCheck.boolean(), FastCheck.boolean(), (region, fips, dual) => {
        const options = { region, useDualStack: dual, useFips: fips }
        assert.deepStrictEqual(resolveEndpoint(marketplaceEntitlement, options), bySdk(options))
      })
    )
  })
})

describe("make", () => {
  it.each<readonly [EntitlementConfig.Options | undefined, string, string]>([
    [undefined, "us-east-1", "https://entitlement.marketplace.us-east-1.amazonaws.com/"],
    [{ fips: true }, "us-east-1", "https://entitlement.marketplace-fips.us-east-1.amazonaws.com/"],
    [
      { region: "us-east-1-fips" },
      "us-east-1",
      "https://entitlement.marketplace-fips.us-east-1.amazonaws.com/"
    ],
    [{ dualStack: true }, "us-east-1", "https://entitlement-marketplace.us-east-1.api.aws/"],
    [
      { region: "cn-northwest-1" },
      "cn-northwest-1",
      "https://entitlement-marketplace.cn-northwest-1.amazonaws.com.cn/"
    ],
    [
      { region: "us-gov-west-1", dualStack: true },
      "us-gov-west-1",
      "https://entitlement.marketplace.us-gov-west-1.api.aws/"
    ],
    [{ region: "eu-west-1", endpoint: "http://localhost:1" }, "eu-west-1", "http://localhost:1/"]
  ])("%j calls the service in %s", (options, region, endpoint) => {
    const config = Either.getOrThrow(EntitlementConfig.make(options))
    assert.deepStrictEqual([config.region, config.endpoint], [region, endpoint])
    assert.strictEqual(Duration.toSeconds(config.requestTimeout), 30)
  })

  it.each(["eu-west-1", "us-west-2", "ap-south-2-fips", "moon-1", "us-east-11"])(
    "rejects %s, where the service is not, and says what to do",
    (region) => {
      const config = EntitlementConfig.make({ region })
      assert.isTrue(Either.isLeft(config))
      assert.strictEqual(
        Either.isLeft(config) && config.left.message,
        `The Marketplace Entitlement Service is not in the region "${region}": leave the region out to call us-east-1`
      )
    }
  )

  it("rejects what the metering configuration rejects", () => {
    for (const options of [
      { region: "" },
      { endpoint: "" },
      { endpoint: "ftp://x" },
      { requestTimeout: 0 },
      { endpoint: "http://localhost", fips: true }
    ]) {
      assert.isTrue(Either.isLeft(EntitlementConfig.make(options)), JSON.stringify(options))
    }
  })
})

const from = <E>(layer: Layer.Layer<EntitlementConfig.EntitlementConfig, E>, env: object) =>
  EntitlementConfig.EntitlementConfig.pipe(
    Effect.map(({ endpoint, region }) => [region, endpoint]),
    Effect.provide(layer),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env))))
  )

describe("layerEnv", () => {
  const serviceUrl = "https://entitlement.marketplace.us-east-1.amazonaws.com/"

  it.effect.each<readonly [object, [string, string]]>([
    [{}, ["us-east-1", serviceUrl]],
    [{ AWS_REGION: "eu-central-1" }, ["us-east-1", serviceUrl]],
    [{ AWS_REGION: "", AWS_DEFAULT_REGION: "us-west-2" }, ["us-east-1", serviceUrl]],
    [
      { AWS_REGION: "cn-northwest-1" },
      ["cn-northwest-1", "https://entitlement-marketplace.cn-northwest-1.amazonaws.com.cn/"]
    ],
    [
      {
        AWS_REGION: "eu-central-1",
        AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE: "http://localhost:1",
        AWS_ENDPOINT_URL: "http://localhost:2"
      },
      ["eu-central-1", "http://localhost:1/"]
    ],
    [{ AWS_ENDPOINT_URL: "http://localhost:2" }, ["us-east-1", "http://localhost:2/"]],
    [
      {
        AWS_REGION: "eu-central-1",
        AWS_ENDPOINT_URL: "http://localhost:2",
        AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true"
      },
      ["us-east-1", serviceUrl]
    ],
    [{ AWS_ENDPOINT_URL_MARKETPLACE_METERING: "http://localhost:3" }, ["us-east-1", serviceUrl]],
    [
      { AWS_USE_FIPS_ENDPOINT: "true" },
      ["us-east-1", "https://entitlement.marketplace-fips.us-east-1.amazonaws.com/"]
    ]
  ])("%j", ([env, expected]) =>
    Effect.map(from(EntitlementConfig.layerEnv, env), (found) =>
      assert.deepStrictEqual(found, expected)
    )
  )

  it.effect("names the variable of an invalid endpoint", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        from(EntitlementConfig.layerEnv, {
          AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE: "localhost"
        })
      )
      assert.include(String(error), "AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE")
    })
  )

  it("reads the variable of the SDK, which is named by the service id", () => {
    const { serviceId } = new MarketplaceEntitlementServiceClient({ region: "us-east-1" }).config
    assert.strictEqual(marketplaceEntitlement.serviceId, serviceId)
  })
})

describe("layerConfig", () => {
  it.effect("reads names of the app", () =>
    Effect.map(
      from(
        EntitlementConfig.layerConfig({
          endpoint: Config.string("URL"),
          region: Config.string("REGION").pipe(Config.withDefault(undefined))
        }),
        { URL: "http://localhost:4" }
      ),
      (found) => assert.deepStrictEqual(found, ["us-east-1", "http://localhost:4/"])
    )
  )
})
