/** Sends and schedules the events about the start, the changes and the end of an agreement. */
import * as DateTime from "effect/DateTime"
import { millisPerHour } from "./acceptanceWindow.js"
import { agreementIdOf, agreementsWith, type LocatedAgreement } from "./agreement.js"
import { findCustomer } from "./catalog.js"
import { emit, eventOf, outboxChange } from "./emission.js"
import type { EventKind } from "./events.js"
import { agreementTime, announcementKey, endOf, isMilestone, stepsAhead } from "./milestones.js"
import type { NoticeKind } from "./notices.js"
import { type MilestoneKind, ofAgreement } from "./scheduledSteps.js"
import { change, type State } from "./state.js"

/** Schedules the future start, notices and end of an agreement. Replaces those that were scheduled before. */
export const scheduleMilestones = (state: State, located: LocatedAgreement, now: number): State => {
  const id = agreementIdOf(located)
  const cleared = ofAgreement(state.outbox.scheduled, id)
    .filter(isMilestone)
    .reduce((next, { number }) => outboxChange(next, { _tag: "Done", number }), state)
  return stepsAhead(located, state.announced, now).reduce(
    (next, step) =>
      outboxChange(next, { _tag: "Due", step: { ...step, number: next.outbox.next } }),
    cleared
  )
}

/** Marks a milestone of an agreement as announced, so that its events are sent only once. */
const announce = (
  state: State,
  located: LocatedAgreement,
  kind: MilestoneKind | NoticeKind,
  at: number
): State => {
  const key = announcementKey(agreementIdOf(located), kind, at)
  return change(state, { _tag: "Announced", key })
}

/** Sends a notice before the end of an agreement. */
export const notified = (
  state: State,
  located: LocatedAgreement,
  kind: NoticeKind,
  now: number
): State => emit(announce(state, located, kind, now), located, kind, now)

/** Sends the events of a new agreement. If the agreement starts later, the events of its start are scheduled. */
export const created = (state: State, located: LocatedAgreement, now: number): State => {
  const { failedAt, startsAt } = located.agreement
  // sends no AgreementCreated, because AWS Marketplace checks the payment before it creates the agreement
  if (failedAt !== undefined) {
    return emit(announceEnd(state, located, now), located, "SubscribeFail", now)
  }
  const next = scheduleMilestones(emit(state, located, "AgreementCreated", now), located, now)
  return startsAt !== undefined && startsAt.epochMillis > now ? next : started(next, located, now)
}

export const started = (state: State, located: LocatedAgreement, now: number): State => {
  const { startsAt } = located.agreement
  const announced = announce(state, located, "Start", startsAt?.epochMillis ?? now)
  return provision(emit(announced, located, "SubscribeSuccess", now), located, now)
}

export const amended = (state: State, located: LocatedAgreement, now: number): State => {
  const next = emit(scheduleMilestones(state, located, now), located, "AgreementAmended", now)
  return isStarted(state, located, now) ? provision(next, located, now) : next
}

/** Sends the event of the entitlements, and schedules the event of the license after `licenseEventDelay`. */
const provision = (state: State, located: LocatedAgreement, now: number): State =>
  schedule(
    emitEntitlementUpdated(state, located, now),
    located,
    "LicenseUpdated",
    now + state.behavior.licenseEventDelay
  )

/** Sends and schedules the events of the end of an agreement that is not renewed or replaced. */
export const ended = (state: State, located: LocatedAgreement, now: number): State => {
  const next = emit(announceEnd(state, located, now), located, "AgreementEnded", now)
  if (!isStarted(state, located, now)) return next
  const leaving = emitEntitlementUpdated(
    emit(next, located, "UnsubscribePending", now),
    located,
    now
  )
  const [deprovisioned, finalHour] = deprovision(leaving, located, now)
  return schedule(deprovisioned, located, "UnsubscribeSuccess", finalHour + millisPerHour)
}

/** Sends the events of an agreement that is renewed or replaced. Sends no Unsubscribe messages, because the subscription continues. */
export const succeeded = (
  state: State,
  old: LocatedAgreement,
  successor: LocatedAgreement,
  now: number
): State => {
  const next = created(announceEnd(state, old, now), successor, now)
  const [deprovisioned] = deprovision(emit(next, old, "AgreementEnded", now), old, now)
  return deprovisioned
}

export const paymentFailed = (state: State, located: LocatedAgreement, now: number): State =>
  emit(
    emit(announceEnd(state, located, now), located, "SubscribeFail", now),
    located,
    "AgreementEnded",
    now
  )

/** Marks the end of an agreement as announced, and removes its scheduled start, notices and end. */
const announceEnd = (state: State, located: LocatedAgreement, now: number): State =>
  scheduleMilestones(announce(state, located, "End", endOf(located.agreement)), located, now)

/** Schedules `LicenseDeprovisioned`, not before a scheduled `LicenseUpdated`. Returns also the start of the last hour of usage. */
const deprovision = (
  state: State,
  located: LocatedAgreement,
  now: number
): readonly [State, finalHour: number] => {
  const updates = ofAgreement(state.outbox.scheduled, agreementIdOf(located)).filter(
    ({ kind }) => kind === "LicenseUpdated"
  )
  const { deprovisionedEventDelay, finalHourStartsAt } = state.behavior
  const at = Math.max(now + deprovisionedEventDelay, ...updates.map(({ at = 0 }) => at))
  const next = schedule(state, located, "LicenseDeprovisioned", at)
  return finalHourStartsAt === "ended" || next === state
    ? [next, now]
    : [withDeprovisionedAt(next, located, at), at]
}

const withDeprovisionedAt = (state: State, located: LocatedAgreement, at: number): State => {
  const { customerAWSAccountId } = located.customer
  // uses the current customer, because its other agreements may have changed since `located` was read
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

/** Sends `EntitlementUpdated` if the agreement has entitlements. The message does not contain the entitlements. */
const emitEntitlementUpdated = (state: State, located: LocatedAgreement, now: number): State =>
  located.agreement.entitlements === undefined
    ? state
    : emit(state, located, "EntitlementUpdated", now)

/** Schedules an event, if AWS Marketplace sends an event of this kind about the agreement. */
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
