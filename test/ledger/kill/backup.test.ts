import { copyFileSync, rmSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readClaims, sandboxLayer } from "./campaign.js"
import { timeout } from "./plan.js"
import * as program from "./program.js"
import { setUp } from "./setUp.js"

/** Puts a backup in place as is documented. */
const restore = (backup: string, file: string) => {
  for (const name of [file, `${file}-wal`, `${file}-shm`, `${file}-journal`]) {
    rmSync(name, { force: true })
  }
  copyFileSync(backup, file)
}

it.scopedLive(
  "a restored backup is noticed by the first other quantity, and stops the Region",
  () =>
    Effect.gen(function* () {
      const { billed, file, open, pass, run, usage } = yield* setUp
      yield* run({ usage: [usage(3)] })
      copyFileSync(file, `${file}.backup`)
      yield* run({ usage: [usage(4)] })
      yield* pass(70 * 60_000)
      yield* run({ rounds: 2 })
      assert.deepEqual(yield* billed, [[0, 7]])

      restore(`${file}.backup`, file)
      yield* run({ usage: [usage(5)], rounds: 2 })
      yield* pass(60 * 60_000)
      yield* run({ rounds: 3 })
      assert.deepEqual(yield* billed, [[0, 7]], "nothing else is billed until a person has looked")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open
          const [pause] = yield* store.snapshot((tables) => tables.pauses)
          assert.include(pause?.cause, "a backup was restored")
          assert.deepInclude(pause, { product: "*", retryAt: undefined })
          const claims = yield* readClaims(store)
          assert.deepEqual(
            claims.map(({ recorded, state }) => [state, recorded]),
            [
              ["conflicting", 3n],
              ["open", 5n]
            ]
          )
        })
      )
    }).pipe(Effect.provide(sandboxLayer(Date.now(), 1))),
  timeout
)

it.scopedLive(
  "a worker notices that the database under it was replaced by an older one",
  () =>
    Effect.gen(function* () {
      const { billed, file, open, pass, run, usage } = yield* setUp
      yield* run({ usage: [usage(3)], rounds: 1 })
      copyFileSync(file, `${file}.backup`)
      yield* run({ usage: [usage(4)] })
      yield* pass(70 * 60_000)
      const { lines } = yield* run(
        { rounds: 20, stop: { step: "lease:committed", count: 5, signal: "SIGSTOP" } },
        {
          onLine: (line, child) => {
            if (line.line !== "step") return
            restore(`${file}.backup`, file)
            program.wake(child)
          }
        }
      )
      const failed = lines.flatMap((line) => (line.line === "failed" ? [line.error] : []))
      assert.include(failed[0], "LedgerRolledBack", JSON.stringify(lines))
      assert.deepEqual(yield* billed, [[0, 7]])
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open
          const [pause] = yield* store.snapshot((tables) => tables.pauses)
          assert.include(pause?.cause, "restore of a backup")
        })
      )
    }).pipe(Effect.provide(sandboxLayer(Date.now(), 1))),
  timeout
)
