/** Corrects the quantity of a recorded event. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { EventTooLate, InvalidEvent, type LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { Recorded } from "../contract.js"
import * as decimal from "../model/decimal.js"
import { hourOf, startOf } from "../model/hour.js"
import { notBilled } from "../model/recordState.js"
import type { EventRow, KeyRow, PostingRow, RecordState } from "../model/rows.js"
import { covers, endOf } from "../model/subscription.js"
import { isStorable } from "../model/text.js"
import { isText } from "../recording/prepareEvent.js"
import type { StoreEffect, Tables } from "../tables.js"

/** Maximum length of a reason, in characters. */
const maxReason = 1_000

/** Corrects the quantity of an event. Repeating the same correction changes nothing. */
export const adjust = (
  store: Store,
  correction: {
    readonly event: string
    readonly quantity: number | string
    readonly reason: string
  },
  now: number
): Effect.Effect<Recorded, InvalidEvent | EventTooLate | LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      const { event: id, quantity, reason } = correction
      const invalid = (field: string, expected: string) => new InvalidEvent({ id, field, expected })
      if (reason.length === 0 || reason.length > maxReason || !isStorable(reason)) {
        return yield* invalid(
          "reason",
          `1 to ${maxReason} characters, none of them NUL or half of a surrogate pair`
        )
      }
      const [event] = isText(id) ? yield* tables.events([id]) : []
      const [key] = event === undefined ? [] : yield* tables.keys({ ids: [event.key] })
      if (event === undefined || key === undefined) {
        return yield* invalid("event", "the id of a recorded event")
      }
      const target = decimal.parse(quantity, key.scale)
      if (Either.isLeft(target)) return yield* invalid("quantity", target.left)
      // corrections of the same event run one after another
      yield* tables.lock(`adjust/${id}`)
      const earlier = yield* tables.postings({ cause: "adjust", references: [id] })
      const current = earlier.reduce((sum, { quantity }) => sum + quantity, BigInt(event.quantity))
      const difference = BigInt(target.right) - current
      const result = (tag: Recorded["_tag"], hour: number): Recorded => ({
        _tag: tag,
        id,
        hour: DateTime.unsafeMake(startOf(hour))
      })
      if (difference === 0n) return result("AlreadyRecorded", event.hour)
      const posting = {
        key: event.key,
        hour: event.hour,
        cause: "adjust" as const,
        reference: id,
        tags: event.tags,
        quantity: difference
      }
      let hour: number | undefined = event.hour
      if ((yield* tables.addPostings([posting], now)).length > 0) {
        let least = current
        let missing = -difference
        for (const { amount, hour } of amountsOf(event, earlier)) {
          if (missing <= 0n) break
          const billing = yield* billingOf(tables, key, hour, now)
          if (billing !== "billed") {
            const reason =
              billing === "unbilled"
                ? "since the hour was not billed and nothing can be taken back"
                : "until it is known whether the hour is billed: try again then"
            return yield* invalid(
              "quantity",
              `${decimal.toText(least, key.scale)} or more, ${reason}`
            )
          }
          least -= amount
          missing -= amount
        }
        const product = (yield* tables.products).find(({ product }) => product === key.product)
        hour = product?.late === "carry" ? yield* postNow(tables, [posting], key, now) : undefined
      }
      if (hour === undefined) {
        return yield* new EventTooLate({ id, hour: hourOf(event.at), reason: "sealed" })
      }
      const text = (units: bigint) => decimal.toText(units, key.scale)
      yield* tables.addHistory([
        {
          at: now,
          key: event.key,
          hour,
          was: "open",
          became: "open",
          cause: `event ${id} is corrected from ${text(current)} to ${text(BigInt(target.right))}: ${reason}`
        }
      ])
      return result(hour === event.hour ? "Recorded" : "Carried", hour)
    })
  )

/** Returns the remaining quantity of an event in each hour, latest hour first, which is the order in which it is reduced. */
const amountsOf = (event: EventRow, corrections: ReadonlyArray<PostingRow>) => {
  const sums = new Map([[event.hour, BigInt(event.quantity)]])
  for (const { hour, quantity } of corrections) sums.set(hour, (sums.get(hour) ?? 0n) + quantity)
  const amounts: Array<{ readonly hour: number; readonly amount: bigint }> = []
  for (let [hour, amount] of [...sums].sort(([left], [right]) => left - right)) {
    for (let last = amounts.at(-1); amount < 0n && last !== undefined; last = amounts.at(-1)) {
      amounts.pop()
      hour = last.hour
      amount += last.amount
    }
    if (amount > 0n) amounts.push({ hour, amount })
  }
  return amounts.reverse()
}

/**
 * Returns how an hour is billed. Only a billed quantity may be subtracted from a later hour. A quantity that was carried forward is
 * billed with the hour that it was added to.
 */
const billingOf = (
  tables: Tables,
  key: KeyRow,
  hour: number,
  now: number
): StoreEffect<"billed" | "unbilled" | "pending"> =>
  Effect.gen(function* () {
    const views = yield* tables.entryPage(
      { lineages: [key.lineage], fromHour: hour, untilHour: hour + 1 },
      undefined,
      Number.MAX_SAFE_INTEGER
    )
    const view = views.find(({ entry }) => entry.key === key.id)
    const record = view?.record
    if (record === undefined) {
      // the correction is added to the current hour too, and the sum of a sealed hour without a record was carried
      return view?.entry.isSealed === true || hour >= hourOf(now) ? "billed" : "pending"
    }
    if (record.carriedAt !== undefined) {
      const [forward] = yield* tables.postings({
        cause: "forward",
        references: [String(record.id)]
      })
      return forward === undefined ? "pending" : yield* billingOf(tables, key, forward.hour, now)
    }
    if (record.state === "sealed") return "pending"
    return unbilled.has(record.state) ? "unbilled" : "billed"
  })

const unbilled: ReadonlySet<RecordState | "open" | "zero"> = new Set([...notBilled, "conflicting"])

/**
 * Adds postings of one key to the current hour, or to the next hour if the current one is sealed. Returns the hour, or `undefined` if
 * the lineage is not active.
 */
export const postNow = (
  tables: Tables,
  postings: ReadonlyArray<PostingRow>,
  key: KeyRow,
  now: number
): StoreEffect<number | undefined> =>
  Effect.gen(function* () {
    const current = hourOf(now)
    const lineage = yield* tables.subscriptions({ lineages: [key.lineage] })
    for (const hour of [current, current + 1]) {
      if (!lineage.some((one) => covers(one, hour) && endOf(one) > now)) return undefined
      const sealed = yield* tables.addPostings(
        postings.map((posting) => ({ ...posting, hour })),
        now
      )
      if (sealed.length === 0) return hour
    }
    return undefined
  })
