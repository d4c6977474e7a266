/** Verifies AWS Signature Version 4. */
import * as Effect from "effect/Effect"
import { sha256Hex } from "#sha256"
import {
  algorithm,
  amzDateOf,
  type Body,
  canonicalHeaderValue,
  canonicalResource,
  type SigningCredentials,
  type SigningKey,
  signatureOf,
  signingKey,
  terminator
} from "../../../internal/sigv4/canonicalRequest.js"

export interface ReceivedRequest {
  readonly method: string
  /** The path and the query, not decoded. */
  readonly url: string
  /** The names are in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Body
}

export interface SignatureOptions {
  readonly credentials: (accessKeyId: string) => Omit<SigningCredentials, "accessKeyId"> | undefined
  readonly service: string
  /** The Regions that requests may be signed for. Defaults to any Region. */
  readonly regions?: ReadonlyArray<string> | undefined
  /** The current time in epoch milliseconds. */
  readonly now: number
  /** Maximum difference between the request's date and `now`, in milliseconds. Defaults to 5 minutes. */
  readonly allowedSkew?: number | undefined
  /** Derives the signing key. Defaults to `signingKey`, which derives the key again for each request. */
  readonly signingKey?: typeof signingKey
}

export interface VerifiedSignature {
  readonly _tag: "Verified"
  readonly accessKeyId: string
  readonly region: string
  readonly signedHeaders: ReadonlyArray<string>
}

/** The reason why a request is rejected. `message` never contains the expected signature. */
export interface SignatureRejection {
  readonly _tag:
    | "MissingAuthenticationToken"
    | "IncompleteSignature"
    | "UnrecognizedClientException"
    | "InvalidSignatureException"
  readonly message: string
}

const reject = (_tag: SignatureRejection["_tag"], message: string): SignatureRejection => ({
  _tag,
  message
})

const mismatch: SignatureRejection = {
  _tag: "InvalidSignatureException",
  message:
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
}

const unrecognized: SignatureRejection = {
  _tag: "UnrecognizedClientException",
  message: "The security token included in the request is invalid."
}

const constantTimeEquals = (left: string, right: string): boolean => {
  let difference = left.length ^ right.length
  for (let i = 0; i < left.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i)
  return difference === 0
}

/**
 * Returns the value of a header. Ignores values that are not strings, because the client chooses the name, which may be
 * "constructor". Reads `host` from `:authority` in HTTP/2.
 */
const headerOf = (headers: ReceivedRequest["headers"], name: string): string | undefined => {
  const value = headers[name] ?? (name === "host" ? headers[":authority"] : undefined)
  return typeof value === "string" ? value : undefined
}

/** Parses a time in the basic format of ISO 8601. Returns `undefined` for other formats and for a date such as 30 February. */
const millisOf = (amzDate: string): number | undefined => {
  const millis = Date.parse(
    amzDate.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, "$1-$2-$3:$4:$5")
  )
  return Number.isFinite(millis) && amzDateOf(millis) === amzDate ? millis : undefined
}

interface ParsedAuthorization {
  readonly accessKeyId: string
  readonly scope: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
  readonly signature: string
  readonly amzDate: string
  readonly millis: number
}

const parseAuthorization = (
  authorization: string,
  amzDate: string | undefined
): ParsedAuthorization | SignatureRejection => {
  const incomplete = (message: string) => reject("IncompleteSignature", message)
  const [scheme, ...parameters] = authorization.split(/[\s,]+/)
  const values = new Map(
    parameters.map((parameter) => {
      const end = parameter.indexOf("=")
      return end < 0 ? [parameter, ""] : [parameter.slice(0, end), parameter.slice(end + 1)]
    })
  )
  if (values.size < parameters.length) {
    return incomplete("Authorization header names a parameter twice.")
  }
  const credential = values.get("Credential")
  const signature = values.get("Signature")
  const signedHeaders = values.get("SignedHeaders")
  if (!credential || !signature || !signedHeaders || !amzDate) {
    const missing = ["Credential", "Signature", "SignedHeaders"]
      .filter((name) => !values.get(name))
      .map((name) => `Authorization header requires '${name}' parameter.`)
    if (!amzDate) missing.push("Authorization header requires existence of a 'X-Amz-Date' header.")
    return incomplete(missing.join(" "))
  }
  const millis = millisOf(amzDate)
  if (millis === undefined) {
    return incomplete(
      `Date must be in ISO-8601 'basic format'. Got '${amzDate}'. See http://en.wikipedia.org/wiki/ISO_8601`
    )
  }
  const names = signedHeaders.toLowerCase().split(";").sort()
  if (!names.includes("host")) {
    return incomplete("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
  }
  if (scheme !== algorithm) {
    return incomplete(`Unsupported AWS 'algorithm': '${scheme}' (only ${algorithm} for now).`)
  }
  const [accessKeyId = "", ...scope] = credential.split("/")
  return scope.length === 4
    ? { accessKeyId, scope, names, signature, amzDate, millis }
    : incomplete(
        `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`
      )
}

/** Returns the error message if the request's date is too far from now. Compares whole seconds, because `x-amz-date` has no fraction. */
const timeError = (
  { amzDate, millis }: ParsedAuthorization,
  options: SignatureOptions
): string | undefined => {
  const now = Math.floor(options.now / 1000) * 1000
  const skew = options.allowedSkew ?? 300_000
  const minutes = `${skew / 60_000} min.`
  if (millis < now - skew) {
    return `Signature expired: ${amzDate} is now earlier than ${amzDateOf(now - skew)} (${amzDateOf(now)} - ${minutes})`
  }
  if (millis > now + skew) {
    return `Signature not yet current: ${amzDate} is still later than ${amzDateOf(now + skew)} (${amzDateOf(now)} + ${minutes})`
  }
  return undefined
}

const scopeError = (
  { amzDate, scope }: ParsedAuthorization,
  options: SignatureOptions
): string | undefined => {
  const [date, region, service, end] = scope
  const day = amzDate.slice(0, 8)
  const errors: Array<string> = []
  if (!region || options.regions?.includes(region) === false) {
    errors.push(`Credential should be scoped to a valid region, not '${region}'.`)
  }
  if (service !== options.service) {
    errors.push(`Credential should be scoped to correct service: '${options.service}'.`)
  }
  if (end !== terminator) {
    errors.push(
      `Credential should be scoped with a valid terminator: '${terminator}', not '${end}'.`
    )
  }
  if (date !== day) {
    errors.push(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${day}', from '${amzDate}'.`
    )
  }
  return errors.length > 0 ? errors.join(" ") : undefined
}

/** Makes a function that caches the last signing key, because most requests of a day are signed by the same key. */
export const cachedSigningKey = (): typeof signingKey => {
  let last:
    | { readonly secret: string; readonly scope: string; readonly key: SigningKey }
    | undefined
  return (secret, date, region, service) => {
    const scope = `${date}/${region}/${service}`
    return last?.scope === scope && last.secret === secret
      ? Effect.succeed(last.key)
      : Effect.tap(signingKey(secret, date, region, service), (key) =>
          Effect.sync(() => {
            last = { secret, scope, key }
          })
        )
  }
}

/**
 * Verifies the signature of a request. Always hashes the body, because "UNSIGNED-PAYLOAD" is only for S3, and an altered request
 * must not be billed.
 */
export const verifySignature = (
  request: ReceivedRequest,
  options: SignatureOptions
): Effect.Effect<VerifiedSignature | SignatureRejection> =>
  Effect.gen(function* () {
    const header = (name: string) => headerOf(request.headers, name)

    const authorization = header("authorization")?.trim() ?? ""
    if (!authorization.startsWith("AWS4-")) {
      return reject("MissingAuthenticationToken", "Request is missing Authentication Token")
    }
    const parsed = parseAuthorization(authorization, header("x-amz-date"))
    if ("_tag" in parsed) return parsed
    const error = timeError(parsed, options) ?? scopeError(parsed, options)
    if (error) return reject("InvalidSignatureException", error)
    // requires a signed target, because otherwise a signature for one operation would be valid for all operations
    if (header("x-amz-target") !== undefined && !parsed.names.includes("x-amz-target")) {
      return reject("IncompleteSignature", "'X-Amz-Target' must be a 'SignedHeader'.")
    }

    // AWS identifies temporary credentials by key id and session token together
    const { accessKeyId, amzDate, names, scope, signature } = parsed
    const stored = options.credentials(accessKeyId)
    const token = header("x-amz-security-token") ?? ""
    if (!stored || !constantTimeEquals(stored.sessionToken ?? "", token)) return unrecognized

    const hash = yield* sha256Hex(request.body)
    if ((header("x-amz-content-sha256") ?? hash) !== hash) {
      return reject(
        "InvalidSignatureException",
        "The provided 'x-amz-content-sha256' header does not match what was computed."
      )
    }
    let lines = ""
    for (const name of names) {
      const value = header(name)
      if (value === undefined) return mismatch
      lines += `${name}:${canonicalHeaderValue(value)}\n`
    }
    const [date = "", region = "", service = ""] = scope
    const expected = yield* signatureOf(
      yield* (options.signingKey ?? signingKey)(stored.secretAccessKey, date, region, service),
      amzDate,
      scope.join("/"),
      `${request.method}\n${canonicalResource(request.url)}\n${lines}\n${names.join(";")}\n${hash}`
    )
    return constantTimeEquals(expected, signature)
      ? { _tag: "Verified", accessKeyId, region, signedHeaders: names }
      : mismatch
  })
