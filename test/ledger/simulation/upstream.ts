/** A consumer of an upstream log, which moves its position on, sends updates again and skips some. */
import { DateTime, Effect, Either } from "effect"
import type { UsageLedger } from "effect-marketplace-metering/ledger"
import { makeTags } from "./usage.js"
import { dimensionsOf, hour, minute, quantityOf, type World } from "./world.js"

type Update = Parameters<UsageLedger.Service["advance"]>[0]

export interface Upstream {
  readonly advance: Effect.Effect<void>
  /** Confirmed sums by key, in the smallest parts of a unit. Undefined while it is open if an update is stored. */
  readonly sums: () => ReadonlyMap<string, number> | undefined
}

export const source = "log"
export const partition = "0"

export const make = (world: World): Upstream => {
  const { count, note, now, random, subscriptions, unexpected, withLedger } = world
  const confirmed = new Map<string, number>()
  let position: string | undefined
  let last: Update | undefined
  let isMoving = false

  const makeSum = () => {
    const { id, lineage, product } = random.pick(subscriptions)
    const dimension = random.pick(dimensionsOf[product])
    const parts = random.below(dimension === "gb" ? 3_000 : 5)
    const at = now() - random.below(random.pick([minute, 2 * hour, 26 * hour]))
    return {
      key: `${lineage} ${dimension}`,
      parts,
      sum: {
        subscription: id,
        dimension,
        quantity: quantityOf(dimension, parts),
        at: DateTime.unsafeMake(at),
        ...(product === "analytics" && random.chance(0.5) && { tags: makeTags(random) })
      }
    }
  }

  const moveOn = Effect.suspend(() => {
    const made = Array.from({ length: 1 + random.below(4) }, makeSum)
    const sums = made.map(({ sum }) => sum)
    const to = `${Number(position ?? 0) + made.length}`
    const update: Update = {
      ...{ source, partition, to, sums },
      ...(position !== undefined && { from: position })
    }
    isMoving = true
    note(`advance from ${position} to ${to}`)
    return Effect.forkDaemon(
      Effect.map(
        withLedger((ledger) => ledger.advance(update)),
        (result) => {
          isMoving = false
          if (Either.isLeft(result)) {
            note(`not advanced: ${result.left._tag}`)
            if (result.left._tag === "SourceConflict") unexpected.push(`no advance to ${to}`)
            return
          }
          position = to
          last = update
          for (const { key, parts } of made) confirmed.set(key, (confirmed.get(key) ?? 0) + parts)
          count("advanced")
        }
      )
    )
  })

  const again = (update: Update) =>
    Effect.map(
      withLedger((ledger) => ledger.advance(update)),
      (result) => {
        if (Either.isLeft(result)) unexpected.push(`the advance again is ${result.left._tag}`)
        count("advancedAgain")
      }
    )

  const skip = Effect.suspend(() => {
    const from = `${Number(position ?? 0) + 1 + random.below(9)}`
    const update = { source, partition, from, to: `${from}0`, sums: [makeSum().sum] }
    return Effect.map(
      withLedger((ledger) => ledger.advance(update)),
      (result) => {
        const tag = Either.isRight(result) ? "stored" : result.left._tag
        if (tag !== "SourceConflict") unexpected.push(`the advance from ${from} is ${tag}`)
        count("positionSkipped")
      }
    )
  })

  return {
    advance: Effect.suspend((): Effect.Effect<unknown> => {
      if (isMoving) return Effect.void
      if (last !== undefined && random.chance(0.2)) return again(last)
      return random.chance(0.2) ? skip : moveOn
    }),
    sums: () => (isMoving ? undefined : confirmed)
  }
}
