/** A process that can crash or freeze at each of its steps: before and after a transaction, and before and after a call. */
import { Effect } from "effect"
import { LedgerError, type UsageLedgerStore } from "effect-marketplace-metering/ledger"
import type { Service as Client } from "effect-marketplace-metering/MeteringClient"
import type { Feature } from "./features.js"
import type { Random } from "./random.js"

export interface Faults {
  /** Probabilities at each step. */
  readonly crash: number
  readonly freeze: number
  readonly unavailable: number
}

export interface Process {
  readonly store: UsageLedgerStore.Service
  readonly client: Client
  readonly isAlive: () => boolean
  /** Nothing that the process does from now on has an effect. */
  readonly kill: () => void
}

/** The longest freeze: longer than the time in which the service accepts usage. */
const maxFreeze = 25 * 3_600_000

export const make = (
  store: UsageLedgerStore.Service,
  client: Client,
  random: Random,
  faults: () => Faults,
  count: (feature: Feature) => void
): Process => {
  let isAlive = true
  const unavailable = (isStored: "no" | "unknown") =>
    Effect.suspend(() => {
      count("unavailable")
      return Effect.fail(new LedgerError.LedgerUnavailable({ reason: "simulated", isStored }))
    })

  /** A step between two effects. A dead process never goes on. */
  const step: Effect.Effect<void> = Effect.suspend(() => {
    const { crash, freeze } = faults()
    if (isAlive && random.chance(crash)) {
      isAlive = false
      count("crashed")
    }
    if (!isAlive) return Effect.never
    if (!random.chance(freeze)) return Effect.void
    count("frozen")
    return Effect.zipRight(Effect.sleep(random.below(maxFreeze)), step)
  })
  const steps = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.zipLeft(Effect.zipRight(step, effect), step)
  const written = <A, E>(effect: Effect.Effect<A, E>) =>
    steps(
      Effect.suspend(() => {
        const { unavailable: probability } = faults()
        if (random.chance(probability / 2)) return unavailable("no")
        return random.chance(probability) ? Effect.zipRight(effect, unavailable("unknown")) : effect
      })
    )
  return {
    store: {
      description: store.description,
      transaction: (body) => written(store.transaction(body)),
      snapshot: (body) => steps(store.snapshot(body)),
      recordEvents: (events, now) => written(store.recordEvents(events, now))
    },
    client: { ...client, batchMeterUsage: (request) => steps(client.batchMeterUsage(request)) },
    isAlive: () => isAlive,
    kill: () => {
      isAlive = false
    }
  }
}
