/** HTTP responses of the server. */
import * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import { hasProperty } from "effect/Predicate"
import * as Stream from "effect/Stream"
import { contentType } from "../../../internal/protocol/awsJson.js"
import type { Fault } from "../../Fault.js"
import type { HttpResponse } from "../model/serviceResponse.js"
import { skewOf } from "../runtime/faultResponse.js"
import type { IncomingCall } from "../runtime/handleCall.js"

/** The headers that distinguish responses of the sandbox from responses of AWS. */
export const sandboxHeaders = { "x-effect-marketplace-metering-sandbox": "true" } as const

/** Makes the HTTP response to a call. `clock` is the machine's time in epoch milliseconds, for the `Date` header. */
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
  return HttpServerResponse.stream(slowBody(body, fault.duration), {
    ...options,
    contentLength: body.length
  })
}

/** Marks a request id. The id is AWS's own if the server passes calls on to the real service. */
const withSandboxPrefix = (id: string): string => (id.startsWith("sandbox-") ? id : `sandbox-${id}`)

const maxChunks = 100

/** Sends a body in chunks over a duration. */
const slowBody = (body: Uint8Array, duration: Duration.DurationInput) => {
  const size = Math.ceil(body.length / maxChunks)
  const count = Math.ceil(body.length / size)
  const pause = Effect.sleep(Duration.times(duration, 1 / count))
  return Stream.range(0, count - 1, 1).pipe(
    Stream.tap(() => pause),
    Stream.map((index) => body.subarray(index * size, (index + 1) * size))
  )
}

/** Closes a connection without a response. Only requests on Node.js have a socket. */
export const cutConnection = ({
  source
}: HttpServerRequest.HttpServerRequest): Effect.Effect<void> =>
  Effect.sync(() => {
    const socket = hasProperty(source, "socket") ? source.socket : undefined
    if (hasProperty(socket, "destroy") && typeof socket.destroy === "function") socket.destroy()
  })

/** Returns true if the client of this request has disconnected, and false for any other interruption. */
export const isClientAbort: Effect.Effect<boolean> = Effect.map(
  FiberRef.get(FiberRef.interruptedCause),
  (cause) => HashSet.has(Cause.interruptors(cause), HttpServerError.clientAbortFiberId)
)

/** The response to a client that has disconnected. */
export const clientClosedRequest = HttpServerResponse.empty({ status: 499 })
