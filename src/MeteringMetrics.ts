/**
 * Metrics of the client. Any exporter of Effect's `Metric` exports them.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import * as metricKeys from "./internal/client/metricKeys.js"

/**
 * Calls, tagged with `operation` and `outcome`: `ok`, the tag of the error, `interrupted`, or `defect`.
 *
 * @example
 * ```ts
 * import { Metric } from "effect"
 * import { MeteringMetrics } from "effect-marketplace-metering"
 *
 * const throttled = MeteringMetrics.calls.pipe(
 *   Metric.tagged("operation", "BatchMeterUsage"),
 *   Metric.tagged("outcome", "ThrottlingException"),
 *   Metric.value
 * )
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const calls: Metric.Metric.Counter<number> = Metric.fromMetricKey(metricKeys.calls)

/**
 * Usage records of BatchMeterUsage calls with a response, tagged with `status`: the status in the response,
 * `Unprocessed`, `Missing` for a record without a status, or `unknown` for a status unknown to this version.
 *
 * @example
 * ```ts
 * import { Metric } from "effect"
 * import { MeteringMetrics } from "effect-marketplace-metering"
 *
 * const billed = MeteringMetrics.records.pipe(Metric.tagged("status", "Success"), Metric.value)
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const records: Metric.Metric.Counter<number> = Metric.fromMetricKey(metricKeys.records)

/**
 * Duration of calls in milliseconds, tagged with `operation`.
 *
 * @example
 * ```ts
 * import { Metric } from "effect"
 * import { MeteringMetrics } from "effect-marketplace-metering"
 *
 * const durations = MeteringMetrics.duration.pipe(Metric.tagged("operation", "MeterUsage"), Metric.value)
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const duration: Metric.Metric.Histogram<number> = Metric.fromMetricKey(metricKeys.duration)
