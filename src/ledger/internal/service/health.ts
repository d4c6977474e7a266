/** The prospect that everything recorded is billed in time. */
import * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Health } from "../../LedgerReport.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { hourOf, millisPerHour, startOf } from "../model/hour.js"
import type { RecordRow } from "../model/rows.js"
import type { HourlyCount } from "../tables.js"
import { type Observation, observeWith, recentHours } from "./observe.js"

/** An hour is sealed 10 minutes after its end. A reporter that is late by more does not seal. Milliseconds. */
const sealingMargin = 30 * 60_000

/** The longest time that a record has after it was sealed. */
const longestTime = 25 * millisPerHour

/** A record is accepted within seconds. After this time without a verdict something is in the way. Milliseconds. */
const sendingMargin = 30 * 60_000

/** Unresolved records that are looked at. */
const maxLate = 100

export const health = (store: Store): Effect.Effect<Health, LedgerUnavailable> =>
  observeWith(store, (tables, observation) =>
    Effect.gen(function* () {
      const { now } = observation
      const recent = yield* tables.hourlyCounts(hourOf(now) - recentHours)
      // "overdue" in a day: all that are not resolved, the earliest deadline first
      const urgent = yield* tables.overdueRecords({ now: now + longestTime, limit: maxLate })
      const stuck = stuckReasons(observation)
      const atRisk = riskReasons(observation, recent, urgent)
      return {
        state: stuck.length > 0 ? "stuck" : atRisk.length > 0 ? "atRisk" : "ok",
        reasons: [...stuck, ...atRisk]
      } as const
    })
  )

const iso = (millis: number) => new Date(millis).toISOString()

const isHeld = ({ ledger }: Observation, hour: number): boolean =>
  ledger.holdFrom !== undefined &&
  ledger.heldUntil !== undefined &&
  hour >= ledger.holdFrom &&
  hour < ledger.heldUntil

const stuckReasons = (observation: Observation): ReadonlyArray<string> => {
  const { counts, lanes, ledger, now, pauses } = observation
  const reasons: Array<string> = []
  const unsealed = counts.filter(
    ({ oldestHour, state }) =>
      state === "open" &&
      startOf(oldestHour + 1) + sealingMargin <= now &&
      !isHeld(observation, oldestHour)
  )
  for (const { oldestHour, product, region } of unsealed) {
    reasons.push(
      `the hour ${iso(startOf(oldestHour))} of ${product} in ${region} is over and not sealed`
    )
  }
  const busy = new Set([
    ...unsealed.map(({ region }) => region),
    ...counts.filter(({ nextDeadline }) => nextDeadline !== undefined).map(({ region }) => region)
  ])
  for (const region of busy) {
    const lane = lanes.find((one) => one.region === region)
    if (lane === undefined || lane.until <= now) {
      reasons.push(
        `no worker reports in ${region}${lane === undefined ? "" : ` since ${iso(lane.until)}`}, and there is usage to report`
      )
    }
  }
  for (const { cause, product, region, retryAt, since } of pauses) {
    if (product === "*" && retryAt === undefined) {
      reasons.push(`reporting in ${region} is stopped since ${iso(since)}: ${cause}`)
    }
  }
  if (ledger.holdFrom !== undefined && ledger.heldUntil !== undefined) {
    reasons.push(
      `the hours from ${iso(startOf(ledger.holdFrom))} to before ${iso(startOf(ledger.heldUntil))} are held until ledger recover`
    )
  }
  return reasons
}

const riskReasons = (
  { carry, nextDeadline, now, pauses }: Observation,
  recent: ReadonlyArray<HourlyCount>,
  urgent: ReadonlyArray<RecordRow>
): ReadonlyArray<string> => {
  const reasons: Array<string> = []
  for (const { cause, product, region, retryAt, since } of pauses) {
    if (product !== "*" || retryAt !== undefined) {
      reasons.push(
        `${product === "*" ? "all products" : product} in ${region} ${product === "*" ? "are" : "is"} paused since ${iso(since)}: ${cause}`
      )
    }
  }
  if (nextDeadline !== undefined && nextDeadline - now < millisPerHour) {
    reasons.push(
      nextDeadline <= now
        ? `a deadline has passed at ${iso(nextDeadline)}`
        : `the next deadline is within an hour, at ${iso(nextDeadline)}`
    )
  }
  const late = urgent.filter(
    ({ deadline, timestamp }) => deadline > now && now - timestamp >= (deadline - timestamp) / 2
  )
  if (late.length > 0) {
    const oldest = Math.min(...late.map(({ timestamp }) => timestamp))
    reasons.push(
      `${countOf(late)} records are past half of their time, the oldest of ${iso(oldest)}`
    )
  }
  const slow = urgent.filter(
    ({ deadline, sealedAt, state }) =>
      state === "sealed" && deadline > now && now - sealedAt >= sendingMargin
  )
  if (slow.length > 0) {
    const tries = Math.max(...slow.map(({ tries }) => tries))
    reasons.push(
      `${countOf(slow)} records were sealed 30 minutes ago or earlier and are not accepted, after up to ${tries} tries`
    )
  }
  for (const [state, text] of finalStates) {
    const entries = recent
      .filter((one) => one.state === state)
      .reduce((sum, { entries }) => sum + entries, 0)
    if (entries > 0) reasons.push(`${entries} entries of the last ${recentHours} hours ${text}`)
  }
  if (carry.length > 0) {
    reasons.push(`${carry.length} balances of one unit and more wait for the next hour`)
  }
  return reasons
}

const countOf = ({ length }: ReadonlyArray<RecordRow>) =>
  length === maxLate ? `at least ${maxLate}` : length

const finalStates: ReadonlyArray<readonly [HourlyCount["state"], string]> = [
  ["inDoubt", "are in doubt"],
  ["conflicting", "are billed with another quantity"],
  ["expired", "were not accepted before their deadline"],
  ["notSubscribed", "are of customers who are not subscribed"],
  ["rejected", "were rejected by the service"]
]
