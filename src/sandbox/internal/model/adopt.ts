/** Adapts a stored state to its scenario, which may have changed since. */
import type { Delivery, OutboxEvent } from "./outbox.js"
import { apply, type Change, planned, type State } from "./state.js"

/** Plans the steps of the agreements that there are, and ends the deliveries to targets that there are not. */
export const adopt = (state: State, now: number): State =>
  [...abandonedDeliveries(state, now), planned(state, now)].reduce(apply, state)

const abandonedDeliveries = (state: State, now: number): ReadonlyArray<Change> => {
  const targets = new Set(state.origin.scenario.targets?.map(({ name }) => name))
  const isAbandoned = ({ state, target }: Delivery) => state === "pending" && !targets.has(target)
  return state.outbox.events.flatMap((event) =>
    event.deliveries.filter(isAbandoned).map((delivery) => failed(event, delivery, now))
  )
}

const failed = (event: OutboxEvent, delivery: Delivery, at: number): Change => ({
  _tag: "Outbox",
  change: {
    _tag: "Delivery",
    event: event.number,
    delivery: {
      ...delivery,
      state: "failed",
      attempts: [...delivery.attempts, { at, error: "the scenario has no such target" }]
    }
  }
})
