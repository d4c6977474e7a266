/** The published command, as a process with an empty environment. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, vi } from "vitest"

const bundler = fileURLToPath(new URL("../../src/bin/bundle.js", import.meta.url))

/** The packages of databases are not in the bundle. */
const packages = fileURLToPath(new URL("../../node_modules", import.meta.url))

export interface CommandResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Record<string, string> | undefined
  readonly stdin?: string | undefined
  /** A file for standard input, in place of a text. */
  readonly stdinFrom?: string | undefined
  /** A file to append standard output to. The result does not have it. */
  readonly stdoutInto?: string | undefined
}

export interface RunningCommand {
  readonly child: ChildProcess
  /** Waits for a match in standard output or standard error. */
  readonly until: (pattern: RegExp) => Promise<RegExpExecArray>
  readonly ended: Promise<CommandResult>
}

/** Builds the command for a test file, at whose end its processes are killed. */
export const command = () => {
  // processes start slowly on a busy machine
  vi.setConfig({ testTimeout: 60_000 })
  let folder = ""
  const children = new Set<ChildProcess>()
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "command-"))
    execFileSync(process.execPath, [bundler, join(folder, "command.mjs")])
    symlinkSync(packages, join(folder, "node_modules"))
  }, 60_000)
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL")
    rmSync(folder, { recursive: true, force: true })
  })

  const start = (args: ReadonlyArray<string>, options: RunOptions = {}): RunningCommand => {
    const source = options.stdinFrom === undefined ? "pipe" : openSync(options.stdinFrom, "r")
    const target = options.stdoutInto === undefined ? "pipe" : openSync(options.stdoutInto, "a")
    const child = spawn(process.execPath, [join(folder, "command.mjs"), ...args], {
      cwd: folder,
      stdio: [source, target, "pipe"],
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        AWS_EC2_METADATA_DISABLED: "true",
        ...options.env
      }
    })
    for (const descriptor of [source, target]) {
      if (typeof descriptor === "number") closeSync(descriptor)
    }
    children.add(child)
    const out = { stdout: "", stderr: "" }
    const waiting = new Set<() => void>()
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        out[name] += text
        for (const check of waiting) check()
      })
    }
    child.stdin?.on("error", () => {})
    child.stdin?.end(options.stdin ?? "")
    const ended = new Promise<CommandResult>((resolve) => {
      child.once("close", (code, signal) => {
        children.delete(child)
        resolve({ code, signal, ...out })
      })
    })
    const until = (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const check = () => {
          const match = pattern.exec(out.stdout) ?? pattern.exec(out.stderr)
          if (match === null) return
          waiting.delete(check)
          resolve(match)
        }
        waiting.add(check)
        check()
        ended.then(({ code, stderr, stdout }) =>
          reject(new Error(`It ended with ${code} before ${pattern}:\n${stdout}\n${stderr}`))
        )
      })
    return { child, ended, until }
  }

  return {
    start,
    run: (args: ReadonlyArray<string>, options?: RunOptions): Promise<CommandResult> =>
      start(args, options).ended,
    /** A file in the working directory. */
    file: (name: string) => join(folder, name)
  }
}
