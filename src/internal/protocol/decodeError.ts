/** Decodes an error response as an exception of the model, or as a `CommonError`. */
import * as Duration from "effect/Duration"
import type { CommonError, OperationName, ServiceException } from "../../MeteringError.js"
import * as MeteringError from "../../MeteringError.js"
import type { Operation } from "../../Operation.js"
import { type RawResponse, responseMetadata, responseSizeLimit } from "./rawResponse.js"

export const decodeError = <E extends ServiceException>(
  operation: Pick<Operation<unknown, unknown, E>, "name" | "exceptions">,
  response: RawResponse,
  json: Record<string, unknown> | undefined,
  redact: (text: string) => string
): E | CommonError => {
  const type = errorType(json, response.headers)
  if (type === undefined) return unexpectedResponse(operation.name, response, redact)
  const { code } = type
  const text = messageOf(json)
  const fields = {
    operation: operation.name,
    ...responseMetadata(response, redact),
    ...(text !== undefined && { serviceMessage: redact(withoutCanonicalRequest(text)) }),
    ...retryAfter(response.headers)
  }
  const modelled = operation.exceptions.find((exception) => exception._tag === code)
  if (isExpiredSession(code, type.namespace, text, modelled !== undefined)) {
    return new MeteringError.CredentialsExpiredError({ ...fields, code }, true)
  }
  if (modelled !== undefined) return new modelled(fields, true)
  const errorClass = isSignatureOutdated(code, text)
    ? MeteringError.ClockSkewError
    : (commonErrorCodes.find(([codes]) => codes.test(code))?.[1] ??
      MeteringError.UnknownServiceError)
  return new errorClass({ ...fields, code: redact(code) }, true)
}

/**
 * Returns whether the caller's AWS session has expired. `ExpiredTokenException` can also mean a buyer's registration token.
 */
const isExpiredSession = (
  code: string,
  namespace: string | undefined,
  text: string | undefined,
  isModelled: boolean
) =>
  code === "ExpiredToken" ||
  (code === "ExpiredTokenException" &&
    (!isModelled ||
      namespace?.startsWith("com.amazon.coral") === true ||
      (text !== undefined && /security token/i.test(text))))

const isSignatureOutdated = (code: string, text: string | undefined) =>
  (code === "InvalidSignatureException" || code === "SignatureDoesNotMatch") &&
  text !== undefined &&
  /^Signature (expired|not yet current)/.test(text)

/** Error codes of AWS in general, which are not in the service's model. */
const commonErrorCodes = [
  [/^Request(Expired|InTheFuture|TimeTooSkewed)$/, MeteringError.ClockSkewError],
  [
    /^(AuthFailure|IncompleteSignature(Exception)?|Invalid(AccessKeyId|ClientTokenId|SignatureException)|MissingAuthenticationToken(Exception)?|SignatureDoesNotMatch|UnrecognizedClientException)$/,
    MeteringError.CredentialsRejectedError
  ],
  [
    /^(AccessDenied(Exception)?|Unauthorized(Exception|Operation))$/,
    MeteringError.AccessDeniedError
  ]
] as const

export const unexpectedResponse = (
  operation: OperationName,
  response: RawResponse,
  redact: (text: string) => string,
  missing?: string
) => {
  const contentType = response.headers["content-type"]?.slice(0, 100)
  return new MeteringError.UnexpectedResponseError(
    {
      operation,
      ...responseMetadata(response, redact),
      ...retryAfter(response.headers),
      ...(contentType !== undefined && { contentType: redact(contentType) }),
      bodyLength: response.isTooLong ? responseSizeLimit + 1 : response.body.length,
      ...(missing !== undefined && { missing })
    },
    true
  )
}

/** Reads the error code and its namespace: `aws.protocoltests#FooError:http://...` is `FooError` of `aws.protocoltests`. */
const errorType = (
  json: Record<string, unknown> | undefined,
  headers: RawResponse["headers"]
): { readonly namespace: string | undefined; readonly code: string } | undefined => {
  const codeKey = json && Object.keys(json).find((key) => key.toLowerCase() === "code")
  const candidates = [
    json?.__type,
    codeKey === undefined ? undefined : json?.[codeKey],
    headers["x-amzn-errortype"]
  ]
  for (const candidate of candidates) {
    const raw = typeof candidate === "number" ? String(candidate) : candidate
    if (typeof raw !== "string") continue
    // the name of an exception is shorter than this
    const name = raw.slice(0, 200).split(/[,:]/, 1)[0]?.trim() ?? ""
    const hash = name.indexOf("#")
    const code = name.slice(hash + 1)
    if (code !== "") return { code, namespace: hash < 0 ? undefined : name.slice(0, hash) }
  }
  return undefined
}

const messageOf = (json: Record<string, unknown> | undefined): string | undefined => {
  const text = json?.message ?? json?.Message
  return typeof text === "string" && text !== "" ? text : undefined
}

/** Cuts off the signed headers, which the service repeats after a wrong signature. */
const withoutCanonicalRequest = (text: string) => {
  const end = text.indexOf("The Canonical String")
  return end < 0 ? text : text.slice(0, end).trimEnd()
}

/** Reads `x-amz-retry-after` in milliseconds, or `retry-after` in seconds or as a date relative to the response's `Date`. */
const retryAfter = (
  headers: RawResponse["headers"]
): { readonly retryAfter?: Duration.Duration } => {
  const header = headers["retry-after"]
  const date =
    header === undefined ? Number.NaN : Date.parse(header) - Date.parse(headers.date ?? "")
  const millis = [toNumber(headers["x-amz-retry-after"]), toNumber(header) * 1000, date].find(
    (value) => Number.isFinite(value) && value >= 0
  )
  return millis === undefined ? {} : { retryAfter: Duration.millis(millis) }
}

/** Unlike `Number`, does not read an empty text as 0. */
const toNumber = (text: string | undefined) => (text?.trim() ? Number(text) : Number.NaN)
