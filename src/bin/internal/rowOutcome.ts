/** The outcome of a row: a status, and the reason in a sentence. */
import * as DateTime from "effect/DateTime"
import * as Match from "effect/Match"
import type { Violation } from "../../MeteringError.js"
import type * as UsageOutcome from "../../UsageOutcome.js"
import * as json from "../input/json.js"
import { expectedTime } from "../input/time.js"
import type { UsageRow } from "../input/usageRows.js"

export type RowStatus = UsageOutcome.Outcome["_tag"]

export interface RowOutcome {
  readonly status: RowStatus
  /** Absent if the row was accepted. */
  readonly reason?: string | undefined
  /** The invalid column, from 1, if known. */
  readonly column?: number | undefined
  readonly meteringRecordId?: string | undefined
  /** True if all rows with this reason are reported in one line. */
  readonly isGrouped?: boolean | undefined
}

/** Labels of statuses in the output for people. */
export const statusLabels: { readonly [S in RowStatus]: string } = {
  Accepted: "accepted",
  Duplicate: "duplicate",
  CustomerNotSubscribed: "not subscribed",
  Rejected: "rejected",
  Invalid: "invalid",
  Expired: "expired",
  NotSent: "not sent",
  Unknown: "unknown",
  UnknownStatus: "unknown status"
}

export const fromOutcome = (outcome: UsageOutcome.Outcome, row: UsageRow): RowOutcome =>
  outcome._tag === "Accepted"
    ? { status: "Accepted", meteringRecordId: outcome.meteringRecordId }
    : {
        status: outcome._tag,
        reason: reasonOf(outcome),
        column: outcome._tag === "Invalid" ? columnOf(outcome.violations[0], row) : undefined,
        isGrouped: isGrouped(outcome)
      }

/** Returns true for the error of a call, which all its rows share, and for a missing product, which all rows may share. */
const isGrouped = (outcome: UsageOutcome.Outcome): boolean =>
  outcome._tag === "Invalid"
    ? outcome.violations.every(({ rule }) => rule === "productCodeOrLicense")
    : "error" in outcome

export const unreadable = (reason: string): RowOutcome => ({ status: "Invalid", reason })

/** The outcome of rows after a stop. */
export const notSentAfterStop: RowOutcome = {
  status: "NotSent",
  reason: "The submission was stopped before. Submit it again unchanged."
}

const resubmitAdvice = "Submit it again unchanged."

const joinSentences = (...texts: ReadonlyArray<string | undefined>) =>
  texts.filter((text) => text !== undefined).join(" ")

const reasonOf = Match.type<Exclude<UsageOutcome.Outcome, UsageOutcome.Accepted>>().pipe(
  Match.tagsExhaustive({
    Duplicate: ({ earlierIndex }) =>
      `Another quantity was billed for this customer, dimension and hour${earlierIndex === undefined ? "" : " (another row of this file has the same)"}, and cannot be changed.`,
    CustomerNotSubscribed: () => "The customer has no active agreement for the product.",
    Rejected: ({ error }) => error.message,
    Invalid: ({ violations }) => violations.map(formatViolation).join("; "),
    Expired: ({ deadline }) =>
      `It is too late: usage of this time could be reported until ${DateTime.formatIso(deadline)}.`,
    NotSent: ({ error, reason }) =>
      reason === "Stopped"
        ? (notSentAfterStop.reason ?? resubmitAdvice)
        : joinSentences(error?.message, resubmitAdvice),
    Unknown: ({ error }) =>
      joinSentences(
        "It was sent and may have been billed. It is safe to submit it again unchanged within its 24 hours.",
        error?.message
      ),
    UnknownStatus: ({ status }) =>
      `The service returned the status ${status}, which this version does not know.`
  })
)

const noProduct =
  "The product is missing. Give --product-code for all rows, or add a column productCode or licenseArn."

/** Descriptions of expected values in terms of a file, by the library's description. */
const expectedInText: { readonly [expected: string]: string } = {
  "a DateTime.Utc": expectedTime,
  "a finite number": "a whole number in digits, such as 1000",
  "a list": "a JSON list of allocations"
}

const formatViolation = ({ expected, field, rule, value }: Violation): string => {
  if (rule === "productCodeOrLicense" && field === "licenseArn") return noProduct
  const got = value === undefined ? "" : `, got ${json.formatValue(value)}`
  return `${field}: expected ${expectedInText[expected] ?? expected}${got}`
}

const columnOf = ({ field }: Violation, { sheet }: UsageRow): number | undefined => {
  const [name = ""] = field.split(/[.[]/, 1)
  const names: ReadonlyArray<string> = sheet.format === "csv" ? sheet.columns : []
  const at = names.indexOf(name)
  return at === -1 ? undefined : at + 1
}
