import {
  createCredentialChain,
  fromCognitoIdentity,
  fromCognitoIdentityPool,
  fromContainerMetadata,
  fromEnv,
  fromHttp,
  fromIni,
  fromInstanceMetadata,
  fromLoginCredentials,
  fromNodeProviderChain,
  fromProcess,
  fromSSO,
  fromTemporaryCredentials,
  fromTokenFile,
  fromWebToken
} from "@aws-sdk/credential-providers"
import { AwsCredentials } from "effect-marketplace-metering"
import { describe, expect, it } from "tstyche"

declare const forced: (options?: {
  forceRefresh?: boolean
}) => Promise<{ accessKeyId: string; secretAccessKey: string }>

describe("layerProvider", () => {
  it("accepts each provider of the official package", () => {
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromEnv())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromIni())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromSSO())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromProcess())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromTokenFile())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromHttp())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromContainerMetadata())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromInstanceMetadata())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromLoginCredentials())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(fromNodeProviderChain())
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(
      fromWebToken({ roleArn: "arn:aws:iam::111122223333:role/seller", webIdentityToken: "t" })
    )
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(
      fromTemporaryCredentials({ params: { RoleArn: "arn:aws:iam::111122223333:role/seller" } })
    )
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(
      fromCognitoIdentity({ identityId: "i" })
    )
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(
      fromCognitoIdentityPool({ identityPoolId: "p" })
    )
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(
      createCredentialChain(fromEnv(), fromIni())
    )
  })

  it("accepts a provider with a forced refresh and one without options", () => {
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(forced)
    expect(AwsCredentials.layerProvider).type.toBeCallableWith(async () => ({
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    }))
  })

  it("rejects a provider that returns no credentials", () => {
    expect(AwsCredentials.layerProvider).type.not.toBeCallableWith(async () => ({
      accessKeyId: "AKIAIOSFODNN7EXAMPLE"
    }))
    expect(AwsCredentials.layerProvider).type.not.toBeCallableWith(() => ({
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "not promised"
    }))
  })
})
