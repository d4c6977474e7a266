/** Checks an event, and decides which hour it belongs to. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import {
  EventInFuture,
  EventTooLate,
  InvalidEvent,
  UnknownSubscription
} from "../../LedgerError.js"
import type { Event, EventError } from "../../UsageLedger.js"
import { deadlineOf } from "../model/deadline.js"
import * as decimal from "../model/decimal.js"
import { hourOf } from "../model/hour.js"
import { covers, endOf, isLastHour, subscriptionOf, timestampOf } from "../model/record.js"
import type { EventRow } from "../model/rows.js"
import { canonical } from "../model/tags.js"
import type { Subscribed } from "./catalog.js"

/** An event that is ready to be stored. */
export interface Prepared {
  readonly row: EventRow
  /** False if the ledger chose the time: then a stored event of the same id may have another. */
  readonly hasTime: boolean
  readonly isCarried: boolean
  readonly subscribed: Subscribed
}

/** How far the time of usage may be ahead of the clock, in milliseconds. */
const maxAhead = 5 * 60_000

/** Characters of an id. */
const maxLength = 255

const isText = (text: unknown): text is string =>
  typeof text === "string" && text.length > 0 && text.length <= maxLength && !text.includes("\0")

export const textRule = `1 to ${maxLength} characters, none of them NUL`

/** The rule that an id breaks, if any. */
export const idViolation = (id: unknown, field = "id"): InvalidEvent | undefined =>
  isText(id) ? undefined : new InvalidEvent({ field, expected: textRule })

/** `at` is the time of the usage in epoch milliseconds, given or chosen. */
export const prepareEvent = (
  event: Event,
  id: string,
  at: number,
  subscribed: Subscribed | undefined,
  now: number
): Either.Either<Prepared, EventError> => {
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
  const { keys, lineage, product } = subscribed
  const key = keys.get(event.dimension)
  if (key === undefined) {
    return invalid("dimension", `one of the product's: ${[...keys.keys()].join(", ")}`)
  }
  const quantity = decimal.parse(event.quantity, key.scale)
  if (Either.isLeft(quantity)) return invalid("quantity", quantity.left)
  const tags = canonical(event.tags, product.tagKeys)
  if (Either.isLeft(tags)) return invalid("tags", tags.left)
  if (!Number.isSafeInteger(at)) return invalid("at", "a valid time")
  if (at > now + maxAhead) return Either.left(new EventInFuture({ id, at }))
  if (!lineage.some((one) => one.from <= at && endOf(one) > at)) {
    return Either.left(
      new UnknownSubscription({ subscription: event.subscription, reason: "notActive" })
    )
  }
  const hour = hourOf(at)
  const prepared: Prepared = {
    row: { id, key: key.id, hour, at, quantity: quantity.right, tags: tags.right },
    hasTime: event.at !== undefined,
    isCarried: false,
    subscribed
  }
  return isPastDeadline(subscribed, hour, now)
    ? carry(prepared, "deadline", now)
    : Either.right(prepared)
}

/** True if a record of this hour could not be accepted any more. */
const isPastDeadline = ({ lineage }: Subscribed, hour: number, now: number): boolean => {
  const subscription = subscriptionOf(lineage, hour)
  if (subscription === undefined) return true
  const end = isLastHour(lineage, hour) ? endOf(subscription) : subscription.closingAt
  return now >= deadlineOf(timestampOf(subscription, hour), end)
}

/** Moves an event to the current hour, if the product's policy allows it. */
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
  return row.hour !== current && isOpen(subscribed, current, now)
    ? Either.right({ ...prepared, row: { ...row, hour: current }, isCarried: true })
    : tooLate("closed")
}

/** True if usage can be added to the current hour. */
const isOpen = ({ lineage }: Subscribed, hour: number, now: number): boolean =>
  lineage.some((one) => covers(one, hour) && endOf(one) > now)

export const timeOf = (event: Event): number | undefined =>
  event.at === undefined ? undefined : Math.floor(DateTime.toEpochMillis(event.at))
