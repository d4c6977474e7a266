/** Producers that record usage, send it again and correct it. */
import { DateTime, Effect, Either } from "effect"
import type { UsageLedger } from "effect-marketplace-metering/ledger"
import type { Wanted } from "./oracle.js"
import { dimensionsOf, hour, minute, quantityOf, type World } from "./world.js"

export interface Usage {
  readonly recordNew: Effect.Effect<void>
  readonly recordTogether: Effect.Effect<void>
  readonly sendAgain: Effect.Effect<void>
  readonly correct: Effect.Effect<void>
}

type Result = Either.Either<UsageLedger.Recorded, { readonly _tag: string }>

export const make = (world: World): Usage => {
  const { count, note, now, random, subscriptions, unexpected, wanted, withLedger } = world
  const inputs = new Map<string, UsageLedger.Event>()

  const makeEvent = (): UsageLedger.Event => {
    const subscription = random.pick(subscriptions)
    const dimension = random.pick(dimensionsOf[subscription.product])
    const age = random.pick([0, 0, minute, 50 * minute, 2 * hour, 9 * hour, 26 * hour])
    const at = now() - random.below(age + 1)
    const units = random.chance(0.02) ? 4_000_000_000 : random.below(20)
    const parts = dimension === "gb" ? units * 1_000 + random.below(1_000) : units
    const id = `event-${wanted.size}`
    const event: UsageLedger.Event = {
      id,
      subscription: subscription.id,
      dimension,
      quantity: quantityOf(dimension, parts),
      at: DateTime.unsafeMake(at),
      ...(subscription.product === "analytics" && random.chance(0.5) && { tags: makeTags(random) })
    }
    wanted.set(id, {
      id,
      key: `${subscription.lineage} ${dimension}`,
      quantity: parts,
      at,
      isAcknowledged: false,
      isRejected: false,
      corrected: undefined,
      isCorrecting: false
    })
    inputs.set(id, event)
    note(`record ${id}: ${event.quantity} ${dimension} of ${subscription.id}`)
    return event
  }

  const onResult = (id: string, result: Result) => {
    const entry = wanted.get(id) as Wanted
    if (Either.isRight(result)) {
      entry.isAcknowledged = true
      count(result.right._tag === "Carried" ? "carried" : "recorded")
    } else {
      note(`${id} is rejected: ${result.left._tag}`)
      if (result.left._tag === "EventTooLate") {
        count("tooLate")
        const isCurrent = Math.floor(entry.at / hour) === Math.floor(now() / hour)
        const [lineage] = entry.key.split(" ")
        const goesOn = subscriptions.every((one) => one.lineage !== lineage || !one.isEnding)
        if (isCurrent && goesOn) unexpected.push(`${id} of the current hour is too late`)
      }
      if (result.left._tag !== "EventConflict") entry.isRejected = true
    }
  }

  const recordNew = Effect.suspend(() => {
    const event = makeEvent()
    return Effect.forkDaemon(
      Effect.map(
        withLedger((ledger) => ledger.record(event)),
        (result) => onResult(event.id as string, result)
      )
    )
  })

  const recordTogether = Effect.suspend(() => {
    const events = Array.from({ length: 2 + random.below(4) }, makeEvent)
    count("recordedTogether")
    return Effect.forkDaemon(
      Effect.map(
        withLedger((ledger) => ledger.recordAll(events)),
        (results) => {
          if (Either.isLeft(results)) return
          for (const [place, result] of results.right.entries()) {
            onResult(events[place]?.id as string, result)
          }
        }
      )
    )
  })

  const anyAcknowledged = () =>
    random.pick([...wanted.values()].filter(({ isAcknowledged }) => isAcknowledged))

  const sendAgain = Effect.gen(function* () {
    const entry = anyAcknowledged()
    const event = entry && inputs.get(entry.id)
    if (entry === undefined || event === undefined) return
    const isChanged = random.chance(0.5)
    const tags = event.tags && Object.entries(event.tags)
    if (!isChanged && tags !== undefined && tags.length > 1) count("tagsInOtherOrder")
    const changed = isChanged
      ? random.chance(0.5)
        ? { ...event, at: DateTime.unsafeMake(entry.at - 1 - random.below(minute)) }
        : { ...event, quantity: quantityOf(event.dimension, entry.quantity + 1) }
      : { ...event, ...(tags !== undefined && { tags: Object.fromEntries(tags.reverse()) }) }
    const result = yield* withLedger((ledger) => ledger.record(changed))
    const tag = Either.isRight(result) ? result.right._tag : result.left._tag
    if (tag === "EventConflict") count("conflict")
    if (tag === "AlreadyRecorded") count("recordedAgain")
    const isRight = isChanged
      ? ["EventConflict", "UnknownSubscription", "EventTooLate"].includes(tag)
      : tag === "AlreadyRecorded"
    if (!isRight) unexpected.push(`${entry.id} ${isChanged ? "changed" : "again"} is ${tag}`)
  })

  const correct = Effect.gen(function* () {
    const entry = anyAcknowledged()
    if (entry === undefined || entry.isCorrecting) return
    entry.isCorrecting = true
    const [, dimension = ""] = entry.key.split(" ")
    const target = random.below(entry.quantity + 2)
    const quantity = quantityOf(dimension, target)
    note(`correct ${entry.id} to ${quantity}`)
    yield* Effect.forkDaemon(
      Effect.map(
        withLedger((ledger) => ledger.adjust({ event: entry.id, quantity, reason: "simulated" })),
        (result) => {
          if (Either.isRight(result)) {
            entry.corrected = target
            count("corrected")
          }
          entry.isCorrecting = false
        }
      )
    )
  })
  return { recordNew, recordTogether, sendAgain, correct }
}

/** One or two tags, in any order. */
export const makeTags = (random: World["random"]): { readonly [key: string]: string } => {
  const tags = [["team", random.pick(["a", "b", "c"])] as const]
  if (random.chance(0.5)) {
    const env = ["env", random.pick(["x", "y"])] as const
    if (random.chance(0.5)) return Object.fromEntries([...tags, env])
    return Object.fromEntries([env, ...tags])
  }
  return Object.fromEntries(tags)
}
