/** Authenticates requests by their AWS Signature Version 4. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { OperationName } from "../../../MeteringError.js"
import { marketplaceMetering } from "../../../Operation.js"
import type { AccessKey } from "../../Scenario.js"
import type { CallerIdentity } from "../model/callLog.js"
import {
  commonErrorResponse,
  expiredTokenResponse,
  type HttpResponse
} from "../model/serviceResponse.js"
import {
  cachedSigningKey,
  type SignatureRejection,
  verifySignature
} from "../protocol/verifySignature.js"
import { accessKeyIdPattern } from "../scenario/scenarioFields.js"
import { headersOf, pathAndQueryOf } from "./requestReader.js"

export interface Options {
  readonly accessKeys: ReadonlyArray<AccessKey>
  readonly anyCredentials: boolean
  /** Returns the Regions that calls of an operation may be signed for. `undefined` allows any Region. */
  readonly regionsOf: (operation: OperationName) => ReadonlyArray<string> | undefined
  readonly allowedSkew: Duration.DurationInput
}

export interface Authentication {
  readonly callerIdentity: CallerIdentity
  /** The response if the authentication failed. Otherwise absent. */
  readonly rejection?: HttpResponse
}

type Request = Pick<HttpServerRequest.HttpServerRequest, "method" | "originalUrl" | "headers">

/** Makes a function that authenticates a request. Its `now` is in epoch milliseconds. */
export const make = ({ accessKeys, allowedSkew, anyCredentials, regionsOf }: Options) => {
  const accessKeyById = new Map(accessKeys.map((accessKey) => [accessKey.accessKeyId, accessKey]))
  const signatureOptions = {
    // the metering service and the entitlement service have the same signing name
    service: marketplaceMetering.signingName,
    allowedSkew: Duration.toMillis(allowedSkew),
    signingKey: cachedSigningKey(),
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
    operation: OperationName,
    body: Uint8Array,
    now: number
  ): Effect.Effect<Authentication> => {
    const unverified = unverifiedCaller(request)
    const identifiedBy = (
      signature: CallerIdentity["signature"],
      accessKeyId = unverified.accessKeyId
    ) => ({
      signature,
      accessKeyId,
      accessKey: accessKeyById.get(accessKeyId ?? ""),
      bytes: body.length
    })
    if (anyCredentials) return Effect.succeed({ callerIdentity: identifiedBy("unchecked") })
    const { method } = request
    const received = { method, url: pathAndQueryOf(request), headers: headersOf(request), body }
    const options = { ...signatureOptions, regions: regionsOf(operation), now }
    return Effect.map(verifySignature(received, options), (verification) => {
      if (verification._tag !== "Verified") {
        const { _tag, message } = verification
        return {
          callerIdentity: identifiedBy("rejected"),
          rejection: commonErrorResponse({ code: codeOf[_tag], message })
        }
      }
      const { accessKeyId } = verification
      const expiration = accessKeyById.get(accessKeyId)?.expiration
      return expiration !== undefined && expiration.epochMillis <= now
        ? { callerIdentity: identifiedBy("rejected", accessKeyId), rejection: expiredTokenResponse }
        : { callerIdentity: identifiedBy("verified", accessKeyId) }
    })
  }
}

/** Returns the caller that the `Authorization` header names, without verifying the signature. */
export const unverifiedCaller = ({ headers }: Request): CallerIdentity => ({
  signature: "unchecked",
  accessKeyId: credentialPattern.exec(headers.authorization ?? "")?.[1]
})

const credentialPattern = new RegExp(`(?:^|[\\s,])Credential=(${accessKeyIdPattern})`)

/** The error codes of AWS services with a JSON protocol. Services with the Query protocol omit the suffix "Exception". */
const codeOf: { readonly [Tag in SignatureRejection["_tag"]]: string } = {
  MissingAuthenticationToken: "MissingAuthenticationTokenException",
  IncompleteSignature: "IncompleteSignatureException",
  UnrecognizedClientException: "UnrecognizedClientException",
  InvalidSignatureException: "InvalidSignatureException"
}
