/** Adds the default id and time to an event, once for all runs of an effect. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Event } from "../contract.js"
import { makeUuid7 } from "../model/uuid.js"

/** An event with an id and a time. */
export interface Request {
  readonly event: Event
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
  /** False if the ledger chose the time. Then a stored event with the same id may have another time. */
  readonly hasTime: boolean
}

/** Marks an event whose time the ledger chose. */
const hasDefaultTime = Symbol.for("effect-marketplace-metering/UsageLedger/hasDefaultTime")

interface CompletedEvent extends Event {
  readonly [hasDefaultTime]?: true
}

const makeId = makeUuid7()

/** Converts a time to epoch milliseconds. `NaN` if the time is invalid. */
export const millisOf = (time: DateTime.Utc | undefined): number | undefined =>
  time === undefined ? undefined : Math.floor(DateTime.toEpochMillis(time))

const make = (event: CompletedEvent, id: string, at: number): Request => ({
  event,
  id,
  at,
  hasTime: event.at !== undefined && event[hasDefaultTime] !== true
})

const requestOf = (event: Event): Effect.Effect<Request> =>
  Effect.suspend(() => {
    const at = millisOf(event.at)
    if (event.id !== undefined && at !== undefined) {
      return Effect.succeed(make(event, event.id, at))
    }
    return Effect.flatMap(
      at === undefined ? Clock.currentTimeMillis : Effect.succeed(at),
      (time) =>
        event.id === undefined
          ? Effect.map(makeId, (id) => make(event, id, time))
          : Effect.succeed(make(event, event.id, time))
    )
  })

/** Runs the effect once, and returns its value in all later runs. */
const once = <A>(effect: Effect.Effect<A>): Effect.Effect<A> => {
  let first: { readonly value: A } | undefined
  return Effect.suspend(() =>
    first !== undefined
      ? Effect.succeed(first.value)
      : Effect.map(effect, (value) => {
          // if two first runs are concurrent, both return the value of the earlier one
          first ??= { value }
          return first.value
        })
  )
}

/** Makes the request of an event. Each run returns the same request. */
export const requestOnce = (event: Event): Effect.Effect<Request> => once(requestOf(event))

/** Makes the requests of events. All events without a time get the same time. */
const requestsOf = (events: ReadonlyArray<Event>): Effect.Effect<ReadonlyArray<Request>> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const requestWith = (event: Event, id: string) => make(event, id, millisOf(event.at) ?? now)
    // generates ids only if one is missing, because an effect per event costs as much as storing its row
    return events.every(({ id }) => id !== undefined)
      ? Effect.succeed(events.map((event) => requestWith(event, event.id as string)))
      : Effect.forEach(events, (event) =>
          Effect.map(event.id === undefined ? makeId : Effect.succeed(event.id), (id) =>
            requestWith(event, id)
          )
        )
  })

/** Makes the requests of events. Each run returns the same requests. */
export const requestsOnce = (events: ReadonlyArray<Event>): Effect.Effect<ReadonlyArray<Request>> =>
  once(requestsOf(events))

const complete = ({ at, event, hasTime, id }: Request): CompletedEvent => ({
  ...event,
  id,
  at: event.at ?? DateTime.unsafeMake(at),
  ...(!hasTime && { [hasDefaultTime]: true })
})

/** Completes an event with its id and time. Each run returns the same event. */
export const completeOnce = (event: Event): Effect.Effect<Event> =>
  once(Effect.map(requestOf(event), complete))

/** Completes events with their ids and times. Each run returns the same events. */
export const completeAllOnce = (
  events: ReadonlyArray<Event>
): Effect.Effect<ReadonlyArray<Event>> =>
  once(Effect.map(requestsOf(events), (requests) => requests.map(complete)))
