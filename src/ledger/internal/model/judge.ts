/** The state of a record as a function of its evidence and the time. */
import type { AttemptEvidence, AttemptResult, RecordState, ResultRow } from "./rows.js"

export interface Judgment {
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
export const isUnanswered = ({ results }: AttemptEvidence): boolean =>
  results.every(({ result }) => uncertain.has(result))

/**
 * Judges a record. A success is final. After a duplicate the record is not sent any more. Past the deadline the last result
 * counts, unless an attempt may have been billed.
 */
export const judge = (
  evidence: ReadonlyArray<AttemptEvidence>,
  deadline: number,
  now: number
): Judgment => {
  const results = evidence.flatMap(({ results }) => results)
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
  const judged = (state: RecordState, isResolved: boolean, cause: string): Judgment => ({
    state,
    isResolved,
    meteringRecordId: undefined,
    cause
  })
  const hasUnanswered = evidence.some(isUnanswered)
  if (results.some(({ result }) => result === "duplicate")) {
    return hasUnanswered
      ? judged("inDoubt", true, "another quantity is billed, or an attempt without a response was")
      : judged("conflicting", true, "another quantity is billed for the hour")
  }
  if (hasUnanswered) {
    return isPast
      ? judged("inDoubt", true, "the deadline has passed, and an attempt had no certain result")
      : judged("sealed", false, "an attempt had no certain result; it is sent again")
  }
  const last = lastVerdict(results)
  if (last !== undefined) {
    const text = last.detail === undefined ? "" : `: ${last.detail}`
    return last.result === "notSubscribed"
      ? judged("notSubscribed", isPast, `the customer is not subscribed${text}`)
      : judged("rejected", isPast, `rejected by the service${text}`)
  }
  return isPast
    ? judged("expired", true, "the deadline has passed before it was accepted")
    : judged("sealed", false, "to be sent")
}

/**
 * The last result that says something about the record itself. A call that was not made, or that was made for others, says nothing
 * about a verdict, whichever of the two was stored first.
 */
const lastVerdict = (results: ReadonlyArray<ResultRow>): ResultRow | undefined => {
  for (let index = results.length - 1; index >= 0; index -= 1) {
    const result = results[index]
    if (result?.result === "notSubscribed" || result?.result === "rejected") return result
  }
  return undefined
}
