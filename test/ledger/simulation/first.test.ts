import { it } from "@effect/vitest"
import { runSeeds } from "./runSeeds.js"

// half of the seeds, so that two cores share them
it(
  "keeps its promises in runs with crashes, freezes and lost responses",
  () => runSeeds(1, 501),
  600_000
)
