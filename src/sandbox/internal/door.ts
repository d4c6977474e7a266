/** Who may come in: what a request's signature says of its sender, and what is answered where it says nothing good. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { type Reply, refuse } from "../../internal/awsJsonServer.js"
import { type Refused, verify } from "../../internal/signature.js"
import { marketplaceMetering } from "../../Operation.js"
import type { KeyPair } from "../Scenario.js"
import { expired } from "./misfortune.js"
import type { Visitor } from "./state.js"

export interface Options {
  readonly keyPairs: ReadonlyArray<KeyPair>
  readonly anyCredentials: boolean
  readonly regions: ReadonlyArray<string> | undefined
  readonly allowedSkew: Duration.DurationInput
}

type Request = Pick<HttpServerRequest.HttpServerRequest, "method" | "originalUrl" | "headers">

/** Judges a request by a clock, in epoch milliseconds. */
export const make = ({ allowedSkew, anyCredentials, keyPairs, regions }: Options) => {
  const known = new Map(keyPairs.map((pair) => [pair.accessKeyId, pair]))
  const rules = {
    service: marketplaceMetering.signingName,
    regions,
    allowedSkew: Duration.toMillis(allowedSkew),
    credentials: (accessKeyId: string) => {
      const pair = known.get(accessKeyId)
      return (
        pair && {
          secretAccessKey: Redacted.value(pair.secretAccessKey),
          sessionToken: pair.sessionToken && Redacted.value(pair.sessionToken)
        }
      )
    }
  }
  return (
    request: Request,
    body: Uint8Array,
    now: number
  ): readonly [Visitor, refusal: Reply | undefined] => {
    const claimed = { ...stranger(request), bytes: body.length }
    const keyPair = known.get(claimed.accessKeyId ?? "")
    if (anyCredentials) return [{ ...claimed, keyPair }, undefined]
    const verdict = verify(
      { method: request.method, url: request.originalUrl, headers: request.headers, body },
      { ...rules, now }
    )
    const refusal =
      verdict._tag !== "Verified"
        ? refuse({ code: codeOf[verdict._tag], message: verdict.message })
        : keyPair?.expiration !== undefined && keyPair.expiration.epochMillis <= now
          ? expired
          : undefined
    return [
      { ...claimed, signature: refusal === undefined ? "verified" : "refused", keyPair },
      refusal
    ]
  }
}

/** A sender whose signature nobody has looked at. */
export const stranger = ({ headers }: Request): Visitor => ({
  signature: "unchecked",
  accessKeyId: /\bCredential=([^/,\s]{1,128})/.exec(headers.authorization ?? "")?.[1]
})

/** The codes of AWS's JSON services, which end in "Exception" where those of its query services do not. */
const codeOf: { readonly [Tag in Refused["_tag"]]: string } = {
  MissingAuthenticationToken: "MissingAuthenticationTokenException",
  IncompleteSignature: "IncompleteSignatureException",
  UnrecognizedClientException: "UnrecognizedClientException",
  InvalidSignatureException: "InvalidSignatureException"
}
