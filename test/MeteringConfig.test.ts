import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { MeteringConfig } from "effect-marketplace-metering"

const service = <E>(layer: Layer.Layer<MeteringConfig.MeteringConfig, E>) =>
  Effect.provide(MeteringConfig.MeteringConfig, layer)

const reasonOf = (options: MeteringConfig.Options) =>
  Either.match(MeteringConfig.make(options), {
    onLeft: (error) => `${error._tag}: ${error.reason}`,
    onRight: () => "accepted"
  })

const made = (options: MeteringConfig.Options) => Either.getOrThrow(MeteringConfig.make(options))

describe("MeteringConfig.make", () => {
  it("resolves the endpoint of a region, and its defaults", () => {
    const { requestTimeout, ...rest } = made({ region: "us-east-1" })
    assert.deepStrictEqual(rest, {
      region: "us-east-1",
      endpoint: "https://metering.marketplace.us-east-1.amazonaws.com/",
      skipRules: []
    })
    assert.strictEqual(Duration.toMillis(requestTimeout), 30_000)
  })

  it("takes what is undefined for left out", () => {
    assert.deepStrictEqual(
      made({
        region: "us-east-1",
        endpoint: undefined,
        fips: undefined,
        dualStack: undefined,
        requestTimeout: undefined,
        skipRules: undefined
      }),
      made({ region: "us-east-1" })
    )
  })

  it("keeps what it is given", () => {
    const { endpoint, skipRules, region, requestTimeout } = made({
      region: "eu-west-1",
      endpoint: "http://localhost:4566/aws?x=1",
      requestTimeout: "1500 millis",
      skipRules: ["requestSize"]
    })
    assert.deepStrictEqual(
      [endpoint, skipRules, region, Duration.toMillis(requestTimeout)],
      ["http://localhost:4566/aws?x=1", ["requestSize"], "eu-west-1", 1500]
    )
  })

  it("knows FIPS and dual stack, and regions that are names for FIPS", () => {
    const endpoint = (options: MeteringConfig.Options) => made(options).endpoint
    assert.deepStrictEqual(
      [
        endpoint({ region: "us-east-1", fips: true }),
        endpoint({ region: "us-east-1", dualStack: true }),
        endpoint({ region: "us-east-1", fips: true, dualStack: true }),
        endpoint({ region: "us-east-1", fips: false, dualStack: false })
      ],
      [
        "https://metering.marketplace-fips.us-east-1.amazonaws.com/",
        "https://metering-marketplace.us-east-1.api.aws/",
        "https://metering.marketplace-fips.us-east-1.api.aws/",
        "https://metering.marketplace.us-east-1.amazonaws.com/"
      ]
    )
    for (const [name, region] of [
      ["fips-us-west-2", "us-west-2"],
      ["us-gov-west-1-fips", "us-gov-west-1"],
      ["fips-dkr-us-west-2", "us-west-2"],
      ["fips-prod-us-west-2", "us-west-2"],
      ["fips-aws-global", "us-east-1"],
      ["aws-fips", "us-east-1"]
    ] as const) {
      assert.deepStrictEqual(
        made({ region: name, fips: false }),
        made({ region, fips: true }),
        name
      )
    }
  })

  it("rejects what the SDK rejects, and what cannot work", () => {
    const label = (region: string) =>
      `MeteringConfigError: Region not accepted: region="${region}" is not a valid hostname component.`
    const both = (what: string) =>
      `MeteringConfigError: Invalid Configuration: ${what} and custom endpoint are not supported`
    const notUrl =
      "MeteringConfigError: Invalid Configuration: endpoint is not an http or https URL"
    const noTime = "MeteringConfigError: The request timeout is not a duration longer than 0"
    const region = "us-east-1"
    const cases: ReadonlyArray<readonly [MeteringConfig.Options, string]> = [
      [
        { region: "" },
        "MeteringConfigError: The region is empty: set it to an AWS Region, such as us-east-1"
      ],
      [
        { region: "", endpoint: "https://example.com" },
        "MeteringConfigError: The region is empty: set it to an AWS Region, such as us-east-1"
      ],
      [{ region: "us-east-1.evil.com" }, label("us-east-1.evil.com")],
      [{ region: "evil.com/" }, label("evil.com/")],
      [{ region: "us-east-1\n" }, label("us-east-1\n")],
      [{ region: "*" }, label("*")],
      [{ region: "a@b", endpoint: "https://example.com" }, label("a@b")],
      [
        { region, endpoint: "" },
        "MeteringConfigError: The endpoint is empty: leave it out to call the service"
      ],
      [{ region, endpoint: "example.com" }, notUrl],
      [{ region, endpoint: "ftp://example.com" }, notUrl],
      [{ region, endpoint: "localhost:4566" }, notUrl],
      [{ region, endpoint: "https://example.com", fips: true }, both("FIPS")],
      [{ region: "us-east-1-fips", endpoint: "https://example.com" }, both("FIPS")],
      [{ region, endpoint: "https://example.com", dualStack: true }, both("Dualstack")],
      [{ region, requestTimeout: 0 }, noTime],
      [{ region, requestTimeout: -1 }, noTime],
      [{ region, requestTimeout: Number.NaN }, noTime],
      [{ region, requestTimeout: "soon" as "1 second" }, noTime],
      [{ region, requestTimeout: Duration.infinity }, "accepted"],
      [{ region, requestTimeout: Duration.millis(1) }, "accepted"]
    ]
    for (const [options, reason] of cases) assert.strictEqual(reasonOf(options), reason)
  })

  it("never shows the password of an endpoint", () => {
    const { endpoint } = made({
      region: "us-east-1",
      endpoint: "https://user:hunter2@example.com/"
    })
    assert.strictEqual(endpoint, "https://example.com/")
    assert.notInclude(
      reasonOf({ region: "us-east-1", endpoint: "ftp://user:hunter2@a" }),
      "hunter2"
    )
  })
})

describe("MeteringConfig.layer", () => {
  it.effect("brings the configuration, or its error", () =>
    Effect.gen(function* () {
      const { region } = yield* service(MeteringConfig.layer({ region: "us-east-1" }))
      assert.strictEqual(region, "us-east-1")
      const error = yield* Effect.flip(service(MeteringConfig.layer({ region: "a.b" })))
      assert.strictEqual(error._tag, "MeteringConfigError")
    })
  )
})

const provided = <A, E>(layer: Layer.Layer<A, E>, variables: Record<string, string>) =>
  Layer.provide(
    layer,
    Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
  )

describe("MeteringConfig.layerConfig", () => {
  const all = {
    region: Config.string("R"),
    endpoint: Config.string("E"),
    requestTimeout: Config.duration("T"),
    skipRules: Config.array(Config.literal("requestSize", "recordCount")(), "X")
  }

  it.effect("reads names of one's own", () =>
    Effect.gen(function* () {
      const config = yield* service(
        provided(MeteringConfig.layerConfig(all), {
          R: "eu-west-1",
          E: "http://localhost:1/",
          T: "5 seconds",
          X: "requestSize,recordCount"
        })
      )
      assert.deepStrictEqual(config, {
        region: "eu-west-1",
        endpoint: "http://localhost:1/",
        requestTimeout: Duration.seconds(5),
        skipRules: ["requestSize", "recordCount"]
      })
    })
  )

  it.effect("tolerates keys that are present and undefined", () =>
    Effect.gen(function* () {
      const config = { region: Config.string("R"), endpoint: undefined, fips: undefined }
      // @ts-expect-error exactOptionalPropertyTypes rejects it, JavaScript does not
      const layer = MeteringConfig.layerConfig(config)
      const { endpoint } = yield* service(provided(layer, { R: "us-east-1" }))
      assert.strictEqual(endpoint, made({ region: "us-east-1" }).endpoint)
    })
  )

  it.effect("takes one Config for all", () =>
    Effect.gen(function* () {
      const layer = MeteringConfig.layerConfig(
        Config.map(Config.string("R"), (region) => ({ region }))
      )
      assert.strictEqual((yield* service(provided(layer, { R: "us-east-1" }))).region, "us-east-1")
    })
  )

  it.effect("fails with what is missing, or does not fit", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(service(provided(MeteringConfig.layerConfig(all), {})))
      assert.isTrue(ConfigError.isConfigError(missing))
      assert.include(String(missing), "at R")
      const rejected = yield* Effect.flip(
        service(
          provided(
            MeteringConfig.layerConfig({
              region: Config.string("R"),
              endpoint: Config.string("E")
            }),
            {
              R: "us-east-1",
              E: ""
            }
          )
        )
      )
      assert.strictEqual(
        String(rejected),
        "MeteringConfigError: The endpoint is empty: leave it out to call the service"
      )
    })
  )
})

describe("MeteringConfig.layerEnv", () => {
  const fromEnv = (variables: Record<string, string>) =>
    service(provided(MeteringConfig.layerEnv, variables))

  const endpointFrom = (variables: Record<string, string>) =>
    Effect.map(fromEnv({ AWS_REGION: "us-east-1", ...variables }), ({ endpoint }) => endpoint)

  const own = "https://metering.marketplace.us-east-1.amazonaws.com/"

  it.effect("finds the region, AWS_REGION first", () =>
    Effect.gen(function* () {
      const region = (variables: Record<string, string>) =>
        Effect.map(fromEnv(variables), (config) => config.region)
      assert.strictEqual(yield* region({ AWS_REGION: "a", AWS_DEFAULT_REGION: "b" }), "a")
      assert.strictEqual(yield* region({ AWS_DEFAULT_REGION: "b" }), "b")
      assert.strictEqual(yield* region({ AWS_REGION: "", AWS_DEFAULT_REGION: "b" }), "b")
    })
  )

  it.effect("assumes no region, and names the places that it looked at", () =>
    Effect.gen(function* () {
      const expected =
        "MeteringConfigError: No AWS region was found; searched AWS_REGION, AWS_DEFAULT_REGION. Set AWS_REGION, or pass the region in code"
      for (const variables of [
        {},
        { AWS_REGION: "", AWS_DEFAULT_REGION: "" },
        { AWS_ENDPOINT_URL: "https://example.com" }
      ]) {
        assert.strictEqual(String(yield* Effect.flip(fromEnv(variables))), expected)
      }
    })
  )

  it.effect("finds the endpoint, the service's own variable first", () =>
    Effect.gen(function* () {
      const specific = "AWS_ENDPOINT_URL_MARKETPLACE_METERING"
      const general = "AWS_ENDPOINT_URL"
      const ignore = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
      const [a, b] = ["http://a/", "http://b/"]
      assert.strictEqual(yield* endpointFrom({}), own)
      assert.strictEqual(yield* endpointFrom({ [specific]: a, [general]: b }), a)
      assert.strictEqual(yield* endpointFrom({ [general]: b }), b)
      assert.strictEqual(yield* endpointFrom({ [specific]: "", [general]: b }), b)
      assert.strictEqual(yield* endpointFrom({ [specific]: "", [general]: "" }), own)
      assert.strictEqual(yield* endpointFrom({ [general]: b, [ignore]: "false" }), b)
      assert.strictEqual(yield* endpointFrom({ [general]: b, [ignore]: "" }), b)
      assert.strictEqual(
        yield* endpointFrom({ [specific]: a, [general]: b, [ignore]: "true" }),
        own
      )
      assert.strictEqual(
        yield* endpointFrom({ [general]: b, [ignore]: "true", AWS_USE_FIPS_ENDPOINT: "true" }),
        made({ region: "us-east-1", fips: true }).endpoint
      )
    })
  )

  it.effect("reads the flags", () =>
    Effect.gen(function* () {
      for (const [fips, dualStack] of [
        ["true", "true"],
        ["true", "false"],
        ["false", "true"],
        ["", ""]
      ] as const) {
        assert.strictEqual(
          yield* endpointFrom({
            AWS_USE_FIPS_ENDPOINT: fips,
            AWS_USE_DUALSTACK_ENDPOINT: dualStack
          }),
          made({ region: "us-east-1", fips: fips === "true", dualStack: dualStack === "true" })
            .endpoint
        )
      }
    })
  )

  it.effect("names the variable that is wrong", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [Record<string, string>, string]> = [
        ...[
          "AWS_USE_FIPS_ENDPOINT",
          "AWS_USE_DUALSTACK_ENDPOINT",
          "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
        ].flatMap((name) =>
          ["maybe", "1", "TRUE", " true"].map(
            (value) =>
              [{ [name]: value }, `${name}: expected "true" or "false", got "${value}"`] as const
          )
        ),
        [
          { AWS_REGION: "a.b" },
          'Region not accepted: region="a.b" is not a valid hostname component. (set by AWS_REGION)'
        ],
        [
          { AWS_REGION: "", AWS_DEFAULT_REGION: "a.b" },
          'Region not accepted: region="a.b" is not a valid hostname component. (set by AWS_DEFAULT_REGION)'
        ],
        [
          { AWS_ENDPOINT_URL: "localhost:4566" },
          "Invalid Configuration: endpoint is not an http or https URL (set by AWS_ENDPOINT_URL)"
        ],
        [
          {
            AWS_ENDPOINT_URL_MARKETPLACE_METERING: "http://a",
            AWS_USE_FIPS_ENDPOINT: "true",
            AWS_USE_DUALSTACK_ENDPOINT: "false"
          },
          "Invalid Configuration: FIPS and custom endpoint are not supported (set by AWS_REGION, AWS_ENDPOINT_URL_MARKETPLACE_METERING, AWS_USE_FIPS_ENDPOINT)"
        ],
        [
          { AWS_ENDPOINT_URL: "http://a", AWS_USE_DUALSTACK_ENDPOINT: "true" },
          "Invalid Configuration: Dualstack and custom endpoint are not supported (set by AWS_REGION, AWS_ENDPOINT_URL, AWS_USE_DUALSTACK_ENDPOINT)"
        ]
      ]
      for (const [variables, reason] of cases) {
        const error = yield* Effect.flip(endpointFrom(variables))
        assert.strictEqual(String(error), `MeteringConfigError: ${reason}`)
      }
    })
  )

  it.effect("says so when the provider of configuration fails", () =>
    Effect.gen(function* () {
      const broken = ConfigProvider.make({
        load: () =>
          Effect.fail(
            ConfigError.SourceUnavailable(["AWS_REGION"], "vault is sealed", Cause.empty)
          ),
        flattened: ConfigProvider.fromMap(new Map()).flattened
      })
      const error = yield* Effect.flip(
        service(Layer.provide(MeteringConfig.layerEnv, Layer.setConfigProvider(broken)))
      )
      assert.isTrue(ConfigError.isConfigError(error))
      assert.include(String(error), "vault is sealed")
    })
  )
})
