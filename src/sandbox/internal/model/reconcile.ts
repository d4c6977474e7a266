/** Reconciles a stored state with its scenario, which may have changed since. */
import * as HashMap from "effect/HashMap"
import type { Target } from "../../EventDelivery.js"
import { receives, targetsOf } from "./emission.js"
import { channels } from "./events.js"
import type { Delivery, OutboxEvent } from "./outbox.js"
import { apply, type Change, type State, scheduleChange } from "./state.js"

/**
 * Schedules the steps of the current agreements, fails the pending deliveries to targets that were removed or no longer receive
 * such events, and removes the subscriptions whose target was removed or has another URL.
 */
export const reconcile = (state: State, now: number): State => {
  const targets = new Map(targetsOf(state).map((target) => [target.name, target]))
  const reconciled = [
    ...abandonedDeliveries(state, targets, now),
    scheduleChange(state, now)
  ].reduce(apply, state)
  const subscriptions = HashMap.filter(reconciled.outbox.subscriptions, ({ url }, name) => {
    const target = targets.get(name)
    return target?.type === "sns" && target.url === url
  })
  return { ...reconciled, outbox: { ...reconciled.outbox, subscriptions } }
}

const abandonedDeliveries = (
  state: State,
  targets: ReadonlyMap<string, Target>,
  now: number
): ReadonlyArray<Change> =>
  state.outbox.events.flatMap((event) => {
    const isAbandoned = ({ state, target: name }: Delivery) => {
      const target = targets.get(name)
      return state === "pending" && !(target && receives(target, channels[event.kind]))
    }
    return event.deliveries.filter(isAbandoned).map((delivery) => failed(event, delivery, now))
  })

const failed = (event: OutboxEvent, delivery: Delivery, at: number): Change => ({
  _tag: "Outbox",
  change: {
    _tag: "Delivery",
    event: event.number,
    delivery: {
      ...delivery,
      state: "failed",
      attempts: [
        ...delivery.attempts,
        { at, error: "the scenario has no target of this name for such events" }
      ]
    }
  }
})
