/**
 * Rates of the ledger through its public service, with all checks and durable commits, beside a bare loop of INSERT on the same
 * driver with the same settings. On a machine with other load the ratios say more than the rates.
 *
 *     npm run bench:ledger [-- options]
 *
 * See `--help` for the options. All parts take about 3 minutes. It measures the package as built: tsx would name every function of
 * the source at run time, which is a large part of the cost of an event.
 */
import { cpus, loadavg } from "node:os"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { measureDisk } from "./disk.js"
import { withFolder } from "./folder.js"
import { growth } from "./growth.js"
import { type Options, type Part, readOptions, usage } from "./options.js"
import { postgres } from "./postgres.js"
import { reporting } from "./reporting.js"
import * as sqlite from "./sqlite.js"
import { millis, print, whole } from "./table.js"

const [first] = cpus()

const parts: { readonly [P in Part]: (options: Options) => Effect.Effect<void, unknown> } = {
  disk: ({ folder }) =>
    withFolder(folder, (path) =>
      Effect.sync(() => {
        const { p99, rate } = measureDisk(path)
        print(`Disk: ${whole(rate)} fsync/s of 4 KiB, p99 ${millis(p99)}\n`)
      })
    ),
  sqlite: (options) =>
    Effect.forEach(options.drivers, (driver) => sqlite.measure(driver, options), { discard: true }),
  growth,
  postgres,
  reporting
}

const program = Effect.gen(function* () {
  const options = yield* readOptions(process.argv.slice(2))
  if (options === undefined) return print(usage)
  const [load = 0] = loadavg()
  print(
    `Node.js ${process.versions.node}, ${cpus().length} cores of ${first?.model}, load average ${load.toFixed(1)}\n`
  )
  for (const part of options.parts) yield* parts[part](options)
})

// an interruption removes the files and stops the server of PostgreSQL
NodeRuntime.runMain(Effect.provide(program, Logger.remove(Logger.defaultLogger)), {
  disablePrettyLogger: true
})
