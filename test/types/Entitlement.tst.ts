import type { HttpClient } from "@effect/platform"
import type { DateTime, Effect, Layer, Option, Stream } from "effect"
import type { AwsCredentials, MeteringError, Optic } from "effect-marketplace-metering"
import {
  Accessors,
  type Entitlement,
  EntitlementClient,
  type EntitlementConfig,
  type EntitlementError,
  type GetEntitlements
} from "effect-marketplace-metering/entitlement"
import { AwsSdkEntitlementClient } from "effect-marketplace-metering/entitlement/aws-sdk"
import { describe, expect, it } from "tstyche"

describe("EntitlementClient", () => {
  const call = EntitlementClient.getEntitlements({ productCode: "p" })

  it("has a call with its own errors", () => {
    expect(call).type.toBe<
      Effect.Effect<
        GetEntitlements.GetEntitlementsResponse,
        GetEntitlements.GetEntitlementsError,
        EntitlementClient.EntitlementClient
      >
    >()
    expect<GetEntitlements.GetEntitlementsException["_tag"]>().type.toBe<
      "InvalidParameterException" | "ThrottlingException" | "InternalServiceErrorException"
    >()
    expect<GetEntitlements.GetEntitlementsError>().type.toBe<
      | EntitlementError.InvalidParameterException
      | MeteringError.ThrottlingException
      | MeteringError.InternalServiceErrorException
      | MeteringError.CommonError
    >()
  })

  it("streams entitlements", () => {
    expect(EntitlementClient.entitlements({ productCode: "p" })).type.toBe<
      Stream.Stream<
        Entitlement.Entitlement,
        GetEntitlements.GetEntitlementsError | EntitlementError.PaginationError,
        EntitlementClient.EntitlementClient
      >
    >()
  })

  it("takes typed filters only", () => {
    expect(EntitlementClient.getEntitlements).type.toBeCallableWith({
      productCode: "p",
      filter: { dimension: ["d"] }
    })
    expect(EntitlementClient.getEntitlements).type.not.toBeCallableWith({
      productCode: "p",
      filter: { DIMENSION: ["d"] }
    })
    expect(EntitlementClient.getEntitlements).type.not.toBeCallableWith({
      productCode: "p",
      filter: { dimension: "d" }
    })
    expect(EntitlementClient.getEntitlements).type.not.toBeCallableWith({})
  })

  it("has layers with exactly what they need", () => {
    expect(EntitlementClient.layer).type.toBe<
      Layer.Layer<
        EntitlementClient.EntitlementClient,
        never,
        EntitlementConfig.EntitlementConfig | AwsCredentials.AwsCredentials | HttpClient.HttpClient
      >
    >()
    expect(AwsSdkEntitlementClient.layer).type.toBe<
      Layer.Layer<
        EntitlementClient.EntitlementClient,
        never,
        EntitlementConfig.EntitlementConfig | AwsCredentials.AwsCredentials
      >
    >()
  })
})

describe("Entitlement", () => {
  it("has optional fields, and a value by its type", () => {
    expect<Entitlement.Entitlement["expirationDate"]>().type.toBe<DateTime.Utc | undefined>()
    expect<ReturnType<typeof Entitlement.valueOf>["_tag"]>().type.toBe<
      "Integer" | "Double" | "Boolean" | "String" | "None"
    >()
  })
})

describe("Accessors", () => {
  it("focus on a value, or on an Option of it", () => {
    expect(Accessors.getEntitlements_productCode).type.toBe<
      Optic.Lens<GetEntitlements.GetEntitlementsRequest, string>
    >()
    expect(Accessors.entitlement_expirationDate).type.toBe<
      Optic.Lens<Entitlement.Entitlement, Option.Option<DateTime.Utc>>
    >()
    expect(Accessors._InvalidParameterException).type.toBe<
      Optic.Prism<GetEntitlements.GetEntitlementsError, EntitlementError.InvalidParameterException>
    >()
  })
})
