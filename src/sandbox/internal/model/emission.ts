/** Sends events: each function gives the next state. Times are epoch milliseconds by the sandbox's clock. */
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Utils from "effect/Utils"
import type { SentEvent, Target } from "../../EventDelivery.js"
import { hour } from "./acceptanceWindow.js"
import { agreementIdOf, agreementsOf, type LocatedAgreement } from "./agreement.js"
import { findProduct } from "./catalog.js"
import { channels, type EventKind, makeEvent } from "./events.js"
import type { DueStep, OutboxChange, OutboxEvent, TermKind } from "./outbox.js"
import { change, type State } from "./state.js"
import { termSteps } from "./terms.js"

/** The seller's account in events where the scenario has none. */
export const defaultSellerAccount = "999988887777"

/** A reordered event is sent at the latest after this time, in milliseconds. */
const reorderLimit = 60_000

/** True if a target receives events of this channel. */
export const receives = (target: Target, channel: SentEvent["channel"]): boolean =>
  channel ===
  (target.type === "sns" ||
  (target.type === "sqs" && (target.envelope ?? "eventBridge") !== "eventBridge")
    ? "sns"
    : "eventBridge")

/** Schedules the beginning and the end of an agreement, as far as they lie in the future, in place of earlier ones. */
export const scheduleTerms = (state: State, located: LocatedAgreement, now: number): State => {
  const kinds: ReadonlyArray<DueStep["kind"]> = ["Start", "End", "Fail"]
  const cleared = state.outbox.due
    .filter((step) => kinds.includes(step.kind) && isOf(step, located))
    .reduce((next, { number }) => outboxChange(next, { _tag: "Done", number }), state)
  return termSteps(located, now).reduce(
    (next, { at, kind }) => schedule(next, located, kind, at),
    cleared
  )
}

/** A new agreement. Its events begin when it starts. */
export const created = (state: State, located: LocatedAgreement, now: number): State => {
  const { failedAt, startsAt } = located.agreement
  // the payment is checked before there is an agreement
  if (failedAt !== undefined) return emit(state, located, "SubscribeFail", now)
  const announced = scheduleTerms(emit(state, located, "AgreementCreated", now), located, now)
  return startsAt !== undefined && startsAt.epochMillis > now
    ? announced
    : started(announced, located, now)
}

const started = (state: State, located: LocatedAgreement, now: number): State =>
  schedule(
    withEntitlement(emit(state, located, "SubscribeSuccess", now), located, now),
    located,
    "LicenseUpdated",
    now + state.behavior.licenseEventDelay
  )

export const amended = (state: State, located: LocatedAgreement, now: number): State => {
  const next = emit(scheduleTerms(state, located, now), located, "AgreementAmended", now)
  return isStarted(located, now)
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
  const next = emit(scheduleTerms(state, located, now), located, "AgreementEnded", now)
  if (!isStarted(located, now)) return next
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
  const next = created(scheduleTerms(state, old, now), successor, now)
  return deprovision(emit(next, old, "AgreementEnded", now), old, now)
}

export const paymentFailed = (state: State, located: LocatedAgreement, now: number): State =>
  emit(
    emit(scheduleTerms(state, located, now), located, "SubscribeFail", now),
    located,
    "AgreementEnded",
    now
  )

/** A license is not deprovisioned before the event of its provision. */
const deprovision = (state: State, located: LocatedAgreement, now: number): State => {
  const updates = state.outbox.due.filter(
    (step) => step.kind === "LicenseUpdated" && isOf(step, located)
  )
  return schedule(
    state,
    located,
    "LicenseDeprovisioned",
    Math.max(now + state.behavior.deprovisionedEventDelay, ...updates.map(({ at = 0 }) => at))
  )
}

const isStarted = ({ agreement: { startsAt } }: LocatedAgreement, now: number) =>
  startsAt === undefined || startsAt.epochMillis <= now

const isOf = (step: DueStep, { customer, index }: LocatedAgreement) =>
  step.account === customer.customerAWSAccountId && step.index === index

/** Contracts have entitlements, of which the message says only that they changed. */
const withEntitlement = (state: State, located: LocatedAgreement, now: number): State =>
  located.agreement.entitlements === undefined
    ? state
    : emit(state, located, "EntitlementUpdated", now)

const outboxChange = (state: State, one: OutboxChange): State =>
  change(state, { _tag: "Outbox", change: one })

/** Schedules an event, if AWS Marketplace sends one of this kind about the agreement. */
const schedule = (
  state: State,
  located: LocatedAgreement,
  kind: EventKind | TermKind,
  at: number
): State => {
  if (kind in channels && eventOf(state, located, kind as EventKind, at) === undefined) return state
  return outboxChange(state, {
    _tag: "Due",
    step: {
      number: state.outbox.next,
      at,
      account: located.customer.customerAWSAccountId,
      index: located.index,
      kind
    }
  })
}

const eventOf = (state: State, located: LocatedAgreement, kind: EventKind, at: number) => {
  const product = findProduct(state.catalog, located.agreement.productCode)
  return (
    product &&
    makeEvent(kind, {
      seller: state.origin.scenario.sellerAccount ?? defaultSellerAccount,
      product,
      located,
      at,
      number: state.outbox.next
    })
  )
}

/** Records an event, and sends it, or holds it back by the faults of delivery. */
export const emit = (
  state: State,
  located: LocatedAgreement,
  kind: EventKind,
  at: number
): State => {
  const event = eventOf(state, located, kind, at)
  if (event === undefined) return state
  const agreementId = agreementIdOf(located)
  const [fault, random] = drawFault(state, located)
  const number = state.outbox.next
  const recorded: OutboxEvent = {
    number,
    at,
    agreementId,
    kind,
    event,
    ...(fault !== undefined && { fault }),
    deliveries: []
  }
  const next = outboxChange(state, { _tag: "Event", event: recorded, random })
  const hold = (time: number | undefined, isReordered = false) =>
    outboxChange(next, {
      _tag: "Due",
      step: {
        number: next.outbox.next,
        ...(time !== undefined && { at: time }),
        account: located.customer.customerAWSAccountId,
        index: located.index,
        kind: "Send",
        event: number,
        ...(isReordered && { isReordered })
      }
    })
  switch (fault) {
    case "afterLanding":
      return hold(undefined)
    case "drop":
      return next
    case "delay":
      return hold(at + Duration.toMillis(state.outbox.faults.delay?.duration ?? 0))
    case "reorder":
      return hold(at + reorderLimit, true)
    case "duplicate":
      return afterSending(publish(publish(next, recorded), recorded), at)
    case undefined:
      return afterSending(publish(next, recorded), at)
  }
}

/** True if the buyer came to the seller's page for an agreement, or for one that it renews or replaces. */
const hasLanded = (landed: State["landed"], { agreement, customer, index }: LocatedAgreement) => {
  const all = agreementsOf(customer)
  let current: LocatedAgreement | undefined = { agreement, customer, index }
  while (current !== undefined && !HashSet.has(landed, agreementIdOf(current))) {
    const { agreement, index }: LocatedAgreement = current
    current = all
      .slice(0, index)
      .find((previous) => agreementIdOf(previous) === agreement.previousAgreementId)
  }
  return current !== undefined
}

const drawFault = (
  { landed, outbox }: State,
  located: LocatedAgreement
): readonly [SentEvent["fault"], Utils.PCGRandomState] => {
  const { afterLanding, delay, drop = 0, duplicate = 0, reorder = 0 } = outbox.faults
  if (afterLanding === true && !hasLanded(landed, located)) {
    return ["afterLanding", outbox.random]
  }
  const random = new Utils.PCGRandom(0)
  random.setState(outbox.random)
  const shares = { drop, duplicate, delay: delay?.share ?? 0, reorder }
  const draw = random.number()
  let from = 0
  for (const [fault, share] of Object.entries(shares)) {
    from += share
    // the keys are faults
    if (draw < from) return [fault as SentEvent["fault"], random.getState()]
  }
  return [undefined, random.getState()]
}

/** Sends the events that wait for another one. */
const afterSending = (state: State, now: number): State =>
  state.outbox.due
    .filter(({ isReordered }) => isReordered === true)
    .reduce((next, step) => fire(next, step, now), state)

/** Creates a delivery to each target of the event's kind. */
const publish = (state: State, event: OutboxEvent): State =>
  targetsOf(state)
    .filter((target) => receives(target, channels[event.kind]))
    .reduce<State>((next, { name }) => deliver(next, event.number, name), {
      ...state,
      unpublished: [...state.unpublished, event.event]
    })

export const targetsOf = (state: State): ReadonlyArray<Target> =>
  state.origin.scenario.targets ?? []

const deliver = (state: State, event: number, target: string): State =>
  outboxChange(state, {
    _tag: "Delivery",
    event,
    delivery: { number: state.outbox.next, target, state: "pending", attempts: [] }
  })

/** Sends an event again, to one target or to all of its kind. */
export const resend = (state: State, event: OutboxEvent, target: Target | undefined): State =>
  target === undefined ? publish(state, event) : deliver(state, event.number, target.name)

/** Sends the events that wait for the landing of an agreement. */
export const land = (state: State, agreementId: string, now: number): State => {
  const landed = change(state, { _tag: "Landed", agreementId })
  return landed.outbox.due
    .filter((step) => {
      const located = step.at === undefined ? locate(landed, step) : undefined
      return located !== undefined && hasLanded(landed.landed, located)
    })
    .reduce((next, step) => fire(next, step, now), landed)
}

const eventNumbered = (state: State, number: number | undefined) =>
  state.outbox.events.find((event) => event.number === number)

/** Takes all steps that are due, in their order. */
export const settle = (state: State, now: number): State => {
  let next = releaseHeld(state, now)
  for (let [step] = next.outbox.due; isDue(step, now); [step] = next.outbox.due) {
    next = fire(next, step, step.at)
  }
  return next
}

/** Sends the events that waited for a landing before `afterLanding` was turned off. */
const releaseHeld = (state: State, now: number): State =>
  state.outbox.faults.afterLanding === true || state.outbox.due.at(-1)?.at !== undefined
    ? state
    : state.outbox.due
        .filter(({ at }) => at === undefined)
        .reduce((next, step) => fire(next, step, now), state)

const isDue = (step: DueStep | undefined, now: number): step is DueStep & { readonly at: number } =>
  step?.at !== undefined && step.at <= now

/** Takes a step at a time. */
const fire = (state: State, step: DueStep, at: number): State => {
  const next = outboxChange(state, { _tag: "Done", number: step.number })
  if (step.kind === "Send") {
    const event = eventNumbered(next, step.event)
    if (event === undefined) return next
    return step.isReordered === true ? publish(next, event) : afterSending(publish(next, event), at)
  }
  const located = locate(next, step)
  if (located === undefined) return next
  switch (step.kind) {
    case "Start":
      return started(next, located, at)
    case "End":
      return ended(next, located, at)
    case "Fail":
      return paymentFailed(next, located, at)
    default:
      return emit(next, located, step.kind, at)
  }
}

/** The agreement of a step. */
export const locate = (state: State, { account, index }: DueStep): LocatedAgreement | undefined => {
  const customer = Option.getOrUndefined(HashMap.get(state.catalog.customers, account))
  const agreement = customer?.agreements[index]
  return customer && agreement && { customer, index, agreement }
}
