/** Reads a consistent summary of a ledger, and sets the gauges of `LedgerMetrics`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricKey from "effect/MetricKey"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { hourOf, millisPerHour, startOf } from "../model/hour.js"
import type { LeaseRow, LedgerRow, PauseRow, ProductRow, RecordState } from "../model/rows.js"
import type { CarriedBalance, StateCount, StoreEffect, Tables } from "../tables.js"
import * as metricKeys from "./metricKeys.js"

export interface LedgerSnapshot {
  readonly now: number
  readonly ledger: LedgerRow
  readonly products: ReadonlyArray<ProductRow>
  readonly counts: ReadonlyArray<StateCount>
  readonly nextDeadline: number | undefined
  readonly carry: ReadonlyArray<CarriedBalance>
  readonly leases: ReadonlyArray<LeaseRow>
  readonly pauses: ReadonlyArray<PauseRow>
}

/** The number of past hours whose accepted entries are counted, and whose final states affect the health. */
export const recentHours = 48

/** Maximum number of carried balances that are read. */
const maxCarry = 100

const read = (tables: Tables, now: number): StoreEffect<LedgerSnapshot> =>
  Effect.gen(function* () {
    const ledger = yield* tables.ledger
    // `initialize` has stored the row, and nothing deletes it
    if (ledger === undefined) return yield* Effect.dieMessage("the ledger has no row")
    const counts = yield* tables.stateCounts(hourOf(now) - recentHours)
    const deadlines = counts.flatMap(({ nextDeadline }) => nextDeadline ?? [])
    return {
      now,
      ledger,
      products: yield* tables.products,
      counts,
      nextDeadline: deadlines.length === 0 ? undefined : Math.min(...deadlines),
      carry: yield* tables.carryOver(1, maxCarry),
      leases: yield* tables.leases,
      pauses: yield* tables.pauses
    }
  })

/** Reads the summary, and what `more` reads, in the same snapshot. Sets the gauges. */
export const readWith = <A>(
  store: Store,
  more: (tables: Tables, now: number) => StoreEffect<A>
): Effect.Effect<readonly [LedgerSnapshot, A], LedgerUnavailable> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    store.snapshot((tables) => Effect.zip(read(tables, now), more(tables, now)))
  ).pipe(Effect.tap(([snapshot]) => setGauges(snapshot)))

/** Reads the summary, and sets the gauges. */
export const readSnapshot = (store: Store): Effect.Effect<LedgerSnapshot, LedgerUnavailable> =>
  Effect.map(
    readWith(store, () => Effect.void),
    ([snapshot]) => snapshot
  )

const states: ReadonlyArray<RecordState | "open"> = [
  "open",
  "sealed",
  "accepted",
  "conflicting",
  "notSubscribed",
  "rejected",
  "expired",
  "inDoubt"
]

const carry = Metric.fromMetricKey(metricKeys.carry)
const secondsToDeadline = Metric.fromMetricKey(metricKeys.secondsToDeadline)
const oldestUnsentAge = Metric.fromMetricKey(metricKeys.oldestUnsentAge)
const inDoubt = Metric.fromMetricKey(metricKeys.inDoubt)
const conflicting = Metric.fromMetricKey(metricKeys.conflicting)

const setGauges = (snapshot: LedgerSnapshot): Effect.Effect<void> =>
  Effect.sync(() => {
    const { counts, leases, nextDeadline, now, products } = snapshot
    for (const { product, region } of products) {
      for (const state of states) {
        const found = counts.find(
          (one) => one.region === region && one.product === product && one.state === state
        )
        const key = metricKeys.entries.pipe(
          MetricKey.tagged("region", region),
          MetricKey.tagged("product", product),
          MetricKey.tagged("state", state)
        )
        // sets 0 for a state without entries, so that the gauge does not keep its last value
        Metric.fromMetricKey(key).unsafeUpdate(found?.count ?? 0, [])
      }
    }
    carry.unsafeUpdate(snapshot.carry.length, [])
    secondsToDeadline.unsafeUpdate(
      nextDeadline === undefined ? Number.POSITIVE_INFINITY : (nextDeadline - now) / 1_000,
      []
    )
    const oldest = Math.min(
      ...counts
        .filter(({ nextDeadline, state }) => state === "open" || nextDeadline !== undefined)
        .map(({ oldestHour }) => startOf(oldestHour) + millisPerHour)
    )
    oldestUnsentAge.unsafeUpdate(
      Number.isFinite(oldest) ? Math.max(0, (now - oldest) / 1_000) : 0,
      []
    )
    for (const { region, until } of leases) {
      Metric.fromMetricKey(MetricKey.tagged(metricKeys.leaseIdle, "region", region)).unsafeUpdate(
        (now - until) / 1_000,
        []
      )
    }
    const total = (state: RecordState) =>
      counts.filter((one) => one.state === state).reduce((sum, { count }) => sum + count, 0)
    inDoubt.unsafeUpdate(total("inDoubt"), [])
    conflicting.unsafeUpdate(total("conflicting"), [])
  })
