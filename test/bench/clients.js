// The compared clients: this one over several transports, the official SDK, aws4fetch, and a minimal one.
import { createHash, createHmac } from "node:crypto"
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient,
  MeterUsageCommand,
  RegisterUsageCommand,
  ResolveCustomerCommand
} from "@aws-sdk/client-marketplace-metering"
import { FetchHttpClient, HttpBody, HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeHttpClient, Undici } from "@effect/platform-node"
import { AwsClient } from "aws4fetch"
import { DateTime, Duration, Effect, Layer, ManagedRuntime, Redacted } from "effect"
import {
  AwsCredentials,
  MeteringClient,
  MeteringConfig,
  MeterUsage,
  UsageRecord
} from "effect-marketplace-metering"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"

const region = "us-east-1"
const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: "AQoDYXdzEPT".repeat(40)
}

/** Promises one after the other, by so many at once. */
const promising = (call) => async (count, concurrency) => {
  const some = async () => {
    for (let i = 0; i < count / concurrency; i++) await call()
  }
  await Promise.all(Array.from({ length: concurrency }, some))
}

/** Effects one after the other, by so many at once. */
const repeating =
  (runtime, once, traced = false) =>
  (count, concurrency) =>
    runtime.runPromise(
      Effect.all(
        Array.from({ length: concurrency }, () => Effect.repeatN(once, count / concurrency - 1)),
        { concurrency: "unbounded", discard: true }
      ).pipe(Effect.withTracerEnabled(traced))
    )

// ---------------------------------------------------------------------------------------------------
// this client
// ---------------------------------------------------------------------------------------------------

const time = (seconds) => DateTime.unsafeMake(Math.round(seconds * 1000))

const fieldsOf = (record) => ({
  timestamp: time(record.Timestamp),
  dimension: record.Dimension,
  quantity: record.Quantity,
  customerAWSAccountId: record.CustomerAWSAccountId,
  licenseArn: record.LicenseArn
})

/** Inputs of each operation: made before the call, or in it. */
const ours = {
  MeterUsage: ({ wire }) => {
    const make = () =>
      MeterUsage.make({
        productCode: wire.ProductCode,
        timestamp: time(wire.Timestamp),
        usageDimension: wire.UsageDimension,
        usageQuantity: wire.UsageQuantity,
        clientToken: wire.ClientToken
      })
    return { make, call: MeteringClient.meterUsage }
  },
  RegisterUsage: ({ wire }) => ({
    make: () => ({
      productCode: wire.ProductCode,
      publicKeyVersion: wire.PublicKeyVersion,
      nonce: wire.Nonce
    }),
    call: MeteringClient.registerUsage
  }),
  ResolveCustomer: ({ wire }) => ({
    make: () => ({ registrationToken: Redacted.make(wire.RegistrationToken) }),
    call: MeteringClient.resolveCustomer
  }),
  BatchMeterUsage: ({ wire }) => ({
    make: () => wire.UsageRecords.map((record) => UsageRecord.make(fieldsOf(record))),
    call: (usageRecords) => MeteringClient.batchMeterUsage({ usageRecords })
  })
}

/**
 * `traced` with the tracer that every Effect program has, which exports nothing; `making` makes the records in the call.
 */
const overOurs = (layer, { making = false, traced = false } = {}) => {
  const runtime = ManagedRuntime.make(layer)
  return {
    prepare: (call) => {
      const operation = ours[call.operation](call)
      const made = operation.make()
      const once = making
        ? Effect.suspend(() => operation.call(operation.make()))
        : Effect.suspend(() => operation.call(made))
      return repeating(runtime, once, traced)
    },
    close: () => runtime.dispose()
  }
}

const needs = (endpoint, requestTimeout) =>
  Layer.mergeAll(
    MeteringConfig.layer({ region, endpoint, requestTimeout }),
    AwsCredentials.layerStatic(credentials)
  )

const over = (http, requestTimeout, options) => (endpoint) =>
  overOurs(
    MeteringClient.layer.pipe(Layer.provide([needs(endpoint, requestTimeout), http])),
    options
  )

// ---------------------------------------------------------------------------------------------------
// others
// ---------------------------------------------------------------------------------------------------

const toSdk = (value, key) =>
  key === "Timestamp"
    ? new Date(Math.round(value * 1000))
    : Array.isArray(value)
      ? value.map((element) => toSdk(element))
      : typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, toSdk(one, key)]))
        : value

const commands = {
  MeterUsage: MeterUsageCommand,
  BatchMeterUsage: BatchMeterUsageCommand,
  RegisterUsage: RegisterUsageCommand,
  ResolveCustomer: ResolveCustomerCommand
}

const sdkClient = (endpoint) => new MarketplaceMeteringClient({ region, endpoint, credentials })

const official = (endpoint) => {
  const client = sdkClient(endpoint)
  return {
    prepare: ({ operation, wire }) => {
      const input = toSdk(wire)
      const Command = commands[operation]
      return promising(() => client.send(new Command(input)))
    },
    close: () => client.destroy()
  }
}

const service = "aws-marketplace"
const headersOf = (operation) => ({
  "content-type": "application/x-amz-json-1.1",
  "x-amz-target": `AWSMPMeteringService.${operation}`
})

const overAws4fetch = (endpoint) => {
  const client = new AwsClient({ ...credentials, region, service })
  return {
    prepare: ({ operation, wire }) =>
      promising(async () => {
        const response = await client.fetch(endpoint, {
          method: "POST",
          headers: headersOf(operation),
          body: JSON.stringify(wire)
        })
        return response.json()
      }),
    close: () => undefined
  }
}

const hash = (text) => createHash("sha256").update(text).digest("hex")
const hmac = (key, text) => createHmac("sha256", key).update(text).digest()

/** Signs as little as there is to sign, by a key that is kept. */
const bareSigner = (endpoint) => {
  const { host } = new URL(endpoint)
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "")
  const scope = `${day}/${region}/${service}/aws4_request`
  const key = [day, region, service, "aws4_request"].reduce(
    hmac,
    `AWS4${credentials.secretAccessKey}`
  )
  const names = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
  return (operation, body) => {
    const headers = headersOf(operation)
    const date = `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`
    const canonical = `POST\n/\n\ncontent-type:${headers["content-type"]}\nhost:${host}\nx-amz-date:${date}\nx-amz-security-token:${credentials.sessionToken}\nx-amz-target:${headers["x-amz-target"]}\n\n${names}\n${hash(body)}`
    const signature = createHmac("sha256", key)
      .update(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash(canonical)}`)
      .digest("hex")
    return {
      ...headers,
      "x-amz-date": date,
      "x-amz-security-token": credentials.sessionToken,
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
    }
  }
}

/** No less can be done for a signed call: undici, a signature by a key that is kept, JSON. */
const floor = (endpoint) => {
  const agent = new Undici.Agent()
  const sign = bareSigner(endpoint)
  return {
    prepare: ({ operation, wire }) =>
      promising(async () => {
        const body = JSON.stringify(wire)
        const response = await agent.request({
          origin: endpoint,
          path: "/",
          method: "POST",
          headers: sign(operation, body),
          body
        })
        return response.body.json()
      }),
    close: () => agent.close()
  }
}

/** No less can be done over a client of the platform: it, a signature by a key that is kept, JSON. */
const least = (http) => (endpoint) => {
  const runtime = ManagedRuntime.make(http)
  const sign = bareSigner(endpoint)
  return {
    prepare: ({ operation, wire }) => {
      const once = Effect.flatMap(HttpClient.HttpClient, (client) =>
        Effect.suspend(() => {
          const body = JSON.stringify(wire)
          const request = HttpClientRequest.post(endpoint, {
            headers: sign(operation, body),
            body: HttpBody.text(body, headersOf(operation)["content-type"])
          })
          return Effect.flatMap(client.execute(request), ({ json }) => json)
        })
      )
      return repeating(runtime, once)
    },
    close: () => runtime.dispose()
  }
}

const undici = NodeHttpClient.layerUndici

/** The client that all others are compared with. */
export const sdkName = "official SDK"
export const floorName = "floor: undici, signature, JSON"

/** Without tracing, and with the default timeout of 30 seconds. */
export const clients = {
  "this client, undici": over(undici),
  "this client, fetch": over(FetchHttpClient.layer),
  "this client, node:http": over(NodeHttpClient.layer),
  "this client, official SDK": (endpoint) =>
    overOurs(Layer.provide(AwsSdkClient.layer, needs(endpoint))),
  "this client, an SDK client that one has": (endpoint) =>
    overOurs(AwsSdkClient.layerFrom(sdkClient(endpoint))),
  [sdkName]: official,
  "aws4fetch, JSON by hand": overAws4fetch,
  "the platform's undici, signature, JSON": least(undici),
  "the platform's fetch, signature, JSON": least(FetchHttpClient.layer),
  "the platform's node:http, signature, JSON": least(NodeHttpClient.layer),
  [floorName]: floor
}

/** This client over undici, in other circumstances. */
export const variants = {
  "records made before": over(undici),
  "records made in the call": over(undici, undefined, { making: true }),
  "no time limit": over(undici, Duration.infinity),
  traced: over(undici, undefined, { traced: true }),
  "made in the call, traced": over(undici, undefined, { making: true, traced: true }),
  [sdkName]: official,
  [floorName]: floor
}
