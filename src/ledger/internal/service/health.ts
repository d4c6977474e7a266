/** Checks whether everything that was recorded will be billed in time. */
import * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Health } from "../../LedgerReport.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { hourOf, millisPerHour, startOf } from "../model/hour.js"
import type { RecordRow } from "../model/rows.js"
import { defaultSealAfter } from "../reporter/options.js"
import type { HourlyCount } from "../tables.js"
import { type LedgerSnapshot, readWith, recentHours } from "./ledgerSnapshot.js"

/** If an hour is not sealed this long after it should have been, no reporter seals. Milliseconds. */
const sealingMargin = 20 * 60_000

/** Upper bound of the time from now to the deadline of a record that can still be accepted, in milliseconds. */
const longestTime = 25 * millisPerHour

/** Usually a record is accepted within seconds. If it takes this long, something is wrong. Milliseconds. */
const sendingMargin = 30 * 60_000

/** Maximum number of unresolved records that are read. */
const maxLate = 100

export const health = (store: Store): Effect.Effect<Health, LedgerUnavailable> =>
  Effect.map(
    readWith(store, (tables, now) =>
      Effect.all({
        recent: tables.hourlyCounts(hourOf(now) - recentHours),
        // all unresolved records, ordered by deadline
        unresolved: tables.unresolvedRecords({ deadlineUntil: now + longestTime, limit: maxLate })
      })
    ),
    ([snapshot, { recent, unresolved }]) => {
      const stuck = stuckReasons(snapshot)
      const atRisk = riskReasons(snapshot, recent, unresolved)
      return {
        state: stuck.length > 0 ? "stuck" : atRisk.length > 0 ? "atRisk" : "ok",
        reasons: [...stuck, ...atRisk]
      }
    }
  )

const iso = (millis: number) => new Date(millis).toISOString()

const isHeld = ({ ledger }: LedgerSnapshot, hour: number): boolean =>
  ledger.holdFrom !== undefined &&
  ledger.heldUntil !== undefined &&
  hour >= ledger.holdFrom &&
  hour < ledger.heldUntil

const stuckReasons = (snapshot: LedgerSnapshot): ReadonlyArray<string> => {
  const { counts, leases, ledger, now, pauses } = snapshot
  const reasons: Array<string> = []
  const sealAfterOf = (region: string) =>
    leases.find((one) => one.region === region)?.sealAfter ?? defaultSealAfter
  const unsealed = counts.filter(
    ({ oldestHour, region, state }) =>
      state === "open" &&
      startOf(oldestHour + 1) + sealAfterOf(region) + sealingMargin <= now &&
      !isHeld(snapshot, oldestHour)
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
    const lease = leases.find((one) => one.region === region)
    if (lease === undefined || lease.until <= now) {
      reasons.push(
        `no worker reports in ${region}${lease === undefined ? "" : ` since ${iso(lease.until)}`}, and there is usage to report`
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
  { carry, nextDeadline, now, pauses }: LedgerSnapshot,
  recent: ReadonlyArray<HourlyCount>,
  unresolved: ReadonlyArray<RecordRow>
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
  const late = unresolved.filter(
    ({ deadline, timestamp }) => deadline > now && now - timestamp >= (deadline - timestamp) / 2
  )
  if (late.length > 0) {
    const oldest = Math.min(...late.map(({ timestamp }) => timestamp))
    reasons.push(
      `${countOf(late)} records are past half of their time, the oldest of ${iso(oldest)}`
    )
  }
  const slow = unresolved.filter(
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
