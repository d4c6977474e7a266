/** A reply as it goes out: with the headers that every answer has. */
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import { contentType } from "../../../internal/protocol/awsJson.js"
import type { Fault } from "../../Fault.js"
import { skewOf } from "../runtime/faultResponse.js"
import type { IncomingCall } from "../runtime/handleCall.js"
import type { HttpResponse } from "./awsJsonServer.js"
import * as connection from "./connection.js"

/** What no answer of the service has. */
export const sandboxHeaders = { "x-effect-marketplace-metering-sandbox": "true" } as const

/** The answer to a call, at a time of the clock. */
export const toHttpResponse = (
  response: HttpResponse,
  { requestId }: IncomingCall,
  fault: Fault,
  clock: number
): HttpServerResponse.HttpServerResponse => {
  const options = {
    status: response.status,
    contentType: response.headers["content-type"] ?? contentType,
    headers: {
      ...response.headers,
      ...sandboxHeaders,
      "x-amzn-requestid": withSandboxPrefix(response.requestId ?? requestId),
      date: new Date(clock + skewOf(fault)).toUTCString()
    }
  }
  if (fault.fault !== "slowBody") return HttpServerResponse.text(response.body, options)
  const body = new TextEncoder().encode(response.body)
  return HttpServerResponse.stream(connection.slowBody(body, fault.duration), {
    ...options,
    contentLength: body.length
  })
}

/** As no id of the service's, also where the service is behind the client. */
const withSandboxPrefix = (id: string): string => (id.startsWith("sandbox-") ? id : `sandbox-${id}`)

/** Whether it is this call's sender who has gone: what was waited for may have ended by somebody else's going. */
export const isClientAbort: Effect.Effect<boolean> = Effect.map(
  FiberRef.get(FiberRef.interruptedCause),
  (cause) => HashSet.has(Cause.interruptors(cause), HttpServerError.clientAbortFiberId)
)

/** Stands for an answer to somebody who is not there to hear it. */
export const clientClosedRequest = HttpServerResponse.empty({ status: 499 })
