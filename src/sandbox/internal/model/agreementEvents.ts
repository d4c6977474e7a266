/** The events of the beginning, the changes and the end of an agreement. Each function gives the next state. */
import { hour } from "./acceptanceWindow.js"
import { agreementIdOf, type LocatedAgreement } from "./agreement.js"
import { emit, eventOf, outboxChange } from "./emission.js"
import type { EventKind } from "./events.js"
import type { TermKind } from "./outbox.js"
import { change, type State } from "./state.js"
import { agreementTime, announcementKey, isTerm, stepsAhead } from "./terms.js"

/** Schedules the beginning and the end of an agreement, as far as they lie in the future, in place of earlier ones. */
export const scheduleTerms = (state: State, located: LocatedAgreement, now: number): State => {
  const id = agreementIdOf(located)
  const cleared = state.outbox.due
    .filter((step) => isTerm(step) && step.agreementId === id)
    .reduce((next, { number }) => outboxChange(next, { _tag: "Done", number }), state)
  return stepsAhead(located, state.announced, now).reduce(
    (next, step) =>
      outboxChange(next, { _tag: "Due", step: { ...step, number: next.outbox.next } }),
    cleared
  )
}

/** Notes that the beginning or the end of an agreement is announced: its events are sent once. */
const announce = (state: State, located: LocatedAgreement, kind: TermKind): State => {
  const key = announcementKey(agreementIdOf(located), kind)
  return change(state, { _tag: "Announced", key })
}

/** A new agreement. Its events begin when it starts. */
export const created = (state: State, located: LocatedAgreement, now: number): State => {
  const { failedAt, startsAt } = located.agreement
  // the payment is checked before there is an agreement
  if (failedAt !== undefined) {
    return emit(announce(state, located, "Fail"), located, "SubscribeFail", now)
  }
  const next = scheduleTerms(emit(state, located, "AgreementCreated", now), located, now)
  return startsAt !== undefined && startsAt.epochMillis > now ? next : started(next, located, now)
}

export const started = (state: State, located: LocatedAgreement, now: number): State => {
  const next = emit(announce(state, located, "Start"), located, "SubscribeSuccess", now)
  return schedule(
    withEntitlement(next, located, now),
    located,
    "LicenseUpdated",
    now + state.behavior.licenseEventDelay
  )
}

export const amended = (state: State, located: LocatedAgreement, now: number): State => {
  const next = emit(scheduleTerms(state, located, now), located, "AgreementAmended", now)
  return isStarted(state, located, now)
    ? schedule(
        withEntitlement(next, located, now),
        located,
        "LicenseUpdated",
        now + state.behavior.licenseEventDelay
      )
    : next
}

/** The end of an agreement that no other one follows. */
export const ended = (state: State, located: LocatedAgreement, now: number): State => {
  const next = emit(withoutTerms(state, located, "End", now), located, "AgreementEnded", now)
  if (!isStarted(state, located, now)) return next
  const leaving = withEntitlement(emit(next, located, "UnsubscribePending", now), located, now)
  return schedule(deprovision(leaving, located, now), located, "UnsubscribeSuccess", now + hour)
}

/** The end of an agreement that another one renews or replaces: the subscription goes on. */
export const succeeded = (
  state: State,
  old: LocatedAgreement,
  successor: LocatedAgreement,
  now: number
): State => {
  const next = created(withoutTerms(state, old, "End", now), successor, now)
  return deprovision(emit(next, old, "AgreementEnded", now), old, now)
}

export const paymentFailed = (state: State, located: LocatedAgreement, now: number): State =>
  emit(
    emit(withoutTerms(state, located, "Fail", now), located, "SubscribeFail", now),
    located,
    "AgreementEnded",
    now
  )

/** Announces the end of an agreement, after which there is no other. */
const withoutTerms = (
  state: State,
  located: LocatedAgreement,
  kind: "End" | "Fail",
  now: number
): State => scheduleTerms(announce(state, located, kind), located, now)

/** A license is not deprovisioned before the event of its provision. */
const deprovision = (state: State, located: LocatedAgreement, now: number): State => {
  const id = agreementIdOf(located)
  const updates = state.outbox.due.filter(
    ({ agreementId, kind }) => kind === "LicenseUpdated" && agreementId === id
  )
  return schedule(
    state,
    located,
    "LicenseDeprovisioned",
    Math.max(now + state.behavior.deprovisionedEventDelay, ...updates.map(({ at = 0 }) => at))
  )
}

const isStarted = (state: State, located: LocatedAgreement, now: number): boolean => {
  const { startsAt } = located.agreement
  return (
    startsAt === undefined || startsAt.epochMillis <= agreementTime(state.announced, located, now)
  )
}

/** Contracts have entitlements, of which the message says only that they changed. */
const withEntitlement = (state: State, located: LocatedAgreement, now: number): State =>
  located.agreement.entitlements === undefined
    ? state
    : emit(state, located, "EntitlementUpdated", now)

/** Schedules an event, if AWS Marketplace sends one of this kind about the agreement. */
const schedule = (state: State, located: LocatedAgreement, kind: EventKind, at: number): State =>
  eventOf(state, located, kind, at) === undefined
    ? state
    : outboxChange(state, {
        _tag: "Due",
        step: {
          number: state.outbox.next,
          at,
          account: located.customer.customerAWSAccountId,
          agreementId: agreementIdOf(located),
          kind
        }
      })
