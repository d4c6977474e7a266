/**
 * Bills the usage of all recorders. Any number of such processes may run: one of them sends, and another takes over when it is
 * gone. SIGTERM lets calls in flight end, and gives the lease back.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer } from "effect"
import { UsageReporter } from "effect-marketplace-metering/ledger"
import { LedgerLive, MeteringLive, StoreLive } from "./layers.js"

const ReporterLive = Layer.unwrapEffect(
  Effect.map(Config.string("WORKER"), (worker) =>
    // short, so that the example need not wait: the defaults are 10 seconds and 1 minute
    UsageReporter.layer({ worker, interval: "500 millis", lease: "5 seconds" })
  )
)

ReporterLive.pipe(
  Layer.provide(LedgerLive),
  Layer.provide([StoreLive, MeteringLive]),
  Layer.launch,
  NodeRuntime.runMain
)
