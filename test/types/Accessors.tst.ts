import type * as Arr from "effect/Array"
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Accessors from "effect-marketplace-metering/Accessors"
import type {
  BatchMeterUsageRequest,
  BatchMeterUsageResponse
} from "effect-marketplace-metering/BatchMeterUsage"
import type * as MeteringError from "effect-marketplace-metering/MeteringError"
import type { MeterUsageRequest, MeterUsageResponse } from "effect-marketplace-metering/MeterUsage"
import type { Lens, Optional, Prism } from "effect-marketplace-metering/Optic"
import type {
  RegisterUsageRequest,
  RegisterUsageResponse
} from "effect-marketplace-metering/RegisterUsage"
import type {
  ResolveCustomerRequest,
  ResolveCustomerResponse
} from "effect-marketplace-metering/ResolveCustomer"
import type { Tag, UsageAllocation } from "effect-marketplace-metering/UsageAllocation"
import type {
  UsageRecord,
  UsageRecordResult,
  UsageRecordResultStatus
} from "effect-marketplace-metering/UsageRecord"
import { describe, expect, it } from "tstyche"
import { optionalKey, requiredKey } from "../../src/internal/lenses.js"

type Any = MeteringError.MeteringError
type Maybe<S, A> = Lens<S, Option.Option<A>>
type Allocations = Arr.NonEmptyReadonlyArray<UsageAllocation>

describe("lenses", () => {
  it("of UsageRecord", () => {
    expect(Accessors.urTimestamp).type.toBe<Lens<UsageRecord, DateTime.Utc>>()
    expect(Accessors.usageRecord_timestamp).type.toBe<typeof Accessors.urTimestamp>()
    expect(Accessors.urCustomerIdentifier).type.toBe<Maybe<UsageRecord, string>>()
    expect(Accessors.usageRecord_customerIdentifier).type.toBe<
      typeof Accessors.urCustomerIdentifier
    >()
    expect(Accessors.urDimension).type.toBe<Lens<UsageRecord, string>>()
    expect(Accessors.usageRecord_dimension).type.toBe<typeof Accessors.urDimension>()
    expect(Accessors.urQuantity).type.toBe<Lens<UsageRecord, number>>()
    expect(Accessors.usageRecord_quantity).type.toBe<typeof Accessors.urQuantity>()
    expect(Accessors.urUsageAllocations).type.toBe<Maybe<UsageRecord, Allocations>>()
    expect(Accessors.usageRecord_usageAllocations).type.toBe<typeof Accessors.urUsageAllocations>()
    expect(Accessors.urCustomerAWSAccountId).type.toBe<Maybe<UsageRecord, string>>()
    expect(Accessors.usageRecord_customerAWSAccountId).type.toBe<
      typeof Accessors.urCustomerAWSAccountId
    >()
    expect(Accessors.urLicenseArn).type.toBe<Maybe<UsageRecord, string>>()
    expect(Accessors.usageRecord_licenseArn).type.toBe<typeof Accessors.urLicenseArn>()
  })

  it("of UsageRecordResult", () => {
    expect(Accessors.urrStatus).type.toBe<Maybe<UsageRecordResult, UsageRecordResultStatus>>()
    expect(Accessors.usageRecordResult_status).type.toBe<typeof Accessors.urrStatus>()
    expect(Accessors.urrUsageRecord).type.toBe<Maybe<UsageRecordResult, UsageRecord>>()
    expect(Accessors.usageRecordResult_usageRecord).type.toBe<typeof Accessors.urrUsageRecord>()
    expect(Accessors.urrMeteringRecordId).type.toBe<Maybe<UsageRecordResult, string>>()
    expect(Accessors.usageRecordResult_meteringRecordId).type.toBe<
      typeof Accessors.urrMeteringRecordId
    >()
  })

  it("of UsageAllocation", () => {
    expect(Accessors.uaAllocatedUsageQuantity).type.toBe<Lens<UsageAllocation, number>>()
    expect(Accessors.usageAllocation_allocatedUsageQuantity).type.toBe<
      typeof Accessors.uaAllocatedUsageQuantity
    >()
    expect(Accessors.uaTags).type.toBe<Maybe<UsageAllocation, Arr.NonEmptyReadonlyArray<Tag>>>()
    expect(Accessors.usageAllocation_tags).type.toBe<typeof Accessors.uaTags>()
  })

  it("of Tag", () => {
    expect(Accessors.tagKey).type.toBe<Lens<Tag, string>>()
    expect(Accessors.tag_key).type.toBe<typeof Accessors.tagKey>()
    expect(Accessors.tagValue).type.toBe<Lens<Tag, string>>()
    expect(Accessors.tag_value).type.toBe<typeof Accessors.tagValue>()
  })

  it("of BatchMeterUsageRequest", () => {
    expect(Accessors.bmuUsageRecords).type.toBe<
      Lens<BatchMeterUsageRequest, ReadonlyArray<UsageRecord>>
    >()
    expect(Accessors.batchMeterUsage_usageRecords).type.toBe<typeof Accessors.bmuUsageRecords>()
    expect(Accessors.bmuProductCode).type.toBe<Maybe<BatchMeterUsageRequest, string>>()
    expect(Accessors.batchMeterUsage_productCode).type.toBe<typeof Accessors.bmuProductCode>()
  })

  it("of BatchMeterUsageResponse", () => {
    expect(Accessors.bmursResults).type.toBe<
      Lens<BatchMeterUsageResponse, ReadonlyArray<UsageRecordResult>>
    >()
    expect(Accessors.batchMeterUsageResponse_results).type.toBe<typeof Accessors.bmursResults>()
    expect(Accessors.bmursUnprocessedRecords).type.toBe<
      Lens<BatchMeterUsageResponse, ReadonlyArray<UsageRecord>>
    >()
    expect(Accessors.batchMeterUsageResponse_unprocessedRecords).type.toBe<
      typeof Accessors.bmursUnprocessedRecords
    >()
    expect(Accessors.bmursResponseStatus).type.toBe<Lens<BatchMeterUsageResponse, number>>()
    expect(Accessors.batchMeterUsageResponse_httpStatus).type.toBe<
      typeof Accessors.bmursResponseStatus
    >()
  })

  it("of MeterUsageRequest", () => {
    expect(Accessors.muProductCode).type.toBe<Lens<MeterUsageRequest, string>>()
    expect(Accessors.meterUsage_productCode).type.toBe<typeof Accessors.muProductCode>()
    expect(Accessors.muTimestamp).type.toBe<Lens<MeterUsageRequest, DateTime.Utc>>()
    expect(Accessors.meterUsage_timestamp).type.toBe<typeof Accessors.muTimestamp>()
    expect(Accessors.muUsageDimension).type.toBe<Lens<MeterUsageRequest, string>>()
    expect(Accessors.meterUsage_usageDimension).type.toBe<typeof Accessors.muUsageDimension>()
    expect(Accessors.muUsageQuantity).type.toBe<Lens<MeterUsageRequest, number>>()
    expect(Accessors.meterUsage_usageQuantity).type.toBe<typeof Accessors.muUsageQuantity>()
    expect(Accessors.muDryRun).type.toBe<Lens<MeterUsageRequest, boolean>>()
    expect(Accessors.meterUsage_dryRun).type.toBe<typeof Accessors.muDryRun>()
    expect(Accessors.muUsageAllocations).type.toBe<Maybe<MeterUsageRequest, Allocations>>()
    expect(Accessors.meterUsage_usageAllocations).type.toBe<typeof Accessors.muUsageAllocations>()
    expect(Accessors.muClientToken).type.toBe<Maybe<MeterUsageRequest, string>>()
    expect(Accessors.meterUsage_clientToken).type.toBe<typeof Accessors.muClientToken>()
  })

  it("of MeterUsageResponse", () => {
    expect(Accessors.mursMeteringRecordId).type.toBe<Maybe<MeterUsageResponse, string>>()
    expect(Accessors.meterUsageResponse_meteringRecordId).type.toBe<
      typeof Accessors.mursMeteringRecordId
    >()
    expect(Accessors.mursResponseStatus).type.toBe<Lens<MeterUsageResponse, number>>()
    expect(Accessors.meterUsageResponse_httpStatus).type.toBe<typeof Accessors.mursResponseStatus>()
  })

  it("of RegisterUsageRequest", () => {
    expect(Accessors.ruProductCode).type.toBe<Lens<RegisterUsageRequest, string>>()
    expect(Accessors.registerUsage_productCode).type.toBe<typeof Accessors.ruProductCode>()
    expect(Accessors.ruPublicKeyVersion).type.toBe<Lens<RegisterUsageRequest, number>>()
    expect(Accessors.registerUsage_publicKeyVersion).type.toBe<
      typeof Accessors.ruPublicKeyVersion
    >()
    expect(Accessors.ruNonce).type.toBe<Maybe<RegisterUsageRequest, string>>()
    expect(Accessors.registerUsage_nonce).type.toBe<typeof Accessors.ruNonce>()
  })

  it("of RegisterUsageResponse", () => {
    expect(Accessors.rursSignature).type.toBe<Maybe<RegisterUsageResponse, string>>()
    expect(Accessors.registerUsageResponse_signature).type.toBe<typeof Accessors.rursSignature>()
    expect(Accessors.rursPublicKeyRotationTimestamp).type.toBe<
      Maybe<RegisterUsageResponse, DateTime.Utc>
    >()
    expect(Accessors.registerUsageResponse_publicKeyRotationTimestamp).type.toBe<
      typeof Accessors.rursPublicKeyRotationTimestamp
    >()
    expect(Accessors.rursResponseStatus).type.toBe<Lens<RegisterUsageResponse, number>>()
    expect(Accessors.registerUsageResponse_httpStatus).type.toBe<
      typeof Accessors.rursResponseStatus
    >()
  })

  it("of ResolveCustomerRequest", () => {
    expect(Accessors.rcRegistrationToken).type.toBe<
      Lens<ResolveCustomerRequest, Redacted.Redacted>
    >()
    expect(Accessors.resolveCustomer_registrationToken).type.toBe<
      typeof Accessors.rcRegistrationToken
    >()
  })

  it("of ResolveCustomerResponse", () => {
    expect(Accessors.rcrsCustomerIdentifier).type.toBe<Maybe<ResolveCustomerResponse, string>>()
    expect(Accessors.resolveCustomerResponse_customerIdentifier).type.toBe<
      typeof Accessors.rcrsCustomerIdentifier
    >()
    expect(Accessors.rcrsProductCode).type.toBe<Maybe<ResolveCustomerResponse, string>>()
    expect(Accessors.resolveCustomerResponse_productCode).type.toBe<
      typeof Accessors.rcrsProductCode
    >()
    expect(Accessors.rcrsCustomerAWSAccountId).type.toBe<Maybe<ResolveCustomerResponse, string>>()
    expect(Accessors.resolveCustomerResponse_customerAWSAccountId).type.toBe<
      typeof Accessors.rcrsCustomerAWSAccountId
    >()
    expect(Accessors.rcrsLicenseArn).type.toBe<Maybe<ResolveCustomerResponse, string>>()
    expect(Accessors.resolveCustomerResponse_licenseArn).type.toBe<
      typeof Accessors.rcrsLicenseArn
    >()
    expect(Accessors.rcrsResponseStatus).type.toBe<Lens<ResolveCustomerResponse, number>>()
    expect(Accessors.resolveCustomerResponse_httpStatus).type.toBe<
      typeof Accessors.rcrsResponseStatus
    >()
  })

  it("accept only the type of their field", () => {
    expect(Accessors.urQuantity.replace).type.not.toBeCallableWith("1", {} as UsageRecord)
    expect(Accessors.urLicenseArn.replace).type.not.toBeCallableWith("arn", {} as UsageRecord)
    expect(Accessors.urQuantity.get).type.not.toBeCallableWith({} as MeterUsageRequest)
    expect(Accessors.rcRegistrationToken.replace).type.not.toBeCallableWith(
      "token",
      {} as ResolveCustomerRequest
    )
  })

  it("accept an unknown status", () => {
    expect(Accessors.urrStatus.replace).type.toBeCallableWith(
      {} as Option.Option<"Success">,
      {} as UsageRecordResult
    )
    expect(Accessors.urrStatus.replace).type.toBeCallableWith(
      {} as Option.Option<string>,
      {} as UsageRecordResult
    )
  })

  it("reject keys of the wrong kind", () => {
    expect(requiredKey<UsageRecord, "quantity">).type.toBeCallableWith("quantity")
    expect(optionalKey<UsageRecord, "licenseArn">).type.toBeCallableWith("licenseArn")
    // @ts-expect-error: Type '"licenseArn"' does not satisfy the constraint
    requiredKey<UsageRecord, "licenseArn">("licenseArn")
    // @ts-expect-error: Type '"unknownKey"' does not satisfy the constraint
    optionalKey<UsageRecord, "unknownKey">("unknownKey")
  })
})

describe("matchers", () => {
  it("match one exception of any error", () => {
    expect(Accessors._InvalidEndpointRegionException).type.toBe<
      Prism<Any, MeteringError.InvalidEndpointRegionException>
    >()
    expect(Accessors._InvalidProductCodeException).type.toBe<
      Prism<Any, MeteringError.InvalidProductCodeException>
    >()
    expect(Accessors._InvalidUsageDimensionException).type.toBe<
      Prism<Any, MeteringError.InvalidUsageDimensionException>
    >()
    expect(Accessors._DuplicateRequestException).type.toBe<
      Prism<Any, MeteringError.DuplicateRequestException>
    >()
    expect(Accessors._TimestampOutOfBoundsException).type.toBe<
      Prism<Any, MeteringError.TimestampOutOfBoundsException>
    >()
    expect(Accessors._ThrottlingException).type.toBe<
      Prism<Any, MeteringError.ThrottlingException>
    >()
    expect(Accessors._InternalServiceErrorException).type.toBe<
      Prism<Any, MeteringError.InternalServiceErrorException>
    >()
    expect(Accessors._InvalidTokenException).type.toBe<
      Prism<Any, MeteringError.InvalidTokenException>
    >()
    expect(Accessors._ExpiredTokenException).type.toBe<
      Prism<Any, MeteringError.ExpiredTokenException>
    >()
    expect(Accessors._InvalidCustomerIdentifierException).type.toBe<
      Prism<Any, MeteringError.InvalidCustomerIdentifierException>
    >()
    expect(Accessors._CustomerNotEntitledException).type.toBe<
      Prism<Any, MeteringError.CustomerNotEntitledException>
    >()
    expect(Accessors._DisabledApiException).type.toBe<
      Prism<Any, MeteringError.DisabledApiException>
    >()
    expect(Accessors._InvalidPublicKeyVersionException).type.toBe<
      Prism<Any, MeteringError.InvalidPublicKeyVersionException>
    >()
    expect(Accessors._InvalidRegionException).type.toBe<
      Prism<Any, MeteringError.InvalidRegionException>
    >()
    expect(Accessors._InvalidTagException).type.toBe<
      Prism<Any, MeteringError.InvalidTagException>
    >()
    expect(Accessors._InvalidUsageAllocationsException).type.toBe<
      Prism<Any, MeteringError.InvalidUsageAllocationsException>
    >()
    expect(Accessors._PlatformNotSupportedException).type.toBe<
      Prism<Any, MeteringError.PlatformNotSupportedException>
    >()
    expect(Accessors._IdempotencyConflictException).type.toBe<
      Prism<Any, MeteringError.IdempotencyConflictException>
    >()
    expect(Accessors._InvalidLicenseException).type.toBe<
      Prism<Any, MeteringError.InvalidLicenseException>
    >()
  })

  it("accept the error of one operation", () => {
    expect(Accessors._ThrottlingException.getResult).type.toBeCallableWith(
      {} as MeteringError.CommonError | MeteringError.ThrottlingException
    )
    expect(Accessors._ThrottlingException.getResult).type.not.toBeCallableWith(
      {} as MeteringError.MeteringConfigError
    )
  })

  it("narrow to the errors that the service returns", () => {
    expect(Accessors._ServiceError).type.toBe<Prism<Any, Accessors.ServiceError>>()
    expect<Accessors.ServiceError>().type.toBe<
      | MeteringError.ModelledException
      | MeteringError.CredentialsExpiredError
      | MeteringError.CredentialsRejectedError
      | MeteringError.AccessDeniedError
      | MeteringError.ClockSkewError
      | MeteringError.UnknownServiceError
    >()
  })

  it("by code narrow to the exception of that code and to errors with that `code`", () => {
    const _throttling = Accessors.hasCode("ThrottlingException")
    expect(_throttling).type.toBe<Prism<Any, Accessors.WithCode<Any, "ThrottlingException">>>()
    type Throttling = Accessors.WithCode<Any, "ThrottlingException">
    expect<MeteringError.ThrottlingException>().type.toBeAssignableTo<Throttling>()
    expect<MeteringError.InvalidTagException>().type.not.toBeAssignableTo<Throttling>()
    expect<MeteringError.UnknownServiceError>().type.not.toBeAssignableTo<Throttling>()
    expect<
      MeteringError.UnknownServiceError & { readonly code: "ThrottlingException" }
    >().type.toBeAssignableTo<Throttling>()
    expect<Accessors.WithCode<Any, string>>().type.toBeAssignableTo<Accessors.ServiceError>()
    expect<MeteringError.InvalidTagException>().type.toBeAssignableTo<
      Accessors.WithCode<Any, string>
    >()
    expect<Accessors.WithCode<MeteringError.ConnectionError, string>>().type.toBe<never>()
  })

  it("by status narrow the status", () => {
    expect(Accessors.hasStatus(502)).type.toBe<Prism<Any, Accessors.WithStatus<Any, 502>>>()
    expect<Accessors.WithStatus<MeteringError.ConnectionError, 502>>().type.toBe<never>()
    expect<Accessors.WithStatus<Any, 502>["statusCode"]>().type.toBe<502>()
  })

  it("compose", () => {
    expect(Accessors._ServiceError.compose(Accessors.hasStatus(502))).type.toBe<
      Prism<Any, Accessors.WithStatus<Accessors.ServiceError, 502>>
    >()
    expect(
      Accessors._ServiceError
        .compose(Accessors.hasCode("SlowDown"))
        .compose(Accessors.hasStatus(503))
    ).type.toBe<
      Prism<Any, Accessors.WithStatus<Accessors.WithCode<Accessors.ServiceError, "SlowDown">, 503>>
    >()
    expect(Accessors.httpStatus).type.toBe<Optional<Any, number>>()
    expect(Accessors._HttpStatus).type.toBe<Optional<Any, number>>()
  })
})

describe("smart constructors", () => {
  it("take the required fields in the order of the original", () => {
    expect(Accessors.usageRecord).type.toBe<
      (
        timestamp: DateTime.Utc,
        customerIdentifier: string,
        dimension: string,
        quantity: number
      ) => UsageRecord
    >()
    expect(Accessors.usageRecordResult).type.toBe<() => UsageRecordResult>()
    expect(Accessors.usageAllocation).type.toBe<(quantity: number) => UsageAllocation>()
    expect(Accessors.tag).type.toBe<(key: string, value: string) => Tag>()
    expect(Accessors.batchMeterUsage).type.toBe<(productCode: string) => BatchMeterUsageRequest>()
    expect(Accessors.meterUsage).type.toBe<
      (
        productCode: string,
        timestamp: DateTime.Utc,
        dimension: string,
        quantity: number,
        dryRun: boolean
      ) => MeterUsageRequest
    >()
    expect(Accessors.registerUsage).type.toBe<
      (productCode: string, publicKeyVersion: number) => RegisterUsageRequest
    >()
    expect(Accessors.resolveCustomer).type.toBe<
      (token: Redacted.Redacted) => ResolveCustomerRequest
    >()
  })

  it("make responses of a status", () => {
    expect(Accessors.batchMeterUsageResponse).type.toBe<
      (statusCode: number) => BatchMeterUsageResponse
    >()
    expect(Accessors.meterUsageResponse).type.toBe<(statusCode: number) => MeterUsageResponse>()
    expect(Accessors.registerUsageResponse).type.toBe<
      (statusCode: number) => RegisterUsageResponse
    >()
    expect(Accessors.resolveCustomerResponse).type.toBe<
      (statusCode: number) => ResolveCustomerResponse
    >()
  })
})
