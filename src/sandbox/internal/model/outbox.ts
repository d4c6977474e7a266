/** The events that were sent, the deliveries of each, and the events to come, as an immutable value. */
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Utils from "effect/Utils"
import type { MarketplaceEvent } from "../../../lifecycle/MarketplaceEvent.js"
import type { DeliveryFaults, SentEvent } from "../../EventDelivery.js"
import type { DueStep } from "./dueSteps.js"
import * as dueSteps from "./dueSteps.js"
import type { EventKind } from "./events.js"
import { firstIndex } from "./firstIndex.js"

/** The last events, which are kept. An older one is kept while it is held back or to be delivered. */
const maxEvents = 1000

/** All events that are kept. The oldest is dropped first. */
export const maxOpenEvents = 5000

/** The last deliveries of one event, which are kept. An older one is kept while it is pending. */
const maxDeliveries = 100

/** All deliveries of one event that are kept. The oldest is dropped first. */
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

/** The subscription of a target for SNS messages. */
export interface Subscription {
  /** The URL of the target in the scenario. */
  readonly url: string
  readonly state: "pending" | "confirmed"
  readonly token: string
  readonly attempts: ReadonlyArray<Attempt>
}

export interface Outbox {
  /** The next number of an event, delivery or step. */
  readonly next: number
  readonly due: dueSteps.DueSteps
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
  due: dueSteps.empty,
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
      return { ...outbox, due: dueSteps.make(change.due), next: nextAfter(outbox, change.due) }
    case "Due":
      return {
        ...outbox,
        due: dueSteps.add(outbox.due, change.step),
        next: Math.max(outbox.next, change.step.number + 1)
      }
    case "Done":
      return { ...outbox, due: dueSteps.remove(outbox.due, change.number) }
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
      const next = Math.max(outbox.next, delivery.number + 1)
      const index = firstIndex(outbox.events, ({ number }) => number >= change.event)
      const event = outbox.events[index]
      if (event?.number !== change.event) return { ...outbox, next }
      const { kept, lost } = withDelivery(event.deliveries, delivery)
      const events = [...outbox.events]
      events[index] = { ...event, deliveries: kept }
      return withoutOldEvents({
        ...outbox,
        events,
        lost: outbox.lost + lost.length,
        next
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
  const { kept, lost } = dropOldest(
    outbox.events,
    ({ deliveries, fault, number }) =>
      deliveries.some(isPending) ||
      (fault !== undefined && dueSteps.heldStep(outbox.due, number) !== undefined),
    maxEvents,
    maxOpenEvents
  )
  if (kept.length === outbox.events.length) return outbox
  return {
    ...outbox,
    events: kept,
    due: lost.reduce(withoutHeld, outbox.due),
    lost: outbox.lost + lost.length
  }
}

const withoutHeld = (due: dueSteps.DueSteps, { number }: OutboxEvent): dueSteps.DueSteps => {
  const step = dueSteps.heldStep(due, number)
  return step === undefined ? due : dueSteps.remove(due, step.number)
}

/** Drops values before the last `max` that are not open, and then the oldest beyond `maxOpen`. */
const dropOldest = <A>(
  values: ReadonlyArray<A>,
  isOpen: (value: A) => boolean,
  max: number,
  maxOpen: number
): { readonly kept: ReadonlyArray<A>; readonly lost: ReadonlyArray<A> } => {
  const last = values.length - max
  const open = values.filter((value, index) => index >= last || isOpen(value))
  const surplus = Math.max(0, open.length - maxOpen)
  return { lost: open.slice(0, surplus), kept: open.slice(surplus) }
}

const nextAfter = ({ next }: Outbox, all: ReadonlyArray<{ readonly number: number }>): number =>
  all.reduce((after, { number }) => Math.max(after, number + 1), next)

/** The changes that lead from an initial outbox to this one. */
export function* changesOf(outbox: Outbox, initial: Outbox): Generator<OutboxChange, void> {
  if (outbox.faults !== initial.faults) {
    yield { _tag: "DeliveryFaults", faults: outbox.faults }
  }
  // before the events, of which those that are held back are kept
  yield { _tag: "Schedule", due: Array.from(dueSteps.values(outbox.due)) }
  for (const event of outbox.events) yield { _tag: "Event", event, random: outbox.random }
  for (const [target, subscription] of outbox.subscriptions) {
    yield { _tag: "Subscription", target, subscription }
  }
}
