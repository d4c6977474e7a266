/**
 * The canonical request of AWS Signature Version 4 and its signature, for the client and the sandbox's server. As for every
 * service except S3, paths are normalized and encoded a second time.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import * as Effect from "effect/Effect"
import { hmacSha256, hmacSha256Hex, sha256Hex } from "#sha256"

export const algorithm = "AWS4-HMAC-SHA256"
export const terminator = "aws4_request"

export interface SigningCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export type Body = string | Uint8Array

const percentEncode = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`

const encode = (text: string): string =>
  encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd")).replace(/[!'()*]/g, percentEncode)

/** Normalizes percent-encoding. Decodes only ASCII, because bytes that are not UTF-8 would all become the same character. */
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

/** Sorts by name, then by value. Joins both by a line feed, which unlike "=" sorts before every character of a name. */
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

export const canonicalResource = (pathAndQuery: string): string => {
  const end = pathAndQuery.indexOf("?")
  return end < 0
    ? `${canonicalPath(pathAndQuery)}\n`
    : `${canonicalPath(pathAndQuery.slice(0, end))}\n${canonicalQuery(pathAndQuery.slice(end + 1))}`
}

export const canonicalHeaderValue = (value: string): string =>
  value.replace(/[ \t\r\n]+/g, " ").replace(/^ | $/g, "")

/** Formats a time, such as `20150830T123600Z`. */
export const amzDateOf = (millis: number): string =>
  `${new Date(millis).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`

export type SigningKey = string | Uint8Array

export const signingKey = (
  secretAccessKey: string,
  date: string,
  region: string,
  service: string
): Effect.Effect<SigningKey> =>
  [date, region, service, terminator].reduce<Effect.Effect<SigningKey>>(
    (key, text) => Effect.flatMap(key, (key) => hmacSha256(key, text)),
    Effect.succeed(`AWS4${secretAccessKey}`)
  )

export const signatureOf = (
  key: SigningKey,
  amzDate: string,
  scope: string,
  canonicalRequest: string
): Effect.Effect<string> =>
  Effect.flatMap(sha256Hex(canonicalRequest), (hash) =>
    hmacSha256Hex(key, `${algorithm}\n${amzDate}\n${scope}\n${hash}`)
  )
