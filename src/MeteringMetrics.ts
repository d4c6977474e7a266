/**
 * Metrics of the client. Any exporter of Effect's `Metric` exports them.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

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
export const calls = Metric.counter("aws_marketplace_metering_calls", {
  description: "Calls to AWS Marketplace Metering by operation and outcome",
  incremental: true
})

/**
 * Usage records of BatchMeterUsage calls with a response, tagged with `status`: as in the response, `Unprocessed`, `Missing` for
 * those that the response does not mention, or `unknown` for a status that this version does not know.
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
export const records = Metric.counter("aws_marketplace_metering_records", {
  description: "Usage records by the status that AWS Marketplace Metering returned",
  incremental: true
})

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
export const duration = Metric.histogram(
  "aws_marketplace_metering_call_duration_ms",
  MetricBoundaries.fromIterable([
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000
  ]),
  "Duration of calls to AWS Marketplace Metering in milliseconds"
)
