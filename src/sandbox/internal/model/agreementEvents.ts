/** The events of the beginning, the changes and the end of an agreement. Each function gives the next state. */
import * as DateTime from "effect/DateTime"
import { millisPerHour } from "./acceptanceWindow.js"
import { agreementIdOf, agreementsWith, type LocatedAgreement } from "./agreement.js"
import { findCustomer } from "./catalog.js"
import { ofAgreement, type TermKind } from "./dueSteps.js"
import { emit, eventOf, outboxChange } from "./emission.js"
import type { EventKind } from "./events.js"
import type { NoticeKind } from "./notices.js"
import { change, type State } from "./state.js"
import { agreementTime, announcementKey, endOf, isTerm, stepsAhead } from "./terms.js"

/** Schedules the beginning, the notices and the end of an agreement, as far as they lie in the future, in place of earlier ones. */
export const scheduleTerms = (state: State, located: LocatedAgreement, now: number): State => {
  const id = agreementIdOf(located)
  const cleared = ofAgreement(state.outbox.due, id)
    .filter(isTerm)
    .reduce((next, { number }) => outboxChange(next, { _tag: "Done", number }), state)
  return stepsAhead(located, state.announced, now).reduce(
    (next, step) =>
      outboxChange(next, { _tag: "Due", step: { ...step, number: next.outbox.next } }),
    cleared
  )
}

/** Notes that a term of an agreement is announced: its events are sent once. */
const announce = (
  state: State,
  located: LocatedAgreement,
  kind: TermKind | NoticeKind,
  at: number
): State => {
  const key = announcementKey(agreementIdOf(located), kind, at)
  return change(state, { _tag: "Announced", key })
}

/** A notice before an end. */
export const noticed = (
  state: State,
  located: LocatedAgreement,
  kind: NoticeKind,
  now: number
): State => emit(announce(state, located, kind, now), located, kind, now)

/** A new agreement. Its events begin when it starts. */
export const created = (state: State, located: LocatedAgreement, now: number): State => {
  const { failedAt, startsAt } = located.agreement
  // the payment is checked before there is an agreement
  if (failedAt !== undefined) {
    return emit(withoutTerms(state, located, now), located, "SubscribeFail", now)
  }
  const next = scheduleTerms(emit(state, located, "AgreementCreated", now), located, now)
  return startsAt !== undefined && startsAt.epochMillis > now ? next : started(next, located, now)
}

export const started = (state: State, located: LocatedAgreement, now: number): State => {
  const { startsAt } = located.agreement
  const announced = announce(state, located, "Start", startsAt?.epochMillis ?? now)
  return provision(emit(announced, located, "SubscribeSuccess", now), located, now)
}

export const amended = (state: State, located: LocatedAgreement, now: number): State => {
  const next = emit(scheduleTerms(state, located, now), located, "AgreementAmended", now)
  return isStarted(state, located, now) ? provision(next, located, now) : next
}

/** The events of what an agreement gives: its entitlements, and its license after a while. */
const provision = (state: State, located: LocatedAgreement, now: number): State =>
  schedule(
    withEntitlement(state, located, now),
    located,
    "LicenseUpdated",
    now + state.behavior.licenseEventDelay
  )

/** The end of an agreement that no other one follows. */
export const ended = (state: State, located: LocatedAgreement, now: number): State => {
  const next = emit(withoutTerms(state, located, now), located, "AgreementEnded", now)
  if (!isStarted(state, located, now)) return next
  const leaving = withEntitlement(emit(next, located, "UnsubscribePending", now), located, now)
  const [deprovisioned, finalHour] = deprovision(leaving, located, now)
  return schedule(deprovisioned, located, "UnsubscribeSuccess", finalHour + millisPerHour)
}

/** The end of an agreement that another one renews or replaces: the subscription goes on. */
export const succeeded = (
  state: State,
  old: LocatedAgreement,
  successor: LocatedAgreement,
  now: number
): State => {
  const next = created(withoutTerms(state, old, now), successor, now)
  const [deprovisioned] = deprovision(emit(next, old, "AgreementEnded", now), old, now)
  return deprovisioned
}

export const paymentFailed = (state: State, located: LocatedAgreement, now: number): State =>
  emit(
    emit(withoutTerms(state, located, now), located, "SubscribeFail", now),
    located,
    "AgreementEnded",
    now
  )

/** Announces the end of an agreement, after which there is no other. */
const withoutTerms = (state: State, located: LocatedAgreement, now: number): State =>
  scheduleTerms(announce(state, located, "End", endOf(located.agreement)), located, now)

/** Schedules the deprovision of a license, not before the event of its provision. Gives the start of the last hour. */
const deprovision = (
  state: State,
  located: LocatedAgreement,
  now: number
): readonly [State, finalHour: number] => {
  const updates = ofAgreement(state.outbox.due, agreementIdOf(located)).filter(
    ({ kind }) => kind === "LicenseUpdated"
  )
  const { deprovisionedEventDelay, finalHourStartsAt } = state.behavior
  const at = Math.max(now + deprovisionedEventDelay, ...updates.map(({ at = 0 }) => at))
  const next = schedule(state, located, "LicenseDeprovisioned", at)
  return finalHourStartsAt === "ended" || next === state
    ? [next, now]
    : [withDeprovision(next, located, at), at]
}

const withDeprovision = (state: State, located: LocatedAgreement, at: number): State => {
  const { customerAWSAccountId } = located.customer
  // other agreements of the customer may have changed since
  const customer = findCustomer(state.catalog, { customerAWSAccountId }) ?? located.customer
  const { index } = located
  const current = customer.agreements[index] ?? located.agreement
  const agreement = { ...current, deprovisionedAt: DateTime.unsafeMake(at) }
  return change(state, {
    _tag: "Customer",
    customer: { ...customer, agreements: agreementsWith({ customer, index, agreement }) }
  })
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
