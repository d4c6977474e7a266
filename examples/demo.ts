/**
 * Two processes record usage, one of them is killed, the sandbox loses a response: and everything that was acknowledged is
 * billed, once, in its hour. Exits with 1 if it is not.
 *
 *     npm run demo
 *
 * With `--new-ids` the killed process records the same usage under other ids when it is started again, so that it is billed
 * twice and the proof fails:
 *
 *     npm run demo -- --new-ids
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isDeepStrictEqual, parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { DateTime, Effect, Layer } from "effect"
import { SqliteLedgerStore, UsageLedger, UsageReporter } from "effect-marketplace-metering/ledger"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"
import { MeteringLive } from "./demo/client.js"
import { clockAhead } from "./demo/clockAhead.js"
import { printStatement } from "./demo/printStatement.js"
import { fact, heading, printProof } from "./support/print.js"
import { bundle } from "./support/processes.js"
import { billed, recorded } from "./support/proof.js"
import { recordByTwo } from "./support/recording.js"
import {
  customers,
  makeUsage,
  products,
  scenario,
  seller,
  subscriptions
} from "./support/seller.js"
import { statementLines } from "./support/statements.js"

const { values: flags } = parseArgs({ options: { "new-ids": { type: "boolean", default: false } } })

/** The events of each process. */
const count = 900

/** Reports once. The response to the first call with usage is lost, so that the same call is made again. */
const reportUsage = Effect.gen(function* () {
  const { control, report } = yield* MeteringSandbox.MeteringSandbox
  const { url } = yield* SandboxServer.SandboxServer
  // the reporter's first call has no records: by its response it knows that this is a sandbox
  yield* control.setFaults({ script: [{ fault: "none" }, { fault: "cutAfter" }] })
  const reporter = yield* UsageReporter.make({ worker: "reporter" }).pipe(
    Effect.provide(MeteringLive(url))
  )
  const { accepted, sealed } = yield* reporter.report
  yield* fact(`${sealed} sums are sealed: the records that are sent never change again`)
  const calls = yield* report.log
  const lost = calls.find(({ fault }) => fault === "cutAfter")
  const identical = calls.filter(({ request }) => isDeepStrictEqual(request, lost?.request))
  if (identical.length < 2) {
    return yield* Effect.dieMessage(
      `the call without a response was made ${identical.length} times`
    )
  }
  yield* fact("the sandbox stored the usage of the first call, and cut the connection")
  yield* fact("the identical call was made again")
  yield* fact(`${accepted} records are accepted`)
}).pipe(Effect.scoped)

const demo = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "demo-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const file = join(folder, "ledger.db")
  const { control } = yield* MeteringSandbox.MeteringSandbox
  const { url } = yield* SandboxServer.SandboxServer
  const now = yield* DateTime.now

  yield* heading("A sandbox of AWS Marketplace")
  yield* fact(`listens on ${url}`)

  yield* Effect.gen(function* () {
    yield* heading("Customers subscribe")
    for (const subscription of subscriptions(DateTime.subtract(now, { hours: 4 }))) {
      yield* UsageLedger.subscribe(subscription)
    }
    yield* fact(`${customers.length} subscriptions are in the ledger ${file}`)

    yield* heading("Two processes record usage of three hours")
    const acknowledged = yield* recordByTwo(
      {
        file: yield* bundle("examples/demo/recorder.ts"),
        environment: { LEDGER_FILE: file }
      },
      { a: makeUsage("A", now, count), b: makeUsage("B", now, count) },
      { newIds: flags["new-ids"] }
    )

    yield* heading("The hours end")
    yield* control.advance("75 minutes")
    yield* fact("the clocks of the sandbox and the reporter are set forward by 75 minutes")

    yield* heading("A reporter bills the usage")
    yield* Effect.withClock(reportUsage, clockAhead("75 minutes"))

    const [customer = ""] = customers
    yield* heading(`Statement of ${customer}`)
    const hours = acknowledged.map(({ hour }) => hour)
    yield* printStatement(yield* statementLines([customer], hours))

    yield* printProof({ acknowledged, recorded: yield* recorded, billed: yield* billed })
  }).pipe(
    Effect.provide(
      UsageLedger.layer({ ...seller, products }).pipe(
        Layer.provideMerge(SqliteLedgerStore.layer({ file, busyTimeout: "30 seconds" }))
      )
    )
  )
}).pipe(Effect.scoped)

// the client signs by a clock that is ahead of the machine's
const SandboxLive = SandboxServer.layerNode({ anyCredentials: true }).pipe(
  Layer.provideMerge(MeteringSandbox.layer(scenario))
)

demo.pipe(Effect.provide(SandboxLive), NodeRuntime.runMain)
