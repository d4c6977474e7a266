// Puts the JSON Schema of a scenario's file into the build, for editors.
import { writeFileSync } from "node:fs"
import { Scenario } from "effect-marketplace-metering/sandbox"

writeFileSync(
  new URL("../../dist/sandbox/scenario.schema.json", import.meta.url),
  `${JSON.stringify(Scenario.jsonSchema(), undefined, 2)}\n`
)
