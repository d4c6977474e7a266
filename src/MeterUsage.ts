/**
 * MeterUsage: report one dimension's usage from inside the buyer's account (AMI, container, agent).
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { dryRunCode } from "./internal/protocol/constants.js"
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
 * - `timestamp`: at most 6 hours back; the service rounds it down to the hour. Parts of a millisecond are cut off.
 * - `usageQuantity`: whole units, 0 to 2 147 483 647
 * - `dryRun`: asks only whether the caller may do this; nothing is metered. For `meterUsageDryRun` alone.
 * - `clientToken`: 1 to 64 characters; a random UUID is made with the request. Sending the same request value
 *   again is a retry of the same charge, a new value is a new charge. (Only a request decoded from a
 *   client that sent no token has none. It is given one when it is sent, the same one each time.)
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
  /** Of the type alone: a plain object is no instance, so that `meterUsage` takes none with `dryRun: true`. */
  declare protected readonly brand: true

  constructor(fields: RequestInput, options?: Schema.MakeOptions) {
    // Schema decodes with `true`: a request that came without a token keeps none, or each decoding of it
    // would be another charge
    const completed =
      options === true
        ? fields
        : { ...floorTimestamp(fields), clientToken: fields.clientToken ?? makeClientToken() }
    // whether a plain list is empty is for the check to say
    super(completed as never, options)
  }
}

const makeClientToken = () => globalThis.crypto.randomUUID()

/**
 * The receipt of a metered quantity. A response of the service has always a `meteringRecordId`: without one the call
 * fails with `UnexpectedResponseError`.
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
 * The response to a dry run: the caller may meter this, and nothing was metered. A caller who may not gets
 * `AccessDeniedError`.
 *
 * Should the service ever meter a dry run all the same, the id that it gave is `unexpectedRecordId`.
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
 * Returns true if the response is one of a dry run.
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
 * The fields of a request that meters. Plain nested values are made into instances.
 *
 * `productCode`, `timestamp`, `usageDimension` and `usageQuantity` say what was used, `usageAllocations` for whom.
 * For `clientToken`, see `MeterUsageRequest`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Input {
  readonly productCode: string
  readonly timestamp: DateTime.Utc
  readonly usageDimension: string
  readonly usageQuantity: number
  /** A dry run is a call of its own, `meterUsageDryRun`. */
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
 * The exceptions that the model gives this operation.
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
 * All that a call can fail with.
 *
 * @since 0.1.0
 * @category models
 */
export type MeterUsageError = MeterUsageException | MeteringError.CommonError

/**
 * The operation as a value.
 *
 * @since 0.1.0
 * @category operations
 */
export const operation: Operation<MeterUsageRequest, MeterUsageResponse, MeterUsageException> = {
  name: "MeterUsage",
  request: MeterUsageRequest,
  response: MeterUsageResponse,
  exceptions: [
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
  ],
  prepare: (request) => (request.clientToken === undefined ? withClientToken(request) : request),
  // the response to a dry run is no receipt
  preflight: ({ dryRun }) =>
    dryRun
      ? {
          field: "dryRun",
          rule: "type",
          expected: "false; for a dry run call meterUsageDryRun",
          value: true
        }
      : undefined,
  // the word by which a dry run is permitted is no receipt
  missing: (response) =>
    response.meteringRecordId === dryRunCode ? recordIdName : lacksRecordId(response)
}

const recordIdName = "MeteringRecordId"

const lacksRecordId = ({ meteringRecordId }: MeterUsageResponse) =>
  isBlank(meteringRecordId) ? recordIdName : undefined

/** Tokens of requests that came without one: the same value is the same charge, from whichever call. */
const clientTokens = new WeakMap<MeterUsageRequest, string>()

const withClientToken = (request: MeterUsageRequest): MeterUsageRequest => {
  const clientToken = clientTokens.get(request) ?? makeClientToken()
  clientTokens.set(request, clientToken)
  return new MeterUsageRequest({ ...request, clientToken }, { disableValidation: true })
}

/**
 * The dry run of the operation as a value.
 *
 * The service is documented to answer a permitted dry run with the error `DryRunOperation`, and has been
 * seen to answer it with status 200 and that word for a record id. Both are a `DryRunResponse`. Any other response
 * permits nothing.
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
  name: operation.name,
  request: operation.request,
  response: operation.response,
  exceptions: operation.exceptions,
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

/** Without a response, only the request shows if usage may have been metered. */
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
 * Makes a request, with a client token of its own unless one is given, or says what is wrong with it.
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
 * const faults = Either.isLeft(request) ? request.left.violations : []
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
 * Makes a request; throws `InvalidInputError` when it breaks a rule.
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
 * // the token by which every retry of this request is the same charge
 * const { clientToken } = request
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (fields: RequestInput, options?: MakeOptions) => MeterUsageRequest =
  maker(makeEither)
