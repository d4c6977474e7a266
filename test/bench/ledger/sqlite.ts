/** Recording into a file of SQLite, beside a bare loop of INSERT. */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { SqliteLedgerStore } from "effect-marketplace-metering/ledger"
import { openBare } from "./bareSqlite.js"
import { withFolder } from "./folder.js"
import { compare, measureWindow, percentile, yieldToLoop } from "./measure.js"
import type { Options } from "./options.js"
import { makeTable, micros, millis, print, ratio, whole } from "./table.js"
import { type Ids, openLedger, recordMany, recordOne } from "./usage.js"

interface Case {
  readonly name: string
  readonly fibers: number
  /** Events of one call. */
  readonly size: number
  readonly ids: Ids
}

const cases: ReadonlyArray<Case> = [
  ...[1, 16, 256, 2_000].map(
    (fibers): Case => ({
      name: `single events, ${whole(fibers)} ${fibers === 1 ? "fiber" : "fibers"}`,
      fibers,
      size: 1,
      ids: "ordered"
    })
  ),
  { name: "batches of 1,000, ordered ids", fibers: 1, size: 1_000, ids: "ordered" },
  { name: "batches of 1,000, random ids", fibers: 1, size: 1_000, ids: "random" }
]

/** Events of one transaction at most, as in the ledger. */
const maxTransaction = 1_000

const measureCase = (
  { fibers, ids, size }: Case,
  driver: SqliteLedgerStore.DriverName,
  options: Options
) =>
  withFolder(options.folder, (folder) =>
    Effect.gen(function* () {
      const { customers, rounds, seconds } = options
      const bare = yield* openBare(driver, join(folder, "bare.db"))
      const { ledger } = yield* openLedger(
        SqliteLedgerStore.layer({ file: join(folder, "ledger.db"), driver }),
        { customers }
      )
      const transaction = Math.min(fibers * size, maxTransaction)
      const insert = Effect.sync(() => {
        bare.insert(transaction, ids)
        return transaction
      })
      const record =
        size === 1 ? recordOne(ledger, customers) : recordMany(ledger, { size, ids, customers })
      return yield* compare(
        rounds,
        measureWindow({ fibers: 1, seconds: seconds / 2 }, Effect.zipLeft(insert, yieldToLoop)),
        measureWindow(
          { fibers, seconds },
          size === 1 ? record : Effect.zipLeft(record, yieldToLoop)
        )
      )
    })
  )

export const measure = (driver: SqliteLedgerStore.DriverName, options: Options) =>
  Effect.gen(function* () {
    const write = makeTable()
    for (const one of cases) {
      const { bare, ratio: part, window } = yield* measureCase(one, driver, options)
      write({
        [`SQLite, ${driver}`]: one.name,
        "events/s": whole(window.rate),
        "bare loop/s": whole(bare.rate),
        ratio: ratio(part),
        "CPU an event": micros(window.cpu),
        "of the bare loop": micros(bare.cpu),
        "call p50": millis(percentile(window.calls, 0.5)),
        "call p99": millis(percentile(window.calls, 0.99)),
        "event loop p99": millis(window.loopDelay)
      })
    }
    print("")
  })
