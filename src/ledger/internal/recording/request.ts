/** Completes an event with an id and a time, once for all runs of an effect. */
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
  /** False if the time was chosen: then a stored event of the same id may have another. */
  readonly hasTime: boolean
}

/** Marks an event whose time was chosen. */
const hasDefaultTime = Symbol.for("effect-marketplace-metering/UsageLedger/hasDefaultTime")

interface CompletedEvent extends Event {
  readonly [hasDefaultTime]?: true
}

const makeId = makeUuid7()

/** Not a number for a time that is invalid. */
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

/** The value of the first run, for all runs. */
const once = <A>(effect: Effect.Effect<A>): Effect.Effect<A> => {
  let first: { readonly value: A } | undefined
  return Effect.suspend(() =>
    first !== undefined
      ? Effect.succeed(first.value)
      : Effect.map(effect, (value) => {
          // two first runs at once make one
          first ??= { value }
          return first.value
        })
  )
}

/** The request of an event: the same one at each run. */
export const requestOnce = (event: Event): Effect.Effect<Request> => once(requestOf(event))

/** Requests of events. A time that is missing is the same for all. */
const requestsOf = (events: ReadonlyArray<Event>): Effect.Effect<ReadonlyArray<Request>> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const requestWith = (event: Event, id: string) => make(event, id, millisOf(event.at) ?? now)
    // an effect for each event costs as much as its row, so only where an id is missing
    return events.every(({ id }) => id !== undefined)
      ? Effect.succeed(events.map((event) => requestWith(event, event.id as string)))
      : Effect.forEach(events, (event) =>
          Effect.map(event.id === undefined ? makeId : Effect.succeed(event.id), (id) =>
            requestWith(event, id)
          )
        )
  })

/** The requests of events: the same ones at each run. */
export const requestsOnce = (events: ReadonlyArray<Event>): Effect.Effect<ReadonlyArray<Request>> =>
  once(requestsOf(events))

const complete = ({ at, event, hasTime, id }: Request): CompletedEvent => ({
  ...event,
  id,
  at: event.at ?? DateTime.unsafeMake(at),
  ...(!hasTime && { [hasDefaultTime]: true })
})

/** An event with its id and time: the same one at each run. */
export const completeOnce = (event: Event): Effect.Effect<Event> =>
  once(Effect.map(requestOf(event), complete))

/** Events with their ids and times: the same ones at each run. */
export const completeAllOnce = (
  events: ReadonlyArray<Event>
): Effect.Effect<ReadonlyArray<Event>> =>
  once(Effect.map(requestsOf(events), (requests) => requests.map(complete)))
