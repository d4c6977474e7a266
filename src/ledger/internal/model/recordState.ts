/** Derives the state of a record from its attempts and the time. */
import { startOf } from "./hour.js"
import type { AttemptResult, AttemptRow, LedgerRow, RecordState, ResultRow } from "./rows.js"

export interface DerivedState {
  readonly state: RecordState
  /** True if the record is not sent any more. */
  readonly isResolved: boolean
  readonly meteringRecordId: string | undefined
  /** The reason for the state, for the history. */
  readonly cause: string
}

/** Results after which the attempt may have been billed. */
const uncertain: ReadonlySet<AttemptResult> = new Set(["noResponse", "unknownStatus"])

/** True if the attempt may have been billed. */
export const mayBeBilled = ({ results }: AttemptRow): boolean =>
  results.every(({ result }) => uncertain.has(result))

/** States of records that were not billed. */
export const notBilled: ReadonlySet<RecordState | "open" | "zero"> = new Set([
  "expired",
  "notSubscribed",
  "rejected"
] as const)

/** True if the hour began before the last `recover`: a lost database may have sent its records, or carried its usage forward. */
export const isBeforeRecovery = (hour: number, ledger: LedgerRow | undefined): boolean =>
  ledger?.recoveredAt !== undefined && startOf(hour) < ledger.recoveredAt

/**
 * Derives the state of a record. A success is final. After a duplicate the record is not sent any more. After the deadline the last
 * rejection decides, unless an attempt may have been billed.
 */
export const deriveState = (
  attempts: ReadonlyArray<AttemptRow>,
  deadline: number,
  now: number
): DerivedState => {
  const results = attempts.flatMap(({ results }) => results)
  const success = results.find(({ result }) => result === "success")
  if (success !== undefined) {
    return {
      state: "accepted",
      isResolved: true,
      meteringRecordId: success.meteringRecordId,
      cause: "accepted by the service"
    }
  }
  const isPast = now >= deadline
  const derived = (state: RecordState, isResolved: boolean, cause: string): DerivedState => ({
    state,
    isResolved,
    meteringRecordId: undefined,
    cause
  })
  const hasUncertain = attempts.some(mayBeBilled)
  if (results.some(({ result }) => result === "duplicate")) {
    return hasUncertain
      ? derived("inDoubt", true, "another quantity is billed, or an attempt without a response was")
      : derived("conflicting", true, "another quantity is billed for the hour")
  }
  if (hasUncertain) {
    return isPast
      ? derived("inDoubt", true, "the deadline has passed, and an attempt had no certain result")
      : derived("sealed", false, "an attempt had no certain result; it is sent again")
  }
  const last = lastRejection(results)
  if (last !== undefined) {
    const text = last.detail === undefined ? "" : `: ${last.detail}`
    return last.result === "notSubscribed"
      ? derived("notSubscribed", isPast, `the customer is not subscribed${text}`)
      : derived("rejected", isPast, `rejected by the service${text}`)
  }
  return isPast
    ? derived("expired", true, "the deadline has passed before it was accepted")
    : derived("sealed", false, "to be sent")
}

/**
 * Returns the last rejection of the record itself. Results such as `unsent` or `unprocessed` say nothing about the record, so they are
 * skipped, even if they were stored after the rejection.
 */
const lastRejection = (results: ReadonlyArray<ResultRow>): ResultRow | undefined => {
  for (let index = results.length - 1; index >= 0; index -= 1) {
    const result = results[index]
    if (result?.result === "notSubscribed" || result?.result === "rejected") return result
  }
  return undefined
}
