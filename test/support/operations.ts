/** The four operations for table tests: a valid request, a response and a call of each. */
import * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import type * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as MeterUsage from "effect-marketplace-metering/MeterUsage"
import type { SchemaClass } from "effect-marketplace-metering/Operation"
import type { Rule } from "effect-marketplace-metering/Preflight"
import * as RegisterUsage from "effect-marketplace-metering/RegisterUsage"
import * as ResolveCustomer from "effect-marketplace-metering/ResolveCustomer"

export const timestamp = DateTime.unsafeMake("2026-11-24T10:15:30.789Z")

export const productCode = "4v9hm1u3i5p7l3c0"

export const licenseArn =
  "arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef"

export const registrationToken = "AbCdRegistrationToken0123456789/+EfGhIjKlMnOpQrStUvWxYz=="

export const jwt =
  "eyJhbGciOiJQUzI1NiJ9.eyJwcm9kdWN0Q29kZSI6IjR2OWhtMXUzaTVwN2wzYzAifQ.c2lnbmF0dXJlLW9mLXRoZS1zZXJ2aWNl"

export const meterUsage = {
  productCode,
  timestamp,
  usageDimension: "hosts",
  usageQuantity: 3
} satisfies MeterUsage.Input

export const record = {
  timestamp,
  dimension: "api-calls",
  quantity: 42,
  customerAWSAccountId: "111122223333"
} as const

export const batchMeterUsage = {
  productCode,
  usageRecords: [record]
} satisfies BatchMeterUsage.Input

export const registerUsage = {
  productCode,
  publicKeyVersion: 1,
  nonce: "instance-7"
} satisfies RegisterUsage.Input

export const resolveCustomer = {
  registrationToken: Redacted.make(registrationToken)
} satisfies ResolveCustomer.Input

/** The operations of `MeteringClient`. */
export type MeteringOperationName = Exclude<MeteringError.OperationName, "GetEntitlements">

export interface OperationCase {
  readonly name: MeteringOperationName
  /** The tags of its exceptions in the service's model. */
  readonly exceptions: ReadonlyArray<string>
  /** A valid request. */
  readonly fields: object
  /** The JSON of a response. */
  readonly wireResponse: object
  readonly makeEither: (
    fields: unknown,
    options?: { readonly skipRules?: ReadonlyArray<Rule> }
  ) => Either.Either<object, MeteringError.InvalidInputError>
  readonly request: SchemaClass<object>
  readonly response: SchemaClass<object>
  /** Makes a call. `fields` defaults to the valid request. */
  readonly call: (
    fields?: unknown
  ) => Effect.Effect<object, MeteringError.MeteringError, MeteringClient.MeteringClient>
}

const isDryRun = (fields: unknown) =>
  typeof fields === "object" && fields !== null && Reflect.get(fields, "dryRun") === true

const exceptionTags = (names: string) => names.split(" ").map((name) => `${name}Exception`)

// the table erases the types that differ between the operations
const cases: Record<MeteringOperationName, unknown> = {
  MeterUsage: {
    name: "MeterUsage",
    exceptions: exceptionTags(
      "InternalServiceError InvalidProductCode InvalidUsageDimension InvalidTag InvalidUsageAllocations InvalidEndpointRegion TimestampOutOfBounds DuplicateRequest IdempotencyConflict Throttling CustomerNotEntitled"
    ),
    fields: meterUsage,
    wireResponse: { MeteringRecordId: "b5d1e0b2-0001" },
    makeEither: MeterUsage.makeEither,
    request: MeterUsage.MeterUsageRequest,
    response: MeterUsage.MeterUsageResponse,
    call: (fields: MeterUsage.Input = meterUsage): object =>
      isDryRun(fields) ? MeteringClient.meterUsageDryRun(fields) : MeteringClient.meterUsage(fields)
  },
  BatchMeterUsage: {
    name: "BatchMeterUsage",
    exceptions: exceptionTags(
      "InternalServiceError InvalidProductCode InvalidUsageDimension InvalidTag InvalidUsageAllocations InvalidCustomerIdentifier TimestampOutOfBounds Throttling DisabledApi InvalidLicense"
    ),
    fields: batchMeterUsage,
    wireResponse: {
      Results: [
        {
          UsageRecord: {
            Timestamp: 1795515330.789,
            Dimension: "api-calls",
            Quantity: 42,
            CustomerAWSAccountId: "111122223333"
          },
          MeteringRecordId: "b5d1e0b2-0002",
          Status: "Success"
        }
      ],
      UnprocessedRecords: []
    },
    makeEither: BatchMeterUsage.makeEither,
    request: BatchMeterUsage.BatchMeterUsageRequest,
    response: BatchMeterUsage.BatchMeterUsageResponse,
    call: (fields: BatchMeterUsage.Input = batchMeterUsage) =>
      MeteringClient.batchMeterUsage(fields)
  },
  RegisterUsage: {
    name: "RegisterUsage",
    exceptions: exceptionTags(
      "InvalidProductCode InvalidRegion InvalidPublicKeyVersion PlatformNotSupported CustomerNotEntitled Throttling InternalServiceError DisabledApi"
    ),
    fields: registerUsage,
    wireResponse: { Signature: jwt, PublicKeyRotationTimestamp: 1795515330 },
    makeEither: RegisterUsage.makeEither,
    request: RegisterUsage.RegisterUsageRequest,
    response: RegisterUsage.RegisterUsageResponse,
    call: (fields: RegisterUsage.Input = registerUsage) => MeteringClient.registerUsage(fields)
  },
  ResolveCustomer: {
    name: "ResolveCustomer",
    exceptions: exceptionTags(
      "InvalidToken ExpiredToken Throttling InternalServiceError DisabledApi"
    ),
    fields: resolveCustomer,
    wireResponse: {
      CustomerAWSAccountId: "111122223333",
      ProductCode: productCode,
      LicenseArn: licenseArn
    },
    makeEither: ResolveCustomer.makeEither,
    request: ResolveCustomer.ResolveCustomerRequest,
    response: ResolveCustomer.ResolveCustomerResponse,
    call: (fields: ResolveCustomer.Input = resolveCustomer) =>
      MeteringClient.resolveCustomer(fields)
  }
}

/** The required fields of the responses of all operations. */
export const minimalResponse = { MeteringRecordId: "m", Signature: "s", CustomerAWSAccountId: "1" }

/** The operations by name. */
export const operations = cases as Record<MeteringOperationName, OperationCase>

/** The operations in a row. */
export const allOperations: ReadonlyArray<OperationCase> = Object.values(operations)
