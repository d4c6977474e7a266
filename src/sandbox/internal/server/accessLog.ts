/** Logs each call at level Debug: operation, status, request id and duration, but no values of the request. */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as LogLevel from "effect/LogLevel"
import type { HttpResponse } from "../model/serviceResponse.js"
import type { CallOutcome, IncomingCall } from "../runtime/handleCall.js"

/** The log annotation of these lines. Its value is the request id. */
export const annotation = "effect-marketplace-metering/sandbox/call"

/** Logs a call and its duration in milliseconds. An outcome without a response means that the connection was cut. */
export const write = (
  incoming: IncomingCall,
  outcome: CallOutcome<HttpResponse>,
  millis: number
): Effect.Effect<void> =>
  Effect.flatMap(FiberRef.get(FiberRef.currentMinimumLogLevel), (level) =>
    LogLevel.lessThanEqual(level, LogLevel.Debug)
      ? Effect.annotateLogs(
          Effect.logDebug(lineOf(incoming, outcome, millis)),
          annotation,
          incoming.requestId
        )
      : Effect.void
  )

const lineOf = (
  { operation, requestId }: IncomingCall,
  { response, fault }: CallOutcome<HttpResponse>,
  millis: number
) =>
  [
    operation ?? "-",
    ...(response === undefined ? ["connection cut"] : [response.status, outcomeOf(response)]),
    requestId,
    `${millis} ms`,
    ...(fault.fault === "none" ? [] : [`fault ${fault.fault}`])
  ].join(" ")

/** Returns the code of an error, or the number of records by status. */
const outcomeOf = ({ body, status }: HttpResponse): string => {
  const json = parseObject(body)
  if (typeof json.__type === "string") return json.__type.replace(/^.*#/, "")
  if (!Array.isArray(json.Results)) return status < 300 ? "OK" : "error"
  const counts = new Map<string, number>()
  for (const result of json.Results) {
    const status = String(result?.Status)
    counts.set(status, (counts.get(status) ?? 0) + 1)
  }
  const unprocessed = Array.isArray(json.UnprocessedRecords) ? json.UnprocessedRecords.length : 0
  if (unprocessed > 0) counts.set("unprocessed", unprocessed)
  return [...counts].map(([status, count]) => `${count} ${status}`).join(", ") || "no records"
}

const parseObject = (body: string): Record<string, unknown> => {
  try {
    return JSON.parse(body)
  } catch {
    // the body is HTML if the fault is `unavailable`
    return {}
  }
}
