/** Starts the child, from one bundled file: a start takes a third of the time. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { build } from "esbuild"
import type { Line, Orders } from "./plan.js"
import type { Step } from "./stops.js"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** In a folder from which packages with native code are found. */
const folder = here("../../../node_modules/.cache/ledger-kill/")

/** Bundles the child and returns its file. */
export const bundle: Effect.Effect<string> = Effect.promise(async () => {
  mkdirSync(folder, { recursive: true })
  const file = `${folder}child-${process.pid}.mjs`
  await build({
    entryPoints: [here("child.ts")],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["libsql", "better-sqlite3", "pg"],
    logLevel: "error"
  })
  return file
})

/** One life of a child. */
export interface Life {
  readonly lines: ReadonlyArray<Line>
  /** The step at which it was killed, `random` if from outside. Undefined if it came to its end. */
  readonly killedAt: Step | "random" | undefined
  readonly milliseconds: number
  readonly errors: string
}

/** Runs a child to its end. With `killAfter` it is killed that many milliseconds after it is ready. */
export const run = (
  file: string,
  orders: Orders,
  options: {
    readonly killAfter?: number | undefined
    readonly onLine?: ((line: Line, child: ChildProcess) => void) | undefined
  } = {}
): Effect.Effect<Life> =>
  Effect.async((resume) => {
    const child = spawn(process.execPath, ["--no-warnings", file])
    child.stdin.end(JSON.stringify(orders))
    const lines: Array<Line> = []
    let errors = ""
    let startedAt = performance.now()
    child.stderr.on("data", (chunk) => (errors += chunk))
    const input = createInterface({ input: child.stdout })
    input.on("line", (text) => {
      const line: Line = JSON.parse(text)
      lines.push(line)
      options.onLine?.(line, child)
      if (line.line !== "ready") return
      startedAt = performance.now()
      if (options.killAfter !== undefined) {
        setTimeout(() => child.kill("SIGKILL"), options.killAfter)
      }
    })
    child.on("close", (_, signal) => {
      const step = lines.find((line) => line.line === "step")
      resume(
        Effect.succeed({
          lines,
          killedAt: signal === "SIGKILL" ? (step?.step ?? "random") : undefined,
          milliseconds: performance.now() - startedAt,
          errors
        })
      )
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Lets a child go on that has frozen itself. It may not be frozen yet when it has said so. */
export const wake = (child: ChildProcess): void => {
  const timer = setInterval(() => child.kill("SIGCONT"), 20)
  child.once("close", () => clearInterval(timer))
}
