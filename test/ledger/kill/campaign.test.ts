import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { campaign, sandboxLayer, show } from "./campaign.js"
import { timeout } from "./plan.js"
import { stores } from "./stores.js"

for (const name of ["sqlite", "postgres"] as const) {
  it.scopedLive(
    `recorded usage is billed after a process was killed at any time (${name})`,
    () =>
      Effect.gen(function* () {
        const outcome = yield* campaign({ ...(yield* stores[name]), kills: 8, seed: 1 })
        assert.deepEqual([...outcome.failures, ...outcome.problems], [], show(outcome))
        assert.isAtLeast(Object.keys(outcome.killsAt).length, 3, show(outcome))
      }).pipe(Effect.provide(sandboxLayer(Date.now(), 1))),
    timeout
  )
}
