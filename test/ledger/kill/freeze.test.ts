import { assert, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { MeteringSandbox, SandboxServer } from "../../../src/sandbox/index.js"
import { readClaims, sandboxLayer } from "./campaign.js"
import { customers, hour, type Orders, timeout, type Usage } from "./plan.js"
import * as program from "./program.js"
import type { Step } from "./stops.js"
import { stores } from "./stores.js"

/** In real milliseconds. The other worker waits for it in each case. */
const lease = 500

const billed = Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ report }) =>
  Effect.map(report.billed, (rows) =>
    rows.map(
      ({ customerAWSAccountId, dimension, hour: at, quantity }) =>
        `${customerAWSAccountId} ${dimension} ${DateTime.formatIso(at)} ${quantity}`
    )
  )
)

const steps: ReadonlyArray<Step> = [
  "seal:committed",
  "attempt:committed",
  "call:before",
  "call:after"
]

for (const name of ["sqlite", "postgres"] as const) {
  it.scopedLive(
    `a worker that is frozen past its lease does no harm (${name})`,
    () =>
      Effect.gen(function* () {
        const startedAt = Date.now()
        const { url } = yield* SandboxServer.SandboxServer
        const { control } = yield* MeteringSandbox.MeteringSandbox
        yield* control.setFaults({})
        const file = yield* program.bundle
        const { open, store } = yield* stores[name]
        let offset = 0
        const expected: Array<string> = []
        for (const [i, step] of steps.entries()) {
          const at = Date.now() + offset
          const usage = customers.slice(0, 40).map(
            (customer, c): Usage => ({
              id: `${step}-${c}`,
              customer,
              dimension: c % 2 === 0 ? "calls" : "queries",
              quantity: 1 + i + c,
              at
            })
          )
          const iso = DateTime.formatIso(DateTime.unsafeMake(Math.floor(at / hour) * hour))
          for (const { customer, dimension, quantity } of usage) {
            expected.push(`${customer} ${dimension} ${iso} ${quantity}`)
          }
          const orders = (changes: Partial<Orders>): Orders => ({
            ...{ store, endpoint: url, startedAt, offset, lease, subscribed: 0 },
            ...{ worker: `worker-${step}`, usage: [], rounds: 0, stop: undefined },
            ...changes
          })
          yield* program.run(file, orders({ usage, subscribed: i === 0 ? 40 : 0 }))
          offset += hour + 10 * 60_000
          yield* control.advance(hour + 10 * 60_000)
          const frozen = yield* Deferred.make<() => void>()
          const first = yield* Effect.fork(
            program.run(
              file,
              orders({ worker: "frozen", rounds: 30, stop: { step, count: 1, signal: "SIGSTOP" } }),
              {
                onLine: (line, child) => {
                  if (line.line !== "step") return
                  Deferred.unsafeDone(
                    frozen,
                    Effect.succeed(() => program.wake(child))
                  )
                }
              }
            )
          )
          const wake = yield* Deferred.await(frozen)
          // twice the time of the lease in rounds
          const second = yield* program.run(file, orders({ worker: "other", rounds: 60 }))
          assert.deepEqual(second.lines.at(-1), { line: "done" }, step)
          const before = (yield* billed).length
          yield* Effect.sync(wake)
          const { lines } = yield* Fiber.join(first)
          // its connections may have ended meanwhile, so a round may fail
          assert.deepEqual(lines.at(-1), { line: "done" }, step)
          assert.strictEqual(before, expected.length, `the other worker reported all: ${step}`)
          assert.deepEqual((yield* billed).sort(), [...expected].sort(), step)
          offset += 60_000
          yield* control.advance(60_000)
        }
        const claims = yield* Effect.scoped(Effect.flatMap(open, readClaims))
        assert.deepEqual(
          claims.filter(({ state }) => state !== "accepted"),
          []
        )
      }).pipe(Effect.provide(sandboxLayer(Date.now(), 1))),
    timeout
  )
}
