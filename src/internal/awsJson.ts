/** AWS JSON 1.1 as a client speaks it: a request's body, an answer's meaning. */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type { CommonError, ModelledException, OperationName } from "../MeteringError.js"
import * as MeteringError from "../MeteringError.js"
import { marketplaceMetering, type Operation } from "../Operation.js"
import * as codec from "./codec.js"
import { of } from "./shape.js"

export const contentType = "application/x-amz-json-1.1"

export const target = (name: OperationName) => `${marketplaceMetering.targetPrefix}.${name}`

/** An HTTP answer, header names in lower case. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string
}

/** Compiles the body of an operation's requests. */
export const bodyEncoder = <Request extends object>(operation: {
  readonly request: Operation<Request, unknown, ModelledException>["request"]
}): ((request: Request) => string) => {
  const project = codec.projection(of(operation.request))
  return (request) => JSON.stringify(project(request))
}

/**
 * Compiles the reading of an operation's answers. `conceal` takes out of the service's words whatever must
 * not be repeated.
 */
export const answerDecoder = <Request, Response, E extends ModelledException, Answer>(
  operation: Operation<Request, Response, E, Answer>
): ((
  answer: HttpAnswer,
  conceal: (text: string) => string
) => Either.Either<Response, E | CommonError>) => {
  const shape = of(operation.response)
  const read = codec.reader(shape)
  const keepsUnreadable = shape.about.includes("unreadable")
  return (answer, conceal) => {
    const json = parse(answer.body)
    // a browser gives a redirect that it was not to follow the status 0
    if (answer.status < 200 || answer.status >= 300) {
      return Either.left(decodeError(operation, answer, json, conceal))
    }
    if (json === undefined) return Either.left(unexpected(operation.name, answer, conceal))
    const unreadable: Array<unknown> = []
    const value = read(
      json,
      { unreadable },
      {
        ...about(answer, conceal),
        ...(keepsUnreadable && { unreadable })
      }
    )
    // the reader makes instances of the class that the shape was read from
    return Either.right(value as Response)
  }
}

/** An empty body is an empty object, and so is null; what is no object at all is nothing. */
const parse = (body: string): Record<string, unknown> | undefined => {
  if (body.trim() === "") return {}
  try {
    const json: unknown = JSON.parse(body) ?? {}
    return typeof json === "object" && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

// ---------------------------------------------------------------------------------------------------
// errors
// ---------------------------------------------------------------------------------------------------

const decodeError = <E extends ModelledException>(
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
  const situation =
    clockCodes.has(code) || isStale(code, said)
      ? MeteringError.ClockSkewError
      : (situations.get(code) ?? MeteringError.UnknownServiceError)
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

const clockCodes: ReadonlySet<string> = new Set([
  "RequestExpired",
  "RequestInTheFuture",
  "RequestTimeTooSkewed"
])

/** Codes of AWS's front door rather than of this service's model. */
const situations = new Map<
  string,
  typeof MeteringError.AccessDeniedError | typeof MeteringError.CredentialsRejectedError
>([
  ...[
    "AuthFailure",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException"
  ].map((code) => [code, MeteringError.CredentialsRejectedError] as const),
  ...[
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedException",
    "UnauthorizedOperation"
  ].map((code) => [code, MeteringError.AccessDeniedError] as const)
])

const unexpected = (
  operation: OperationName,
  answer: HttpAnswer,
  conceal: (text: string) => string
) => {
  const contentType = answer.headers["content-type"]?.slice(0, 100)
  return new MeteringError.UnexpectedResponseError(
    {
      operation,
      ...about(answer, conceal),
      ...retryAfter(answer.headers),
      ...(contentType !== undefined && { contentType: conceal(contentType) }),
      bodyLength: answer.body.length
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
    const name = raw.split(/[,:]/, 1)[0]?.trim() ?? ""
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
const withoutCanonicalRequest = (said: string) => said.split(/\s*The Canonical String/, 1)[0] ?? ""

const about = (answer: HttpAnswer, conceal: (text: string) => string) => {
  const requestId = requestIdOf(answer, conceal)
  return { statusCode: answer.status, ...(requestId !== undefined && { requestId }) }
}

/** The id by which AWS can find a call. What is longer than such an id is something else. */
export const requestIdOf = (
  { headers }: HttpAnswer,
  conceal: (text: string) => string
): string | undefined => {
  const id =
    headers["x-amzn-requestid"] ?? headers["x-amzn-request-id"] ?? headers["x-amz-request-id"]
  if (id === undefined || id.length > 60) return undefined
  // every answer has one, and a UUID is nobody's secret: there is nothing to search it for
  return uuid.test(id) ? id : conceal(id)
}

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i

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
