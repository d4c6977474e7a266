/** A line on the log for every call, at the level Debug: what was called, how it ended, and no value of it. */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as LogLevel from "effect/LogLevel"
import type { Reply } from "../../internal/awsJsonServer.js"
import type { Arrival, Outcome } from "./machine.js"

/** The annotation that tells these lines from others of their level. */
export const annotation = "effect-marketplace-metering/sandbox/call"

/** Logs a call that took so many milliseconds. Without a reply, the connection was cut. */
export const write = (
  arrival: Arrival,
  outcome: Outcome<Reply>,
  millis: number
): Effect.Effect<void> =>
  Effect.flatMap(FiberRef.get(FiberRef.currentMinimumLogLevel), (level) =>
    LogLevel.lessThanEqual(level, LogLevel.Debug)
      ? Effect.annotateLogs(
          Effect.logDebug(lineOf(arrival, outcome, millis)),
          annotation,
          arrival.requestId
        )
      : Effect.void
  )

const lineOf = (
  { operation, requestId }: Arrival,
  { answer: reply, fault }: Outcome<Reply>,
  millis: number
) =>
  [
    operation ?? "-",
    ...(reply === undefined ? ["connection cut"] : [reply.status, outcomeOf(reply)]),
    requestId,
    `${millis} ms`,
    ...(fault.fault === "none" ? [] : [`fault ${fault.fault}`])
  ].join(" ")

/** The code of an error, or how many records have which status. */
const outcomeOf = ({ body, status }: Reply): string => {
  const answer = read(body)
  if (typeof answer.__type === "string") return answer.__type.replace(/^.*#/, "")
  if (!Array.isArray(answer.Results)) return status < 300 ? "OK" : "error"
  const counts = new Map<string, number>()
  for (const result of answer.Results) {
    const status = String(result?.Status)
    counts.set(status, (counts.get(status) ?? 0) + 1)
  }
  const unprocessed = Array.isArray(answer.UnprocessedRecords)
    ? answer.UnprocessedRecords.length
    : 0
  if (unprocessed > 0) counts.set("unprocessed", unprocessed)
  return [...counts].map(([status, count]) => `${count} ${status}`).join(", ") || "no records"
}

const read = (body: string): Record<string, unknown> => {
  try {
    return JSON.parse(body)
  } catch {
    // a load balancer's page
    return {}
  }
}
