/** AWS JSON 1.1 as a server speaks it: a request's meaning, an answer's or an error's status and body. */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { dryRunCode, targetPrefix } from "../../../internal/protocol/constants.js"
import { encoder } from "../../../internal/schema/encode.js"
import { shapeOf } from "../../../internal/schema/shape.js"
import type {
  CommonError,
  InvalidInputError,
  ModelledException,
  Violation
} from "../../../MeteringError.js"
import type { DryRunResponse } from "../../../MeterUsage.js"
import type { Operation } from "../../../Operation.js"
import type { Rule } from "../../../Preflight.js"
import { type Mismatch, makeRequestDecoder } from "./decodeRequest.js"

/** An answer but for the headers that every answer has. */
export interface HttpResponse {
  readonly status: number
  readonly body: string
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The id by which whoever gave the answer knows the call. */
  readonly requestId?: string | undefined
}

/** A refusal in the service's words. */
export interface AwsError {
  readonly code: string
  readonly message?: string | undefined
}

/** Any operation, as far as its exceptions are concerned. */
interface AnyOperation {
  readonly exceptions: ReadonlyArray<{ readonly _tag: ModelledException["_tag"] }>
}

/** The operation that an `x-amz-target` names. */
export const operationNameOf = (target: string | undefined): string | undefined => {
  const prefix = `${targetPrefix}.`
  return target?.startsWith(prefix) ? target.slice(prefix.length) : undefined
}

/** A refusal by AWS's front door, before any operation has been looked at. */
export const commonErrorResponse = (awsError: AwsError, status = 400): HttpResponse =>
  httpResponse(status, errorBody("com.amazon.coral.service", awsError))

/** What is answered to a body that is longer than so many bytes. */
export const contentTooLarge = (maxBytes: number): HttpResponse =>
  commonErrorResponse(
    {
      code: "RequestEntityTooLargeException",
      message: `The request is longer than ${maxBytes} bytes.`
    },
    413
  )

/** What is answered when the handling of a call breaks. */
export const internalFailure = (message: string): HttpResponse =>
  httpResponse(
    500,
    errorBody("com.amazonaws.marketplacemetering", {
      code: "InternalServiceErrorException",
      message
    })
  )

/** Compiles one operation's half of the conversation. */
export const operationCodec = <
  Request extends object,
  Response,
  E extends ModelledException,
  Answer
>(
  operation: Operation<Request, Response, E, Answer>
) => ({
  decode: bodyDecoder<Request>(operation),
  encode: responseEncoder(operation),
  encodeError: (error: E | CommonError): HttpResponse => encodeError(operation, error)
})

// ---------------------------------------------------------------------------------------------------
// requests
// ---------------------------------------------------------------------------------------------------

/** Reads shapes only: members that are missing stay absent, and no preflight rule is looked at. */
const bodyDecoder = <Request>(
  operation: Pick<Operation<Request, unknown, ModelledException>, "request">
) => {
  const decode = makeRequestDecoder(shapeOf(operation.request))
  return (body: Uint8Array): Either.Either<Request, HttpResponse> => {
    const json = parse(body)
    if (json === undefined) return serializationException("The body is not a JSON object.")
    const mismatches: Array<Mismatch> = []
    const request = decode(json, mismatches)
    const [first] = mismatches
    return first === undefined
      ? // the reader makes instances of the class that the shape was read from
        Either.right(request as Request)
      : serializationException(`${first.path}: expected ${first.expected}`)
  }
}

const parse = (body: Uint8Array): Record<string, unknown> | undefined => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body)
    const json: unknown = text.trim() === "" ? {} : JSON.parse(text)
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const serializationException = (message: string) =>
  Either.left(commonErrorResponse({ code: "SerializationException", message }))

// ---------------------------------------------------------------------------------------------------
// answers
// ---------------------------------------------------------------------------------------------------

/** A dry run that would have succeeded is told by an error. */
export const dryRunSucceeded: AwsError = {
  code: dryRunCode,
  message: "Request would have succeeded, but DryRun flag is set."
}

const responseEncoder = <Request, Response, E extends ModelledException, Answer>(
  operation: Operation<Request, Response, E, Answer>
) => {
  const encode = encoder(shapeOf(operation.response))
  return (response: Answer): HttpResponse => {
    // every answer carries the members of `internal/answer`, and only a dry run's says that it is one
    const { dryRun, requestId } = response as Partial<DryRunResponse>
    return {
      ...(dryRun
        ? commonErrorResponse(dryRunSucceeded)
        : httpResponse(200, JSON.stringify(encode(response as object)))),
      requestId
    }
  }
}

// ---------------------------------------------------------------------------------------------------
// errors
// ---------------------------------------------------------------------------------------------------

const encodeError = (
  operation: AnyOperation,
  error: ModelledException | CommonError
): HttpResponse => {
  if (error._tag === "InvalidInputError")
    return operationErrorResponse(operation, validationErrorOf(operation, error))
  // the errors differ in what they hold, and none holds it as another type
  const fields = error as ServiceErrorFields
  const metadata = { requestId: fields.requestId, headers: retryAfter(fields.retryAfter) }
  if (isModelled(operation, error._tag)) {
    return {
      ...operationErrorResponse(operation, { code: error._tag, message: fields.serviceMessage }),
      ...metadata
    }
  }
  if (fields.code !== undefined) {
    return {
      ...commonErrorResponse(
        { code: fields.code, message: fields.serviceMessage },
        errorStatus(fields)
      ),
      ...metadata
    }
  }
  // no service has said this: the client behind the server did not get so far
  return { ...internalFailure(`The client behind this server failed: ${error._tag}.`), ...metadata }
}

/** What any of the errors may hold of what a service has said. */
interface ServiceErrorFields {
  readonly code?: string | undefined
  readonly statusCode?: number | undefined
  readonly requestId?: string | undefined
  readonly serviceMessage?: string | undefined
  readonly retryAfter?: Duration.Duration | undefined
}

const errorStatus = ({ statusCode = 400 }: ServiceErrorFields): number =>
  statusCode >= 400 && statusCode <= 599 ? statusCode : 400

const isModelled = (operation: AnyOperation, code: string): boolean =>
  operation.exceptions.some((exception) => exception._tag === code)

/** A refusal by an operation: its own exception, or else one of AWS's front door. */
export const operationErrorResponse = (
  operation: AnyOperation,
  awsError: AwsError
): HttpResponse =>
  isModelled(operation, awsError.code)
    ? httpResponse(
        statusOf(awsError.code),
        errorBody("com.amazonaws.marketplacemetering", awsError)
      )
    : commonErrorResponse(awsError, statusOf(awsError.code))

/** The HTTP status by which the service sends one of its exceptions. */
export const statusOf = (code: string): number =>
  code === "InternalServiceErrorException" ? 500 : 400

/** How the service says that a request breaks its rules: the first violation decides the exception. */
export const validationErrorOf = (operation: AnyOperation, error: InvalidInputError): AwsError => {
  const [first] = error.violations
  // a Violation's rule is a preflight rule's name or one of two words that the table does not have
  const exception = exceptionByRule[first.rule as Rule]
  const code =
    exception !== undefined && isModelled(operation, exception) ? exception : "ValidationException"
  const count = error.violations.length
  const constraints = error.violations.slice(0, 3).map(constraint).join("; ")
  return {
    code,
    message: `${count} validation ${count === 1 ? "error" : "errors"} detected: ${constraints}`
  }
}

/** As the service says it: for what is not there, it says no more than that. */
const constraint = ({ expected, field, index, rule }: Violation): string => {
  const path = index === undefined ? field : `usageRecords.${index + 1}.member.${field}`
  return rule === "required"
    ? `Value null at '${path}' failed to satisfy constraint: Member must not be null`
    : `Value at '${path}' failed to satisfy constraint: Member must be ${jsonTypes[expected] ?? expected}`
}

/** What Effect's types are in a request's JSON. */
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

/** Whole seconds as HTTP has them, and AWS's own milliseconds for what is not whole. */
export const retryAfter = (
  delay: Duration.Duration | undefined
): Readonly<Record<string, string>> => {
  if (delay === undefined) return noHeaders
  const millis = Math.ceil(Duration.toMillis(delay))
  const seconds = { "retry-after": String(Math.ceil(millis / 1000)) }
  return millis % 1000 === 0 ? seconds : { ...seconds, "x-amz-retry-after": String(millis) }
}

const noHeaders: Readonly<Record<string, string>> = {}

const httpResponse = (status: number, body: string): HttpResponse => ({
  status,
  body,
  headers: noHeaders
})

/** A namespaced `__type` in the body, because one major SDK reads nothing else. */
const errorBody = (namespace: string, { code, message }: AwsError): string =>
  JSON.stringify({ __type: `${namespace}#${code}`, message })
