/**
 * Kills the ledger's process at every step and at random, and reports whether recorded = billed.
 *
 *     npm run test:kill -- --store sqlite|postgres [--kills 300] [--seed 1]
 */
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import { campaign, sandboxLayer, show } from "./campaign.js"
import { stores } from "./stores.js"

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "sqlite" },
    kills: { type: "string" },
    seed: { type: "string", default: "1" }
  }
})
const name = values.store === "postgres" ? "postgres" : "sqlite"
const kills = Number(values.kills ?? { sqlite: 300, postgres: 200 }[name])
const seed = Number(values.seed)

const start = performance.now()
const outcome = await Effect.runPromise(
  Effect.scoped(
    Effect.flatMap(stores[name], (store) =>
      campaign({
        ...store,
        kills,
        seed,
        onLife: (count, { killedAt }) => {
          if (process.stderr.isTTY) process.stderr.write(`\r${count} ${killedAt ?? ""}\x1b[K`)
        }
      })
    ).pipe(Effect.provide(sandboxLayer(Date.now(), seed)))
  )
)
process.stdout.write(
  `${name}, seed ${seed}, ${Math.round((performance.now() - start) / 1_000)} s\n${show(outcome)}\n`
)
process.exit(outcome.failures.length + outcome.problems.length === 0 ? 0 : 1)
