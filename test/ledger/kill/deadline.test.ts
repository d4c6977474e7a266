import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readClaims, sandboxLayer } from "./campaign.js"
import { hour, timeout } from "./plan.js"
import { setUp } from "./setUp.js"
import type { Step } from "./stops.js"

/** The state after the deadline, by the step at which the process was killed before, and if the usage is billed. */
const cases: ReadonlyArray<readonly [step: Step, state: string, isBilled: boolean]> = [
  ["attempt:writing", "expired", false],
  ["attempt:written", "expired", false],
  ["attempt:committed", "inDoubt", false],
  ["call:before", "inDoubt", false],
  ["call:after", "inDoubt", true],
  ["results:written", "inDoubt", true],
  ["results:committed", "accepted", true]
]

it.scopedLive(
  "a call is stored before it is sent: nothing that is billed expires after a kill",
  () =>
    Effect.gen(function* () {
      const { billed, open, pass, run, usage } = yield* setUp
      const expected: Array<number> = []
      for (const [i, [step, , isBilled]] of cases.entries()) {
        yield* run({ usage: [usage(1 + i)] })
        yield* pass(70 * 60_000)
        const { killedAt } = yield* run({ rounds: 2, stop: { step, count: 1 } })
        assert.strictEqual(killedAt, step)
        yield* pass(25 * hour)
        yield* run({ rounds: 2 })
        if (isBilled) expected.push(1 + i)
        const quantities = (yield* billed).map(([, quantity]) => quantity)
        assert.deepEqual(quantities.sort(), expected, step)
      }
      const claims = yield* Effect.scoped(Effect.flatMap(open, readClaims))
      assert.deepEqual(
        claims.map(({ recorded, state }) => [Number(recorded), state]).sort(),
        cases.map(([, state], i) => [1 + i, state])
      )
    }).pipe(Effect.provide(sandboxLayer(Date.now(), 1))),
  timeout
)
