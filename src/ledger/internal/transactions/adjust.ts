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
import type { KeyRow, PostingRow, RecordState } from "../model/rows.js"
import { covers, endOf } from "../model/subscription.js"
import { isStorable } from "../model/text.js"
import { isText } from "../recording/prepareEvent.js"
import type { StoreEffect, Tables } from "../tables.js"

/** Characters of a reason. */
const maxReason = 1_000

/** A second run changes nothing. */
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
      // corrections of one event follow one another
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
      const carried = earlier.reduce(
        (sum, { hour, quantity }) => (hour === event.hour ? sum : sum + quantity),
        0n
      )
      // corrections that were carried to a later hour can be taken back there
      if (difference < 0n && -difference > carried) {
        const least = decimal.toText(current - (carried > 0n ? carried : 0n), key.scale)
        switch (yield* billingOf(tables, key, event.hour, now)) {
          case "unbilled":
            return yield* invalid(
              "quantity",
              `${least} or more, since the hour was not billed and nothing can be taken back`
            )
          case "pending":
            return yield* invalid(
              "quantity",
              `${least} or more, until it is known whether the hour is billed: try again then`
            )
        }
      }
      const hour = yield* postOrCarry(tables, posting, key, now)
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

/** The billing of an hour, from which a part may be taken back in a later hour. What was carried forward is billed with the hour it was added to. */
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
    const record = views.find(({ entry }) => entry.key === key.id)?.record
    // an open hour takes the correction itself, and what an hour without a record came to is carried
    if (record === undefined) return "billed"
    if (record.carriedAt !== undefined) {
      const [forward] = yield* tables.postings({
        cause: "forward",
        references: [String(record.id)]
      })
      if (forward === undefined) return "pending"
      const [entry] = yield* tables.entries([{ key: key.id, hour: forward.hour }])
      // the correction is added to the current hour, which may be billed while that one is not
      if (entry?.isSealed !== true && forward.hour < hourOf(now)) return "pending"
      return yield* billingOf(tables, key, forward.hour, now)
    }
    if (record.state === "sealed") return "pending"
    return unbilled.has(record.state) ? "unbilled" : "billed"
  })

const unbilled: ReadonlySet<RecordState | "open" | "zero"> = new Set([...notBilled, "conflicting"])

/**
 * Adds a posting to its hour, or by the product's policy to the current or the next one. Returns the hour, or undefined if none takes it.
 */
const postOrCarry = (
  tables: Tables,
  posting: PostingRow,
  key: KeyRow,
  now: number
): StoreEffect<number | undefined> =>
  Effect.gen(function* () {
    const sealed = yield* tables.addPostings([posting], now)
    if (sealed.length === 0) return posting.hour
    const product = (yield* tables.products).find(({ product }) => product === key.product)
    return product?.late === "carry" ? yield* postNow(tables, [posting], key, now) : undefined
  })

/** Adds postings of one key to the current hour, or to the next one if that is sealed, if its lineage is active. */
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
