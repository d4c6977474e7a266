/** Records usage of standard input. Any number of such processes may run. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import { recordInput } from "../support/usage.js"
import { LedgerLive, StoreLive } from "./layers.js"

recordInput.pipe(Effect.provide(Layer.provide(LedgerLive, StoreLive)), NodeRuntime.runMain)
