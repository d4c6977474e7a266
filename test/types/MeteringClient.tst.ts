import type * as HttpClient from "@effect/platform/HttpClient"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { AwsCredentials } from "effect-marketplace-metering/AwsCredentials"
import type * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import type { MeteringConfig } from "effect-marketplace-metering/MeteringConfig"
import type * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as MeteringRetry from "effect-marketplace-metering/MeteringRetry"
import * as MeterUsage from "effect-marketplace-metering/MeterUsage"
import type * as RegisterUsage from "effect-marketplace-metering/RegisterUsage"
import type * as ResolveCustomer from "effect-marketplace-metering/ResolveCustomer"
import { describe, expect, it } from "tstyche"

declare const timestamp: DateTime.Utc
declare const registrationToken: Redacted.Redacted
declare const client: MeteringClient.Service

const usage = { productCode: "p", timestamp, usageDimension: "d", usageQuantity: 1 }

const meterUsage = MeteringClient.meterUsage(usage)
const batchMeterUsage = MeteringClient.batchMeterUsage({ usageRecords: [] })
const registerUsage = MeteringClient.registerUsage({ productCode: "p", publicKeyVersion: 1 })
const resolveCustomer = MeteringClient.resolveCustomer({ registrationToken })

type Call = Effect.Effect<unknown, { readonly _tag: string }, unknown>

type TagOf<C extends Call> =
  Effect.Effect.Error<C> extends { readonly _tag: infer Tag } ? Tag : never

type Common =
  | "InvalidInputError"
  | "CredentialsError"
  | "CredentialsExpiredError"
  | "CredentialsRejectedError"
  | "AccessDeniedError"
  | "ClockSkewError"
  | "ConnectionError"
  | "RequestTimeoutError"
  | "UnexpectedResponseError"
  | "UnknownServiceError"

type Modelled<Names extends string> = `${Names}Exception`

/** Handlers of the errors that any call can fail with. */
declare const common: { readonly [Tag in Common]: () => Effect.Effect<"handled"> }

const handled = () => Effect.succeed("handled" as const)

describe("the errors of an operation", () => {
  it("are those of its model and the common errors", () => {
    expect<TagOf<typeof meterUsage>>().type.toBe<
      | Common
      | Modelled<
          | "InternalServiceError"
          | "InvalidProductCode"
          | "InvalidUsageDimension"
          | "InvalidTag"
          | "InvalidUsageAllocations"
          | "InvalidEndpointRegion"
          | "TimestampOutOfBounds"
          | "DuplicateRequest"
          | "IdempotencyConflict"
          | "Throttling"
          | "CustomerNotEntitled"
        >
    >()
    expect<TagOf<typeof batchMeterUsage>>().type.toBe<
      | Common
      | Modelled<
          | "InternalServiceError"
          | "InvalidProductCode"
          | "InvalidUsageDimension"
          | "InvalidTag"
          | "InvalidUsageAllocations"
          | "InvalidCustomerIdentifier"
          | "TimestampOutOfBounds"
          | "Throttling"
          | "DisabledApi"
          | "InvalidLicense"
        >
    >()
    expect<TagOf<typeof registerUsage>>().type.toBe<
      | Common
      | Modelled<
          | "InvalidProductCode"
          | "InvalidRegion"
          | "InvalidPublicKeyVersion"
          | "PlatformNotSupported"
          | "CustomerNotEntitled"
          | "Throttling"
          | "InternalServiceError"
          | "DisabledApi"
        >
    >()
    expect<TagOf<typeof resolveCustomer>>().type.toBe<
      | Common
      | Modelled<
          "InvalidToken" | "ExpiredToken" | "Throttling" | "InternalServiceError" | "DisabledApi"
        >
    >()
  })

  it("are the same for the function and the method", () => {
    expect<Effect.Effect.Error<typeof meterUsage>>().type.toBe<MeterUsage.MeterUsageError>()
    expect<
      Effect.Effect.Error<ReturnType<typeof client.meterUsage>>
    >().type.toBe<MeterUsage.MeterUsageError>()
    expect<
      Effect.Effect.Error<typeof batchMeterUsage>
    >().type.toBe<BatchMeterUsage.BatchMeterUsageError>()
    expect<
      Effect.Effect.Error<ReturnType<typeof client.batchMeterUsage>>
    >().type.toBe<BatchMeterUsage.BatchMeterUsageError>()
    expect<
      Effect.Effect.Error<typeof registerUsage>
    >().type.toBe<RegisterUsage.RegisterUsageError>()
    expect<
      Effect.Effect.Error<ReturnType<typeof client.registerUsage>>
    >().type.toBe<RegisterUsage.RegisterUsageError>()
    expect<
      Effect.Effect.Error<typeof resolveCustomer>
    >().type.toBe<ResolveCustomer.ResolveCustomerError>()
    expect<
      Effect.Effect.Error<ReturnType<typeof client.resolveCustomer>>
    >().type.toBe<ResolveCustomer.ResolveCustomerError>()
  })

  it("narrow to never if each is caught", () => {
    const ofMeterUsage = meterUsage.pipe(
      Effect.catchTags(common),
      Effect.catchTag("InternalServiceErrorException", handled),
      Effect.catchTag("InvalidProductCodeException", handled),
      Effect.catchTag("InvalidUsageDimensionException", handled),
      Effect.catchTag("InvalidTagException", handled),
      Effect.catchTag("InvalidUsageAllocationsException", handled),
      Effect.catchTag("InvalidEndpointRegionException", handled),
      Effect.catchTag("TimestampOutOfBoundsException", handled),
      Effect.catchTag("DuplicateRequestException", handled),
      Effect.catchTag("IdempotencyConflictException", handled),
      Effect.catchTag("ThrottlingException", handled),
      Effect.catchTag("CustomerNotEntitledException", handled)
    )
    expect(ofMeterUsage).type.toBe<
      Effect.Effect<MeterUsage.MeterUsageResponse | "handled", never, MeteringClient.MeteringClient>
    >()
    const ofBatchMeterUsage = batchMeterUsage.pipe(
      Effect.catchTags(common),
      Effect.catchTag("InternalServiceErrorException", handled),
      Effect.catchTag("InvalidProductCodeException", handled),
      Effect.catchTag("InvalidUsageDimensionException", handled),
      Effect.catchTag("InvalidTagException", handled),
      Effect.catchTag("InvalidUsageAllocationsException", handled),
      Effect.catchTag("InvalidCustomerIdentifierException", handled),
      Effect.catchTag("TimestampOutOfBoundsException", handled),
      Effect.catchTag("ThrottlingException", handled),
      Effect.catchTag("DisabledApiException", handled),
      Effect.catchTag("InvalidLicenseException", handled)
    )
    expect<Effect.Effect.Error<typeof ofBatchMeterUsage>>().type.toBe<never>()
    const ofRegisterUsage = registerUsage.pipe(
      Effect.catchTags(common),
      Effect.catchTag("InvalidProductCodeException", handled),
      Effect.catchTag("InvalidRegionException", handled),
      Effect.catchTag("InvalidPublicKeyVersionException", handled),
      Effect.catchTag("PlatformNotSupportedException", handled),
      Effect.catchTag("CustomerNotEntitledException", handled),
      Effect.catchTag("ThrottlingException", handled),
      Effect.catchTag("InternalServiceErrorException", handled),
      Effect.catchTag("DisabledApiException", handled)
    )
    expect<Effect.Effect.Error<typeof ofRegisterUsage>>().type.toBe<never>()
    const ofResolveCustomer = resolveCustomer.pipe(
      Effect.catchTags(common),
      Effect.catchTag("InvalidTokenException", handled),
      Effect.catchTag("ExpiredTokenException", handled),
      Effect.catchTag("ThrottlingException", handled),
      Effect.catchTag("InternalServiceErrorException", handled),
      Effect.catchTag("DisabledApiException", handled)
    )
    expect<Effect.Effect.Error<typeof ofResolveCustomer>>().type.toBe<never>()
  })

  it("narrow by one if one is caught", () => {
    const rest = meterUsage.pipe(Effect.catchTag("ThrottlingException", handled))
    expect<Effect.Effect.Error<typeof rest>>().type.toBe<
      Exclude<MeterUsage.MeterUsageError, MeteringError.ThrottlingException>
    >()
  })

  it("cannot be caught by another operation's tag", () => {
    expect(Effect.catchTag).type.toBeCallableWith(meterUsage, "DuplicateRequestException", handled)
    expect(Effect.catchTag).type.not.toBeCallableWith(meterUsage, "ExpiredTokenException", handled)
    expect(Effect.catchTag).type.not.toBeCallableWith(
      batchMeterUsage,
      "DuplicateRequestException",
      handled
    )
    expect(Effect.catchTag).type.not.toBeCallableWith(
      registerUsage,
      "InvalidLicenseException",
      handled
    )
    expect(Effect.catchTag).type.not.toBeCallableWith(
      resolveCustomer,
      "InvalidRegionException",
      handled
    )
  })

  it("all have isRetryable", () => {
    expect<Effect.Effect.Error<typeof meterUsage>["isRetryable"]>().type.toBe<boolean>()
    expect<MeteringError.MeteringError["isThrottling"]>().type.toBe<boolean>()
    expect<MeteringError.MeteringError["message"]>().type.toBe<string>()
  })

  it("do not change by a retry", () => {
    expect(meterUsage.pipe(Effect.retry(MeteringRetry.standard))).type.toBe<typeof meterUsage>()
    expect(meterUsage.pipe(Effect.retry(MeteringRetry.patient))).type.toBe<typeof meterUsage>()
  })
})

describe("the errors of all operations", () => {
  it("are the 19 exceptions of the model and the common errors", () => {
    expect<MeteringError.MeteringError>().type.toBe<
      | MeterUsage.MeterUsageError
      | BatchMeterUsage.BatchMeterUsageError
      | RegisterUsage.RegisterUsageError
      | ResolveCustomer.ResolveCustomerError
    >()
    expect<MeteringError.CommonError["_tag"]>().type.toBe<Common>()
  })
})

describe("layers", () => {
  it("the client needs configuration, credentials and an HttpClient, and cannot fail", () => {
    expect(MeteringClient.layer).type.toBe<
      Layer.Layer<
        MeteringClient.MeteringClient,
        never,
        MeteringConfig | AwsCredentials | HttpClient.HttpClient
      >
    >()
  })

  it("an operation needs only the client", () => {
    type Needs<C extends Call> = Effect.Effect.Context<C>
    expect<Needs<typeof meterUsage>>().type.toBe<MeteringClient.MeteringClient>()
    expect<Needs<typeof batchMeterUsage>>().type.toBe<MeteringClient.MeteringClient>()
    expect<Needs<typeof registerUsage>>().type.toBe<MeteringClient.MeteringClient>()
    expect<Needs<typeof resolveCustomer>>().type.toBe<MeteringClient.MeteringClient>()
    expect<Needs<ReturnType<typeof client.batchMeterUsage>>>().type.toBe<never>()
  })

  it("are complete once the three are provided", () => {
    const config = null as unknown as Layer.Layer<MeteringConfig>
    const credentials = null as unknown as Layer.Layer<AwsCredentials>
    const http = null as unknown as Layer.Layer<HttpClient.HttpClient>
    expect(MeteringClient.layer.pipe(Layer.provide([config, credentials, http]))).type.toBe<
      Layer.Layer<MeteringClient.MeteringClient>
    >()
    expect(MeteringClient.layer.pipe(Layer.provide([config, http]))).type.toBe<
      Layer.Layer<MeteringClient.MeteringClient, never, AwsCredentials>
    >()
  })
})

describe("the response of MeterUsage", () => {
  it("is the same type for each form of the request", () => {
    expect<Effect.Effect.Success<typeof meterUsage>>().type.toBe<MeterUsage.MeterUsageResponse>()
    const request = null as unknown as MeterUsage.MeterUsageRequest
    const ofClass = MeteringClient.meterUsage(request)
    expect<Effect.Effect.Success<typeof ofClass>>().type.toBe<MeterUsage.MeterUsageResponse>()
    const wrapper = (fields: MeterUsage.Input) =>
      Effect.map(client.meterUsage(fields), ({ meteringRecordId }) => meteringRecordId)
    expect<Effect.Effect.Success<ReturnType<typeof wrapper>>>().type.toBe<string | undefined>()
  })

  it("of a dry run has no meteringRecordId", () => {
    expect(MeteringClient.meterUsage).type.toBeCallableWith({ ...usage, dryRun: false })
    for (const meter of [MeteringClient.meterUsage, client.meterUsage]) {
      expect(meter).type.not.toBeCallableWith({ ...usage, dryRun: true })
      expect(meter).type.not.toBeCallableWith({ ...usage, dryRun: true as boolean })
    }
    const call = MeteringClient.meterUsageDryRun(usage)
    expect<Effect.Effect.Success<typeof call>>().type.toBe<MeterUsage.DryRunResponse>()
    expect<Effect.Effect.Success<typeof call>>().type.not.toHaveProperty("meteringRecordId")
  })
})

describe("a mock", () => {
  const receipt = () => Effect.succeed(new MeterUsage.MeterUsageResponse({ meteringRecordId: "m" }))

  it("needs only the operations that a test calls", () => {
    expect(Layer.mock(MeteringClient.MeteringClient, { meterUsage: receipt })).type.toBe<
      Layer.Layer<MeteringClient.MeteringClient>
    >()
  })

  it("may accept only the fields", () => {
    const take = (_: MeterUsage.Input) => receipt()
    const takeBatch = (_: BatchMeterUsage.Input) => Effect.dieMessage("not called")
    expect(
      Layer.mock(MeteringClient.MeteringClient, { meterUsage: take, batchMeterUsage: takeBatch })
    ).type.toBe<Layer.Layer<MeteringClient.MeteringClient>>()
  })

  it("may have all operations", () => {
    const never = () => Effect.dieMessage("not called")
    expect(
      Layer.succeed(MeteringClient.MeteringClient, {
        meterUsage: receipt,
        meterUsageDryRun: () => Effect.succeed(new MeterUsage.DryRunResponse({ dryRun: true })),
        batchMeterUsage: never,
        registerUsage: never,
        resolveCustomer: never
      })
    ).type.toBe<Layer.Layer<MeteringClient.MeteringClient>>()
  })
})

describe("the fields of a request", () => {
  it("may be plain at each level", () => {
    expect(MeteringClient.batchMeterUsage).type.toBeCallableWith({
      usageRecords: [
        {
          timestamp,
          dimension: "d",
          quantity: 1,
          usageAllocations: [{ allocatedUsageQuantity: 1, tags: [{ key: "k", value: "v" }] }]
        }
      ]
    })
  })

  it("are required if the service requires them", () => {
    expect(MeteringClient.meterUsage).type.not.toBeCallableWith({ productCode: "p", timestamp })
    expect(MeteringClient.batchMeterUsage).type.not.toBeCallableWith({ productCode: "p" })
    expect(MeteringClient.registerUsage).type.not.toBeCallableWith({ productCode: "p" })
    expect(MeteringClient.resolveCustomer).type.not.toBeCallableWith({})
    expect(MeteringClient.resolveCustomer).type.not.toBeCallableWith({ registrationToken: "bare" })
    expect(MeteringClient.batchMeterUsage).type.not.toBeCallableWith({
      usageRecords: [{ timestamp, dimension: "a forgotten quantity" }]
    })
  })

  it("reject unknown names", () => {
    expect(MeteringClient.batchMeterUsage).type.not.toBeCallableWith({
      usageRecords: [],
      productcode: "p"
    })
    expect(MeteringClient.meterUsage).type.not.toBeCallableWith({ ...usage, dryrun: true })
    // @ts-expect-error: Did you mean to write 'usageAllocations'?
    MeteringClient.meterUsage({ ...usage, usageAllocation: [] })
  })

  it("accept any list of allocations", () => {
    const usageAllocations = ["search", "billing"].map((value) => ({
      allocatedUsageQuantity: 1,
      tags: [{ key: "team", value }].map((tag) => tag)
    }))
    expect(MeteringClient.meterUsage).type.toBeCallableWith({ ...usage, usageAllocations })
    expect(MeterUsage.make).type.toBeCallableWith({ ...usage, usageAllocations })
  })
})

describe("a request instance", () => {
  const timestamp = DateTime.unsafeMake(0)
  const fields = { productCode: "p", timestamp, usageDimension: "d", usageQuantity: 1 } as const

  it("has a response with a meteringRecordId", () => {
    expect(MeteringClient.meterUsage(MeterUsage.make(fields))).type.toBe<
      Effect.Effect<
        MeterUsage.MeterUsageResponse,
        MeterUsage.MeterUsageError,
        MeteringClient.MeteringClient
      >
    >()
  })

  it("rejects an unknown field", () => {
    expect(MeterUsage.make).type.not.toBeCallableWith({ ...fields, dryrun: true })
  })
})

describe("any error", () => {
  it("has requestId and statusCode", () => {
    expect<BatchMeterUsage.BatchMeterUsageError["requestId"]>().type.toBe<string | undefined>()
    expect<MeterUsage.MeterUsageError["statusCode"]>().type.toBe<number | undefined>()
  })
})
