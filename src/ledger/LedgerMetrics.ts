/**
 * Metrics of a ledger. Any exporter of Effect's `Metric` exports them.
 *
 * Those of recording are kept by the ledger. Gauges of the state are set by `status` and `health`, and by the `UsageReporter`
 * that holds the lease: with a round, once a minute, or less often if the ledger takes more than 3 seconds to read.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import * as metricKeys from "./internal/service/metricKeys.js"

/**
 * Events, tagged with `result`: `Recorded`, `AlreadyRecorded`, `Carried`, or the tag of the error.
 *
 * @example
 * ```ts
 * import { Metric } from "effect"
 * import { LedgerMetrics } from "effect-marketplace-metering/ledger"
 *
 * const tooLate = LedgerMetrics.events.pipe(Metric.tagged("result", "EventTooLate"), Metric.value)
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const events: Metric.Metric.Counter<number> = Metric.fromMetricKey(metricKeys.events)

/**
 * Events per transaction.
 *
 * @since 0.1.0
 * @category metrics
 */
export const batchSize: Metric.Metric.Histogram<number> = Metric.fromMetricKey(metricKeys.batchSize)

/**
 * Duration of a transaction that records events, in milliseconds.
 *
 * @since 0.1.0
 * @category metrics
 */
export const commitDuration: Metric.Metric.Histogram<number> = Metric.fromMetricKey(
  metricKeys.commitDuration
)

/**
 * Events that wait for the store. At the `intakeSize` of the ledger, more wait outside.
 *
 * @since 0.1.0
 * @category metrics
 */
export const intakeDepth: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.intakeDepth)

/**
 * Entries, tagged with `region`, `product` and `state`. Those of the state `accepted` are of the last 48 hours.
 *
 * @example
 * ```ts
 * import { Metric } from "effect"
 * import { LedgerMetrics } from "effect-marketplace-metering/ledger"
 *
 * const expired = LedgerMetrics.entries.pipe(
 *   Metric.tagged("region", "us-east-1"),
 *   Metric.tagged("product", "analytics"),
 *   Metric.tagged("state", "expired"),
 *   Metric.value
 * )
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const entries: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.entries)

/**
 * Balances of one unit and more that wait for the next hour. Counts up to 100.
 *
 * @since 0.1.0
 * @category metrics
 */
export const carry: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.carry)

/**
 * Seconds to the next deadline of a record that is not resolved. Infinity without one.
 *
 * @since 0.1.0
 * @category metrics
 */
export const secondsToDeadline: Metric.Metric.Gauge<number> = Metric.fromMetricKey(
  metricKeys.secondsToDeadline
)

/**
 * Seconds since the end of the oldest hour with usage that is not resolved. 0 without one.
 *
 * @since 0.1.0
 * @category metrics
 */
export const oldestUnsentAge: Metric.Metric.Gauge<number> = Metric.fromMetricKey(
  metricKeys.oldestUnsentAge
)

/**
 * Seconds since the end of the last lease, tagged with `region`. Negative while a worker holds it.
 *
 * @since 0.1.0
 * @category metrics
 */
export const leaseIdle: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.leaseIdle)

/**
 * Records that were perhaps billed.
 *
 * @since 0.1.0
 * @category metrics
 */
export const inDoubt: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.inDoubt)

/**
 * Records of an hour for which another quantity is billed, although this ledger has no attempt that may have billed it. The
 * first one stops its Region.
 *
 * @since 0.1.0
 * @category metrics
 */
export const conflicting: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.conflicting)
