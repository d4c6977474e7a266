/** Recorders and workers on one store, which crash and are replaced. */
import { Context, Effect, Either, Layer, Option, Scope } from "effect"
import { UsageLedger, UsageLedgerStore, UsageReporter } from "effect-marketplace-metering/ledger"
import { type Service as Client, MeteringClient } from "effect-marketplace-metering/MeteringClient"
import * as faultyProcess from "./faultyProcess.js"
import type { Feature } from "./features.js"
import type { Random } from "./random.js"
import { minute, products, type World } from "./world.js"

export interface Worker {
  readonly process: faultyProcess.Process
  readonly reporter: UsageReporter.Service
}

export interface Processes {
  readonly withLedger: World["withLedger"]
  /** The workers that are alive, of which there are always two. */
  readonly workers: Effect.Effect<ReadonlyArray<Worker>>
  /** Crashes one of the processes. */
  readonly crash: Effect.Effect<void>
  /** Crashes all, and ends the faults. */
  readonly endFaults: Effect.Effect<void>
  readonly killAll: () => void
}

export const make = (
  store: UsageLedgerStore.Service,
  client: Client,
  random: Random,
  count: (feature: Feature) => void,
  options: Partial<faultyProcess.Faults> = {}
): Processes => {
  let faults: faultyProcess.Faults = {
    crash: random.pick([0, 0.002, 0.01]),
    freeze: random.pick([0, 0, 0.002]),
    unavailable: random.pick([0, 0.02, 0.1]),
    ...options
  }
  const processes: Array<faultyProcess.Process> = []
  const start = () => {
    const process = faultyProcess.make(store, client, random, () => faults, count)
    processes.push(process)
    return process
  }

  /** A process that records, with its ledger. It never closes: it crashes or is left behind. */
  const startRecorder = Effect.gen(function* () {
    const process = start()
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

  let workers: Array<Worker> = []
  let startedWorkers = 0
  const startWorker = Effect.gen(function* () {
    const process = start()
    startedWorkers += 1
    const made = yield* UsageReporter.make({ worker: `worker-${startedWorkers}` }).pipe(
      Effect.provideService(UsageLedgerStore.UsageLedgerStore, process.store),
      Effect.provideService(MeteringClient, process.client),
      Scope.extend(yield* Scope.make()),
      Effect.timeoutOption(10 * minute),
      Effect.either
    )
    if (Either.isRight(made) && Option.isSome(made.right)) {
      workers.push({ process, reporter: made.right.value })
    }
  })
  const killAll = () => {
    for (const process of processes) process.kill()
  }

  return {
    withLedger: (use) =>
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
      }),
    workers: Effect.gen(function* () {
      workers = workers.filter(({ process }) => process.isAlive())
      while (workers.length < 2) yield* startWorker
      return workers
    }),
    crash: Effect.sync(() => {
      const process = random.pick([...workers.map(({ process }) => process), recorder?.process])
      if (process?.isAlive()) count("crashed")
      process?.kill()
    }),
    endFaults: Effect.sync(() => {
      faults = { crash: 0, freeze: 0, unavailable: 0 }
      killAll()
    }),
    killAll
  }
}
