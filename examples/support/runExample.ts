/** Runs an example as its command does, for a test. */
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { Effect } from "effect"
import { bundle, end } from "./processes.js"

export const runExample = (
  file: string,
  options: {
    readonly args?: ReadonlyArray<string>
    readonly environment?: { readonly [name: string]: string }
  } = {}
) =>
  Effect.gen(function* () {
    const program = yield* bundle(file)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          process.execPath,
          ["--disable-warning=ExperimentalWarning", program, ...(options.args ?? [])],
          { env: { ...process.env, ...options.environment }, stdio: ["ignore", "pipe", "pipe"] }
        )
      ),
      (child) => end(child, "SIGTERM")
    )
    const [output, errors] = yield* Effect.promise(() =>
      Promise.all([text(child.stdout), text(child.stderr)])
    )
    return { output, errors, code: yield* end(child) }
  }).pipe(Effect.scoped)
