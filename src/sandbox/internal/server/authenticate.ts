/** Who may come in: what a request's signature says of its sender, and what is answered where it says nothing good. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { signingName } from "../../../internal/protocol/constants.js"
import type { AccessKey } from "../../Scenario.js"
import type { CallerIdentity } from "../model/state.js"
import { expiredTokenResponse } from "../runtime/faultResponse.js"
import { accessKeyIdPattern } from "../scenario/scenarioFields.js"
import { commonErrorResponse, type HttpResponse } from "./awsJsonServer.js"
import { headersOf, pathAndQueryOf } from "./requestTarget.js"
import { type SignatureRejection, verifySignature } from "./verifySignature.js"

export interface Options {
  readonly accessKeys: ReadonlyArray<AccessKey>
  readonly anyCredentials: boolean
  readonly regions: ReadonlyArray<string> | undefined
  readonly allowedSkew: Duration.DurationInput
}

type Request = Pick<HttpServerRequest.HttpServerRequest, "method" | "originalUrl" | "headers">

/** Judges a request by a clock, in epoch milliseconds. */
export const make = ({ allowedSkew, anyCredentials, accessKeys, regions }: Options) => {
  const accessKeyById = new Map(accessKeys.map((accessKey) => [accessKey.accessKeyId, accessKey]))
  const verifyOptions = {
    service: signingName,
    regions,
    allowedSkew: Duration.toMillis(allowedSkew),
    credentials: (accessKeyId: string) => {
      const accessKey = accessKeyById.get(accessKeyId)
      return (
        accessKey && {
          secretAccessKey: Redacted.value(accessKey.secretAccessKey),
          sessionToken: accessKey.sessionToken && Redacted.value(accessKey.sessionToken)
        }
      )
    }
  }
  return (
    request: Request,
    body: Uint8Array,
    now: number
  ): Effect.Effect<readonly [CallerIdentity, refusal: HttpResponse | undefined]> => {
    const unverified = { ...unverifiedCaller(request), bytes: body.length }
    const identifiedAs = (accessKeyId = unverified.accessKeyId) => ({
      ...unverified,
      accessKeyId,
      accessKey: accessKeyById.get(accessKeyId ?? "")
    })
    if (anyCredentials) return Effect.succeed([identifiedAs(), undefined])
    const verification = verifySignature(
      {
        method: request.method,
        url: pathAndQueryOf(request),
        headers: headersOf(request),
        body
      },
      { ...verifyOptions, now }
    )
    return Effect.map(verification, (verification) => {
      if (verification._tag !== "Verified") {
        const { _tag, message } = verification
        return [
          { ...identifiedAs(), signature: "refused" },
          commonErrorResponse({ code: codeOf[_tag], message })
        ]
      }
      const callerIdentity = identifiedAs(verification.accessKeyId)
      const { expiration } = callerIdentity.accessKey ?? {}
      return expiration !== undefined && expiration.epochMillis <= now
        ? [{ ...callerIdentity, signature: "refused" }, expiredTokenResponse]
        : [{ ...callerIdentity, signature: "verified" }, undefined]
    })
  }
}

/** A sender whose signature nobody has looked at. */
export const unverifiedCaller = ({ headers }: Request): CallerIdentity => ({
  signature: "unchecked",
  accessKeyId: credentialPattern.exec(headers.authorization ?? "")?.[1]
})

const credentialPattern = new RegExp(`(?:^|[\\s,])Credential=(${accessKeyIdPattern})`)

/** The codes of AWS's JSON services, which end in "Exception" where those of its query services do not. */
const codeOf: { readonly [Tag in SignatureRejection["_tag"]]: string } = {
  MissingAuthenticationToken: "MissingAuthenticationTokenException",
  IncompleteSignature: "IncompleteSignatureException",
  UnrecognizedClientException: "UnrecognizedClientException",
  InvalidSignatureException: "InvalidSignatureException"
}
