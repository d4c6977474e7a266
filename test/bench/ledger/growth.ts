/** Rate, memory and bytes on disk while a file of SQLite grows, beside a bare loop whose file stays small. */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { SqliteLedgerStore } from "effect-marketplace-metering/ledger"
import { openBare } from "./bareSqlite.js"
import { withFolder } from "./folder.js"
import { yieldToLoop } from "./measure.js"
import type { Options } from "./options.js"
import { bytes, makeTable, megabytes, print, ratio, whole } from "./table.js"
import { openLedger, recordMany } from "./usage.js"

const batch = 1_000

/** Batches of the ledger, and then of the bare loop, before it is the other's turn. */
const turn = { ledger: 10, bare: 2 }

const smallest = 10_000

/** Powers of ten, and the number of events itself. */
const marksTo = (events: number): ReadonlyArray<number> => {
  const marks: Array<number> = []
  for (let mark = smallest; mark < events; mark *= 10) marks.push(mark)
  return [...marks, Math.max(events, smallest)]
}

/** Bytes of a file and of its journal. */
const sizeOf = (folder: string, name: string): number =>
  readdirSync(folder)
    .filter((file) => file.startsWith(name))
    .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)

/** Milliseconds for a number of batches. */
const time = <E>(count: number, step: Effect.Effect<unknown, E>): Effect.Effect<number, E> =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(
      Effect.repeatN(Effect.zipRight(step, yieldToLoop), count - 1),
      () => performance.now() - start
    )
  })

export const growth = (options: Options): Effect.Effect<void, unknown> =>
  withFolder(options.folder, (folder) =>
    Effect.gen(function* () {
      const { customers, drivers, events } = options
      const [driver] = drivers
      if (driver === undefined) return print("growth needs a driver for SQLite")
      const bare = yield* openBare(driver, join(folder, "bare.db"))
      const { ledger } = yield* openLedger(
        SqliteLedgerStore.layer({ file: join(folder, "ledger.db"), driver }),
        { customers }
      )
      const insert = Effect.sync(() => bare.insert(batch, "ordered"))
      const record = recordMany(ledger, { size: batch, ids: "ordered", customers })
      const write = makeTable()
      let done = 0
      for (const mark of marksTo(events)) {
        const from = Math.max(done, mark / 2)
        let [counted, spent] = [0, 0]
        let [countedBare, spentBare] = [0, 0]
        while (done < mark) {
          const millis = yield* time(turn.ledger, record)
          done += turn.ledger * batch
          if (done <= from && done < mark) continue
          counted += turn.ledger * batch
          spent += millis
          spentBare += yield* time(turn.bare, insert)
          countedBare += turn.bare * batch
        }
        const [rate, rateBare] = [counted / spent, countedBare / spentBare]
        globalThis.gc?.()
        const { heapUsed, rss } = process.memoryUsage()
        write({
          [`growth, SQLite, ${driver}`]: `${whole(mark)} events`,
          "events/s": whole(rate * 1_000),
          "bare loop/s": whole(rateBare * 1_000),
          ratio: ratio(rate / rateBare),
          "bytes an event": bytes(sizeOf(folder, "ledger.db") / done),
          heap: megabytes(heapUsed),
          resident: megabytes(rss)
        })
      }
      print(
        "\nRates are those of the second half before each size, in batches of 1,000 with ordered ids.\n"
      )
    })
  )
