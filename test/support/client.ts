/** The HTTP client with test configuration and credentials. */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AwsCredentials from "effect-marketplace-metering/AwsCredentials"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import * as MeteringConfig from "effect-marketplace-metering/MeteringConfig"

export const secrets = {
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "IQoJb3JpZ2luX2VjEDExampleSessionToken+/0123456789abcdefghijklmnopqrstuvwxyz=="
} as const

export const credentials: AwsCredentials.Credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: Redacted.make(secrets.secretAccessKey),
  sessionToken: Redacted.make(secrets.sessionToken)
}

export const freshCredentials: AwsCredentials.Credentials = {
  accessKeyId: "AKIDFRESH",
  secretAccessKey: Redacted.make("fReShKEY/K7MDENG+bPxRfiCYEXAMPLEfReShKEY"),
  sessionToken: Redacted.make("fReShSessionToken+/0123456789abcdefghijklmnopqrstuvwxyz==")
}

export const configLayer = (overrides: Partial<MeteringConfig.Service> = {}) =>
  Layer.succeed(MeteringConfig.MeteringConfig, {
    region: "us-east-1",
    endpoint: "https://metering.marketplace.us-east-1.amazonaws.com",
    requestTimeout: Duration.seconds(30),
    skipRules: [],
    ...overrides
  })

export const credentialsLayer = (overrides: Partial<AwsCredentials.Service> = {}) =>
  Layer.succeed(AwsCredentials.AwsCredentials, {
    get: Effect.succeed(credentials),
    refresh: () => Effect.succeed(freshCredentials),
    ...overrides
  })

/** `MeteringClient.layer` over an HTTP client. */
export const clientLayer = (
  http: Layer.Layer<HttpClient.HttpClient>,
  options: {
    readonly config?: Partial<MeteringConfig.Service>
    readonly credentials?: Partial<AwsCredentials.Service>
  } = {}
): Layer.Layer<MeteringClient.MeteringClient> =>
  MeteringClient.layer.pipe(
    Layer.provide([configLayer(options.config), credentialsLayer(options.credentials), http])
  )
