/** Records and sends events. Times are epoch milliseconds by the sandbox's clock. */
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as HashSet from "effect/HashSet"
import * as Utils from "effect/Utils"
import type { SentEvent, Target } from "../../EventDelivery.js"
import { agreementIdOf, agreementsOf, type LocatedAgreement } from "./agreement.js"
import { findProduct } from "./catalog.js"
import { channels, type EventKind, makeEvent } from "./events.js"
import type { OutboxChange, OutboxEvent } from "./outbox.js"
import { heldSteps, type ScheduledStep } from "./scheduledSteps.js"
import { change, type State } from "./state.js"

/** The default of `sellerAccount` in the scenario. */
export const defaultSellerAccount = "999988887777"

/** Maximum time that a reordered event waits for the next event, in milliseconds. */
const reorderLimit = 60_000

/** Returns true if a target receives events of this channel. */
export const receives = (target: Target, channel: SentEvent["channel"]): boolean =>
  channel ===
  (target.type === "sns" ||
  (target.type === "sqs" && (target.envelope ?? "eventBridge") !== "eventBridge")
    ? "sns"
    : "eventBridge")

export const outboxChange = (state: State, one: OutboxChange): State =>
  change(state, { _tag: "Outbox", change: one })

/** Makes an event. Returns `undefined` if AWS Marketplace sends no event of this kind about the agreement. */
export const eventOf = (state: State, located: LocatedAgreement, kind: EventKind, at: number) => {
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

/** Records an event, and sends it unless a fault of delivery drops it or holds it back. */
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
        agreementId,
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
      return afterSending(publish(publish(next, recorded), recorded))
    case undefined:
      return afterSending(publish(next, recorded))
  }
}

/** Returns true if ResolveCustomer has resolved a token of the agreement, or of an agreement that it renews or replaces. */
export const hasLanded = (
  landed: State["landed"],
  { agreement, customer, index }: LocatedAgreement
) => {
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
    // the cast is safe, because the keys of `shares` are faults
    if (draw < from) return [fault as SentEvent["fault"], random.getState()]
  }
  return [undefined, random.getState()]
}

/** Sends the reordered events that wait for the next event. */
const afterSending = (state: State): State =>
  heldSteps(state.outbox.scheduled, ({ isReordered }) => isReordered === true).reduce(
    sendHeld,
    state
  )

/** Sends the held-back event of a step. */
export const sendHeld = (state: State, step: ScheduledStep): State => {
  const next = outboxChange(state, { _tag: "Done", number: step.number })
  const event = next.outbox.events.find(({ number }) => number === step.event)
  if (event === undefined) return next
  return step.isReordered === true ? publish(next, event) : afterSending(publish(next, event))
}

/** Adds a delivery to each target that receives the event's channel. */
const publish = (state: State, event: OutboxEvent): State =>
  targetsOf(state)
    .filter((target) => receives(target, channels[event.kind]))
    .reduce<State>((next, { name }) => deliver(next, event.number, name), {
      ...state,
      unpublished: Chunk.append(state.unpublished, event.event)
    })

export const targetsOf = (state: State): ReadonlyArray<Target> =>
  state.origin.scenario.targets ?? []

const deliver = (state: State, event: number, target: string): State =>
  outboxChange(state, {
    _tag: "Delivery",
    event,
    delivery: { number: state.outbox.next, target, state: "pending", attempts: [] }
  })

/** Sends an event again, to one target or to all targets that receive its channel. */
export const resend = (state: State, event: OutboxEvent, target: Target | undefined): State =>
  target === undefined ? publish(state, event) : deliver(state, event.number, target.name)
