/** Keys of the metrics in `MeteringMetrics`. */
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"

export const calls = MetricKey.counter("aws_marketplace_metering_calls", {
  description: "Calls",
  incremental: true
})

export const records = MetricKey.counter("aws_marketplace_metering_records", {
  description: "Usage records",
  incremental: true
})

export const duration = MetricKey.histogram(
  "aws_marketplace_metering_call_duration_ms",
  MetricBoundaries.fromIterable([
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000
  ]),
  "Duration of calls, in ms"
)
