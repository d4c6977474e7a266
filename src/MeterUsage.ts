/**
 * MeterUsage: reports usage of one dimension from inside the buyer's account (AMI, container, agent).
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { dryRunCode } from "./internal/protocol/constants.js"
import { metering } from "./internal/protocol/serviceModel.js"
import { type MakeOptions, maker, makerEither } from "./internal/schema/construct.js"
import {
  allocationSum,
  boundedString,
  Dimension,
  field,
  fieldWithDefault,
  optionalField,
  optionalWithDefault,
  ProductCode,
  Quantity,
  structRule,
  Timestamp
} from "./internal/schema/fields.js"
import { floorTimestamp } from "./internal/schema/millis.js"
import { isBlank, responseFields } from "./internal/schema/responseFields.js"
import * as MeteringError from "./MeteringError.js"
import type { Operation } from "./Operation.js"
import { type Input as AllocationInput, UsageAllocations } from "./UsageAllocation.js"

/**
 * The usage of one dimension in one hour, by the instance, task or pod that sends it.
 *
 * - `timestamp`: at most 6 hours ago. The service rounds it down to the hour. Fractions of a millisecond are cut off.
 * - `usageQuantity`: whole units, 0 to 2 147 483 647
 * - `dryRun`: checks the caller's permission without metering. Only for `meterUsageDryRun`. Defaults to false.
 * - `clientToken`: 1 to 64 characters. Defaults to a random UUID. Sending the same request value again is a retry of the
 *   same charge, and a new value is a new charge. A request that was decoded without a token gets one when it is sent,
 *   the same one each time.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category models
 */
export class MeterUsageRequest extends Schema.Class<MeterUsageRequest>(
  "effect-marketplace-metering/MeterUsageRequest"
)(
  Schema.Struct({
    productCode: field("ProductCode", ProductCode),
    timestamp: field("Timestamp", Timestamp),
    usageDimension: field("UsageDimension", Dimension),
    usageQuantity: fieldWithDefault("UsageQuantity", Quantity, () => 0),
    dryRun: optionalWithDefault(Schema.Boolean, () => false).pipe(Schema.fromKey("DryRun")),
    usageAllocations: optionalField("UsageAllocations", UsageAllocations),
    clientToken: optionalField("ClientToken", boundedString("clientToken", 1, 64))
  }).pipe(
    structRule("allocationSum", "allocations that add up to the quantity", (request) =>
      allocationSum(request.usageQuantity, request.usageAllocations)
    )
  )
) {
  /** Exists in the type only: rejects a plain object with `dryRun: true` as an argument of `meterUsage`. */
  declare protected readonly brand: true

  constructor(fields: RequestInput, options?: Schema.MakeOptions) {
    // Schema decodes with `true`. A token made here would differ in each decoded value, and so be another charge.
    const completed =
      options === true
        ? fields
        : { ...floorTimestamp(fields), clientToken: fields.clientToken ?? makeClientToken() }
    // validation checks that the list is not empty
    super(completed as never, options)
  }
}

const makeClientToken = () => globalThis.crypto.randomUUID()

/**
 * The receipt of a metered quantity. A call whose response has no `meteringRecordId` fails with
 * `UnexpectedResponseError`.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category models
 */
export class MeterUsageResponse extends Schema.Class<MeterUsageResponse>(
  "effect-marketplace-metering/MeterUsageResponse"
)(
  responseFields({
    meteringRecordId: optionalField("MeteringRecordId", Schema.String)
  })
) {}

/**
 * The response to a permitted dry run, with `dryRun: true`. Nothing was metered. Without permission the call fails with
 * `AccessDeniedError`.
 *
 * `unexpectedRecordId` is the id of a record that the service metered by mistake.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category models
 */
export class DryRunResponse extends Schema.Class<DryRunResponse>(
  "effect-marketplace-metering/DryRunResponse"
)(
  responseFields({
    dryRun: Schema.Literal(true),
    unexpectedRecordId: Schema.optional(Schema.String)
  })
) {}

/**
 * Returns true if the response is from a dry run.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient, MeterUsage } from "effect-marketplace-metering"
 *
 * const meter = (request: MeterUsage.MeterUsageRequest) =>
 *   Effect.if(request.dryRun, {
 *     onTrue: () => MeteringClient.meterUsageDryRun(request),
 *     onFalse: () => MeteringClient.meterUsage(request)
 *   }).pipe(
 *     Effect.map((response) =>
 *       MeterUsage.isDryRun(response) ? "would be metered" : response.meteringRecordId
 *     )
 *   )
 * ```
 *
 * @since 0.1.0
 * @category predicates
 */
export const isDryRun = (
  response: MeterUsageResponse | DryRunResponse
): response is DryRunResponse => "dryRun" in response

/**
 * The fields of a request that meters. Plain nested values become instances.
 *
 * `productCode`, `timestamp`, `usageDimension` and `usageQuantity` describe the usage. `usageAllocations` divides it
 * among buckets of tags. For `clientToken`, see `MeterUsageRequest`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Input {
  readonly productCode: string
  readonly timestamp: DateTime.Utc
  readonly usageDimension: string
  readonly usageQuantity: number
  /** For a dry run, call `meterUsageDryRun`. */
  readonly dryRun?: false | undefined
  readonly usageAllocations?: ReadonlyArray<AllocationInput> | undefined
  readonly clientToken?: string | undefined
}

/**
 * The fields of any request, dry run or not: `dryRun` defaults to false.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestInput extends Omit<Input, "dryRun"> {
  readonly dryRun?: boolean | undefined
}

/**
 * The modelled exceptions of this operation.
 *
 * @since 0.1.0
 * @category models
 */
export type MeterUsageException =
  | MeteringError.InternalServiceErrorException
  | MeteringError.InvalidProductCodeException
  | MeteringError.InvalidUsageDimensionException
  | MeteringError.InvalidTagException
  | MeteringError.InvalidUsageAllocationsException
  | MeteringError.InvalidEndpointRegionException
  | MeteringError.TimestampOutOfBoundsException
  | MeteringError.DuplicateRequestException
  | MeteringError.IdempotencyConflictException
  | MeteringError.ThrottlingException
  | MeteringError.CustomerNotEntitledException

/**
 * All errors of a call.
 *
 * @since 0.1.0
 * @category models
 */
export type MeterUsageError = MeterUsageException | MeteringError.CommonError

const exceptions = [
  MeteringError.InternalServiceErrorException,
  MeteringError.InvalidProductCodeException,
  MeteringError.InvalidUsageDimensionException,
  MeteringError.InvalidTagException,
  MeteringError.InvalidUsageAllocationsException,
  MeteringError.InvalidEndpointRegionException,
  MeteringError.TimestampOutOfBoundsException,
  MeteringError.DuplicateRequestException,
  MeteringError.IdempotencyConflictException,
  MeteringError.ThrottlingException,
  MeteringError.CustomerNotEntitledException
]

/**
 * The operation as a value.
 *
 * @since 0.1.0
 * @category operations
 */
export const operation: Operation<MeterUsageRequest, MeterUsageResponse, MeterUsageException> = {
  service: metering,
  name: "MeterUsage",
  request: MeterUsageRequest,
  response: MeterUsageResponse,
  exceptions,
  prepare: (request) => (request.clientToken === undefined ? withClientToken(request) : request),
  // the response to a dry run is not a `MeterUsageResponse`
  preflight: ({ dryRun }) =>
    dryRun
      ? {
          field: "dryRun",
          rule: "type",
          expected: "false; for a dry run call meterUsageDryRun",
          value: true
        }
      : undefined,
  // the service may return the code of a successful dry run in place of a record id
  missing: (response) =>
    response.meteringRecordId === dryRunCode ? recordIdName : lacksRecordId(response)
}

const recordIdName = "MeteringRecordId"

const lacksRecordId = ({ meteringRecordId }: MeterUsageResponse) =>
  isBlank(meteringRecordId) ? recordIdName : undefined

/**
 * Tokens of requests that were decoded without a token. Each request keeps its token, so that sending it again is a retry.
 */
const clientTokens = new WeakMap<MeterUsageRequest, string>()

const withClientToken = (request: MeterUsageRequest): MeterUsageRequest => {
  const clientToken = clientTokens.get(request) ?? makeClientToken()
  clientTokens.set(request, clientToken)
  return new MeterUsageRequest({ ...request, clientToken }, { disableValidation: true })
}

/**
 * The dry run of the operation as a value.
 *
 * The documented response to a permitted dry run is the error `DryRunOperation`. The service has also returned status
 * 200 with that code as the record id. Both become a `DryRunResponse`.
 *
 * @since 0.1.0
 * @category operations
 */
export const dryRunOperation: Operation<
  MeterUsageRequest,
  MeterUsageResponse,
  MeterUsageException,
  DryRunResponse
> = {
  service: metering,
  name: "MeterUsage",
  request: MeterUsageRequest,
  response: MeterUsageResponse,
  exceptions,
  prepare: (request) =>
    request.dryRun
      ? request
      : new MeterUsageRequest({ ...request, dryRun: true }, { disableValidation: true }),
  missing: lacksRecordId,
  mapResult: (_, outcome) => {
    if (Either.isRight(outcome)) return Either.right(dryRunResponse(outcome.right))
    const error = outcome.left
    return error._tag === "UnknownServiceError" && error.code === dryRunCode
      ? Either.right(dryRunResponse(error))
      : Either.left(asDryRunError(error))
  }
}

/** Sets `dryRun` on errors whose messages would otherwise warn that usage may have been metered. */
const asDryRunError = (error: MeterUsageError): MeterUsageError => {
  switch (error._tag) {
    case "ConnectionError":
      return new MeteringError.ConnectionError({ ...error, dryRun: true }, true)
    case "RequestTimeoutError":
      return new MeteringError.RequestTimeoutError({ ...error, dryRun: true }, true)
    case "UnexpectedResponseError":
      return new MeteringError.UnexpectedResponseError({ ...error, dryRun: true }, true)
    default:
      return error
  }
}

const dryRunResponse = ({
  meteringRecordId,
  requestId,
  statusCode = 200
}: {
  readonly meteringRecordId?: string | undefined
  readonly requestId?: string | undefined
  readonly statusCode?: number | undefined
}) =>
  new DryRunResponse(
    {
      dryRun: true,
      ...(meteringRecordId !== undefined &&
        meteringRecordId !== dryRunCode && { unexpectedRecordId: meteringRecordId }),
      ...(requestId !== undefined && { requestId }),
      statusCode
    },
    true
  )

/**
 * Makes a request, or returns the rules that it breaks. `clientToken` defaults to a random UUID.
 *
 * @example
 * ```ts
 * import { DateTime, Either } from "effect"
 * import { MeterUsage } from "effect-marketplace-metering"
 *
 * const request = MeterUsage.makeEither({
 *   productCode: "4v9hm1u3i5p7l3c0",
 *   timestamp: DateTime.unsafeMake("2026-11-24T10:15:00Z"),
 *   usageDimension: "hosts",
 *   usageQuantity: 0.5
 * })
 * const violations = Either.isLeft(request) ? request.left.violations : []
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEither: (
  fields: RequestInput,
  options?: MakeOptions
) => Either.Either<MeterUsageRequest, MeteringError.InvalidInputError> =
  makerEither(MeterUsageRequest)

/**
 * Makes a request. Throws `InvalidInputError` if it breaks a rule.
 *
 * @example
 * ```ts
 * import { DateTime } from "effect"
 * import { MeterUsage } from "effect-marketplace-metering"
 *
 * const request = MeterUsage.make({
 *   productCode: "4v9hm1u3i5p7l3c0",
 *   timestamp: DateTime.unsafeMake("2026-11-24T10:15:00Z"),
 *   usageDimension: "hosts",
 *   usageQuantity: 3
 * })
 * // retries with the same token are the same charge
 * const { clientToken } = request
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (fields: RequestInput, options?: MakeOptions) => MeterUsageRequest =
  maker(makeEither)
