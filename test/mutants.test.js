import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { suites } from "./mutantSuites.js"

const source = (file) =>
  readFileSync(fileURLToPath(new URL(`../src/${file}`, import.meta.url)), "utf8")

describe.each(suites)("the mutants of the $suite", ({ mutants }) => {
  it.each(mutants)("$name: can be planted", ({ edits }) => {
    for (const [file, text] of edits) {
      assert.strictEqual(source(file).split(text).length, 2, `${file} once contains: ${text}`)
    }
  })
})
