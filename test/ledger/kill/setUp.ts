/** A ledger on a file, the processes that use it, and time that passes for them and the service. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { MeteringSandbox, SandboxServer } from "../../../src/sandbox/index.js"
import { customers, hour, type Orders, type Usage } from "./plan.js"
import * as program from "./program.js"
import { stores } from "./stores.js"

const [customer = ""] = customers

export const setUp = Effect.gen(function* () {
  const startedAt = Date.now()
  const { url } = yield* SandboxServer.SandboxServer
  const { control, report } = yield* MeteringSandbox.MeteringSandbox
  yield* control.setFaults({})
  const child = yield* program.bundle
  const { open, store } = yield* stores.sqlite
  if (store.kind !== "sqlite") throw new Error("not a file")
  let offset = 0
  let made = 0
  return {
    file: store.file,
    open,
    usage: (quantity: number): Usage => ({
      ...{ id: `usage-${++made}`, customer, dimension: "calls", quantity },
      at: Date.now() + offset
    }),
    pass: (millis: number) =>
      Effect.suspend(() => {
        offset += millis
        return control.advance(millis)
      }),
    run: (changes: Partial<Orders>, options?: Parameters<typeof program.run>[2]) =>
      Effect.suspend(() =>
        program.run(
          child,
          {
            ...{ store, endpoint: url, startedAt, offset, lease: 60_000, subscribed: 1 },
            ...{ worker: `worker-${++made}`, usage: [], rounds: 0, stop: undefined },
            ...changes
          },
          options
        )
      ),
    billed: Effect.map(report.billed, (rows) =>
      rows.map(
        ({ hour: at, quantity }) =>
          [(DateTime.toEpochMillis(at) - startedAt + (startedAt % hour)) / hour, quantity] as const
      )
    )
  }
})
