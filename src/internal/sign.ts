/** What a client adds to a request by AWS Signature Version 4. */
import * as Effect from "effect/Effect"
import { sha256Hex } from "#sha256"
import {
  algorithm,
  amzDateOf,
  type Body,
  type Credentials,
  canonicalResource,
  canonicalValue,
  type Key,
  signatureOf,
  signingKey,
  terminator
} from "./signature.js"

export interface Target {
  readonly method: string
  readonly url: string | URL
  readonly region: string
  readonly service: string
}

export interface SignableRequest {
  /**
   * By names in lower case. Every one is signed, so none that may change on its way. Host, date and token come on their
   * own.
   */
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

/** A signer for one target. It keeps the signing key of the day, and only the last one. */
export const makeSigner = ({ method, region, service, url }: Target) => {
  const { host, pathname, search } = new URL(url)
  const head = `${method}\n${canonicalResource(pathname + search)}\n`
  let lastSecond = Number.NaN
  let lastDate = ""
  let last: { readonly secret: string; readonly scope: string; readonly key: Key } | undefined

  /** Most calls are made in the second of another. */
  const dateAt = (now: number): string => {
    const second = Math.floor(now / 1000)
    if (second !== lastSecond) {
      lastDate = amzDateOf(now)
      lastSecond = second
    }
    return lastDate
  }

  const keyFor = (secret: string, date: string, scope: string) =>
    last?.scope === scope && last.secret === secret
      ? Effect.succeed(last.key)
      : Effect.map(signingKey(secret, date, region, service), (key) => {
          last = { secret, scope, key }
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
    const own = {
      "x-amz-date": amzDate,
      ...(sessionToken && { "x-amz-security-token": sessionToken })
    }
    const signed: Record<string, string> = { host, ...headers, ...own }
    const names = Object.keys(signed).sort()
    const lines = names.map((name) => `${name}:${canonicalValue(signed[name] ?? "")}\n`).join("")
    const signedHeaders = names.join(";")

    return Effect.flatMap(sha256Hex(body), (hash) =>
      keyFor(secretAccessKey, date, scope).pipe(
        Effect.flatMap((key) =>
          signatureOf(key, amzDate, scope, `${head}${lines}\n${signedHeaders}\n${hash}`)
        ),
        Effect.map((signature) => ({
          authorization: `${algorithm} Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
          ...own
        }))
      )
    )
  }
}
