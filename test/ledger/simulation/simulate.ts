/**
 * Runs producers, recorders and reporters against a ledger in memory and a sandbox, with crashes, freezes, lost responses and
 * everything else that goes wrong, and judges it all along. One seed always gives one run.
 */
import { Effect, Either, Logger, LogLevel } from "effect"
import { MemoryLedgerStore } from "effect-marketplace-metering/ledger"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import * as virtualClock from "../../internal/submission/virtualClock.js"
import * as catalog from "./catalog.js"
import { stateOf, unfinished } from "./ending.js"
import type { Faults } from "./faultyProcess.js"
import type { Counts, Feature } from "./features.js"
import * as oracle from "./oracle.js"
import * as processes from "./processes.js"
import * as randoms from "./random.js"
import * as upstreams from "./upstream.js"
import * as usages from "./usage.js"
import { carries, hour, minute, scenario, starts, type World } from "./world.js"

export interface Result {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  /** The steps that led there. */
  readonly log: ReadonlyArray<string>
  /** Entries by state, at the end. */
  readonly states: Counts
  readonly features: Counts
}

/** Steps between two judgments. */
const stepsPerCheck = 3

/** Rounds after the faults, and the time between them: in the end every deadline has passed. */
const lastRounds = 9
const lastWait = 4 * hour

/** Faults are chosen by the seed, but for those that are given. */
export const simulate = (
  seed: number,
  steps: number,
  faults: Partial<Faults> = {}
): Effect.Effect<Result> => {
  const random = randoms.make(seed)
  const startsAt = random.pick(starts)
  const time = virtualClock.settable(startsAt)
  const log: Array<string> = []
  const states: Record<string, number> = {}
  const features: Record<string, number> = {}
  /** Set at the end, so that fibers that are left behind do not run on. */
  let isOver = false
  const run = Effect.gen(function* () {
    const sandbox = yield* MeteringSandbox.MeteringSandbox
    const client = yield* MeteringClient
    const store = MemoryLedgerStore.make()
    const now = () => time.clock.unsafeCurrentTimeMillis()
    const count = (feature: Feature) => {
      features[feature] = (features[feature] ?? 0) + 1
    }
    const running = processes.make(store, client, random, count, faults)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isOver = true
        running.killAll()
      })
    )
    const world: World = {
      ...{ random, startsAt, now, count },
      note: (text) => {
        log.push(`${new Date(now()).toISOString()} ${text}`)
      },
      withLedger: running.withLedger,
      subscriptions: [],
      wanted: new Map(),
      unexpected: []
    }
    const { note, subscriptions, unexpected, wanted, withLedger } = world
    yield* catalog.subscribeAll(world)
    const usage = usages.make(world)
    const upstream = upstreams.make(world)

    // -------------------------------------------------------------------------------------------
    // steps
    // -------------------------------------------------------------------------------------------

    const report = Effect.gen(function* () {
      const { reporter } = random.pick(yield* running.workers)
      note(`round of ${reporter.worker}`)
      yield* Effect.forkDaemon(Effect.ignore(reporter.report))
    })
    const wait = Effect.suspend(() => {
      const millis = random.pick([1_000, minute, 10 * minute, 40 * minute, 70 * minute, 5 * hour])
      note(`wait ${Math.round(millis / 1_000)} s`)
      return Effect.sleep(1 + random.below(millis))
    })
    const crash = Effect.suspend(() => {
      note("crash")
      return running.crash
    })
    const carryForward = Effect.map(
      withLedger(({ operator }) =>
        operator.carryForward(
          random.chance(0.5) ? {} : { states: ["expired", "rejected", "notSubscribed"] }
        )
      ),
      (result) => {
        if (Either.isRight(result) && result.right > 0) count("carriedForward")
      }
    )
    const operate = Effect.suspend(() => {
      const act = random.pick(["retry", "carryForward", "recover"] as const)
      note(`operator: ${act}`)
      if (act === "carryForward") return carryForward
      count(act === "retry" ? "retried" : "recovered")
      return withLedger(
        ({ operator }): Effect.Effect<unknown, unknown> =>
          act === "retry" ? operator.retry() : operator.recover
      )
    })
    const actions: ReadonlyArray<readonly [number, Effect.Effect<unknown>]> = [
      [30, usage.recordNew],
      [4, usage.recordTogether],
      [8, usage.sendAgain],
      [5, usage.correct],
      [8, upstream.advance],
      [24, report],
      [20, wait],
      [3, crash],
      [2, catalog.renew(world)],
      [2, catalog.close(world)],
      [3, operate]
    ]
    const total = actions.reduce((sum, [weight]) => sum + weight, 0)
    const act = Effect.suspend(() => {
      let at = random.below(total)
      for (const [weight, action] of actions) {
        if (at < weight) return action
        at -= weight
      }
      return Effect.void
    })

    // -------------------------------------------------------------------------------------------
    // judgment
    // -------------------------------------------------------------------------------------------

    const read = Effect.suspend(() => {
      const ids = [...wanted.keys()]
      return store.snapshot((tables) =>
        Effect.gen(function* () {
          const entries = yield* tables.entryPage({}, undefined, Number.MAX_SAFE_INTEGER)
          const log = [`${upstreams.source}/${upstreams.partition}`]
          return {
            entries,
            events: yield* tables.events(ids),
            adjustments: yield* tables.postings({ cause: "adjust", references: ids }),
            advances: yield* tables.postings({ cause: "advance", references: log }),
            carry: yield* tables.carry([...new Set(entries.map(({ key }) => key.id))])
          }
        })
      )
    })
    const starts = (id: string) => subscriptions.find((one) => one.id === id)?.from ?? 0
    const check = Effect.gen(function* () {
      const rows = yield* read
      const found = oracle.violations(rows, yield* sandbox.report.billed, {
        wanted,
        upstream: upstream.sums(),
        customerOf: (lineage) => lineage.slice(lineage.indexOf("-") + 1),
        startOf: starts,
        carries
      })
      return [...found, ...unexpected]
    }).pipe(Effect.orDie)
    const last = Effect.gen(function* () {
      const rows = yield* read
      const [history, ledger] = yield* store.snapshot((tables) =>
        Effect.all([tables.history(rows.entries.map(({ entry }) => entry)), tables.ledger])
      )
      for (const view of rows.entries) {
        const state = stateOf(view)
        states[state] = (states[state] ?? 0) + 1
      }
      return unfinished(rows, history, {
        now: now(),
        wanted,
        isHeld: ledger?.holdFrom !== undefined,
        closedAt: (id) => subscriptions.find((one) => one.id === id)?.closedAt,
        goesOn: (lineage) =>
          subscriptions.some(
            (one) => one.lineage === lineage && !one.isFollowed && one.closedAt === undefined
          )
      })
    }).pipe(Effect.orDie)
    const result = (violations: ReadonlyArray<string>) => ({
      ...{ seed, violations, log, states, features }
    })

    for (let step = 1; step <= steps; step += 1) {
      yield* act
      const found = step % stepsPerCheck === 0 ? yield* check : []
      if (found.length > 0) return result(found)
    }

    // what is left is reported by workers that neither crash nor freeze
    note("the faults end")
    yield* running.endFaults
    // some responses are lost until the deadline
    if (random.chance(0.7)) yield* sandbox.control.setFaults({})
    yield* Effect.sleep(3 * minute)
    for (let round = 0; round < lastRounds; round += 1) {
      if (round === 3 && random.chance(0.5)) yield* carryForward
      const [worker] = yield* running.workers
      yield* Effect.ignore(worker?.reporter.report ?? Effect.void)
      yield* Effect.sleep(lastWait)
      const found = yield* check
      if (found.length > 0) return result(found)
    }
    return result([...(yield* check), ...(yield* last)])
  })
  return Effect.scoped(run).pipe(
    Effect.provide(MeteringSandbox.layer(scenario(startsAt, random))),
    Logger.withMinimumLogLevel(LogLevel.None),
    Effect.withClock({
      ...time.clock,
      sleep: (duration) => (isOver ? Effect.never : time.clock.sleep(duration))
    })
  )
}
