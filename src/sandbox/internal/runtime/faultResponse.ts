/** What a fault makes of a call that has come through. Cuts and delays are not the service's to make. */
import * as Duration from "effect/Duration"
import type { Fault } from "../../Fault.js"
import { type CallerIdentity, change, type State } from "../model/state.js"
import {
  type AwsError,
  commonErrorResponse,
  type HttpResponse,
  retryAfter
} from "../server/awsJsonServer.js"
import * as faultScript from "./faultScript.js"

/** The answer in place of the service's, if there is one. */
export const faultResponseOf = (
  fault: Fault,
  { signature }: CallerIdentity,
  errorResponse: (refusal: AwsError) => HttpResponse,
  clock: number
): HttpResponse | undefined => {
  switch (fault.fault) {
    case "throttling": {
      const wait = fault.retryAfter === undefined ? undefined : Duration.decode(fault.retryAfter)
      return {
        ...errorResponse({ code: "ThrottlingException", message: "Rate exceeded" }),
        headers: retryAfter(wait)
      }
    }
    case "internalError":
      return errorResponse({
        code: "InternalServiceErrorException",
        message: "An internal error has occurred. Retry your request."
      })
    case "unavailable":
      return {
        status: 503,
        body: "<html><head><title>503 Service Temporarily Unavailable</title></head><body><h1>503 Service Temporarily Unavailable</h1></body></html>",
        headers: { "content-type": "text/html" }
      }
    case "refusal":
      return errorResponse(fault)
    case "expiredCredentials":
      return expiredTokenResponse
    case "clockSkew":
      // where something is signed, the check of the signature has met the other clock already
      return signature === "inMemory" ? clockSkewResponse(skewOf(fault), clock) : undefined
  }
  return undefined
}

/** What is answered to a session that has expired. */
export const expiredTokenResponse: HttpResponse = commonErrorResponse({
  code: "ExpiredTokenException",
  message: "The security token included in the request is expired"
})

/** How far the service's clock is ahead, in milliseconds. */
export const skewOf = (fault: Fault): number =>
  fault.fault === "clockSkew"
    ? Duration.toMillis(fault.ahead ?? 0) - Duration.toMillis(fault.behind ?? 0)
    : 0

const allowedSkew = 5 * 60_000

const clockSkewResponse = (skew: number, clock: number): HttpResponse | undefined => {
  if (Math.abs(skew) <= allowedSkew) return undefined
  const [sent, received] = [clock, clock + skew].map((time) => new Date(time).toISOString())
  return commonErrorResponse({
    code: "InvalidSignatureException",
    message:
      skew > 0
        ? `Signature expired: ${sent} is now earlier than ${received} - 5 min.`
        : `Signature not yet current: ${sent} is still later than ${received} + 5 min.`
  })
}

/** The places in a call of the records that the service does not get to. */
export const unprocessedOf = (
  fault: Fault,
  request: object,
  state: State
): readonly [ReadonlySet<number>, State] => {
  if (fault.fault !== "unprocessed" || !("usageRecords" in request)) return [new Set(), state]
  // every request that has them has them as a list: it has been checked
  const { length } = request.usageRecords as ReadonlyArray<unknown>
  const [order, remaining] = faultScript.shuffle(state.faults, length)
  // 0.28 of 25 is 7, and a little more to a computer
  const count = Math.ceil((fault.share ?? 1) * length - 1e-9)
  return [new Set(order.slice(0, count)), change(state, { _tag: "Faults", faults: remaining })]
}
