/** What an answer means that is not a success: an exception of the model, or a situation that it lacks. */
import * as Duration from "effect/Duration"
import type { CommonError, ModelledException, OperationName } from "../MeteringError.js"
import * as MeteringError from "../MeteringError.js"
import type { Operation } from "../Operation.js"
import { about, type HttpAnswer, responseSizeLimit } from "./httpAnswer.js"

export const decodeError = <E extends ModelledException>(
  operation: Pick<Operation<unknown, unknown, E>, "name" | "exceptions">,
  answer: HttpAnswer,
  json: Record<string, unknown> | undefined,
  conceal: (text: string) => string
): E | CommonError => {
  const type = errorType(json, answer.headers)
  if (type === undefined) return unexpected(operation.name, answer, conceal)
  const { code } = type
  const said = message(json)
  const fields = {
    operation: operation.name,
    ...about(answer, conceal),
    ...(said !== undefined && { serviceMessage: conceal(withoutCanonicalRequest(said)) }),
    ...retryAfter(answer.headers)
  }
  if (isExpiredSession(code, type.namespace, said, operation.name)) {
    return new MeteringError.CredentialsExpiredError({ ...fields, code }, true)
  }
  const modelled = operation.exceptions.find((exception) => exception._tag === code)
  if (modelled !== undefined) return new modelled(fields, true)
  const situation = isStale(code, said)
    ? MeteringError.ClockSkewError
    : (situations.find(([codes]) => codes.test(code))?.[1] ?? MeteringError.UnknownServiceError)
  return new situation({ ...fields, code: conceal(code) }, true)
}

/** One name for two things: a buyer's registration token, and the caller's AWS session. */
const isExpiredSession = (
  code: string,
  namespace: string | undefined,
  said: string | undefined,
  operation: OperationName
) =>
  code === "ExpiredToken" ||
  (code === "ExpiredTokenException" &&
    (operation !== "ResolveCustomer" ||
      namespace?.startsWith("com.amazon.coral") === true ||
      (said !== undefined && /security token/i.test(said))))

const isStale = (code: string, said: string | undefined) =>
  (code === "InvalidSignatureException" || code === "SignatureDoesNotMatch") &&
  said !== undefined &&
  /^Signature (expired|not yet current)/.test(said)

/** Codes of AWS's front door rather than of this service's model. */
const situations = [
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

export const unexpected = (
  operation: OperationName,
  answer: HttpAnswer,
  conceal: (text: string) => string,
  missing?: string
) => {
  const contentType = answer.headers["content-type"]?.slice(0, 100)
  return new MeteringError.UnexpectedResponseError(
    {
      operation,
      ...about(answer, conceal),
      ...retryAfter(answer.headers),
      ...(contentType !== undefined && { contentType: conceal(contentType) }),
      bodyLength: answer.isTooLong ? responseSizeLimit + 1 : answer.body.length,
      ...(missing !== undefined && { missing })
    },
    true
  )
}

/** `aws.protocoltests#FooError:http://...` is FooError of aws.protocoltests. */
const errorType = (
  json: Record<string, unknown> | undefined,
  headers: HttpAnswer["headers"]
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
    // what is longer than this is no name
    const name = raw.slice(0, 200).split(/[,:]/, 1)[0]?.trim() ?? ""
    const hash = name.indexOf("#")
    const code = name.slice(hash + 1)
    if (code !== "") return { code, namespace: hash < 0 ? undefined : name.slice(0, hash) }
  }
  return undefined
}

const message = (json: Record<string, unknown> | undefined): string | undefined => {
  const said = json?.message ?? json?.Message
  return typeof said === "string" && said !== "" ? said : undefined
}

/** After a wrong signature the service recites the headers that it should have been made from. */
const withoutCanonicalRequest = (said: string) => {
  const end = said.indexOf("The Canonical String")
  return end < 0 ? said : said.slice(0, end).trimEnd()
}

/** Milliseconds, seconds, or a date, which counts from the answer's own. */
const retryAfter = (
  headers: HttpAnswer["headers"]
): { readonly retryAfter?: Duration.Duration } => {
  const hint = headers["retry-after"]
  const date = hint === undefined ? Number.NaN : Date.parse(hint) - Date.parse(headers.date ?? "")
  const millis = [toNumber(headers["x-amz-retry-after"]), toNumber(hint) * 1000, date].find(
    (wait) => Number.isFinite(wait) && wait >= 0
  )
  return millis === undefined ? {} : { retryAfter: Duration.millis(millis) }
}

/** Unlike `Number`, takes nothing for no number. */
const toNumber = (text: string | undefined) => (text?.trim() ? Number(text) : Number.NaN)
