/**
 * AWS Signature Version 4 in the authorization header, both ways: what a client adds to a request, and
 * what a server makes of it. As for every service but S3, paths are normalised and encoded once more.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { hmacSha256, hmacSha256Hex, sha256Hex } from "#sha256"

const algorithm = "AWS4-HMAC-SHA256"
const terminator = "aws4_request"

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export type Body = string | Uint8Array

const hexOf = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`

const encode = (text: string): string =>
  encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd")).replace(/[!'()*]/g, hexOf)

/** Never decodes what is not ASCII: bytes that are no UTF-8 would all become the same character. */
const reencode = (text: string): string =>
  text
    .replace(/\+/g, " ")
    .replace(/(%[0-7][\dA-Fa-f])|(%[\dA-Fa-f]{2})|%|[^%]+/g, (token, ascii, other) =>
      ascii ? encode(decodeURIComponent(ascii)) : other ? other.toUpperCase() : encode(token)
    )

const canonicalPath = (path: string): string => {
  const segments: Array<string> = []
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop()
    else if (segment !== "" && segment !== ".") segments.push(encode(segment))
  }
  return `/${segments.join("/")}${segments.length > 0 && path.endsWith("/") ? "/" : ""}`
}

/** Sorted by name, then value: the line feed sorts before all that a name can hold, "=" does not. */
const canonicalQuery = (query: string): string =>
  query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const end = pair.indexOf("=")
      const [name, value] = end < 0 ? [pair, ""] : [pair.slice(0, end), pair.slice(end + 1)]
      return `${reencode(name)}\n${reencode(value)}`
    })
    .sort()
    .join("&")
    .replaceAll("\n", "=")

const canonicalResource = (pathAndQuery: string): string => {
  const end = pathAndQuery.indexOf("?")
  return end < 0
    ? `${canonicalPath(pathAndQuery)}\n`
    : `${canonicalPath(pathAndQuery.slice(0, end))}\n${canonicalQuery(pathAndQuery.slice(end + 1))}`
}

const canonicalValue = (value: string): string =>
  value.replace(/[ \t\r\n]+/g, " ").replace(/^ | $/g, "")

/** 20150830T123600Z */
const amzDateOf = (millis: number): string =>
  `${new Date(millis).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`

const signingKey = (secretAccessKey: string, date: string, region: string, service: string) =>
  [date, region, service, terminator].reduce<string | Uint8Array>(
    hmacSha256,
    `AWS4${secretAccessKey}`
  )

const signatureOf = (
  key: string | Uint8Array,
  amzDate: string,
  scope: string,
  canonicalRequest: string
): string =>
  hmacSha256Hex(key, `${algorithm}\n${amzDate}\n${scope}\n${sha256Hex(canonicalRequest)}`)

export interface Target {
  readonly method: string
  readonly url: string | URL
  readonly region: string
  readonly service: string
}

export interface SignableRequest {
  /** Every one of these is signed, so none that may change on its way. Host, date and token come on their own. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
  readonly credentials: Credentials
  /** Epoch milliseconds. */
  readonly now: number
}

/** What a request needs beside the headers that were signed. */
export type SignatureHeaders = {
  readonly authorization: string
  readonly "x-amz-date": string
  readonly "x-amz-security-token"?: string
}

const dateHeader = "x-amz-date"
const tokenHeader = "x-amz-security-token"

/** What the same headers are in every request: their lines before, between and after those of date and token. */
const templateOf = (host: string, headers: SignableRequest["headers"]) => {
  const values = new Map([["host", host]])
  for (const [name, value] of Object.entries(headers)) {
    values.set(name.toLowerCase(), canonicalValue(value))
  }
  const names = Array.from(values.keys()).sort()
  const part = (after: string, before: string) => {
    const part = names.filter((name) => name > after && name < before)
    return { names: part, lines: part.map((name) => `${name}:${values.get(name)}\n`).join("") }
  }
  const first = part("", dateHeader)
  const second = part(dateHeader, tokenHeader)
  const third = part(tokenHeader, "\uffff")
  const signedHeaders = (...own: ReadonlyArray<string>) =>
    [...first.names, ...own, ...second.names, ...third.names].sort().join(";")
  return {
    first: `${first.lines}${dateHeader}:`,
    second: `\n${second.lines}`,
    third: third.lines,
    signedHeaders: signedHeaders(dateHeader),
    signedHeadersWithToken: signedHeaders(dateHeader, tokenHeader)
  }
}

/**
 * A signer for one target. It keeps the signing key of the day, and only the last one. What it makes of headers it
 * keeps as long as there are those headers, which are not to be altered.
 */
export const makeSigner = ({ method, region, service, url }: Target) => {
  const { host, pathname, search } = new URL(url)
  const head = `${method}\n${canonicalResource(pathname + search)}\n`
  const keyFor = (secretAccessKey: string, date: string) => ({
    secretAccessKey,
    date,
    scope: `${date}/${region}/${service}/${terminator}`,
    key: signingKey(secretAccessKey, date, region, service)
  })
  const templates = new WeakMap<SignableRequest["headers"], ReturnType<typeof templateOf>>()
  let last: ReturnType<typeof keyFor> | undefined
  let lastSecond = Number.NaN
  let amzDate = ""

  return ({ body, credentials, headers, now }: SignableRequest): SignatureHeaders => {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials
    const second = Math.floor(now / 1000)
    if (second !== lastSecond) {
      amzDate = amzDateOf(now)
      lastSecond = second
    }
    const date = amzDate.slice(0, 8)
    if (last?.date !== date || last.secretAccessKey !== secretAccessKey) {
      last = keyFor(secretAccessKey, date)
    }
    const template = templates.get(headers) ?? templateOf(host, headers)
    templates.set(headers, template)

    const signedHeaders = sessionToken ? template.signedHeadersWithToken : template.signedHeaders
    const tokenLine = sessionToken ? `${tokenHeader}:${sessionToken}\n` : ""
    const lines = `${template.first}${amzDate}${template.second}${tokenLine}${template.third}`

    const signature = signatureOf(
      last.key,
      amzDate,
      last.scope,
      `${head}${lines}\n${signedHeaders}\n${sha256Hex(body)}`
    )
    const authorization = `${algorithm} Credential=${accessKeyId}/${last.scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
    return sessionToken
      ? { authorization, [dateHeader]: amzDate, [tokenHeader]: sessionToken }
      : { authorization, [dateHeader]: amzDate }
  }
}

export interface ReceivedRequest {
  readonly method: string
  /** Path and query, as they came. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Body
}

export interface VerifyOptions {
  readonly credentials: (accessKeyId: string) => Omit<Credentials, "accessKeyId"> | undefined
  readonly service: string
  /** Any, when left out. */
  readonly regions?: ReadonlyArray<string> | undefined
  /** Epoch milliseconds. */
  readonly now: number
  /** Milliseconds; 5 minutes, when left out. */
  readonly allowedSkew?: number | undefined
}

export interface Verified {
  readonly _tag: "Verified"
  readonly accessKeyId: string
  readonly region: string
  readonly signedHeaders: ReadonlyArray<string>
}

/** The service's exception, and its text. Never holds what the signature should have been. */
export interface Refused {
  readonly _tag:
    | "MissingAuthenticationToken"
    | "IncompleteSignature"
    | "UnrecognizedClientException"
    | "InvalidSignatureException"
  readonly message: string
}

const refuse = (_tag: Refused["_tag"], message: string): Refused => ({ _tag, message })

const mismatch: Refused = {
  _tag: "InvalidSignatureException",
  message:
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
}

const unrecognized: Refused = {
  _tag: "UnrecognizedClientException",
  message: "The security token included in the request is invalid."
}

const constantTimeEquals = (left: string, right: string): boolean => {
  let difference = left.length ^ right.length
  for (let i = 0; i < left.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i)
  return difference === 0
}

/** A name is the client's choice, "constructor" too. HTTP/2 has no host header. */
const headerOf = (headers: ReceivedRequest["headers"], name: string): string | undefined => {
  const value = headers[name] ?? (name === "host" ? headers[":authority"] : undefined)
  return typeof value === "string" ? value : undefined
}

/** Undefined, unless it is exactly in the basic format and a date of the calendar. */
const millisOf = (amzDate: string): number | undefined => {
  const millis = Date.parse(
    amzDate.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, "$1-$2-$3:$4:$5")
  )
  return Number.isFinite(millis) && amzDateOf(millis) === amzDate ? millis : undefined
}

/** What a request says of itself. */
interface Claim {
  readonly accessKeyId: string
  readonly scope: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
  readonly signature: string
  readonly amzDate: string
  readonly millis: number
}

const claimOf = (authorization: string, amzDate: string | undefined): Claim | Refused => {
  const incomplete = (message: string) => refuse("IncompleteSignature", message)
  const [scheme, ...parameters] = authorization.split(/[\s,]+/)
  const given = new Map(
    parameters.map((parameter) => {
      const end = parameter.indexOf("=")
      return end < 0 ? [parameter, ""] : [parameter.slice(0, end), parameter.slice(end + 1)]
    })
  )
  if (given.size < parameters.length) {
    return incomplete("Authorization header names a parameter twice.")
  }
  const credential = given.get("Credential")
  const signature = given.get("Signature")
  const signedHeaders = given.get("SignedHeaders")
  if (!credential || !signature || !signedHeaders || !amzDate) {
    const missing = ["Credential", "Signature", "SignedHeaders"]
      .filter((name) => !given.get(name))
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

/** Whole seconds, as x-amz-date has no others. */
const faultOfTime = ({ amzDate, millis }: Claim, options: VerifyOptions): string | undefined => {
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

const faultOfScope = ({ amzDate, scope }: Claim, options: VerifyOptions): string | undefined => {
  const [date, region, service, end] = scope
  const day = amzDate.slice(0, 8)
  const faults: Array<string> = []
  if (!region || options.regions?.includes(region) === false) {
    faults.push(`Credential should be scoped to a valid region, not '${region}'.`)
  }
  if (service !== options.service) {
    faults.push(`Credential should be scoped to correct service: '${options.service}'.`)
  }
  if (end !== terminator) {
    faults.push(
      `Credential should be scoped with a valid terminator: '${terminator}', not '${end}'.`
    )
  }
  if (date !== day) {
    faults.push(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${day}', from '${amzDate}'.`
    )
  }
  return faults.length > 0 ? faults.join(" ") : undefined
}

/**
 * Who signed the request, or why nobody did. Never throws. The payload's hash is always the body's own:
 * "UNSIGNED-PAYLOAD" is for S3, and usage that anybody may alter is not to be billed.
 */
export const verify = (request: ReceivedRequest, options: VerifyOptions): Verified | Refused => {
  const header = (name: string) => headerOf(request.headers, name)

  const authorization = header("authorization")?.trim() ?? ""
  if (!authorization.startsWith("AWS4-")) {
    return refuse("MissingAuthenticationToken", "Request is missing Authentication Token")
  }
  const claim = claimOf(authorization, header("x-amz-date"))
  if ("_tag" in claim) return claim
  const fault = faultOfTime(claim, options) ?? faultOfScope(claim, options)
  if (fault) return refuse("InvalidSignatureException", fault)
  // what is called for has to be signed, or a signature for one operation would do for every other
  if (header("x-amz-target") !== undefined && !claim.names.includes("x-amz-target")) {
    return refuse("IncompleteSignature", "'X-Amz-Target' must be a 'SignedHeader'.")
  }

  // Key id and token name the credentials together: for temporary ones, AWS finds the secret by both.
  const { accessKeyId, amzDate, names, scope, signature } = claim
  const known = options.credentials(accessKeyId)
  const token = header("x-amz-security-token") ?? ""
  if (!known || !constantTimeEquals(known.sessionToken ?? "", token)) return unrecognized

  const hash = sha256Hex(request.body)
  if ((header("x-amz-content-sha256") ?? hash) !== hash) {
    return refuse(
      "InvalidSignatureException",
      "The provided 'x-amz-content-sha256' header does not match what was computed."
    )
  }
  let lines = ""
  for (const name of names) {
    const value = header(name)
    if (value === undefined) return mismatch
    lines += `${name}:${canonicalValue(value)}\n`
  }
  const [date = "", region = "", service = ""] = scope
  const expected = signatureOf(
    signingKey(known.secretAccessKey, date, region, service),
    amzDate,
    scope.join("/"),
    `${request.method}\n${canonicalResource(request.url)}\n${lines}\n${names.join(";")}\n${hash}`
  )
  return constantTimeEquals(expected, signature)
    ? { _tag: "Verified", accessKeyId, region, signedHeaders: names }
    : mismatch
}
