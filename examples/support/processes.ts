/** Starts the processes of an example, and kills them. */
import { type ChildProcess, spawn } from "node:child_process"
import { rmSync } from "node:fs"
import { basename, resolve } from "node:path"
import { Effect } from "effect"
import { build } from "esbuild"

/**
 * Bundles a TypeScript file, so that its processes start fast. Its path is relative to the root of the repository, as the working
 * directory. Returns the JavaScript file, which is deleted with the scope.
 */
export const bundle = (file: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      // in a folder from which packages with native code are found
      const outfile = resolve(
        `node_modules/.cache/examples/${basename(file, ".ts")}-${process.pid}.mjs`
      )
      await build({
        entryPoints: [file],
        outfile,
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node20",
        external: ["libsql", "better-sqlite3", "pg", "esbuild"],
        // for packages that are CommonJS
        banner: {
          js: 'import { createRequire as cjs } from "node:module"; const require = cjs(import.meta.url);'
        },
        logLevel: "error"
      })
      return outfile
    }),
    (outfile) => Effect.sync(() => rmSync(outfile, { force: true }))
  )

export interface Program {
  readonly name: string
  /** A JavaScript file. */
  readonly file: string
  readonly environment: { readonly [name: string]: string }
}

/** A program as a process, killed with the scope. */
export const start = ({ environment, file }: Program) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
        env: { ...process.env, ...environment },
        stdio: ["pipe", "pipe", "inherit"]
      })
      // a process that is killed does not read the rest
      child.stdin.on("error", () => {})
      return child
    }),
    (child) => end(child, "SIGKILL")
  )

/** Sends a signal if there is one, and waits for the end. Returns the exit code, null after SIGKILL. */
export const end = (child: ChildProcess, signal?: NodeJS.Signals): Effect.Effect<number | null> =>
  Effect.async((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      return resume(Effect.succeed(child.exitCode))
    }
    child.once("exit", (code) => resume(Effect.succeed(code)))
    if (signal !== undefined) child.kill(signal)
  })
