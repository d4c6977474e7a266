/** The recorded events with their deliveries, and the scheduled steps, as an immutable value. */
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Utils from "effect/Utils"
import type { MarketplaceEvent } from "../../../lifecycle/MarketplaceEvent.js"
import type { DeliveryFaults, SentEvent } from "../../EventDelivery.js"
import type { EventKind } from "./events.js"
import { firstIndex } from "./firstIndex.js"
import type { ScheduledStep } from "./scheduledSteps.js"
import * as scheduledSteps from "./scheduledSteps.js"

/** Number of the last events to keep. Older events are kept only while they are held back or have a pending delivery. */
const maxEvents = 1000

/** Maximum number of events in all. The oldest event is dropped first. */
export const maxOpenEvents = 5000

/** Number of the last deliveries to keep of each event. Older deliveries are kept only while they are pending. */
const maxDeliveries = 100

/** Maximum number of deliveries of each event. The oldest delivery is dropped first. */
const maxPendingDeliveries = 1000

/** An attempt to deliver an event. Times are epoch milliseconds by the sandbox's clock. */
export interface Attempt {
  readonly at: number
  readonly status?: number | undefined
  readonly error?: string | undefined
}

export interface Delivery {
  /** The order among all deliveries. */
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

/** The SNS subscription of a target. */
export interface Subscription {
  /** The URL of the target in the scenario. */
  readonly url: string
  readonly state: "pending" | "confirmed"
  readonly token: string
  readonly attempts: ReadonlyArray<Attempt>
}

export interface Outbox {
  /** The number of the next event, delivery or step. */
  readonly next: number
  readonly scheduled: scheduledSteps.ScheduledSteps
  /** Sorted by number, the oldest first. */
  readonly events: ReadonlyArray<OutboxEvent>
  /** By the name of the target. */
  readonly subscriptions: HashMap.HashMap<string, Subscription>
  readonly faults: DeliveryFaults
  readonly random: Utils.PCGRandomState
  /** Number of events and deliveries that were dropped before they were sent. */
  readonly lost: number
}

/** A change as it is written to the state file: `Due` schedules a step, and `Done` removes it. */
export type OutboxChange =
  | { readonly _tag: "Schedule"; readonly due: ReadonlyArray<ScheduledStep> }
  | { readonly _tag: "Due"; readonly step: ScheduledStep }
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
  scheduled: scheduledSteps.empty,
  events: [],
  subscriptions: HashMap.empty(),
  faults: inMillis(faults),
  random: new Utils.PCGRandom(faults.seed ?? 0).getState(),
  lost: 0
})

/** Converts durations to milliseconds, as the state file stores them. */
const inMillis = ({ delay, ...faults }: DeliveryFaults): DeliveryFaults => ({
  ...faults,
  ...(delay !== undefined && {
    delay: { share: delay.share, duration: Duration.toMillis(delay.duration) }
  })
})

export const apply = (outbox: Outbox, change: OutboxChange): Outbox => {
  switch (change._tag) {
    case "Schedule":
      return {
        ...outbox,
        scheduled: scheduledSteps.make(change.due),
        next: nextAfter(outbox, change.due)
      }
    case "Due":
      return {
        ...outbox,
        scheduled: scheduledSteps.add(outbox.scheduled, change.step),
        next: Math.max(outbox.next, change.step.number + 1)
      }
    case "Done":
      return { ...outbox, scheduled: scheduledSteps.remove(outbox.scheduled, change.number) }
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

/** Replaces the delivery with the same number, or adds the delivery. */
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
      (fault !== undefined && scheduledSteps.heldStep(outbox.scheduled, number) !== undefined),
    maxEvents,
    maxOpenEvents
  )
  if (kept.length === outbox.events.length) return outbox
  return {
    ...outbox,
    events: kept,
    scheduled: lost.reduce(withoutHeld, outbox.scheduled),
    lost: outbox.lost + lost.length
  }
}

const withoutHeld = (
  scheduled: scheduledSteps.ScheduledSteps,
  { number }: OutboxEvent
): scheduledSteps.ScheduledSteps => {
  const step = scheduledSteps.heldStep(scheduled, number)
  return step === undefined ? scheduled : scheduledSteps.remove(scheduled, step.number)
}

/** Keeps the last `max` values and all open values, but at most `maxOpen` in all. The oldest of them are lost. */
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

/** Yields the changes that lead from an initial outbox to this one. */
export function* changesOf(outbox: Outbox, initial: Outbox): Generator<OutboxChange, void> {
  if (outbox.faults !== initial.faults) {
    yield { _tag: "DeliveryFaults", faults: outbox.faults }
  }
  // the steps come before the events, because applying the events keeps old events only if a step holds them back
  yield { _tag: "Schedule", due: Array.from(scheduledSteps.values(outbox.scheduled)) }
  for (const event of outbox.events) yield { _tag: "Event", event, random: outbox.random }
  for (const [target, subscription] of outbox.subscriptions) {
    yield { _tag: "Subscription", target, subscription }
  }
}
