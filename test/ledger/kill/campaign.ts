/** Kills a recording and reporting process again and again, and judges the ledger at the end. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { EntryView } from "../../../src/ledger/internal/tables.js"
import type { Service as Store } from "../../../src/ledger/UsageLedgerStore.js"
import { MeteringSandbox, SandboxServer } from "../../../src/sandbox/index.js"
import { gaps } from "./coverage.js"
import * as oracle from "./oracle.js"
import {
  chances,
  customers,
  type Dimension,
  dimensions,
  firstCustomers,
  hour,
  type Line,
  type Orders,
  region,
  type Usage
} from "./plan.js"
import * as program from "./program.js"
import { type Step, steps } from "./stops.js"

export interface Options<E> {
  readonly store: Orders["store"]
  /** Opens the store in this process, to read it at the end. */
  readonly open: Effect.Effect<Store, E, Scope.Scope>
  readonly kills: number
  readonly seed: number
  /** Restarts the server of the store: at every tenth life. */
  readonly restart?: Effect.Effect<void> | undefined
  /** The share of kills at a random time, beside those at a step. Defaults to 0.4. */
  readonly random?: number | undefined
  readonly onLife?: ((kills: number, life: program.Life) => void) | undefined
}

export interface Outcome extends oracle.Judgment {
  readonly kills: number
  readonly lives: number
  /** Kills by step. */
  readonly killsAt: { readonly [step: string]: number }
  readonly events: number
  readonly rejected: { readonly [error: string]: number }
  /** Errors of the store and the reporter that a child has survived. */
  readonly errors: { readonly [message: string]: number }
  readonly calls: number
  /** Errors of the processes and gaps of the campaign. */
  readonly failures: ReadonlyArray<string>
}

/** A sandbox of all customers, with faults. */
export const sandboxLayer = (startedAt: number, seed: number) =>
  Layer.provideMerge(
    SandboxServer.layerNode({ anyCredentials: true }),
    MeteringSandbox.layer({
      region,
      products: [
        { code: "analytics-code", dimensions: ["calls", "gb"] },
        { code: "search-code", dimensions: ["queries"] }
      ],
      customers: customers.map((customerAWSAccountId) => ({
        customerAWSAccountId,
        agreements: ["analytics-code", "search-code"].map((productCode) => ({
          productCode,
          start: DateTime.unsafeMake(startedAt - 72 * hour)
        }))
      })),
      faults: { script: [{ fault: "none" }], chances, seed }
    })
  )

/** A small generator of numbers from 0 to below 1 (mulberry32). */
export const randomOf = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const minBy = <A>(values: ReadonlyArray<A>, by: (value: A) => number): A =>
  values.reduce((least, value) => (by(value) < by(least) ? value : least))

const minute = 60_000

export const campaign = <E>(options: Options<E>) =>
  Effect.gen(function* () {
    const { url } = yield* SandboxServer.SandboxServer
    const { control, report } = yield* MeteringSandbox.MeteringSandbox
    const file = yield* program.bundle
    const random = randomOf(options.seed)
    const upTo = (limit: number) => Math.floor(random() * limit)
    const startedAt = Date.now()
    let offset = 0
    let subscribed = firstCustomers
    let made = 0
    let worker = 0
    const waiting = new Map<string, Usage>()
    const usageOf = new Map<string, Usage>()
    const stored = new Map<string, number>()
    const rejected: Record<string, number> = {}
    const errors: Record<string, number> = {}
    const failures: Array<string> = []
    const killsAt: Record<string, number> = {}
    let kills = 0
    let lives = 0

    const makeUsage = (): Usage => {
      const names = Object.keys(dimensions) as ReadonlyArray<Dimension>
      const dimension = names[upTo(names.length)] ?? "calls"
      const ago = random() < 0.85 ? upTo(30 * minute) : upTo(26 * hour)
      const usage: Usage = {
        id: `usage-${options.seed}-${++made}`,
        customer: customers[upTo(subscribed)] ?? "",
        dimension,
        quantity: 1 + upTo(dimensions[dimension].scale > 0 ? 4_000 : 9),
        at: Date.now() + offset - ago,
        ...(dimension === "queries" && random() < 0.5 && { team: `team-${upTo(3)}` })
      }
      usageOf.set(usage.id, usage)
      waiting.set(usage.id, usage)
      return usage
    }

    const learn = (line: Line) => {
      switch (line.line) {
        case "stored": {
          const earlier = stored.get(line.id)
          if (earlier !== undefined && earlier !== line.hour) {
            failures.push(`${line.id} was stored in hour ${earlier}, and now in ${line.hour}`)
          }
          stored.set(line.id, line.hour)
          waiting.delete(line.id)
          return
        }
        case "rejected":
          if (stored.has(line.id)) {
            failures.push(`${line.id} was stored, and is then rejected as ${line.error}`)
          }
          rejected[line.error] = (rejected[line.error] ?? 0) + 1
          waiting.delete(line.id)
      }
    }

    const live = (
      usage: ReadonlyArray<Usage>,
      stop: Orders["stop"],
      how: { readonly killAfter?: number; readonly lease: number; readonly rounds: number }
    ): Effect.Effect<program.Life> =>
      Effect.tap(
        program.run(
          file,
          {
            store: options.store,
            endpoint: url,
            worker: `worker-${++worker}`,
            offset,
            startedAt,
            subscribed,
            usage,
            rounds: how.rounds,
            lease: how.lease,
            stop
          },
          { killAfter: how.killAfter }
        ),
        (life) =>
          Effect.sync(() => {
            lives += 1
            life.lines.forEach(learn)
            for (const line of life.lines) {
              if (line.line === "failed") errors[line.error] = (errors[line.error] ?? 0) + 1
            }
            if (life.errors !== "") failures.push(life.errors.slice(0, 2_000))
            if (life.killedAt !== undefined) {
              kills += 1
              killsAt[life.killedAt] = (killsAt[life.killedAt] ?? 0) + 1
            }
            options.onLife?.(kills, life)
          })
      )

    const pass = (millis: number) =>
      Effect.suspend(() => {
        offset += millis
        return control.advance(Duration.millis(millis))
      })

    /** Usage that was acknowledged is sent again too, as a producer does that lost the acknowledgment. */
    const resent = () => {
      const some = [...stored.keys()]
      return Array.from({ length: 3 }, () => usageOf.get(some[upTo(some.length)] ?? "")).flatMap(
        (usage) => (usage === undefined ? [] : [usage])
      )
    }
    const distinct = (usage: ReadonlyArray<Usage>) => [
      ...new Map(usage.map((one) => [one.id, one])).values()
    ]

    let length = 300
    let nextStep = options.seed
    let isLate = false
    /** One step after the other, and each second time the first of those with the fewest kills. */
    const byStep = () => {
      const next = steps[(nextStep += 7) % steps.length] as Step
      // records expire in the next life only
      const among = isLate ? steps.filter((step) => step.startsWith("update")) : steps
      const fewest = minBy(among, (step) => killsAt[step] ?? 0)
      const step = isLate || random() < 0.5 ? fewest : next
      if (step.startsWith("subscribe") && subscribed < customers.length) subscribed += 1
      const isRare = killsAt[step] === undefined || step.startsWith("update")
      return { step, count: isRare ? 1 : 1 + upTo(/^(record|lease|subscribe)/.test(step) ? 2 : 3) }
    }
    while (kills < options.kills) {
      const isRandom: boolean = !isLate && random() < (options.random ?? 0.4)
      const stop: Orders["stop"] = isRandom ? undefined : byStep()
      const isPair = random() < 0.2
      const how = {
        lease: isPair ? 1_000 : minute,
        rounds: 4,
        ...(isRandom && { killAfter: upTo(length * 1.2) })
      }
      const old = [...waiting.values()].slice(0, 40)
      const mine = Array.from({ length: 15 + upTo(15) }, makeUsage)
      const other = isPair ? Array.from({ length: 10 }, makeUsage) : []
      const isRestarted = options.restart !== undefined && random() < 0.1
      const running: ReadonlyArray<Effect.Effect<program.Life | undefined>> = [
        live(distinct([...old, ...mine, ...resent()]), stop, how),
        ...(isPair
          ? [
              live(distinct([...other, ...old.slice(0, 5)]), undefined, {
                lease: 1_000,
                rounds: 4
              })
            ]
          : []),
        ...(isRestarted && options.restart !== undefined
          ? [Effect.as(Effect.delay(options.restart, 150 + upTo(300)), undefined)]
          : [])
      ]
      const [life] = yield* Effect.all(running, { concurrency: 3 })
      if (life?.killedAt === undefined) length = 0.8 * length + 0.2 * (life?.milliseconds ?? length)
      // past the deadline, and most often when the ledger may not know of a call
      const chance = /^(attempt|call|results)/.test(life?.killedAt ?? "") ? 0.1 : 0.02
      isLate = random() < chance
      yield* pass(isLate ? 25 * hour : 2 * minute + upTo(45 * minute))
    }

    const store = yield* options.open
    const isOpen = ({ entry, record }: EntryView) =>
      !entry.isSealed || (record !== undefined && record.resolvedAt === undefined)
    for (let left = 60; ; left--) {
      yield* pass(70 * minute)
      yield* live([...waiting.values()].slice(0, 500), undefined, { lease: minute, rounds: 6 })
      const views = yield* readEntries(store)
      if (left === 0 || (waiting.size === 0 && !views.some(isOpen))) break
    }
    if (waiting.size > 0) failures.push(`${waiting.size} events were never acknowledged`)

    const acknowledged = [...stored].flatMap(([id, at]) => {
      const usage = usageOf.get(id)
      return usage === undefined ? [] : [{ ...usage, hour: at }]
    })
    const billed = (yield* report.billed).map((row) => ({
      customer: row.customerAWSAccountId,
      dimension: row.dimension,
      hour: Math.floor(DateTime.toEpochMillis(row.hour) / hour),
      quantity: row.quantity
    }))
    const scales = Object.fromEntries(
      Object.entries(dimensions).map(([name, { scale }]) => [name, scale])
    )
    const judgment = oracle.judge(acknowledged, billed, yield* readClaims(store), scales)
    const counts = yield* report.callCounts
    const outcome = {
      ...judgment,
      kills,
      lives,
      killsAt,
      events: stored.size,
      rejected,
      errors,
      calls: counts.BatchMeterUsage ?? 0
    }
    return { ...outcome, failures: [...failures, ...gaps(outcome)] } satisfies Outcome
  })

const readEntries = (store: Store) =>
  store.snapshot((tables) => tables.entryPage({}, undefined, 1_000_000))

export const readClaims = (store: Store) =>
  store.snapshot((tables) =>
    Effect.gen(function* () {
      const views = yield* tables.entryPage({}, undefined, 1_000_000)
      const history = yield* tables.history(views.map(({ entry }) => entry))
      const causes = new Map(history.map((row) => [`${row.key}/${row.hour}`, row.cause]))
      return views.map(
        ({ entry, key, record }): oracle.Claim => ({
          customer: key.lineage.slice(key.lineage.indexOf("-") + 1),
          dimension: key.dimension,
          hour: entry.hour,
          state: entry.isSealed ? (record?.state ?? "zero") : "open",
          recorded: entry.quantity,
          units: record?.quantity,
          cause: causes.get(`${entry.key}/${entry.hour}`)
        })
      )
    })
  )

/** The outcome in lines. */
export const show = (outcome: Outcome): string =>
  [
    `${outcome.kills} kills in ${outcome.lives} lives, ${outcome.events} events acknowledged, ${outcome.calls} calls`,
    `entries by state: ${JSON.stringify(outcome.states)}; ${outcome.billedUnits} units billed`,
    `events rejected: ${JSON.stringify(outcome.rejected)}`,
    `errors survived: ${JSON.stringify(outcome.errors)}`,
    `kills by step: ${JSON.stringify(outcome.killsAt)}`,
    ...outcome.failures.map((failure) => `failure: ${failure}`),
    ...outcome.problems.slice(0, 30).map((problem) => `problem: ${problem}`)
  ].join("\n")
