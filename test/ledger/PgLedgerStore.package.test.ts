import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

/** A module that is given as its text. */
const moduleOf = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`

const withoutPg = moduleOf(`export const resolve = (name, context, next) => {
  if (name === "pg") throw Object.assign(new Error("Cannot find package 'pg'"), { code: "ERR_MODULE_NOT_FOUND" })
  return next(name, context)
}`)

it.effect("is imported without the package pg, and says that it is missing when it is opened", () =>
  Effect.gen(function* () {
    const hook = `import { register } from "node:module"; register(${JSON.stringify(withoutPg)})`
    const program = fileURLToPath(new URL("support/openWithoutPg.ts", import.meta.url))
    const { stdout } = yield* Effect.promise(() =>
      promisify(execFile)(process.execPath, [
        "--no-warnings",
        ...["--import", "tsx", "--import", moduleOf(hook)],
        program
      ])
    )
    assert.deepInclude(JSON.parse(stdout), {
      _tag: "LedgerConfigError",
      reason: "driverMissing",
      message:
        "the package pg, with which PostgreSQL is reached, is not installed. Install it: npm install pg"
    })
  })
)
