/** Validates an event, and decides which hour it is added to. */
import * as Either from "effect/Either"
import {
  EventInFuture,
  EventTooLate,
  InvalidEvent,
  UnknownSubscription
} from "../../LedgerError.js"
import type { EventError } from "../contract.js"
import { deadlineOf } from "../model/deadline.js"
import * as decimal from "../model/decimal.js"
import { hourOf } from "../model/hour.js"
import type { EventRow } from "../model/rows.js"
import { covers, endOf, isLastHour, subscriptionOf, timestampOf } from "../model/subscription.js"
import { canonical, untagged } from "../model/tags.js"
import { isStorable } from "../model/text.js"
import type { Subscribed } from "./catalog.js"
import type { Request } from "./request.js"

/** An event that is ready to be stored. */
export interface Prepared {
  readonly row: EventRow
  /** False if the ledger chose the time. Then a stored event with the same id may have another time. */
  readonly hasTime: boolean
  readonly isCarried: boolean
  readonly subscribed: Subscribed
}

/** How far the time of an event may be ahead of the clock, in milliseconds. */
const maxAhead = 5 * 60_000

/** Maximum length of an id, in characters. */
export const maxLength = 255

export const isText = (text: unknown): text is string =>
  typeof text === "string" && text.length > 0 && text.length <= maxLength && isStorable(text)

const textRule = `1 to ${maxLength} characters, none of them NUL or half of a surrogate pair`

/** Returns an error if the id is invalid. */
export const idViolation = (id: unknown, field = "id"): InvalidEvent | undefined =>
  isText(id) ? undefined : new InvalidEvent({ field, expected: textRule })

/** Validates everything except the time. */
export const prepareEvent = (
  { at, event, hasTime, id }: Request,
  subscribed: Subscribed | undefined
): Either.Either<Prepared, InvalidEvent | UnknownSubscription> => {
  const invalid = (field: string, expected: string) =>
    Either.left(new InvalidEvent({ id: isText(id) ? id : undefined, field, expected }))
  if (!isText(id)) return invalid("id", textRule)
  if (subscribed === undefined) {
    return isText(event.subscription)
      ? Either.left(
          new UnknownSubscription({ subscription: event.subscription, reason: "missing" })
        )
      : invalid("subscription", textRule)
  }
  const { keys, product } = subscribed
  const key = keys.get(event.dimension)
  if (key === undefined) {
    return invalid("dimension", `one of the product's: ${[...keys.keys()].join(", ")}`)
  }
  const quantity = decimal.parse(event.quantity, key.scale)
  if (Either.isLeft(quantity)) return invalid("quantity", quantity.left)
  let tags = untagged
  // `null` occurs in JSON
  if (event.tags != null) {
    const canonicalTags = canonical(event.tags, product.tagKeys)
    if (Either.isLeft(canonicalTags)) return invalid("tags", canonicalTags.left)
    tags = canonicalTags.right
  }
  if (!Number.isSafeInteger(at)) return invalid("at", "a valid time")
  return Either.right({
    row: { id, key: key.id, hour: hourOf(at), at, quantity: quantity.right, tags },
    hasTime,
    isCarried: false,
    subscribed
  })
}

/** Decides which hour an event is added to. Fails if its time is invalid or too late. */
export const assignHour = (
  prepared: Prepared,
  now: number
): Either.Either<Prepared, EventError> => {
  const { row, subscribed } = prepared
  const { at, hour, id } = row
  if (at > now + maxAhead) return Either.left(new EventInFuture({ id, at }))
  if (!subscribed.lineage.some((one) => one.from <= at && endOf(one) > at)) {
    return Either.left(
      new UnknownSubscription({
        subscription: subscribed.subscription.id,
        reason: "notActive"
      })
    )
  }
  return now >= deadlineOfHour(subscribed, hour)
    ? carry(prepared, "deadline", now)
    : Either.right(prepared)
}

/** Returns the time from which the service does not accept a record of this hour any more. */
const deadlineOfHour = ({ lineage }: Subscribed, hour: number): number => {
  const [only] = lineage
  // most lineages have one subscription
  const subscription = lineage.length === 1 ? only : subscriptionOf(lineage, hour)
  if (subscription === undefined) return Number.NEGATIVE_INFINITY
  const end = isLastHour(lineage, hour) ? endOf(subscription) : subscription.closingAt
  return deadlineOf(timestampOf(subscription, hour), end)
}

/** Moves a late event to the current hour, or to the next hour if it was in the current one. Fails if the product rejects late usage. */
export const carry = (
  prepared: Prepared,
  reason: "sealed" | "deadline",
  now: number
): Either.Either<Prepared, EventTooLate> => {
  const { row, subscribed } = prepared
  const current = hourOf(now)
  const tooLate = (why: EventTooLate["reason"]) =>
    Either.left(new EventTooLate({ id: row.id, hour: hourOf(row.at), reason: why }))
  if (subscribed.product.late === "reject") return tooLate(reason)
  const hour = Math.max(current, row.hour + 1)
  return hour <= current + 1 && isOpen(subscribed, hour, now)
    ? Either.right({ ...prepared, row: { ...row, hour }, isCarried: true })
    : tooLate("closed")
}

/** True if a subscription that has not ended covers this hour, which is the current or the next one. */
const isOpen = ({ lineage }: Subscribed, hour: number, now: number): boolean =>
  lineage.some((one) => covers(one, hour) && endOf(one) > now)
