import { assert, it } from "@effect/vitest"
import { runSeeds } from "./runSeeds.js"

// half of the seeds, so that two cores share them
it("keeps its promises in runs with crashes, freezes and lost responses", async () => {
  const states = await runSeeds(1, 501)
  assert.includeMembers([...states], ["accepted", "expired", "inDoubt", "zero"])
}, 600_000)
