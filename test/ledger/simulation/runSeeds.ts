import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { addCounts, missing } from "./features.js"
import { simulate } from "./simulate.js"

const steps = 40

/** Simulates runs of these seeds, in which every state and every feature has to occur. */
export const runSeeds = async (from: number, until: number): Promise<void> => {
  const states: Record<string, number> = {}
  const features: Record<string, number> = {}
  for (let seed = from; seed < until; seed += 1) {
    const result = await Effect.runPromise(simulate(seed, steps))
    // to repeat the run: npm run simulate -- --from SEED --seeds 1 --log
    assert.deepStrictEqual(result.violations, [], `seed ${seed}`)
    addCounts(states, result.states)
    addCounts(features, result.features)
  }
  assert.includeMembers(Object.keys(states), ["accepted", "expired", "inDoubt", "zero"])
  assert.deepStrictEqual(missing(features), [], JSON.stringify(features))
}
