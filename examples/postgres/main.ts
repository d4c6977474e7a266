/**
 * Two recorders and two reporters on one PostgreSQL. A recorder and the reporter that sends are killed, and everything that was
 * acknowledged is billed, once. Exits with 1 if it is not.
 *
 *     npx tsx examples/postgres/main.ts
 *     DATABASE_URL=postgresql://user:password@host/database npx tsx examples/postgres/main.ts
 *
 * Without DATABASE_URL it starts a server of its own.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { ConfigProvider, DateTime, Effect, Layer } from "effect"
import { UsageLedger } from "effect-marketplace-metering/ledger"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"
import { fact, heading, printProof } from "../support/print.js"
import { bundle } from "../support/processes.js"
import { billed, recorded } from "../support/proof.js"
import { recordByTwo } from "../support/recording.js"
import { customers, makeUsage, region, scenario, subscriptions } from "../support/seller.js"
import { statementLines } from "../support/statements.js"
import { makeDatabase } from "./database.js"
import { LedgerLive, StoreLive } from "./layers.js"
import { reportByTwo } from "./reporting.js"

/** The events of each recorder. */
const count = 600

const example = Effect.gen(function* () {
  const database = yield* makeDatabase
  const { url } = yield* SandboxServer.SandboxServer
  const now = yield* DateTime.now
  const environment = {
    DATABASE_URL: database.url,
    LEDGER_SCHEMA: database.schema,
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: url,
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "false",
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: "sandbox",
    AWS_SECRET_ACCESS_KEY: "sandbox"
  }

  yield* heading("A database and a sandbox of AWS Marketplace")
  yield* fact(database.isGiven ? "PostgreSQL of DATABASE_URL" : "PostgreSQL in a temporary folder")
  yield* fact(`the sandbox listens on ${url}`)

  yield* Effect.gen(function* () {
    for (const subscription of subscriptions(DateTime.subtract(now, { hours: 6 }))) {
      yield* UsageLedger.subscribe(subscription)
    }
    yield* heading("Two processes record usage of three hours that are over")
    const over = DateTime.subtract(now, { hours: 2 })
    const acknowledged = yield* recordByTwo(
      { file: yield* bundle("examples/postgres/recorder.ts"), environment },
      { a: makeUsage("A", over, count), b: makeUsage("B", over, count) }
    )

    const statements = statementLines(
      customers,
      acknowledged.map(({ hour }) => hour)
    )
    yield* heading("Two processes report it")
    yield* reportByTwo(
      { file: yield* bundle("examples/postgres/reporter.ts"), environment },
      statements
    )

    yield* heading("Not billed, or in doubt")
    const others = (yield* statements).filter(({ state }) => state !== "accepted")
    for (const { dimension, hour, moves, state, subscription } of others) {
      yield* fact(
        `${subscription} ${dimension} ${DateTime.formatIso(hour)}: ${state}, ${moves.at(-1)?.cause}`
      )
    }
    if (others.length === 0) yield* fact("none")

    yield* printProof({ acknowledged, recorded: yield* recorded, billed: yield* billed })
  }).pipe(
    Effect.provide(Layer.provide(LedgerLive, StoreLive)),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
  )
}).pipe(Effect.scoped)

const SandboxLive = SandboxServer.layerNode().pipe(
  Layer.provideMerge(MeteringSandbox.layer(scenario))
)

example.pipe(Effect.provide(SandboxLive), NodeRuntime.runMain)
