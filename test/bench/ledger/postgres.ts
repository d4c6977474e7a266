/** Recording into PostgreSQL from one and from four processes, with the server on this machine. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { makePostgres } from "../../support/postgres.js"
import { bareTable } from "./barePostgres.js"
import { compare, mergeWindows, percentile, type Window } from "./measure.js"
import type { Options } from "./options.js"
import type { Job, Message, WorkerOptions } from "./postgresWorker.js"
import { bytes, makeTable, micros, millis, print, ratio, whole } from "./table.js"

interface Case {
  readonly name: string
  readonly processes: number
  /** Fibers of each process. */
  readonly fibers: number
  /** Events of one call. */
  readonly size: number
  /** The bare loop's connections of each process, and the events of its transactions. */
  readonly bare: { readonly fibers: number; readonly size: number }
}

const batches = (processes: number, fibers: number): Case => ({
  name: `${processes} process${processes > 1 ? "es" : ""}, batches, ${fibers} at a time`,
  processes,
  fibers,
  size: 1_000,
  bare: { fibers, size: 1_000 }
})

/** The ledger stores one batch at a time of what its fibers record. */
const singles = (processes: number, fibers: number): Case => ({
  name: `${processes} process${processes > 1 ? "es" : ""}, ${fibers} fibers`,
  processes,
  fibers,
  size: 1,
  bare: { fibers: 1, size: fibers }
})

const cases = [batches(1, 1), batches(1, 4), singles(1, 256), batches(4, 1), singles(4, 256)]

const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)

const workerFile = fileURLToPath(
  new URL(import.meta.url).href.replace(/postgres(\.\w+)$/, "postgresWorker$1")
)

const nextMessage = (worker: ChildProcess): Promise<Message> =>
  new Promise((resolve, reject) => {
    const onExit = () => reject(new Error("a process ended before its measurement"))
    worker.once("exit", onExit)
    worker.once("message", (message) => {
      worker.off("exit", onExit)
      resolve(message as Message)
    })
  })

/** Starts a process, which ends with the scope. */
const startWorker = (options: WorkerOptions): Effect.Effect<ChildProcess, unknown, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise(async () => {
      const worker = fork(workerFile, [JSON.stringify(options)])
      await nextMessage(worker)
      return worker
    }),
    (worker) =>
      Effect.promise(() => {
        const ended = new Promise((resolve) => worker.once("exit", resolve))
        worker.disconnect()
        return ended
      })
  )

/** Runs a job in all processes at once. */
const run = (workers: ReadonlyArray<ChildProcess>, job: Job): Effect.Effect<Window, unknown> =>
  Effect.tryPromise(async () => {
    const windows = await Promise.all(
      workers.map(async (worker) => {
        worker.send(job)
        const message = await nextMessage(worker)
        if (!("window" in message)) throw new Error("a process sent no measurement")
        return message.window
      })
    )
    return mergeWindows(windows, sum)
  })

export const postgres = ({ customers, rounds, seconds }: Options): Effect.Effect<void, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* makePostgres({ shared_buffers: "256MB", max_wal_size: "4GB" })
      const url = yield* server.createDatabase
      const [about] = yield* server.sql(
        url,
        "SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync"
      )
      yield* server.sql(url, bareTable)
      const workers: Array<ChildProcess> = []
      const write = makeTable()
      for (const { bare, fibers, name, processes, size } of cases) {
        while (workers.length < processes)
          workers.push(yield* startWorker({ url, customers, subscribes: workers.length === 0 }))
        const used = workers.slice(0, processes)
        const compared = yield* compare(
          rounds,
          run(used, { what: "bare", ...bare, seconds: seconds / 2 }),
          run(used, { what: "ledger", fibers, size, seconds })
        )
        write({
          [`PostgreSQL ${about?.version}, fsync ${about?.fsync}`]: name,
          "events/s": whole(compared.window.rate),
          "bare loop/s": whole(compared.bare.rate),
          ratio: ratio(compared.ratio),
          "CPU an event": micros(compared.window.cpu),
          "of the bare loop": micros(compared.bare.cpu),
          "call p50": millis(percentile(compared.window.calls, 0.5)),
          "call p99": millis(percentile(compared.window.calls, 0.99)),
          "event loop p99": millis(compared.window.loopDelay)
        })
      }
      const sizeOf = (table: string) =>
        server
          .sql(url, `SELECT pg_total_relation_size('${table}') / COUNT(*) AS bytes FROM ${table}`)
          .pipe(Effect.map(([row]) => bytes(Number(row?.bytes))))
      print(
        `\nCPU is that of the clients. ${yield* sizeOf("usage_ledger.usage_event")} an event on disk, ${yield* sizeOf("bare_event")} of the bare loop.\n`
      )
    })
  )
