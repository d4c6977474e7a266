/** Reports of events, targets and deliveries, and the actions that send an event or a SubscriptionConfirmation again. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Iterable from "effect/Iterable"
import * as Option from "effect/Option"
import { encode } from "../../../lifecycle/MarketplaceEvent.js"
import type * as EventDelivery from "../../EventDelivery.js"
import type { PageOptions } from "../../Report.js"
import { locateAgreement } from "../model/agreement.js"
import { eventOf, receives, resend as resendEvent, targetsOf } from "../model/emission.js"
import { channels, nameOf } from "../model/events.js"
import type { Attempt, OutboxEvent } from "../model/outbox.js"
import { after, type Position, type ScheduledStep, start } from "../model/scheduledSteps.js"
import { change, type State } from "../model/state.js"
import type { UpdateResult } from "./marketplace.js"
import { invalidCursor, limitOf } from "./report.js"

export const list = (
  state: State,
  options: PageOptions
): Either.Either<EventDelivery.EventsPage, string> =>
  Either.gen(function* () {
    const limit = yield* limitOf(options)
    const { events } = state.outbox
    const { after } = options
    const from = after === undefined ? 0 : events.findIndex((event) => idOf(event) === after) + 1
    if (after !== undefined && from === 0) {
      return yield* Either.left(`${invalidCursor}, or a known eventId`)
    }
    const page = events.slice(from, from + limit)
    const last = page.at(-1)
    return {
      events: page.map(sentEventOf),
      ...(last !== undefined && from + limit < events.length && { next: idOf(last) })
    }
  })

/** Returns the id of an event. All events of a sandbox have an id, although the type allows others. */
const idOf = ({ event }: OutboxEvent): string => ("id" in event && event.id) || ""

const sentEventOf = (event: OutboxEvent): EventDelivery.SentEvent => ({
  eventId: idOf(event),
  at: DateTime.unsafeMake(event.at),
  channel: channels[event.kind],
  name: nameOf(event.event),
  agreementId: event.agreementId,
  body: encode(event.event),
  ...(event.fault !== undefined && { fault: event.fault }),
  deliveries: event.deliveries.map(({ attempts, number, state, target }) => ({
    deliveryId: String(number),
    target,
    state,
    attempts: attempts.map(attemptOf)
  }))
})

const attemptOf = ({ at, ...attempt }: Attempt): EventDelivery.Attempt => ({
  at: DateTime.unsafeMake(at),
  ...attempt
})

/** Returns a page of the scheduled steps. Steps that are added later do not change where the next page starts. */
export const scheduled = (
  state: State,
  options: PageOptions
): Either.Either<EventDelivery.ScheduledPage, string> =>
  Either.gen(function* () {
    const limit = yield* limitOf(options)
    const from = options.after === undefined ? start : yield* positionOf(options.after)
    // takes one more step, to know if there is another page
    const steps = Array.from(Iterable.take(after(state.outbox.scheduled, from), limit + 1))
    const last = steps.length > limit ? steps[limit - 1] : undefined
    return {
      events: steps.slice(0, limit).map((step) => ({
        ...(step.at !== undefined && { at: DateTime.unsafeMake(step.at) }),
        name: stepName(state, step),
        agreementId: step.agreementId
      })),
      ...(last !== undefined && { next: `${last.at ?? "held"}.${last.number}` })
    }
  })

const positionOf = (cursor: string): Either.Either<Position, string> => {
  const [, at, number] = /^(-?\d{1,16}|held)\.(\d{1,16})$/.exec(cursor) ?? []
  return number === undefined
    ? Either.left(invalidCursor)
    : Either.right([at === "held" ? Number.POSITIVE_INFINITY : Number(at), Number(number)])
}

const stepName = (state: State, step: ScheduledStep): string => {
  const { at = 0, kind } = step
  if (kind === "Start" || kind === "End" || kind === "Fail") return kind
  const located = locateAgreement(state.catalog, step)
  const event =
    kind === "Send"
      ? state.outbox.events.find(({ number }) => number === step.event)?.event
      : located && eventOf(state, located, kind, at)
  return event === undefined ? kind : nameOf(event)
}

export const targets = (state: State): ReadonlyArray<EventDelivery.TargetState> =>
  targetsOf(state).map((target) => targetStateOf(state, target))

const targetStateOf = (
  { outbox }: State,
  { name, type, url }: EventDelivery.Target
): EventDelivery.TargetState => {
  const subscription = Option.getOrUndefined(HashMap.get(outbox.subscriptions, name))
  return {
    name,
    type,
    url,
    ...(type === "sns" && {
      subscription: subscription?.state ?? "pending",
      attempts: subscription?.attempts.map(attemptOf) ?? []
    }),
    pending: outbox.events
      .flatMap(({ deliveries }) => deliveries)
      .filter(({ state, target }) => target === name && state === "pending").length
  }
}

const findTarget = (state: State, name: string): Either.Either<EventDelivery.Target, string> =>
  Either.fromNullable(
    targetsOf(state).find((target) => target.name === name),
    () =>
      `target: there is no target ${name}. GET /_sandbox/targets lists the targets of the scenario.`
  )

export const resend = (
  state: State,
  { eventId, target: name }: EventDelivery.Resend
): UpdateResult<EventDelivery.SentEvent> =>
  Either.gen(function* () {
    const event = state.outbox.events.find((one) => idOf(one) === eventId)
    if (event === undefined) {
      return yield* Either.left(
        `eventId: there is no event ${eventId}. GET /_sandbox/events lists the events that are kept.`
      )
    }
    const target = name === undefined ? undefined : yield* findTarget(state, name)
    if (target !== undefined && !receives(target, channels[event.kind])) {
      return yield* Either.left(
        `target: ${target.name} does not receive events of the channel ${channels[event.kind]}.`
      )
    }
    const next = resendEvent(state, event, target)
    const sent = next.outbox.events.find(({ number }) => number === event.number) ?? event
    return [sentEventOf(sent), next] as const
  })

/** Makes the subscription of a target pending again, so that the fiber of the target sends a SubscriptionConfirmation. */
export const subscribe = (
  state: State,
  { target: name }: EventDelivery.TargetSelector
): UpdateResult<EventDelivery.TargetState> =>
  Either.gen(function* () {
    const target = yield* findTarget(state, name)
    if (target.type !== "sns") {
      return yield* Either.left(`target: ${name} is of the type ${target.type}, which needs none.`)
    }
    const subscription = Option.getOrUndefined(HashMap.get(state.outbox.subscriptions, name))
    const next =
      subscription === undefined
        ? state
        : change(state, {
            _tag: "Outbox",
            change: {
              _tag: "Subscription",
              target: name,
              subscription: { ...subscription, state: "pending", attempts: [] }
            }
          })
    return [targetStateOf(next, target), next] as const
  })
