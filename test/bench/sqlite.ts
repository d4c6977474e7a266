/**
 * Events per second into a file of SQLite, by the size of a batch, and the delay of the event loop while they are written.
 *
 *     npm run bench:sqlite [-- driver]
 *
 * The file is made in the current folder: another folder can be on another disk.
 */
import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import { SqliteLedgerStore, UsageLedgerStore } from "effect-marketplace-metering/ledger"

const driver = process.argv[2] as SqliteLedgerStore.DriverName | undefined
const seconds = 3
const keyCount = 50
const firstTime = 1_780_000_000_000

let made = 0
const orderedId = () => `01J${String(made).padStart(23, "0")}`

const makeBatch = (size: number, makeId: () => string) =>
  Array.from({ length: size }, () => {
    made += 1
    return {
      id: makeId(),
      key: 1 + (made % keyCount),
      hour: Math.floor(firstTime / 3_600_000),
      at: firstTime + made,
      quantity: 5,
      tags: ""
    }
  })

const percentile = (sorted: ReadonlyArray<number>, part: number) =>
  (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(1)

const measure = (label: string, size: number, makeId: () => string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(resolve("bench-"))),
    (folder) =>
      Effect.gen(function* () {
        const store = yield* UsageLedgerStore.UsageLedgerStore
        const delay = monitorEventLoopDelay({ resolution: 1 })
        const times: Array<number> = []
        delay.enable()
        const start = performance.now()
        let count = 0
        while (performance.now() - start < seconds * 1_000) {
          const batch = makeBatch(size, makeId)
          const before = performance.now()
          yield* store.recordEvents(batch, firstTime)
          times.push(performance.now() - before)
          count += size
          yield* Effect.promise(() => new Promise((done) => setImmediate(done)))
        }
        delay.disable()
        times.sort((a, b) => a - b)
        const rate = Math.round((count * 1_000) / (performance.now() - start))
        process.stdout.write(
          `${label.padEnd(12)} ${String(size).padStart(5)} a batch ${String(rate).padStart(8)} events/s,` +
            ` a batch ${percentile(times, 0.5)} ms (p99 ${percentile(times, 0.99)} ms),` +
            ` event loop p99 ${(delay.percentile(99) / 1e6 - 1).toFixed(1)} ms\n`
        )
      }).pipe(Effect.provide(SqliteLedgerStore.layer({ file: join(folder, "ledger.db"), driver }))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

await Effect.runPromise(
  Effect.gen(function* () {
    for (const size of [1, 16, 256, 1_000]) {
      yield* measure("ordered ids", size, orderedId)
    }
    yield* measure("random ids", 1_000, randomUUID)
  })
)
