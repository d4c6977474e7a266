/** The effects of faults on responses. The transport and the server apply cuts and delays. */
import * as Duration from "effect/Duration"
import type { Fault } from "../../Fault.js"
import type { CallerIdentity } from "../model/callLog.js"
import * as faultScript from "../model/faultScript.js"
import {
  type AwsError,
  commonErrorResponse,
  expiredTokenResponse,
  type HttpResponse,
  retryAfter
} from "../model/serviceResponse.js"
import { change, type State } from "../model/state.js"

/** Returns the response that a fault causes, or `undefined` if the service processes the call. */
export const faultResponseOf = (
  fault: Fault,
  { signature }: CallerIdentity,
  errorResponse: (error: AwsError) => HttpResponse,
  clock: number
): HttpResponse | undefined => {
  switch (fault.fault) {
    case "throttling": {
      const delay = fault.retryAfter === undefined ? undefined : Duration.decode(fault.retryAfter)
      return {
        ...errorResponse({ code: "ThrottlingException", message: "Rate exceeded" }),
        headers: retryAfter(delay)
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
    case "rejection":
      return errorResponse(fault)
    case "expiredCredentials":
      return expiredTokenResponse
    case "clockSkew":
      // the signature of a signed call was already verified by the skewed clock
      return signature === "inMemory" ? clockSkewResponse(skewOf(fault), clock) : undefined
  }
  return undefined
}

/** Returns the milliseconds that the service's clock is ahead. Negative if it is behind. */
export const skewOf = (fault: Fault): number =>
  fault.fault === "clockSkew"
    ? Duration.toMillis(fault.ahead ?? 0) - Duration.toMillis(fault.behind ?? 0)
    : 0

/** Maximum clock skew that AWS allows: 5 minutes, in milliseconds. */
const allowedSkew = 300_000

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

/** Draws the indices of the records that the fault leaves unprocessed. */
export const unprocessedOf = (
  fault: Fault,
  request: object,
  state: State
): readonly [ReadonlySet<number>, State] => {
  if (fault.fault !== "unprocessed" || !("usageRecords" in request)) return [new Set(), state]
  // the cast is safe, because only the request of BatchMeterUsage has `usageRecords`
  const { length } = request.usageRecords as ReadonlyArray<unknown>
  const [order, remaining] = faultScript.shuffle(state.faults, length)
  // subtracts a tolerance, because 0.28 * 25 is slightly more than 7 in floating point
  const count = Math.ceil((fault.share ?? 1) * length - 1e-9)
  return [new Set(order.slice(0, count)), change(state, { _tag: "Faults", faults: remaining })]
}
