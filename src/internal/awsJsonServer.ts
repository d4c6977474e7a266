/** AWS JSON 1.1 as a server speaks it: a request's meaning, an answer's or an error's status and body. */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type {
  CommonError,
  InvalidInputError,
  ModelledException,
  Violation
} from "../MeteringError.js"
import type { DryRunResponse } from "../MeterUsage.js"
import type { Operation } from "../Operation.js"
import type { Rule } from "../Preflight.js"
import * as codec from "./codec.js"
import { dryRunCode } from "./dryRun.js"
import { targetPrefix } from "./names.js"
import { type Mismatch, requestReader } from "./requestReader.js"
import { of } from "./shape.js"

/** An answer but for the headers that every answer has. */
export interface Reply {
  readonly status: number
  readonly body: string
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The id by which whoever gave the answer knows the call. */
  readonly requestId?: string | undefined
}

/** A refusal in the service's words. */
export interface Refusal {
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
export const refuse = (refusal: Refusal, status = 400): Reply =>
  reply(status, errorBody("com.amazon.coral.service", refusal))

/** What is answered to a body that is longer than so many bytes. */
export const tooLarge = (longest: number): Reply =>
  refuse(
    {
      code: "RequestEntityTooLargeException",
      message: `The request is longer than ${longest} bytes.`
    },
    413
  )

/** What is answered when the handling of a call breaks. */
export const internalFailure = (message: string): Reply =>
  reply(
    500,
    errorBody("com.amazonaws.marketplacemetering", {
      code: "InternalServiceErrorException",
      message
    })
  )

/** Compiles one operation's half of the conversation. */
export const responder = <Request extends object, Response, E extends ModelledException, Answer>(
  operation: Operation<Request, Response, E, Answer>
) => ({
  decode: requestDecoder<Request>(operation),
  encode: answerEncoder(operation),
  encodeError: (error: E | CommonError): Reply => encodeError(operation, error)
})

// ---------------------------------------------------------------------------------------------------
// requests
// ---------------------------------------------------------------------------------------------------

/** Reads shapes only: members that are missing stay absent, and no preflight rule is looked at. */
const requestDecoder = <Request>(
  operation: Pick<Operation<Request, unknown, ModelledException>, "request">
) => {
  const read = requestReader(of(operation.request))
  return (body: Uint8Array): Either.Either<Request, Reply> => {
    const json = parse(body)
    if (json === undefined) return serializationException("The body is not a JSON object.")
    const mismatches: Array<Mismatch> = []
    const request = read(json, mismatches)
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
  Either.left(refuse({ code: "SerializationException", message }))

// ---------------------------------------------------------------------------------------------------
// answers
// ---------------------------------------------------------------------------------------------------

/** A dry run that would have succeeded is told by an error. */
export const dryRunSucceeded: Refusal = {
  code: dryRunCode,
  message: "Request would have succeeded, but DryRun flag is set."
}

const answerEncoder = <Request, Response, E extends ModelledException, Answer>(
  operation: Operation<Request, Response, E, Answer>
) => {
  const project = codec.projection(of(operation.response))
  return (answer: Answer): Reply => {
    // every answer carries the members of `internal/answer`, and only a dry run's says that it is one
    const { dryRun, requestId } = answer as Partial<DryRunResponse>
    return {
      ...(dryRun ? refuse(dryRunSucceeded) : reply(200, JSON.stringify(project(answer as object)))),
      requestId
    }
  }
}

// ---------------------------------------------------------------------------------------------------
// errors
// ---------------------------------------------------------------------------------------------------

const encodeError = (operation: AnyOperation, error: ModelledException | CommonError): Reply => {
  if (error._tag === "InvalidInputError") return refuseBy(operation, refusalOf(operation, error))
  // the errors differ in what they hold, and none holds it as another type
  const said = error as Said
  const about = { requestId: said.requestId, headers: retryAfter(said.retryAfter) }
  if (isModelled(operation, error._tag)) {
    return {
      ...refuseBy(operation, { code: error._tag, message: said.serviceMessage }),
      ...about
    }
  }
  if (said.code !== undefined) {
    return {
      ...refuse({ code: said.code, message: said.serviceMessage }, errorStatus(said)),
      ...about
    }
  }
  // no service has said this: the client behind the server did not get so far
  return { ...internalFailure(`The client behind this server failed: ${error._tag}.`), ...about }
}

/** What any of the errors may hold of what a service has said. */
interface Said {
  readonly code?: string | undefined
  readonly statusCode?: number | undefined
  readonly requestId?: string | undefined
  readonly serviceMessage?: string | undefined
  readonly retryAfter?: Duration.Duration | undefined
}

const errorStatus = ({ statusCode = 400 }: Said): number =>
  statusCode >= 400 && statusCode <= 599 ? statusCode : 400

const isModelled = (operation: AnyOperation, code: string): boolean =>
  operation.exceptions.some((exception) => exception._tag === code)

/** A refusal by an operation: its own exception, or else one of AWS's front door. */
export const refuseBy = (operation: AnyOperation, refusal: Refusal): Reply =>
  isModelled(operation, refusal.code)
    ? reply(statusOf(refusal.code), errorBody("com.amazonaws.marketplacemetering", refusal))
    : refuse(refusal, statusOf(refusal.code))

/** The HTTP status by which the service sends one of its exceptions. */
export const statusOf = (code: string): number =>
  code === "InternalServiceErrorException" ? 500 : 400

/** How the service says that a request breaks its rules: the first violation decides the exception. */
export const refusalOf = (operation: AnyOperation, error: InvalidInputError): Refusal => {
  const [first] = error.violations
  // a Violation's rule is a preflight rule's name or one of two words that the table does not have
  const exception = exceptionOfRule[first.rule as Rule]
  const code =
    exception !== undefined && isModelled(operation, exception) ? exception : "ValidationException"
  const count = error.violations.length
  const said = error.violations.slice(0, 3).map(constraint).join("; ")
  return {
    code,
    message: `${count} validation ${count === 1 ? "error" : "errors"} detected: ${said}`
  }
}

/** As the service says it: for what is not there, it says no more than that. */
const constraint = ({ expected, field, index, rule }: Violation): string => {
  const member = index === undefined ? field : `usageRecords.${index + 1}.member.${field}`
  return rule === "required"
    ? `Value null at '${member}' failed to satisfy constraint: Member must not be null`
    : `Value at '${member}' failed to satisfy constraint: Member must be ${onWire[expected] ?? expected}`
}

/** What Effect's types are in a request's JSON. */
const onWire: Readonly<Record<string, string>> = {
  "a DateTime.Utc": "a time, in seconds since 1970",
  "a Redacted<string>": "text"
}

const exceptionOfRule: { readonly [R in Rule]?: ModelledException["_tag"] } = {
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
  wait: Duration.Duration | undefined
): Readonly<Record<string, string>> => {
  if (wait === undefined) return noHeaders
  const millis = Math.ceil(Duration.toMillis(wait))
  const seconds = { "retry-after": String(Math.ceil(millis / 1000)) }
  return millis % 1000 === 0 ? seconds : { ...seconds, "x-amz-retry-after": String(millis) }
}

const noHeaders: Readonly<Record<string, string>> = {}

const reply = (status: number, body: string): Reply => ({ status, body, headers: noHeaders })

/** A namespaced `__type` in the body, because one major SDK reads nothing else. */
const errorBody = (namespace: string, { code, message }: Refusal): string =>
  JSON.stringify({ __type: `${namespace}#${code}`, message })
