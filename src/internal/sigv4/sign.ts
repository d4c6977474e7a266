/** Signs requests with AWS Signature Version 4. */
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
} from "./canonicalRequest.js"

export interface SigningTarget {
  readonly method: string
  readonly url: string | URL
  readonly region: string
  readonly service: string
}

export interface SignableRequest {
  /**
   * Names are in lower case. Every header is signed, so none may be changed in transit. Host, date and session token are
   * added.
   */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
  readonly credentials: SigningCredentials
  /** Epoch milliseconds. */
  readonly now: number
}

/** The headers that signing adds to a request. */
export type SignatureHeaders = {
  readonly authorization: string
  readonly "x-amz-date": string
  readonly "x-amz-security-token"?: string
}

/** Makes a signer for one target. It caches the last signing key, which is valid for one day. */
export const makeSigner = ({ method, region, service, url }: SigningTarget) => {
  const { host, pathname, search } = new URL(url)
  const requestHead = `${method}\n${canonicalResource(pathname + search)}\n`
  let lastSecond = Number.NaN
  let lastDate = ""
  let cachedKey:
    | { readonly secret: string; readonly scope: string; readonly key: SigningKey }
    | undefined

  /** Formats a time. Caches the last second, because most calls are made within the same second. */
  const dateAt = (now: number): string => {
    const second = Math.floor(now / 1000)
    if (second !== lastSecond) {
      lastDate = amzDateOf(now)
      lastSecond = second
    }
    return lastDate
  }

  const keyFor = (secret: string, date: string, scope: string) =>
    cachedKey?.scope === scope && cachedKey.secret === secret
      ? Effect.succeed(cachedKey.key)
      : Effect.map(signingKey(secret, date, region, service), (key) => {
          cachedKey = { secret, scope, key }
          return key
        })

  return ({
    body,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    headers,
    now
  }: SignableRequest): Effect.Effect<SignatureHeaders> => {
    const amzDate = dateAt(now)
    const date = amzDate.slice(0, 8)
    const scope = `${date}/${region}/${service}/${terminator}`
    const signatureHeaders = {
      "x-amz-date": amzDate,
      ...(sessionToken && { "x-amz-security-token": sessionToken })
    }
    const headersToSign: Record<string, string> = { host, ...headers, ...signatureHeaders }
    const names = Object.keys(headersToSign).sort()
    const canonicalHeaders = names
      .map((name) => `${name}:${canonicalHeaderValue(headersToSign[name] ?? "")}\n`)
      .join("")
    const signedHeaders = names.join(";")

    return Effect.flatMap(sha256Hex(body), (hash) =>
      keyFor(secretAccessKey, date, scope).pipe(
        Effect.flatMap((key) =>
          signatureOf(
            key,
            amzDate,
            scope,
            `${requestHead}${canonicalHeaders}\n${signedHeaders}\n${hash}`
          )
        ),
        Effect.map((signature) => ({
          authorization: `${algorithm} Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
          ...signatureHeaders
        }))
      )
    )
  }
}
