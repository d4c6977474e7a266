/** A reply as it goes out: with the headers that every answer has. */
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import { contentType } from "../../internal/awsJson.js"
import type { Reply } from "../../internal/awsJsonServer.js"
import type { Fault } from "../Fault.js"
import * as line from "./line.js"
import type { Arrival } from "./machine.js"
import { skewOf } from "./misfortune.js"

/** What no answer of the service has. */
export const mark = { "x-effect-marketplace-metering-sandbox": "true" } as const

/** The answer to a call, at a time of the clock. */
export const responseOf = (
  reply: Reply,
  { requestId }: Arrival,
  fault: Fault,
  clock: number
): HttpServerResponse.HttpServerResponse => {
  const options = {
    status: reply.status,
    contentType: reply.headers["content-type"] ?? contentType,
    headers: {
      ...reply.headers,
      ...mark,
      "x-amzn-requestid": recognisable(reply.requestId ?? requestId),
      date: new Date(clock + skewOf(fault)).toUTCString()
    }
  }
  if (fault.fault !== "slowBody") return HttpServerResponse.text(reply.body, options)
  const body = new TextEncoder().encode(reply.body)
  return HttpServerResponse.stream(line.drip(body, fault.duration), {
    ...options,
    contentLength: body.length
  })
}

/** As no id of the service's, also where the service is behind the client. */
const recognisable = (id: string): string => (id.startsWith("sandbox-") ? id : `sandbox-${id}`)

/** Whether it is this call's sender who has gone: what was waited for may have ended by somebody else's going. */
export const hasHungUp: Effect.Effect<boolean> = Effect.map(
  FiberRef.get(FiberRef.interruptedCause),
  (cause) => HashSet.has(Cause.interruptors(cause), HttpServerError.clientAbortFiberId)
)

/** Stands for an answer to somebody who is not there to hear it. */
export const nobodyListens = HttpServerResponse.empty({ status: 499 })
