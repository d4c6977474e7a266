/**
 * Runs any number of simulations, and prints the seeds that violate a promise.
 *
 *     npm run simulate -- --seeds 10000 --from 1 --steps 40
 *     npm run simulate -- --from 4711 --seeds 1 --log
 *
 * `--bail` stops at the first seed that violates a promise. `--unavailable` sets the probability at which the store is away.
 */
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { addCounts } from "./features.js"
import { simulate } from "./simulate.js"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: "40" },
    log: { type: "boolean", default: false },
    bail: { type: "boolean", default: false },
    unavailable: { type: "string" },
    json: { type: "boolean", default: false }
  }
})
const from = Number(values.from)
const count = Number(values.seeds)
const faults = values.unavailable === undefined ? {} : { unavailable: Number(values.unavailable) }
const states: Record<string, number> = {}
const features: Record<string, number> = {}
let failed = 0
const startedAt = performance.now()
for (let seed = from; seed < from + count; seed += 1) {
  const run = await Effect.runPromise(simulate(seed, Number(values.steps), faults))
  addCounts(states, run.states)
  addCounts(features, run.features)
  if (values.log) console.log(run.log.join("\n"))
  if (run.violations.length === 0) continue
  failed += 1
  console.log(`seed ${seed}:\n  ${run.violations.slice(0, 5).join("\n  ")}`)
  if (values.bail) break
}
const seconds = (performance.now() - startedAt) / 1_000
if (values.json) console.log(JSON.stringify({ failed, states, features }))
else {
  console.log(`${count} runs, ${failed} failed, in ${seconds.toFixed(1)} s`)
  console.log("entries:", states)
  console.log("features:", features)
}
// fibers of crashed processes wait for ever
process.exit(failed > 0 ? 1 : 0)
