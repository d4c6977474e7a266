/**
 * Records batches of events and prints the number of each batch that was stored, until the store fails or the count is reached.
 * Then prints the error, deletes the ballast, and records once more.
 *
 *     node --import tsx writeUntilStopped.ts FILE DRIVER PREFIX BATCHES [BALLAST]
 */
import { rmSync } from "node:fs"
import * as Effect from "effect/Effect"
import { SqliteLedgerStore, UsageLedgerStore } from "../../../src/ledger/index.js"

const [file = "", driver = "libsql", prefix = "", batches = "0", ballast] = process.argv.slice(2)

const batch = (number: number) =>
  Array.from({ length: 100 }, (_, index) => ({
    id: `${prefix}-${number}-${index}`,
    key: 1,
    hour: 490_000,
    at: 1_764_000_000_000,
    quantity: 1,
    tags: ""
  }))

const print = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const program = Effect.gen(function* () {
  const store = yield* UsageLedgerStore.UsageLedgerStore
  yield* store.transaction((tables) =>
    tables.addKeys([
      { lineage: "l", dimension: "d", scale: 0, region: "us-east-1", product: "product" }
    ])
  )
  let number = 0
  const record = Effect.suspend(() => store.recordEvents(batch(number), 1_764_000_000_000))
  yield* Effect.gen(function* () {
    for (; number < Number(batches); number++) {
      yield* record
      yield* print(`stored ${number}`)
    }
  }).pipe(
    Effect.catchTag("LedgerUnavailable", ({ isStored, reason }) =>
      Effect.gen(function* () {
        yield* print(`failed ${number} ${isStored} ${reason}`)
        if (ballast !== undefined) {
          rmSync(ballast)
          yield* record
          yield* print(`stored ${number}`)
        }
      })
    )
  )
})

await Effect.runPromise(
  Effect.provide(
    program,
    SqliteLedgerStore.layer({
      file,
      driver: driver as SqliteLedgerStore.DriverName,
      busyTimeout: "30 seconds"
    })
  )
)
