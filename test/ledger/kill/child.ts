/** Records usage and reports it until it is done, or kills itself at a step. */
import { readFileSync, writeSync } from "node:fs"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as AwsCredentials from "../../../src/AwsCredentials.js"
import { PgLedgerStore, SqliteLedgerStore, UsageReporter } from "../../../src/ledger/index.js"
import { initialize } from "../../../src/ledger/internal/transactions/initialize.js"
import { subscribe } from "../../../src/ledger/internal/transactions/subscribe.js"
import { UsageLedgerStore } from "../../../src/ledger/UsageLedgerStore.js"
import * as MeteringClient from "../../../src/MeteringClient.js"
import * as MeteringConfig from "../../../src/MeteringConfig.js"
import {
  customers,
  dimensions,
  hour,
  type Line,
  type Orders,
  productNames,
  products,
  region,
  type Usage
} from "./plan.js"
import * as recorders from "./recorder.js"
import { type Step, type Stops, stoppingClient, stoppingStore } from "./stops.js"

const orders: Orders = JSON.parse(readFileSync(0, "utf8"))

const write = (line: Line) => void writeSync(1, `${JSON.stringify(line)}\n`)

const die = (step: Step) => {
  write({ line: "step", step })
  process.kill(process.pid, orders.stop?.signal ?? "SIGKILL")
}

/** Sleeps pass faster than time, so that waits for a throttled service are short. */
const sleepSpeed = 20

const clock: Clock.Clock = (() => {
  const real = Clock.make()
  const now = () => Date.now() + orders.offset
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    unsafeCurrentTimeNanos: () => real.unsafeCurrentTimeNanos(),
    currentTimeNanos: real.currentTimeNanos,
    currentTimeMillis: Effect.sync(now),
    sleep: (duration) => real.sleep(Duration.times(duration, 1 / sleepSpeed))
  }
})()

const reached = new Map<Step, number>()
const isStop = (step: Step) => {
  if (orders.stop?.step !== step) return false
  const count = (reached.get(step) ?? 0) + 1
  reached.set(step, count)
  return count === orders.stop.count
}

const stops: Stops = {
  at: (step) => Effect.sync(() => void (isStop(step) && die(step))),
  soon: (step) =>
    Effect.sync(() => {
      if (isStop(step))
        setTimeout(() => die(step), Math.random() * (step === "call:during" ? 8 : 3))
    })
}

const storeLayer =
  orders.store.kind === "sqlite"
    ? SqliteLedgerStore.layer({ file: orders.store.file, busyTimeout: "20 seconds" })
    : PgLedgerStore.layer({ url: orders.store.url })

const clientLayer = MeteringClient.layer.pipe(
  Layer.provide([
    MeteringConfig.layer({ region, endpoint: orders.endpoint }),
    AwsCredentials.layerStatic({
      accessKeyId: "sandbox",
      secretAccessKey: Redacted.make("sandbox")
    }),
    FetchHttpClient.layer
  ])
)

const toEvent = ({ at, customer, dimension, id, quantity, team }: Usage) => {
  const { product, scale } = dimensions[dimension]
  const digits = String(quantity).padStart(scale + 1, "0")
  return {
    id,
    subscription: `${product}-${customer}`,
    dimension,
    quantity:
      scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(digits.length - scale)}`,
    at: DateTime.unsafeMake(at),
    ...(team !== undefined && { tags: { team } })
  }
}

const program = Effect.gen(function* () {
  const store = stoppingStore(yield* UsageLedgerStore, stops)
  const client = stoppingClient(yield* MeteringClient.MeteringClient, stops)
  const now = () => clock.unsafeCurrentTimeMillis()
  yield* initialize(store, { seller: "acme", target: "sandbox", products }, orders.worker)
  write({ line: "ready" })
  for (const customerAWSAccountId of customers.slice(0, orders.subscribed)) {
    for (const product of productNames) {
      yield* subscribe(
        store,
        {
          id: `${product}-${customerAWSAccountId}`,
          product,
          customerAWSAccountId,
          from: DateTime.unsafeMake(orders.startedAt - 48 * hour)
        },
        now()
      )
    }
  }
  const recorder = yield* recorders.make(store)
  const record = (batch: ReadonlyArray<Usage>) =>
    Effect.matchEffect(recorder.recordAll(batch.map(toEvent)), {
      onFailure: (error) =>
        Effect.sync(() => {
          write({ line: "failed", error: error.message })
          write({ line: "unknown", ids: batch.map(({ id }) => id) })
        }),
      onSuccess: (results) =>
        Effect.sync(() => {
          results.forEach((result, i) => {
            const id = batch[i]?.id ?? ""
            if (result === undefined) return
            write(
              Either.isRight(result)
                ? {
                    line: "stored",
                    id,
                    hour: Math.floor(DateTime.toEpochMillis(result.right.hour) / hour)
                  }
                : { line: "rejected", id, error: result.left._tag }
            )
          })
        })
    })
  // one batch, and single events of some fibers
  const [batch, singles] = [
    orders.usage.filter((_, i) => i % 3 > 0),
    orders.usage.filter((_, i) => i % 3 === 0)
  ]
  const recording = Effect.all(
    [
      record(batch),
      Effect.forEach(singles, (usage) => record([usage]), { concurrency: 4, discard: true })
    ],
    { concurrency: 2, discard: true }
  )
  const reporting = Effect.scoped(
    Effect.gen(function* () {
      const reporter = yield* UsageReporter.make({
        worker: orders.worker,
        rate: 100,
        lease: orders.lease,
        sealAfter: "5 minutes"
      }).pipe(
        Effect.provideService(UsageLedgerStore, store),
        Effect.provideService(MeteringClient.MeteringClient, client)
      )
      for (let round = 0; round < orders.rounds; round++) {
        yield* Effect.catchAll(reporter.report, (error) =>
          Effect.sync(() => write({ line: "failed", error: `${error._tag}: ${error.message}` }))
        )
        yield* Effect.sleep("200 millis")
      }
    })
  )
  yield* Effect.all([recording, reporting], { concurrency: 2, discard: true })
  write({ line: "done" })
}).pipe(
  Effect.scoped,
  Effect.provide(Layer.merge(storeLayer, clientLayer)),
  Effect.withClock(clock),
  Effect.provide(Logger.remove(Logger.defaultLogger))
)

await Effect.runPromise(program).catch((error) => {
  write({ line: "failed", error: String(error) })
  process.exit(1)
})
process.exit(0)
