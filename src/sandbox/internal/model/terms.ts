/** The steps that fall due at the beginning and the end of agreements. */
import type { Customer } from "../scenario/models.js"
import { agreementsOf, type LocatedAgreement } from "./agreement.js"
import type { DueStep } from "./outbox.js"

/** Those of one agreement that lie in the future. */
export const termSteps = ({ agreement, customer, index }: LocatedAgreement, now: number) =>
  (
    [
      ["Start", agreement.startsAt],
      ["End", agreement.cancelledAt],
      ["End", agreement.endsAt]
    ] as const
  ).flatMap(([kind, time]) =>
    time !== undefined && time.epochMillis > now
      ? [{ kind, at: time.epochMillis, account: customer.customerAWSAccountId, index }]
      : []
  )

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
