import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../src/", import.meta.url))
// the command is the one place that is run as a process
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && file !== "bin/main.ts"
)
const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")

// what the linter has no rule for
it.each([
  ["the present but by Clock", /\bDate\.now\(|new Date\(\)/],
  ["chance but by Random", /\bMath\.random\(/],
  ["no effect is run inside the library", /\b(?:Effect|Runtime)\.run[A-Z]/]
])("the library takes %s", (_, forbidden) => {
  expect(files.length).toBeGreaterThan(40)
  const offenders = files.filter((file) =>
    forbidden.test(withoutComments(readFileSync(`${root}${file}`, "utf8")))
  )
  expect(offenders).toEqual([])
})
