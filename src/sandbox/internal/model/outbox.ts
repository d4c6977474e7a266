/** The events that were sent, the deliveries of each, and the events to come, as an immutable value. */
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Utils from "effect/Utils"
import type { MarketplaceEvent } from "../../../lifecycle/MarketplaceEvent.js"
import type { DeliveryFaults, SentEvent } from "../../EventDelivery.js"
import type { EventKind } from "./events.js"

/** Events that are kept. The oldest that is neither held back nor to be delivered is dropped first. */
const maxEvents = 1000

/** Events that are kept although they are held back or to be delivered. The oldest is dropped first. */
export const maxOpenEvents = 5000

/** Deliveries of one event that are kept. The oldest that is not pending is dropped first. */
const maxDeliveries = 100

/** Deliveries of one event that are kept although they are pending. The oldest is dropped first. */
const maxPendingDeliveries = 1000

/** An attempt to deliver an event. Times are epoch milliseconds by the sandbox's clock. */
export interface Attempt {
  readonly at: number
  readonly status?: number | undefined
  readonly error?: string | undefined
}

export interface Delivery {
  /** The place in the order of all deliveries. */
  readonly number: number
  readonly target: string
  readonly state: "pending" | "delivered" | "failed"
  readonly attempts: ReadonlyArray<Attempt>
}

export interface OutboxEvent {
  readonly number: number
  readonly at: number
  readonly agreementId: string
  readonly kind: EventKind
  readonly event: MarketplaceEvent
  readonly fault?: SentEvent["fault"]
  readonly deliveries: ReadonlyArray<Delivery>
}

/** The beginning and the end of an agreement. `Fail` is its end because the buyer cannot pay. */
export type TermKind = "Start" | "End" | "Fail"

/** A step that falls due by the sandbox's clock. */
export interface DueStep {
  readonly number: number
  /** Epoch milliseconds. Absent for an event that waits for the landing of its buyer. */
  readonly at?: number | undefined
  readonly account: string
  readonly agreementId: string
  /** `Send` sends an event that was held back. */
  readonly kind: EventKind | TermKind | "Send"
  /** The number of the event of `Send`. */
  readonly event?: number | undefined
  /** True for an event that is sent as soon as another one was. */
  readonly isReordered?: boolean | undefined
}

/** The subscription of a target for SNS messages. */
export interface Subscription {
  readonly state: "pending" | "confirmed"
  readonly token: string
  readonly attempts: ReadonlyArray<Attempt>
}

export interface Outbox {
  /** The next number of an event, delivery or step. */
  readonly next: number
  /** By time and number, and those without a time at the end. */
  readonly due: ReadonlyArray<DueStep>
  /** The oldest first. */
  readonly events: ReadonlyArray<OutboxEvent>
  /** By target. */
  readonly subscriptions: HashMap.HashMap<string, Subscription>
  readonly faults: DeliveryFaults
  readonly random: Utils.PCGRandomState
  /** Events and deliveries that were dropped before they were sent. */
  readonly lost: number
}

export type OutboxChange =
  | { readonly _tag: "Schedule"; readonly due: ReadonlyArray<DueStep> }
  | { readonly _tag: "Due"; readonly step: DueStep }
  | { readonly _tag: "Done"; readonly number: number }
  | { readonly _tag: "Event"; readonly event: OutboxEvent; readonly random: Utils.PCGRandomState }
  | { readonly _tag: "Delivery"; readonly event: number; readonly delivery: Delivery }
  | {
      readonly _tag: "Subscription"
      readonly target: string
      readonly subscription: Subscription
    }
  | { readonly _tag: "DeliveryFaults"; readonly faults: DeliveryFaults }

export const make = (faults: DeliveryFaults): Outbox => ({
  next: 0,
  due: [],
  events: [],
  subscriptions: HashMap.empty(),
  faults: inMillis(faults),
  random: new Utils.PCGRandom(faults.seed ?? 0).getState(),
  lost: 0
})

/** A state file holds durations in milliseconds. */
const inMillis = ({ delay, ...faults }: DeliveryFaults): DeliveryFaults => ({
  ...faults,
  ...(delay !== undefined && {
    delay: { share: delay.share, duration: Duration.toMillis(delay.duration) }
  })
})

export const apply = (outbox: Outbox, change: OutboxChange): Outbox => {
  switch (change._tag) {
    case "Schedule":
      return { ...outbox, due: change.due, next: nextAfter(outbox, change.due) }
    case "Due":
      return {
        ...outbox,
        due: withStep(outbox.due, change.step),
        next: Math.max(outbox.next, change.step.number + 1)
      }
    case "Done":
      return { ...outbox, due: outbox.due.filter(({ number }) => number !== change.number) }
    case "Event": {
      const { event, random } = change
      return withoutOldEvents({
        ...outbox,
        events: [...outbox.events, event],
        next: nextAfter(outbox, [event, ...event.deliveries]),
        random
      })
    }
    case "Delivery": {
      const { delivery } = change
      let lost = outbox.lost
      const events = outbox.events.map((event) => {
        if (event.number !== change.event) return event
        const deliveries = withDelivery(event.deliveries, delivery)
        lost += deliveries.lost.length
        return { ...event, deliveries: deliveries.kept }
      })
      return withoutOldEvents({
        ...outbox,
        events,
        lost,
        next: Math.max(outbox.next, delivery.number + 1)
      })
    }
    case "Subscription":
      return {
        ...outbox,
        subscriptions: HashMap.set(outbox.subscriptions, change.target, change.subscription)
      }
    case "DeliveryFaults":
      return {
        ...outbox,
        faults: inMillis(change.faults),
        random: new Utils.PCGRandom(change.faults.seed ?? 0).getState()
      }
  }
}

/** Replaces the delivery of the same number, or adds it. */
const withDelivery = (deliveries: ReadonlyArray<Delivery>, delivery: Delivery) => {
  const isSame = ({ number }: Delivery) => number === delivery.number
  return deliveries.some(isSame)
    ? { kept: deliveries.map((one) => (isSame(one) ? delivery : one)), lost: [] }
    : dropOldest([...deliveries, delivery], isPending, maxDeliveries, maxPendingDeliveries)
}

const isPending = ({ state }: Delivery): boolean => state === "pending"

const withoutOldEvents = (outbox: Outbox): Outbox => {
  if (outbox.events.length <= maxEvents) return outbox
  const held = new Set(outbox.due.map(({ event }) => event))
  const { kept, lost } = dropOldest(
    outbox.events,
    ({ deliveries, number }) => held.has(number) || deliveries.some(isPending),
    maxEvents,
    maxOpenEvents
  )
  if (kept.length === outbox.events.length) return outbox
  const lostNumbers = new Set(lost.map(({ number }) => number))
  return {
    ...outbox,
    events: kept,
    due:
      lost.length === 0 ? outbox.due : outbox.due.filter((step) => !isOfEvent(step, lostNumbers)),
    lost: outbox.lost + lost.length
  }
}

const isOfEvent = ({ event }: DueStep, numbers: ReadonlySet<number>): boolean =>
  event !== undefined && numbers.has(event)

/** Drops the oldest values beyond `max` that are not open, and open ones beyond `maxOpen`. Always keeps the newest. */
const dropOldest = <A>(
  values: ReadonlyArray<A>,
  isOpen: (value: A) => boolean,
  max: number,
  maxOpen: number
): { readonly kept: ReadonlyArray<A>; readonly lost: ReadonlyArray<A> } => {
  let surplus = values.length - max
  const kept: Array<A> = []
  values.forEach((value, index) => {
    if (surplus > 0 && index < values.length - 1 && !isOpen(value)) surplus--
    else kept.push(value)
  })
  return { lost: kept.splice(0, kept.length - maxOpen), kept }
}

const nextAfter = ({ next }: Outbox, all: ReadonlyArray<{ readonly number: number }>): number =>
  all.reduce((after, { number }) => Math.max(after, number + 1), next)

/** Inserts a step after those of the same time, which have lower numbers. */
export const withStep = (due: ReadonlyArray<DueStep>, step: DueStep): ReadonlyArray<DueStep> => {
  const timeOf = ({ at = Number.POSITIVE_INFINITY }: DueStep) => at
  const next = due.findIndex((other) => timeOf(other) > timeOf(step))
  const index = next === -1 ? due.length : next
  return [...due.slice(0, index), step, ...due.slice(index)]
}

/** The changes that lead from an initial outbox to this one. */
export function* changesOf(outbox: Outbox, initial: Outbox): Generator<OutboxChange, void> {
  if (outbox.faults !== initial.faults) {
    yield { _tag: "DeliveryFaults", faults: outbox.faults }
  }
  // before the events, of which those that are held back are kept
  yield { _tag: "Schedule", due: outbox.due }
  for (const event of outbox.events) yield { _tag: "Event", event, random: outbox.random }
  for (const [target, subscription] of outbox.subscriptions) {
    yield { _tag: "Subscription", target, subscription }
  }
}
