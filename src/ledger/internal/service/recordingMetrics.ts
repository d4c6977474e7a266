/** Updates the metrics of recording, once per batch. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricKey from "effect/MetricKey"
import * as metricKeys from "./metricKeys.js"

const batchSize = Metric.fromMetricKey(metricKeys.batchSize)
const commitDuration = Metric.fromMetricKey(metricKeys.commitDuration)
const intakeDepth = Metric.fromMetricKey(metricKeys.intakeDepth)

/** Measures a transaction of `size` events. */
export const commit = <A, E>(size: number, write: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Clock.clockWith((clock) => {
    const start = clock.unsafeCurrentTimeMillis()
    return Effect.tap(write, () => {
      batchSize.unsafeUpdate(size, [])
      commitDuration.unsafeUpdate(clock.unsafeCurrentTimeMillis() - start, [])
    })
  })

export const setDepth = (depth: number): void => intakeDepth.unsafeUpdate(depth, [])

const counters = new Map<string, Metric.Metric.Counter<number>>()

const counterOf = (result: string) => {
  const known = counters.get(result)
  if (known !== undefined) return known
  const counter = Metric.fromMetricKey(MetricKey.tagged(metricKeys.events, "result", result))
  counters.set(result, counter)
  return counter
}

/** Counts the results of a batch by tag. */
export const count = (tags: Iterable<string>): void => {
  const counts = new Map<string, number>()
  for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  for (const [tag, number] of counts) counterOf(tag).unsafeUpdate(number, [])
}
