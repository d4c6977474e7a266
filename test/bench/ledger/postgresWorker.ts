/** A process that records into PostgreSQL when its parent asks for it. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { PgLedgerStore } from "effect-marketplace-metering/ledger"
import { openBare } from "./barePostgres.js"
import { measureWindow, type Window } from "./measure.js"
import { openLedger, recordMany, recordOne } from "./usage.js"

export interface Job {
  readonly what: "bare" | "ledger"
  readonly fibers: number
  /** Events of a call of the ledger, or of a transaction of the bare loop. */
  readonly size: number
  readonly seconds: number
}

export type Message = { readonly ready: true } | { readonly window: Window }

export interface WorkerOptions {
  readonly url: string
  readonly customers: number
  /** False if another process has subscribed the customers. */
  readonly subscribes: boolean
}

const { customers, subscribes, url }: WorkerOptions = JSON.parse(process.argv[2] ?? "{}")

/** A machine with other load can exceed the defaults. */
const limits = { connectTimeout: "1 minute", idleTimeout: "1 minute" } as const

const send = (message: Message): void => {
  process.send?.(message)
}

/** Ends when the parent disconnects. */
const serve = Effect.gen(function* () {
  const insert = yield* openBare(url)
  const { ledger } = yield* openLedger(PgLedgerStore.layer({ url, ...limits }), {
    customers,
    subscribes
  })
  const callOf = ({ size, what }: Job) =>
    what === "bare"
      ? insert(size)
      : size === 1
        ? recordOne(ledger, customers)
        : recordMany(ledger, { size, ids: "ordered", customers: customers })
  const run = (job: Job) =>
    Effect.map(measureWindow(job, callOf(job)), (window) => send({ window }))
  yield* Effect.async<void, unknown>((resume) => {
    process.on("message", (job: Job) => {
      Effect.runPromise(run(job)).catch((error) => resume(Effect.fail(error)))
    })
    process.once("disconnect", () => resume(Effect.void))
    send({ ready: true })
  })
})

await Effect.runPromise(Effect.provide(Effect.scoped(serve), Logger.remove(Logger.defaultLogger)))
