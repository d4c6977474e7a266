/** Who may come in: what a request's signature says of its sender, and what is answered where it says nothing good. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Reply, refuse } from "../../internal/awsJsonServer.js"
import { signingName } from "../../internal/names.js"
import { type Refused, verify } from "../../internal/verify.js"
import type { KeyPair } from "../Scenario.js"
import { accessKeyIdForm } from "./fields.js"
import { expired } from "./misfortune.js"
import type { Visitor } from "./state.js"
import { headersOf, pathAndQueryOf } from "./target.js"

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
    service: signingName,
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
  ): Effect.Effect<readonly [Visitor, refusal: Reply | undefined]> => {
    const claimed = { ...stranger(request), bytes: body.length }
    const knownAs = (accessKeyId = claimed.accessKeyId) => ({
      ...claimed,
      accessKeyId,
      keyPair: known.get(accessKeyId ?? "")
    })
    if (anyCredentials) return Effect.succeed([knownAs(), undefined])
    const verdict = verify(
      {
        method: request.method,
        url: pathAndQueryOf(request),
        headers: headersOf(request),
        body
      },
      { ...rules, now }
    )
    return Effect.map(verdict, (verdict) => {
      if (verdict._tag !== "Verified") {
        const { _tag, message } = verdict
        return [{ ...knownAs(), signature: "refused" }, refuse({ code: codeOf[_tag], message })]
      }
      const visitor = knownAs(verdict.accessKeyId)
      const { expiration } = visitor.keyPair ?? {}
      return expiration !== undefined && expiration.epochMillis <= now
        ? [{ ...visitor, signature: "refused" }, expired]
        : [{ ...visitor, signature: "verified" }, undefined]
    })
  }
}

/** A sender whose signature nobody has looked at. */
export const stranger = ({ headers }: Request): Visitor => ({
  signature: "unchecked",
  accessKeyId: credential.exec(headers.authorization ?? "")?.[1]
})

const credential = new RegExp(`(?:^|[\\s,])Credential=(${accessKeyIdForm})`)

/** The codes of AWS's JSON services, which end in "Exception" where those of its query services do not. */
const codeOf: { readonly [Tag in Refused["_tag"]]: string } = {
  MissingAuthenticationToken: "MissingAuthenticationTokenException",
  IncompleteSignature: "IncompleteSignatureException",
  UnrecognizedClientException: "UnrecognizedClientException",
  InvalidSignatureException: "InvalidSignatureException"
}
