/**
 * Metrics of a ledger. Any exporter of Effect's `Metric` exports them.
 *
 * `UsageLedger` updates `events`, `batchSize`, `commitDuration` and `intakeDepth` when it records events. The other gauges are set
 * by `status` and `health`, and once a minute by the `UsageReporter` that holds the lease (less often if reading the ledger takes
 * more than 3 seconds).
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
 * Events that wait to be stored. At most the `intakeSize` of the ledger; further calls of `record` wait until there is room.
 *
 * @since 0.1.0
 * @category metrics
 */
export const intakeDepth: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.intakeDepth)

/**
 * Entries, tagged with `region`, `product` and `state`. Counts `accepted` entries of the last 48 hours only.
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
 * Number of carried balances of at least one whole unit, which wait for the next hour. The count stops at 100.
 *
 * @since 0.1.0
 * @category metrics
 */
export const carry: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.carry)

/**
 * Seconds until the next deadline of an unresolved record. `Infinity` if there is none.
 *
 * @since 0.1.0
 * @category metrics
 */
export const secondsToDeadline: Metric.Metric.Gauge<number> = Metric.fromMetricKey(
  metricKeys.secondsToDeadline
)

/**
 * Seconds since the end of the oldest hour with unresolved usage. 0 if there is none.
 *
 * @since 0.1.0
 * @category metrics
 */
export const oldestUnsentAge: Metric.Metric.Gauge<number> = Metric.fromMetricKey(
  metricKeys.oldestUnsentAge
)

/**
 * Seconds since the lease expired or was released, tagged with `region`. Negative while a worker holds the lease.
 *
 * @since 0.1.0
 * @category metrics
 */
export const leaseIdle: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.leaseIdle)

/**
 * Records that may have been billed: an attempt had no response.
 *
 * @since 0.1.0
 * @category metrics
 */
export const inDoubt: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.inDoubt)

/**
 * Records for which the service has billed a different quantity, although no attempt of this ledger can have billed it. The first
 * such record stops reporting in its Region until `UsageLedger.operator.recover`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const conflicting: Metric.Metric.Gauge<number> = Metric.fromMetricKey(metricKeys.conflicting)
