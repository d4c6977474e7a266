/** The options of a reporter, their defaults and limits. */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { LedgerConfigError } from "../../LedgerError.js"
import { maxDuration } from "../transactions/lease.js"

/**
 * Options of a reporter. All are optional.
 *
 * - `region`: the Region whose usage is reported, the same as the Region of the `MeteringClient`. Defaults to the only Region of the
 *   ledger's products. A ledger with products in several Regions needs a reporter for each.
 * - `worker`: the name of this process, unique among the workers of the ledger. Defaults to a random id.
 * - `sealAfter`: how long after its end an hour is sealed. Until then, usage is still added to it. Defaults to 10 minutes, at most 4
 *   hours.
 * - `interval`: the time between two rounds, shorter than `lease`. Defaults to 10 seconds or half of `lease`, whichever is shorter.
 * - `lease`: the time after which another worker takes over from a worker that has stopped. Defaults to 1 minute, at most 10 minutes.
 * - `rate`: calls per second, more than 0. Defaults to 10, the quota of an account in a Region.
 * - `gracePeriod`: how long calls in flight may take after the reporter is stopped. Defaults to 20 seconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly region?: string | undefined
  readonly worker?: string | undefined
  readonly sealAfter?: Duration.DurationInput | undefined
  readonly interval?: Duration.DurationInput | undefined
  readonly lease?: Duration.DurationInput | undefined
  readonly rate?: number | undefined
  readonly gracePeriod?: Duration.DurationInput | undefined
}

interface ResolvedOptions {
  readonly region: string | undefined
  readonly worker: string | undefined
  /** Milliseconds. */
  readonly sealAfter: number
  readonly interval: Duration.Duration
  /** Milliseconds. */
  readonly lease: number
  readonly rate: number
  readonly gracePeriod: Duration.Duration
}

/** Default of `sealAfter`, in milliseconds. */
export const defaultSealAfter = 10 * 60_000

/** Maximum of `sealAfter`, in milliseconds. At the end of a month a record is accepted for 6 hours only. */
const maxSealAfter = 4 * 3_600_000

export const resolveOptions = (
  options: Options
): Either.Either<ResolvedOptions, LedgerConfigError> => {
  const { rate = 10, region, worker } = options
  const sealAfter = Duration.toMillis(options.sealAfter ?? defaultSealAfter)
  const lease = Duration.toMillis(options.lease ?? "1 minute")
  const interval = Duration.decode(options.interval ?? Math.min(10_000, lease / 2))
  if (!(sealAfter <= maxSealAfter)) {
    return invalid(
      "sealAfter is longer than 4 hours, so that records would be sealed past their deadline",
      "Give a shorter one."
    )
  }
  if (!(lease > 0 && lease <= maxDuration)) {
    return invalid(
      "lease is 0 or longer than 10 minutes, in which no other worker could take over",
      "Give a lease of up to 10 minutes."
    )
  }
  if (Duration.toMillis(interval) >= lease) {
    return invalid(
      "interval is not shorter than its lease, so that it would lose it",
      "Give a shorter interval, or a longer lease of up to 10 minutes."
    )
  }
  return rate > 0
    ? Either.right({
        region,
        worker,
        sealAfter,
        interval,
        lease,
        rate,
        gracePeriod: Duration.decode(options.gracePeriod ?? "20 seconds")
      })
    : invalid(`rate is ${rate}, so that nothing would be sent`, "Give a rate of more than 0.")
}

const invalid = (detail: string, cure: string) =>
  Either.left(
    new LedgerConfigError({ reason: "invalidOptions", detail: `The reporter's ${detail}`, cure })
  )
