/** Prints notices while failing calls are retried: immediately, and then at growing intervals. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import type { MeteringClient } from "../../MeteringClient.js"

type Client = typeof MeteringClient.Service

/** The first and the longest interval between two notices, in milliseconds. */
const minNoticeInterval = 10_000
const maxNoticeInterval = 60_000

/** Watches the calls of a client for retryable errors. Throttling is not reported, because it is normal. */
export const watch = (client: Client, notify: (text: string) => Effect.Effect<void>): Client => {
  /** The time of the first failure since the last response. */
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
        ? `A call failed, and is retried for up to 5 minutes: ${error.message}`
        : `No response for ${lasted}, to ${failures} calls: ${error.message}`
    )
  }

  const onResponse = (now: number) => {
    const isLong = since !== undefined && now - since >= minNoticeInterval
    since = undefined
    failures = 0
    return isLong ? notify("The service responds again.") : Effect.void
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
