/** Responses and errors of the service in AWS JSON 1.1. */
import * as Duration from "effect/Duration"
import type * as Either from "effect/Either"
import { dryRunCode } from "../../../internal/protocol/constants.js"
import type { InvalidInputError, ModelledException, Violation } from "../../../MeteringError.js"
import { marketplaceMetering, type ServiceModel } from "../../../Operation.js"
import type { Rule } from "../../../Preflight.js"

/** A response without the headers that are common to all responses. */
export interface HttpResponse {
  readonly status: number
  readonly body: string
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The request id that the `MeteringClient` of the server returned. Absent if it returned none. */
  readonly requestId?: string | undefined
}

/** Claims of a JWT. */
export type Claims = Readonly<Record<string, string | number>>

/** The fields of a response. If there are `claims`, the runtime signs them and adds the JWT to the response as `signature`. */
export interface SuccessResult {
  readonly fields: object
  readonly claims?: Claims
}

export type ServiceResult = Either.Either<SuccessResult, HttpResponse>

/** An error by its AWS code. */
export interface AwsError {
  readonly code: string
  readonly message?: string | undefined
}

/** The properties of an operation that errors need. */
export interface AnyOperation {
  readonly service: Pick<ServiceModel, "serviceId">
  readonly exceptions: ReadonlyArray<{ readonly _tag: string }>
}

/** Makes the response for an error that is common to all AWS services. */
export const commonErrorResponse = (awsError: AwsError, status = 400): HttpResponse =>
  httpResponse(status, errorBody("com.amazon.coral.service", awsError))

/** Makes the response for an error of an operation. An error that the operation does not model becomes a common error. */
export const operationErrorResponse = (
  operation: AnyOperation,
  awsError: AwsError
): HttpResponse => {
  const status = awsError.code === "InternalServiceErrorException" ? 500 : 400
  return isModelled(operation, awsError.code)
    ? httpResponse(status, errorBody(namespaceOf(operation.service), awsError))
    : commonErrorResponse(awsError, status)
}

export const isModelled = (operation: AnyOperation, code: string): boolean =>
  operation.exceptions.some((exception) => exception._tag === code)

/** Makes the response to a request whose body is longer than `maxBytes`. */
export const contentTooLarge = (maxBytes: number): HttpResponse =>
  commonErrorResponse(
    {
      code: "RequestEntityTooLargeException",
      message: `The request is longer than ${maxBytes} bytes.`
    },
    413
  )

/** Makes the response to a call that failed unexpectedly. */
export const internalFailure = (message: string): HttpResponse =>
  httpResponse(
    500,
    errorBody(namespaceOf(marketplaceMetering), {
      code: "InternalServiceErrorException",
      message
    })
  )

/** The error by which the service reports that a dry run succeeded. */
export const dryRunSucceeded: AwsError = {
  code: dryRunCode,
  message: "Request would have succeeded, but DryRun flag is set."
}

/** Makes the error for an invalid request. The first violation decides the error code. */
export const validationErrorOf = (operation: AnyOperation, error: InvalidInputError): AwsError => {
  const [first] = error.violations
  // the cast is safe, because the other two rules of a `Violation` are not in the table
  const code =
    [exceptionByRule[first.rule as Rule], "InvalidParameterException"].find(
      (exception) => exception !== undefined && isModelled(operation, exception)
    ) ?? "ValidationException"
  const { length: count } = error.violations
  const constraints = error.violations.slice(0, 3).map(constraint).join("; ")
  return {
    code,
    message: `${count} validation ${count === 1 ? "error" : "errors"} detected: ${constraints}`
  }
}

/** Describes a violation in the service's wording, which reports a missing field as null. */
const constraint = ({ expected, field, index, rule }: Violation): string => {
  const path = index === undefined ? field : `usageRecords.${index + 1}.member.${field}`
  return rule === "required"
    ? `Value null at '${path}' failed to satisfy constraint: Member must not be null`
    : `Value at '${path}' failed to satisfy constraint: Member must be ${jsonTypes[expected] ?? expected}`
}

/** Descriptions of the JSON types, by the Effect types in violations. */
const jsonTypes: Readonly<Record<string, string>> = {
  "a DateTime.Utc": "a time, in seconds since 1970",
  "a Redacted<string>": "text"
}

const exceptionByRule: { readonly [R in Rule]?: ModelledException["_tag"] } = {
  productCode: "InvalidProductCodeException",
  productCodeOrLicense: "InvalidProductCodeException",
  dimension: "InvalidUsageDimensionException",
  tagCount: "InvalidTagException",
  tagKey: "InvalidTagException",
  tagValue: "InvalidTagException",
  allocationCount: "InvalidUsageAllocationsException",
  allocationSum: "InvalidUsageAllocationsException",
  allocationTagSets: "InvalidUsageAllocationsException",
  allocationTagKeys: "InvalidUsageAllocationsException",
  customerIdentifier: "InvalidCustomerIdentifierException",
  customerAWSAccountId: "InvalidCustomerIdentifierException",
  oneCustomerIdentity: "InvalidCustomerIdentifierException",
  licenseArn: "InvalidLicenseException",
  publicKeyVersion: "InvalidPublicKeyVersionException",
  registrationToken: "InvalidTokenException"
}

/** Returns `Retry-After` in whole seconds, and also AWS's header in milliseconds if the delay has a fraction of a second. */
export const retryAfter = (
  delay: Duration.Duration | undefined
): Readonly<Record<string, string>> => {
  if (delay === undefined) return {}
  const millis = Math.ceil(Duration.toMillis(delay))
  const seconds = { "retry-after": String(Math.ceil(millis / 1000)) }
  return millis % 1000 === 0 ? seconds : { ...seconds, "x-amz-retry-after": String(millis) }
}

export const httpResponse = (status: number, body: string): HttpResponse => ({
  status,
  body,
  headers: {}
})

/** Returns the namespace of a service's model, which AWS derives from the service id. */
const namespaceOf = ({ serviceId }: Pick<ServiceModel, "serviceId">): string =>
  `com.amazonaws.${serviceId.toLowerCase().replaceAll(" ", "")}`

/** Adds the namespace to `__type`, because one major SDK finds an error's code only in a `__type` with a namespace. */
const errorBody = (namespace: string, { code, message }: AwsError): string =>
  JSON.stringify({ __type: `${namespace}#${code}`, message })

export const expiredTokenResponse: HttpResponse = commonErrorResponse({
  code: "ExpiredTokenException",
  message: "The security token included in the request is expired"
})

/** The response to a call of an unknown operation. */
export const unknownOperation: HttpResponse = commonErrorResponse({
  code: "UnknownOperationException",
  message:
    "The X-Amz-Target names no operation of AWS Marketplace Metering or of the Marketplace Entitlement Service."
})
