import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient
} from "@aws-sdk/client-marketplace-metering"
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AwsCredentials, MeteringConfig } from "effect-marketplace-metering"
import { layer, layerSharedConfig, layerSharedConfigWith } from "effect-marketplace-metering/node"
import { environment, server, sharedFiles } from "./awsEnvironment.js"

const service = <E>(layer: Layer.Layer<MeteringConfig.MeteringConfig, E>) =>
  Effect.provide(MeteringConfig.MeteringConfig, layer)

const ours = service(layerSharedConfig)

/** Where the official client sends a call, and which region it signs it for. */
const official = Effect.promise(async () => {
  const sent: Array<{
    readonly protocol: string
    readonly hostname: string
    readonly port?: number
    readonly path: string
    readonly headers: Record<string, string>
  }> = []
  const client = new MarketplaceMeteringClient({
    credentials: { accessKeyId: "AKID", secretAccessKey: "SECRET" },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: (typeof sent)[number]) => {
        sent.push(request)
        throw new Error("not sent")
      }
    }
  })
  const command = new BatchMeterUsageCommand({ UsageRecords: [], ProductCode: "code" })
  const error = await client.send(command).catch(String)
  const [request] = sent
  if (request === undefined) return { error }
  const { headers, hostname, path, port, protocol } = request
  return {
    region: /Credential=AKID\/\d+\/([^/]+)\//.exec(headers.authorization ?? "")?.[1],
    endpoint: `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`
  }
})

interface Case {
  readonly config?: string
  readonly credentials?: string
  readonly variables?: Record<string, string>
}

const profile = (name: string, ...lines: ReadonlyArray<string>) =>
  [name === "default" ? "[default]" : `[profile ${name}]`, ...lines, ""].join("\n")

/** Each one differs from the one before by what it is named after. */
const cases: Record<string, Case> = {
  "region of the default profile": { config: profile("default", "region = eu-west-1") },
  "AWS_REGION before the profile": {
    config: profile("default", "region = eu-west-1"),
    variables: { AWS_REGION: "eu-west-2" }
  },
  "region of AWS_PROFILE": {
    config: profile("default", "region = eu-west-1") + profile("seller", "region = eu-west-3"),
    variables: { AWS_PROFILE: "seller" }
  },
  "region of a quoted profile, comments and spaces": {
    config: `# all\n[profile "my seller"]\n  ; none\nregion=eu-north-1 # here\n`.replace("my ", ""),
    variables: { AWS_PROFILE: "seller" }
  },
  "region in the credentials file": { credentials: "[default]\nregion = sa-east-1\n" },
  "region in both files": {
    config: profile("default", "region = eu-west-1"),
    credentials: "[default]\nregion = sa-east-1\n"
  },
  "a profile in neither file, and AWS_REGION": {
    config: profile("default", "region = eu-west-1"),
    variables: { AWS_PROFILE: "missing", AWS_REGION: "us-west-2" }
  },
  "a profile without the word profile is none": {
    config: "[seller]\nregion = eu-west-1\n",
    variables: { AWS_PROFILE: "seller", AWS_REGION: "us-west-2" }
  },
  "no file at all": { variables: { AWS_REGION: "us-west-2" } },
  "a region of China": { config: profile("default", "region = cn-north-1") },
  "a region that is a name for FIPS": { config: profile("default", "region = us-gov-west-1-fips") },
  "a region that begins with FIPS": { config: profile("default", "region = fips-us-east-1") },
  FIPS: { config: profile("default", "region = us-east-1", "use_fips_endpoint = true") },
  "no FIPS": { config: profile("default", "region = us-east-1", "use_fips_endpoint = false") },
  "FIPS of the environment": {
    config: profile("default", "region = us-east-1", "use_fips_endpoint = false"),
    variables: { AWS_USE_FIPS_ENDPOINT: "true" }
  },
  "no FIPS by the environment": {
    config: profile("default", "region = us-east-1", "use_fips_endpoint = true"),
    variables: { AWS_USE_FIPS_ENDPOINT: "false" }
  },
  "FIPS in both files": {
    config: profile("default", "region = us-east-1", "use_fips_endpoint = true"),
    credentials: "[default]\nuse_fips_endpoint = false\n"
  },
  "FIPS in the credentials file": {
    config: profile("default", "region = us-east-1"),
    credentials: "[default]\nuse_fips_endpoint = true\n"
  },
  "dual stack": {
    config: profile("default", "region = us-east-1", "use_dualstack_endpoint = true")
  },
  "dual stack of the environment": {
    config: profile("default", "region = us-east-1"),
    variables: { AWS_USE_DUALSTACK_ENDPOINT: "true" }
  },
  "FIPS and dual stack": {
    config: profile(
      "default",
      "region = us-east-1",
      "use_dualstack_endpoint = true",
      "use_fips_endpoint = true"
    )
  },
  "endpoint of the profile": {
    config: profile("default", "region = us-east-1", "endpoint_url = http://localhost:4566/")
  },
  "endpoint of the service": {
    config:
      profile(
        "default",
        "region = us-east-1",
        "services = local",
        "endpoint_url = http://localhost:1/"
      ) +
      [
        "[services local]",
        "s3 =",
        "  endpoint_url = http://localhost:2/",
        "marketplace_metering =",
        "  endpoint_url = http://localhost:3/",
        ""
      ].join("\n")
  },
  "services without this one": {
    config: `${profile(
      "default",
      "region = us-east-1",
      "services = local",
      "endpoint_url = http://localhost:1/"
    )}[services local]\ns3 =\n  endpoint_url = http://localhost:2/\n`
  },
  "AWS_ENDPOINT_URL before the files": {
    config:
      profile("default", "region = us-east-1", "services = local") +
      "[services local]\nmarketplace_metering =\n  endpoint_url = http://localhost:3/\n",
    variables: { AWS_ENDPOINT_URL: "http://localhost:4/" }
  },
  "the service's own variable before AWS_ENDPOINT_URL": {
    config: profile("default", "region = us-east-1"),
    variables: {
      AWS_ENDPOINT_URL: "http://localhost:4/",
      AWS_ENDPOINT_URL_MARKETPLACE_METERING: "http://localhost:5/"
    }
  },
  "endpoints ignored by the environment": {
    config: profile("default", "region = us-east-1", "endpoint_url = http://localhost:1/"),
    variables: {
      AWS_ENDPOINT_URL: "http://localhost:4/",
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true"
    }
  },
  "endpoints ignored by the profile": {
    config: profile(
      "default",
      "region = us-east-1",
      "endpoint_url = http://localhost:1/",
      "ignore_configured_endpoint_urls = true"
    ),
    variables: { AWS_ENDPOINT_URL: "http://localhost:4/" }
  },
  "endpoints not ignored by the environment": {
    config: profile(
      "default",
      "region = us-east-1",
      "endpoint_url = http://localhost:1/",
      "ignore_configured_endpoint_urls = true"
    ),
    variables: { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "false" }
  },
  "an empty endpoint": {
    config: profile("default", "region = us-east-1", "endpoint_url = http://localhost:1/"),
    variables: { AWS_ENDPOINT_URL: "", AWS_ENDPOINT_URL_MARKETPLACE_METERING: "" }
  }
}

describe("layerSharedConfig, beside the official client", () => {
  for (const [name, { variables, ...files }] of Object.entries(cases)) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        yield* environment({ ...(yield* sharedFiles(files)), ...variables })
        const { endpoint, region } = yield* ours
        assert.deepStrictEqual(yield* official, { region, endpoint })
      })
    )
  }

  it("has cases that differ", () => {
    assert.isAbove(Object.keys(cases).length, 25)
  })

  const rejected: Record<string, Case> = {
    "a region that is no host name": { config: profile("default", "region = a.b") },
    "FIPS and an endpoint": {
      config: profile(
        "default",
        "region = us-east-1",
        "use_fips_endpoint = true",
        "endpoint_url = http://localhost:1/"
      )
    },
    "dual stack and an endpoint": {
      config: profile("default", "region = us-east-1", "endpoint_url = http://localhost:1/"),
      variables: { AWS_USE_DUALSTACK_ENDPOINT: "true" }
    },
    "no region": { config: profile("default", "endpoint_url = http://localhost:1/") }
  }
  for (const [name, { variables, ...files }] of Object.entries(rejected)) {
    it.scoped(`rejects as the SDK does: ${name}`, () =>
      Effect.gen(function* () {
        yield* environment({ ...(yield* sharedFiles(files)), ...variables })
        assert.property(yield* official, "error")
        assert.strictEqual((yield* Effect.flip(ours))._tag, "MeteringConfigError")
      })
    )
  }
})

describe("layerSharedConfig, in its own way", () => {
  it.scoped("knows AWS_DEFAULT_REGION, after AWS_REGION and before the profile", () =>
    Effect.gen(function* () {
      const files = yield* sharedFiles({ config: profile("default", "region = eu-west-1") })
      yield* environment({ ...files, AWS_DEFAULT_REGION: "eu-west-2" })
      assert.strictEqual((yield* ours).region, "eu-west-2")
      process.env.AWS_REGION = "eu-west-3"
      assert.strictEqual((yield* ours).region, "eu-west-3")
    })
  )

  it.scoped("names every place where no region was", () =>
    Effect.gen(function* () {
      const files = yield* sharedFiles({ config: profile("other", "region = eu-west-1") })
      yield* environment({ ...files, AWS_PROFILE: "seller" })
      const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = files
      assert.strictEqual(
        String(yield* Effect.flip(ours)),
        `MeteringConfigError: No AWS region was found; searched AWS_REGION, AWS_DEFAULT_REGION, region in profile "seller" of ${AWS_CONFIG_FILE} and ${AWS_SHARED_CREDENTIALS_FILE}, not the instance metadata service, as AWS_EC2_METADATA_DISABLED is set. Set AWS_REGION, or pass the region in code`
      )
    })
  )

  it.scoped("names the files of the home directory", () =>
    Effect.gen(function* () {
      yield* environment({ HOME: "/missing" })
      assert.include(
        String(yield* Effect.flip(ours)),
        'region in profile "default" of /missing/.aws/config and /missing/.aws/credentials'
      )
    })
  )

  it.scoped("asks the instance, as the official client does, when nothing else knows", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const url = yield* server(({ method, url = "" }) => {
        asked.push(`${method} ${url}`)
        return url === "/latest/api/token"
          ? "token"
          : url === "/latest/meta-data/placement/region"
            ? "eu-central-1"
            : undefined
      })
      const files = yield* sharedFiles({})
      yield* environment({
        ...files,
        AWS_EC2_METADATA_DISABLED: "",
        AWS_EC2_METADATA_SERVICE_ENDPOINT: url
      })
      const { endpoint, region } = yield* ours
      assert.strictEqual(region, "eu-central-1")
      const calls = ["PUT /latest/api/token", "GET /latest/meta-data/placement/region"]
      assert.deepStrictEqual(asked, calls)
      assert.deepStrictEqual(yield* official, { region, endpoint })

      process.env.AWS_REGION = "us-east-1"
      assert.strictEqual((yield* ours).region, "us-east-1")
      assert.deepStrictEqual(asked, [...calls, ...calls], "a known region is not looked up")
    })
  )

  it.scoped("fails when the instance knows nothing either", () =>
    Effect.gen(function* () {
      const url = yield* server(() => undefined)
      const files = yield* sharedFiles({})
      yield* environment({
        ...files,
        AWS_EC2_METADATA_DISABLED: "false",
        AWS_EC2_METADATA_SERVICE_ENDPOINT: url
      })
      // the SDK would take "false" for disabled here, other than for credentials
      delete process.env.AWS_EC2_METADATA_DISABLED
      assert.include(
        String(yield* Effect.flip(ours)),
        ", the instance metadata service. Set AWS_REGION"
      )
    })
  )

  it.scoped("reads the environment through Config", () =>
    Effect.gen(function* () {
      const files = yield* sharedFiles({
        config: profile("seller", "region = eu-west-1", "use_fips_endpoint = true")
      })
      yield* environment({ AWS_REGION: "us-west-1", AWS_USE_FIPS_ENDPOINT: "false" })
      const provider = ConfigProvider.fromMap(
        new Map([...Object.entries(files), ["AWS_PROFILE", "seller"]])
      )
      const { endpoint } = yield* service(
        Layer.provide(layerSharedConfig, Layer.setConfigProvider(provider))
      )
      assert.strictEqual(endpoint, "https://metering.marketplace-fips.eu-west-1.amazonaws.com/")
    })
  )

  it.scoped("reads the files again each time", () =>
    Effect.gen(function* () {
      const { writeFileSync } = yield* Effect.promise(() => import("node:fs"))
      const files = yield* sharedFiles({ config: profile("default", "region = eu-west-1") })
      yield* environment(files)
      assert.strictEqual((yield* ours).region, "eu-west-1")
      writeFileSync(files.AWS_CONFIG_FILE, profile("default", "region = eu-west-2"))
      assert.strictEqual((yield* ours).region, "eu-west-2")
    })
  )

  it.scoped("stops at what the SDK for JavaScript would overlook", () =>
    Effect.gen(function* () {
      const broken: ReadonlyArray<readonly [string, (file: string) => string]> = [
        [
          profile("default", "region = us-east-1", "use_fips_endpoint = yes"),
          (files) =>
            `use_fips_endpoint in profile "default" of ${files}: expected "true" or "false", got "yes"`
        ],
        [
          profile("default", "region = us-east-1", "use_dualstack_endpoint = True"),
          (files) =>
            `use_dualstack_endpoint in profile "default" of ${files}: expected "true" or "false", got "True"`
        ],
        [
          profile("default", "region = us-east-1", "ignore_configured_endpoint_urls = 1"),
          (files) =>
            `ignore_configured_endpoint_urls in profile "default" of ${files}: expected "true" or "false", got "1"`
        ],
        [
          profile("default", "region = us-east-1", "services = local"),
          (files) =>
            `The endpoint is empty: leave it out to call the service (set by services section "local" of ${files.split(" and ")[0]}, which does not exist)`
        ],
        [
          profile("default", "region = us-east-1", "endpoint_url = localhost"),
          (files) =>
            `Invalid Configuration: endpoint is not an http or https URL (set by endpoint_url in profile "default" of ${files})`
        ]
      ]
      for (const [config, reason] of broken) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const files = yield* sharedFiles({ config })
            yield* environment(files)
            const error = yield* Effect.flip(ours)
            assert.strictEqual(
              String(error),
              `MeteringConfigError: ${reason(`${files.AWS_CONFIG_FILE} and ${files.AWS_SHARED_CREDENTIALS_FILE}`)}`
            )
            if (!config.includes("localhost")) assert.property(yield* official, "region")
          })
        )
      }
    })
  )

  it.scoped("ignores a missing services section that is not used", () =>
    Effect.gen(function* () {
      const files = yield* sharedFiles({
        config: profile("default", "region = us-east-1", "services = local")
      })
      yield* environment({ ...files, AWS_ENDPOINT_URL: "http://localhost:4/" })
      assert.strictEqual((yield* ours).endpoint, "http://localhost:4/")
    })
  )
})

describe("layerSharedConfigWith", () => {
  it.scoped("takes profile, files, timeout and rules from code", () =>
    Effect.gen(function* () {
      const files = yield* sharedFiles({ config: profile("seller", "region = eu-west-1") })
      yield* environment({ AWS_PROFILE: "missing", AWS_CONFIG_FILE: "/nowhere" })
      const config = yield* service(
        layerSharedConfigWith({
          profile: "seller",
          configFile: files.AWS_CONFIG_FILE,
          credentialsFile: files.AWS_SHARED_CREDENTIALS_FILE,
          requestTimeout: "3 seconds",
          skipRules: ["requestSize"]
        })
      )
      assert.strictEqual(config.region, "eu-west-1")
      assert.deepStrictEqual(config.requestTimeout, Duration.seconds(3))
      assert.deepStrictEqual(config.skipRules, ["requestSize"])
    })
  )
})

describe("layer", () => {
  it.scoped("brings configuration, credentials, and a client that reaches a server", () =>
    Effect.gen(function* () {
      const url = yield* server(() => "hello")
      yield* environment({
        AWS_REGION: "us-east-1",
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: "AKID",
        AWS_SECRET_ACCESS_KEY: "SECRET"
      })
      yield* Effect.gen(function* () {
        const { endpoint } = yield* MeteringConfig.MeteringConfig
        const credentials = yield* AwsCredentials.AwsCredentials
        assert.strictEqual((yield* credentials.get).accessKeyId, "AKID")
        const text = yield* Effect.flatMap(HttpClient.get(endpoint), (response) => response.text)
        assert.strictEqual(text, "hello")
      }).pipe(Effect.provide(layer))
    })
  )
})
