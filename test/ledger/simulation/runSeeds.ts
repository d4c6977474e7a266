import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { simulate } from "./simulate.js"

const steps = 40

/** Simulates runs of these seeds, and returns the states that entries ended in. */
export const runSeeds = async (from: number, until: number): Promise<ReadonlyArray<string>> => {
  const states = new Set<string>()
  for (let seed = from; seed < until; seed += 1) {
    const result = await Effect.runPromise(simulate(seed, steps))
    for (const state of Object.keys(result.states)) states.add(state)
    // to repeat the run: npm run simulate -- --from SEED --seeds 1 --log
    assert.deepStrictEqual(result.violations, [], `seed ${seed}`)
  }
  return [...states]
}
