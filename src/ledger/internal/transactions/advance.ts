/** Adds sums of an upstream log and moves the position of its partition, in one transaction. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { InvalidEvent, type LedgerUnavailable, SourceConflict } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { EventError, Service as Ledger } from "../contract.js"
import type { PostingRow } from "../model/rows.js"
import { toStorable } from "../model/text.js"
import { read } from "../recording/catalog.js"
import {
  assignHour,
  carry,
  idViolation,
  isText,
  maxLength,
  type Prepared,
  prepareEvent
} from "../recording/prepareEvent.js"
import { millisOf } from "../recording/request.js"

type Update = Parameters<Ledger["advance"]>[0]

/** Maximum number of sums in one update. */
const maxSums = 100_000

/**
 * Applies an update. Repeating an update that was stored adds nothing and succeeds, because the position is already `to`.
 */
export const advance = (
  store: Store,
  { from, partition, source, sums, to }: Update,
  now: number
): Effect.Effect<void, EventError | SourceConflict | LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      for (const [field, text] of Object.entries({ source, partition, to })) {
        const invalid = idViolation(text, field)
        if (invalid !== undefined) return yield* invalid
      }
      if (from === to)
        return yield* new InvalidEvent({ field: "to", expected: "a position after from" })
      if (source.startsWith("effect-marketplace-metering/")) {
        return yield* new InvalidEvent({
          field: "source",
          expected: "a name that does not begin with effect-marketplace-metering/"
        })
      }
      if (sums.length > maxSums) {
        return yield* new InvalidEvent({ field: "sums", expected: `at most ${maxSums} sums` })
      }
      const stored = yield* tables.source(source, partition)
      if (stored?.position === to) return
      if (stored?.position !== from) {
        return yield* new SourceConflict({ source, partition, position: stored?.position ?? "" })
      }
      const subscribed = yield* read(
        tables,
        sums.map(({ subscription }) => subscription).filter(isText)
      )
      const reference = `${source}/${partition}`
      const id = toStorable(reference, maxLength)
      let prepared: Array<Prepared> = []
      for (const sum of sums) {
        const request = { event: sum, id, at: millisOf(sum.at) ?? now, hasTime: true }
        const one = Either.flatMap(
          prepareEvent(request, subscribed.get(sum.subscription)),
          (prepared) => assignHour(prepared, now)
        )
        if (Either.isLeft(one)) return yield* one.left
        prepared.push(one.right)
      }
      for (;;) {
        const sealed = yield* tables.addPostings(postingsOf(prepared, reference), now)
        if (sealed.length === 0) break
        const late = new Set(sealed.map(({ hour, key }) => `${key}/${hour}`))
        const moved: Array<Prepared> = []
        for (const one of prepared) {
          if (!late.has(`${one.row.key}/${one.row.hour}`)) {
            moved.push(one)
            continue
          }
          const carried = carry(one, "sealed", now)
          if (Either.isLeft(carried)) return yield* carried.left
          moved.push(carried.right)
        }
        prepared = moved
      }
      yield* tables.putSource({ source, partition, position: to })
    })
  )

/** Sums the events to one posting for each key, hour and set of tags. */
const postingsOf = (
  prepared: ReadonlyArray<Prepared>,
  reference: string
): ReadonlyArray<PostingRow> => {
  const postings = new Map<string, { -readonly [K in keyof PostingRow]: PostingRow[K] }>()
  for (const { row } of prepared) {
    const id = `${row.key}/${row.hour}/${row.tags}`
    const posting = postings.get(id)
    if (posting !== undefined) posting.quantity += BigInt(row.quantity)
    else {
      postings.set(id, {
        key: row.key,
        hour: row.hour,
        cause: "advance",
        reference,
        tags: row.tags,
        quantity: BigInt(row.quantity)
      })
    }
  }
  return [...postings.values()]
}
