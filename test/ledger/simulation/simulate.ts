/**
 * Runs producers, recorders and reporters against a ledger in memory and a sandbox, with crashes, freezes, lost responses and
 * everything else that goes wrong, and judges every step. One seed always gives one run.
 */
import { Context, DateTime, Effect, Either, Layer, Logger, LogLevel, Option, Scope } from "effect"
import {
  MemoryLedgerStore,
  UsageLedger,
  UsageLedgerStore,
  UsageReporter
} from "effect-marketplace-metering/ledger"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import * as virtualClock from "../../internal/submission/virtualClock.js"
import * as faultyProcess from "./faultyProcess.js"
import * as oracle from "./oracle.js"
import * as randoms from "./random.js"

export interface Result {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  /** The steps that led there. */
  readonly log: ReadonlyArray<string>
  /** Records by state, at the end. */
  readonly states: Readonly<Record<string, number>>
}

const hour = 3_600_000
const minute = 60_000

/** Ordinary days, the ends of a month, of a year and of a February with 29 days. */
const starts = [
  Date.UTC(2026, 10, 24, 10),
  Date.UTC(2026, 10, 30, 18),
  Date.UTC(2026, 11, 31, 20, 30),
  Date.UTC(2028, 1, 28, 12)
]

const accounts = ["111122223333", "222233334444"]

const products: UsageLedger.Options["products"] = {
  analytics: {
    region: "us-east-1",
    productCode: "analytics-code",
    dimensions: { calls: {}, gb: { scale: 3 } },
    late: "carry",
    tagKeys: ["team"]
  },
  search: {
    region: "us-east-1",
    productCode: "search-code",
    dimensions: { queries: {}, nodes: { zeroFill: true } },
    late: "reject"
  }
}

const dimensionsOf = { analytics: ["calls", "gb"], search: ["queries", "nodes"] } as const

interface Subscribed {
  /** Of the last one of its lineage. */
  id: string
  readonly lineage: string
  readonly account: string
  readonly product: "analytics" | "search"
  isClosed: boolean
  /** The start of the last one. */
  from: number
  /** Hours with a cancellation, after which they may be sealed at once. */
  readonly canceled: Set<number>
}

export const simulate = (seed: number, steps: number): Effect.Effect<Result> => {
  const random = randoms.make(seed)
  const startsAt = random.pick(starts)
  const time = virtualClock.settable(startsAt)
  const log: Array<string> = []
  /** Set at the end, so that fibers that are left behind do not run on. */
  let isOver = false
  const run = Effect.gen(function* () {
    const sandbox = yield* MeteringSandbox.MeteringSandbox
    const client = yield* MeteringClient
    const store = MemoryLedgerStore.make()
    let faults: faultyProcess.Faults = {
      crash: random.pick([0, 0.002, 0.01]),
      freeze: random.pick([0, 0, 0.002]),
      unavailable: random.pick([0, 0.02, 0.1])
    }
    const now = () => time.clock.unsafeCurrentTimeMillis()
    const note = (text: string) => {
      log.push(`${new Date(now()).toISOString()} ${text}`)
    }

    // -------------------------------------------------------------------------------------------
    // processes
    // -------------------------------------------------------------------------------------------

    const processes: Array<faultyProcess.Process> = []
    const startProcess = () => {
      const process = faultyProcess.make(store, client, random, () => faults)
      processes.push(process)
      return process
    }
    /** A process that recorded, with its ledger. It never closes: it crashes or is left behind. */
    const startRecorder = Effect.gen(function* () {
      const process = startProcess()
      const scope = yield* Scope.make()
      const built = yield* Layer.buildWithScope(
        UsageLedger.layer({ seller: "acme", target: "sandbox", products }).pipe(
          Layer.provide(Layer.succeed(UsageLedgerStore.UsageLedgerStore, process.store))
        ),
        scope
      ).pipe(Effect.timeoutOption(10 * minute), Effect.either)
      return Either.isRight(built) && Option.isSome(built.right)
        ? { process, ledger: Context.get(built.right.value, UsageLedger.UsageLedger) }
        : undefined
    })
    let recorder: { process: faultyProcess.Process; ledger: UsageLedger.Service } | undefined
    const recording = Effect.gen(function* () {
      while (recorder === undefined || !recorder.process.isAlive()) recorder = yield* startRecorder
      return recorder.ledger
    })
    /** Runs something with a recorder, and with another one if there is no response in a minute. */
    const withLedger = <A, E>(
      use: (ledger: UsageLedger.Service) => Effect.Effect<A, E>
    ): Effect.Effect<Either.Either<A, E>> =>
      Effect.gen(function* () {
        for (;;) {
          const ledger = yield* recording
          const done = yield* Effect.timeoutOption(Effect.either(use(ledger)), minute)
          if (Option.isNone(done)) {
            recorder = undefined
            continue
          }
          const isUnavailable =
            Either.isLeft(done.value) &&
            (done.value.left as { readonly _tag?: string })._tag === "LedgerUnavailable"
          if (!isUnavailable) return done.value
          yield* Effect.sleep(1_000)
        }
      })

    let workers: Array<{ process: faultyProcess.Process; reporter: UsageReporter.Service }> = []
    let startedWorkers = 0
    const startWorker = Effect.gen(function* () {
      const process = startProcess()
      startedWorkers += 1
      const reporter = yield* UsageReporter.make({ worker: `worker-${startedWorkers}` }).pipe(
        Effect.provideService(UsageLedgerStore.UsageLedgerStore, process.store),
        Effect.provideService(MeteringClient, process.client),
        Scope.extend(yield* Scope.make())
      )
      workers.push({ process, reporter })
    })

    // -------------------------------------------------------------------------------------------
    // usage
    // -------------------------------------------------------------------------------------------

    const subscriptions: Array<Subscribed> = []
    const subscribe = (account: string, product: "analytics" | "search") =>
      Effect.gen(function* () {
        const id = `${product}-${account}`
        yield* withLedger((ledger) =>
          ledger.subscribe({
            id,
            product,
            customerAWSAccountId: account,
            from: DateTime.unsafeMake(startsAt - 30 * hour)
          })
        )
        subscriptions.push({
          ...{ id, lineage: id, account, product },
          ...{ isClosed: false, from: startsAt - 30 * hour },
          canceled: new Set()
        })
      })
    for (const account of accounts) {
      yield* subscribe(account, "analytics")
      yield* subscribe(account, "search")
    }
    const wanted = new Map<string, oracle.Wanted>()
    const inputs = new Map<string, UsageLedger.Event>()

    const send = (id: string, event: UsageLedger.Event) =>
      Effect.gen(function* () {
        const entry = wanted.get(id) as oracle.Wanted
        const result = yield* withLedger((ledger) => ledger.record(event))
        if (Either.isRight(result)) entry.isAcknowledged = true
        else {
          note(`${id} is rejected: ${result.left._tag}`)
          const current = Math.floor(now() / hour)
          const subscription = subscriptions.find(({ lineage }) =>
            event.subscription.startsWith(lineage)
          )
          if (
            result.left._tag === "EventTooLate" &&
            Math.floor(entry.at / hour) === current &&
            subscription?.isClosed === false &&
            !subscription.canceled.has(current)
          ) {
            unexpected.push(`${id} of the current hour is rejected as too late`)
          }
          if (result.left._tag !== "EventConflict") entry.isRejected = true
        }
      })

    const recordNew = Effect.gen(function* () {
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
        quantity: dimension === "gb" ? (parts / 1_000).toFixed(3) : units,
        at: DateTime.unsafeMake(at),
        ...(subscription.product === "analytics" &&
          random.chance(0.4) && { tags: { team: random.pick(["a", "b", "c"]) } })
      }
      wanted.set(id, {
        id,
        key: `${subscription.id} ${dimension}`,
        quantity: parts,
        at,
        isAcknowledged: false,
        isRejected: false,
        corrected: undefined,
        isCorrecting: false
      })
      inputs.set(id, event)
      note(`record ${id}: ${event.quantity} ${dimension} of ${subscription.id}`)
      yield* Effect.forkDaemon(send(id, event))
    })

    const anyAcknowledged = () =>
      random.pick([...wanted.values()].filter(({ isAcknowledged }) => isAcknowledged))

    const sendAgain = Effect.gen(function* () {
      const entry = anyAcknowledged()
      const event = entry && inputs.get(entry.id)
      if (entry === undefined || event === undefined) return
      const isChanged = random.chance(0.5)
      const changed = isChanged
        ? { ...event, at: DateTime.unsafeMake(entry.at - 1 - random.below(minute)) }
        : event
      const result = yield* withLedger((ledger) => ledger.record(changed))
      const tag = Either.isRight(result) ? result.right._tag : result.left._tag
      const isRight = isChanged
        ? ["EventConflict", "UnknownSubscription", "EventTooLate"].includes(tag)
        : tag === "AlreadyRecorded"
      if (!isRight) unexpected.push(`${entry.id} ${isChanged ? "changed" : "again"} is ${tag}`)
    })
    const unexpected: Array<string> = []

    const correct = Effect.gen(function* () {
      const entry = anyAcknowledged()
      if (entry === undefined || entry.isCorrecting) return
      entry.isCorrecting = true
      const scale = entry.key.endsWith("gb") ? 1_000 : 1
      const target = random.below(entry.quantity + 2)
      note(`correct ${entry.id} to ${target}`)
      yield* Effect.forkDaemon(
        Effect.map(
          withLedger((ledger) =>
            ledger.adjust({
              event: entry.id,
              quantity: scale === 1 ? target : (target / scale).toFixed(3),
              reason: "simulated"
            })
          ),
          (result) => {
            if (Either.isRight(result)) entry.corrected = target
            entry.isCorrecting = false
          }
        )
      )
    })

    // -------------------------------------------------------------------------------------------
    // steps
    // -------------------------------------------------------------------------------------------

    const report = Effect.gen(function* () {
      workers = workers.filter(({ process }) => process.isAlive())
      while (workers.length < 2) yield* startWorker
      const { reporter } = random.pick(workers)
      note(`round of ${reporter.worker}`)
      yield* Effect.forkDaemon(Effect.ignore(reporter.report))
    })
    const wait = Effect.suspend(() => {
      const millis = random.pick([1_000, minute, 10 * minute, 40 * minute, 70 * minute, 5 * hour])
      note(`wait ${Math.round(millis / 1_000)} s`)
      return Effect.sleep(1 + random.below(millis))
    })
    const crash = Effect.sync(() => {
      const process = random.pick([...workers.map(({ process }) => process), recorder?.process])
      note("crash")
      process?.kill()
    })
    const close = Effect.gen(function* () {
      const open = subscriptions.filter(({ isClosed }) => !isClosed)
      if (open.length < 3) return
      const subscription = random.pick(open)
      subscription.isClosed = true
      note(`close ${subscription.id}`)
      yield* withLedger((ledger) => ledger.close(subscription.id))
    })
    const renew = Effect.gen(function* () {
      const subscription = random.pick(subscriptions.filter(({ isClosed }) => !isClosed))
      const { account, id, product } = subscription
      const next = `${id}+`
      if (random.chance(0.3)) {
        note(`cancel ${id}`)
        subscription.canceled.add(Math.floor(now() / hour))
        yield* withLedger((ledger) => ledger.close(id))
        subscription.canceled.add(Math.floor(now() / hour))
        yield* wait
        subscription.canceled.add(Math.floor(now() / hour))
      }
      // one that follows begins later
      const from = Math.max(now(), subscription.from + 1)
      subscription.from = from
      note(`renew ${id}`)
      const result = yield* withLedger((ledger) =>
        ledger.subscribe({
          ...{ id: next, product, customerAWSAccountId: account, follows: id },
          from: DateTime.unsafeMake(from)
        })
      )
      if (Either.isLeft(result)) unexpected.push(`${id} is not renewed: ${result.left._tag}`)
      subscription.id = next
    })
    const operate = Effect.suspend(() => {
      note("operator")
      return withLedger((ledger) =>
        random.chance(0.5) ? ledger.operator.retry() : ledger.operator.carryForward({})
      )
    })
    const actions: ReadonlyArray<readonly [number, Effect.Effect<unknown>]> = [
      [35, recordNew],
      [8, sendAgain],
      [5, correct],
      [25, report],
      [20, wait],
      [3, crash],
      [2, close],
      [3, renew],
      [2, operate]
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

    const carryingProducts = new Set(["analytics"])
    const check = Effect.gen(function* () {
      const ids = [...wanted.keys()]
      const rows = yield* store.snapshot((tables) =>
        Effect.gen(function* () {
          const entries = yield* tables.entryPage({}, undefined, Number.MAX_SAFE_INTEGER)
          return {
            entries,
            events: yield* tables.events(ids),
            adjustments: yield* tables.postings({ cause: "adjust", references: ids }),
            carry: yield* tables.carry([...new Set(entries.map(({ key }) => key.id))])
          }
        })
      )
      const found = oracle.violations(rows, yield* sandbox.report.billed, {
        wanted,
        customerOf: (lineage) => lineage.slice(lineage.indexOf("-") + 1),
        carries: (product) => carryingProducts.has(product)
      })
      return { rows, found: [...found, ...unexpected] }
    }).pipe(Effect.orDie)

    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isOver = true
        for (const process of processes) process.kill()
      })
    )
    const states: Record<string, number> = {}
    for (let step = 0; step < steps; step += 1) {
      yield* act
      const { found } = yield* check
      if (found.length > 0) return { seed, violations: found, log, states }
    }

    // what is left is reported by workers that neither crash nor freeze
    note("the faults end")
    faults = { crash: 0, freeze: 0, unavailable: 0 }
    // some responses are lost until the deadline
    if (random.chance(0.7)) yield* sandbox.control.setFaults({})
    for (const { process } of workers) process.kill()
    recorder?.process.kill()
    workers = []
    yield* Effect.sleep(3 * minute)
    yield* startWorker
    const [last] = workers
    for (let round = 0; round < 9; round += 1) {
      yield* Effect.ignore(last?.reporter.report ?? Effect.void)
      yield* Effect.sleep(4 * hour)
      const { found } = yield* check
      if (found.length > 0) return { seed, violations: found, log, states }
    }
    const { found, rows } = yield* check
    const violations = [...found]
    for (const event of wanted.values()) {
      if (!event.isAcknowledged && !event.isRejected) violations.push(`${event.id} has no result`)
    }
    for (const { isClosed, lineage } of subscriptions) {
      if (!isClosed) continue
      const keys = new Map(
        rows.entries.flatMap(({ key }) => (key.lineage === lineage ? [[key.id, key] as const] : []))
      )
      for (const { dimension, id, scale } of keys.values()) {
        const left = rows.carry
          .filter(({ key }) => key === id)
          .reduce((sum, { amount }) => sum + amount, 0n)
        if (left > 0n && left < 10n ** BigInt(scale)) {
          violations.push(`of ${lineage} ${dimension} a fraction of ${left} is left after its end`)
        }
      }
    }
    for (const { entry, key, record } of rows.entries) {
      const state = entry.isSealed ? (record?.state ?? "zero") : "open"
      states[state] = (states[state] ?? 0) + 1
      const isHeld =
        state === "open" &&
        (yield* store.snapshot((tables) => tables.ledger).pipe(Effect.orDie))?.holdFrom !==
          undefined
      if (
        (state === "open" || state === "sealed") &&
        entry.hour * hour < now() - 28 * hour &&
        !isHeld
      ) {
        violations.push(`${key.lineage} ${key.dimension} ${entry.hour} is still ${state}`)
      }
    }
    return { seed, violations, log, states }
  })
  return Effect.scoped(run).pipe(
    Effect.provide(
      MeteringSandbox.layer({
        region: "us-east-1",
        products: [
          { code: "analytics-code", dimensions: ["calls", "gb"] },
          { code: "search-code", dimensions: ["queries", "nodes"] }
        ],
        customers: accounts.map((customerAWSAccountId) => ({
          customerAWSAccountId,
          agreements: ["analytics-code", "search-code"].map((productCode) => ({
            productCode,
            start: DateTime.unsafeMake(startsAt - 48 * hour)
          }))
        })),
        faults: {
          chances: random.pick([
            [],
            [
              { fault: "throttling", probability: 0.05 },
              { fault: "internalError", probability: 0.05 },
              { fault: "cutBefore", probability: 0.05 },
              { fault: "cutAfter", probability: 0.1 },
              { fault: "unprocessed", share: 0.5, probability: 0.1 }
            ],
            [{ fault: "cutAfter", probability: 0.6 }],
            [{ fault: "cutAfter", probability: 0.85 }]
          ])
        }
      })
    ),
    Logger.withMinimumLogLevel(LogLevel.None),
    Effect.withClock({
      ...time.clock,
      sleep: (duration) => (isOver ? Effect.never : time.clock.sleep(duration))
    })
  )
}
