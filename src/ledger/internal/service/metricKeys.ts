/** Keys of the metrics in `LedgerMetrics`. */
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"

const gauge = (name: string, description: string) =>
  MetricKey.gauge(`aws_marketplace_ledger_${name}`, { description })

export const events = MetricKey.counter("aws_marketplace_ledger_events", {
  description: "Events by the result of recording them",
  incremental: true
})

export const batchSize = MetricKey.histogram(
  "aws_marketplace_ledger_batch_size",
  MetricBoundaries.fromIterable([1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000]),
  "Events per transaction"
)

export const commitDuration = MetricKey.histogram(
  "aws_marketplace_ledger_commit_duration_ms",
  MetricBoundaries.fromIterable([1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000]),
  "Duration of a transaction that records events in milliseconds"
)

export const intakeDepth = gauge("intake_depth", "Events that wait for the store")

export const entries = gauge("entries", "Entries by Region, product and state")

export const carry = gauge("carry", "Balances of one unit and more that wait for the next hour")

export const secondsToDeadline = gauge(
  "seconds_to_deadline",
  "Seconds to the next deadline of a record that is not resolved"
)

export const oldestUnsentAge = gauge(
  "oldest_unsent_age_seconds",
  "Seconds since the end of the oldest hour that is not resolved"
)

export const leaseIdle = gauge("lease_idle_seconds", "Seconds since the end of the last lease")

export const inDoubt = gauge("in_doubt", "Records that were perhaps billed")

export const conflicting = gauge(
  "conflicting",
  "Records of an hour for which another quantity is billed"
)
