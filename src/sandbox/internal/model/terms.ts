/** The steps that fall due at the beginning and the end of agreements. */
import type { Agreement, Customer } from "../scenario/models.js"
import { agreementsOf, type LocatedAgreement } from "./agreement.js"
import type { DueStep, TermKind } from "./outbox.js"

type Term = readonly [kind: TermKind, at: number]

/** Those of one agreement that lie in the future: it ends once, and does not start after its end. */
export const termSteps = ({ agreement, customer, index }: LocatedAgreement, now: number) =>
  termsOf(agreement)
    .filter(([, at]) => at > now)
    .map(([kind, at]) => ({ kind, at, account: customer.customerAWSAccountId, index }))

const termsOf = ({ cancelledAt, endsAt, failedAt, startsAt }: Agreement): ReadonlyArray<Term> => {
  const at = (time: Agreement["endsAt"]) => time?.epochMillis ?? Number.POSITIVE_INFINITY
  const endedAt = Math.min(at(cancelledAt), at(endsAt))
  const end: Term = at(failedAt) <= endedAt ? ["Fail", at(failedAt)] : ["End", endedAt]
  const terms: ReadonlyArray<Term> =
    startsAt !== undefined && at(startsAt) <= end[1] ? [["Start", at(startsAt)], end] : [end]
  return terms.filter(([, time]) => Number.isFinite(time))
}

/** Those of all agreements, in their order. */
export const termStepsOf = (
  customers: ReadonlyArray<Customer>,
  now: number
): ReadonlyArray<DueStep> =>
  customers
    .flatMap(agreementsOf)
    .flatMap((located) => termSteps(located, now))
    .sort((left, right) => left.at - right.at)
    .map((step, number) => ({ ...step, number }))
