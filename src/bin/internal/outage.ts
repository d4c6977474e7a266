/** Says that calls fail while they are made again: at once, and then from time to time. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import type { MeteringClient } from "../../MeteringClient.js"

type Client = typeof MeteringClient.Service

/** The time between two messages grows from the first of these to the second, in milliseconds. */
const minNoticeInterval = 10_000
const maxNoticeInterval = 60_000

/** Watches a client's calls, and tells by `say` of failures that may pass. Throttling is part of good order. */
export const watch = (client: Client, notify: (text: string) => Effect.Effect<void>): Client => {
  /** When the first call failed since the last answer. */
  let since: number | undefined
  let failures = 0
  let nextAt = Number.NEGATIVE_INFINITY
  let wait = minNoticeInterval

  const onFailedCall = (error: BatchMeterUsageError, now: number) => {
    since ??= now
    failures += 1
    if (now < nextAt) return Effect.void
    nextAt = now + wait
    wait = Math.min(wait * 2, maxNoticeInterval)
    const lasted = Duration.format(Duration.seconds(Math.round((now - since) / 1000)))
    return notify(
      failures === 1
        ? `A call failed, and is made again for up to 5 minutes: ${error.message}`
        : `No answer for ${lasted}, by ${failures} calls: ${error.message}`
    )
  }

  const onResponse = (now: number) => {
    const isLong = since !== undefined && now - since >= minNoticeInterval
    since = undefined
    failures = 0
    return isLong ? notify("The service answers again.") : Effect.void
  }

  return {
    ...client,
    batchMeterUsage: (request) =>
      client.batchMeterUsage(request).pipe(
        Effect.tapBoth({
          onSuccess: () => Effect.flatMap(Clock.currentTimeMillis, onResponse),
          onFailure: (error) =>
            Effect.flatMap(Clock.currentTimeMillis, (now) =>
              !error.isRetryable || error.isThrottling ? onResponse(now) : onFailedCall(error, now)
            )
        })
      )
  }
}
