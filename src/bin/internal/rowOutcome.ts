/** What became of a row: in a word, and why in a sentence. */
import * as DateTime from "effect/DateTime"
import * as Match from "effect/Match"
import type { Violation } from "../../MeteringError.js"
import type * as UsageOutcome from "../../UsageOutcome.js"
import * as json from "../input/json.js"
import type { Row } from "../input/parseRows.js"

export type RowStatus = UsageOutcome.Outcome["_tag"]

export interface RowOutcome {
  readonly status: RowStatus
  /** Why it was not accepted. */
  readonly reason?: string | undefined
  /** The column at fault, from 1, where there is one. */
  readonly column?: number | undefined
  readonly meteringRecordId?: string | undefined
  /** True if other rows have the same reason for the same cause, so that it need not be told of each. */
  readonly isShared?: boolean | undefined
}

/** How statuses are told. */
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

export const fromOutcome = (outcome: UsageOutcome.Outcome, row: Row): RowOutcome =>
  outcome._tag === "Accepted"
    ? { status: "Accepted", meteringRecordId: outcome.meteringRecordId }
    : {
        status: outcome._tag,
        reason: reasonOf(outcome),
        column: outcome._tag === "Invalid" ? columnOf(outcome.violations[0], row) : undefined,
        isShared: isShared(outcome)
      }

/** An error is that of a call, and a product that is not named is one that all rows may lack. */
const isShared = (outcome: UsageOutcome.Outcome): boolean =>
  outcome._tag === "Invalid"
    ? outcome.violations.every(({ rule }) => rule === "productCodeOrLicense")
    : "error" in outcome

export const unreadable = (reason: string): RowOutcome => ({ status: "Invalid", reason })

/** Never handed over: the submission had been stopped. */
export const notSentAfterStop: RowOutcome = {
  status: "NotSent",
  reason: "It was stopped before. Submit it again as it is."
}

const resubmitAdvice = "Submit it again as it is."

const reasonOf = Match.type<Exclude<UsageOutcome.Outcome, UsageOutcome.Accepted>>().pipe(
  Match.tagsExhaustive({
    Duplicate: ({ earlierIndex: sameKeyAs }) =>
      `Another quantity was billed for this customer, dimension and hour${sameKeyAs === undefined ? "" : " (another row of this file has the same)"}; the first one stays.`,
    CustomerNotSubscribed: () => "The customer has no active agreement for the product.",
    Rejected: ({ error }) => error.message,
    Invalid: ({ violations }) => violations.map(formatViolation).join("; "),
    Expired: ({ deadline }) =>
      `It could be reported until ${DateTime.formatIso(deadline)}, and no longer.`,
    NotSent: ({ error, reason }) =>
      reason === "Stopped"
        ? (notSentAfterStop.reason ?? resubmitAdvice)
        : [error?.message, resubmitAdvice].filter((text) => text !== undefined).join(" "),
    Unknown: ({ error }) =>
      [
        "It was sent, and may have been billed; to submit it again as it is is safe, inside of its 24 hours.",
        error?.message
      ]
        .filter((text) => text !== undefined)
        .join(" "),
    UnknownStatus: ({ status }) => `The service says ${status}, which this version does not know.`
  })
)

const noProduct =
  "No product is named. Give --product-code for all rows, or a column productCode or licenseArn."

/** How texts of a file should have been, where the library has another type. */
const expectedInText: { readonly [expected: string]: string } = {
  "a DateTime.Utc": "a time with its zone, such as 2026-11-25T10:00:00Z",
  "a finite number": "a whole number in digits, such as 1000",
  "a list": "a JSON list of allocations"
}

const formatViolation = ({ expected, field, rule, value }: Violation): string => {
  if (rule === "productCodeOrLicense" && field === "licenseArn") return noProduct
  const got = value === undefined ? "" : `, got ${json.formatValue(value)}`
  return `${field}: expected ${expectedInText[expected] ?? expected}${got}`
}

const columnOf = ({ field }: Violation, { sheet }: Row): number | undefined => {
  const [name = ""] = field.split(/[.[]/, 1)
  const names: ReadonlyArray<string> = sheet.format === "csv" ? sheet.columns : []
  const at = names.indexOf(name)
  return at === -1 ? undefined : at + 1
}
