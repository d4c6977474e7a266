import { execFileSync, spawn } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import { folder, newFile, open } from "./support/sqliteFile.js"

// a machine with much else to do takes its time to start the processes
vi.setConfig({ testTimeout: 900_000 })

const program = fileURLToPath(new URL("support/writeUntilStopped.ts", import.meta.url))

interface Finished {
  /** Numbers of the batches that it was told are stored. */
  readonly stored: ReadonlyArray<number>
  readonly failed: string | undefined
  readonly code: number | null
  readonly errors: string
}

/** Runs the program, optionally with a limit of the size of its files, and kills it after some stored batches. */
const run = (
  args: ReadonlyArray<string>,
  options: { readonly limit?: number; readonly killAfter?: number } = {}
): Effect.Effect<Finished> =>
  Effect.async((resume) => {
    const command = [process.execPath, "--no-warnings", "--import", "tsx", program, ...args]
    const child =
      options.limit === undefined
        ? spawn(command[0] ?? "", command.slice(1))
        : spawn("sh", ["-c", `ulimit -f ${options.limit}; exec "$@"`, "sh", ...command])
    let output = ""
    let errors = ""
    child.stdout.on("data", (chunk) => {
      output += chunk
      if (options.killAfter !== undefined && output.split("\n").length > options.killAfter) {
        child.kill("SIGKILL")
      }
    })
    child.stderr.on("data", (chunk) => {
      errors += chunk
    })
    child.on("close", (code) => {
      const lines = output.split("\n")
      resume(
        Effect.succeed({
          stored: lines.flatMap((line) => {
            const [, number] = /^stored (\d+)$/.exec(line) ?? []
            return number === undefined ? [] : [Number(number)]
          }),
          failed: lines.find((line) => line.startsWith("failed")),
          code,
          errors
        })
      )
    })
  })

/** Reads which batches of a prefix are stored as a whole, and checks the sums. */
const storedIn = (file: string, prefixes: ReadonlyArray<string>, upTo: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* open(file)
      return yield* store.snapshot((tables) =>
        Effect.gen(function* () {
          const whole: Array<string> = []
          let events = 0
          for (const prefix of prefixes) {
            for (let number = 0; number <= upTo; number++) {
              const ids = Array.from({ length: 100 }, (_, index) => `${prefix}-${number}-${index}`)
              const found = yield* tables.events(ids)
              expect([0, 100]).toContain(found.length)
              events += found.length
              if (found.length === 100) whole.push(`${prefix}-${number}`)
            }
          }
          const [entry] = yield* tables.entries([{ key: 1, hour: 490_000 }])
          expect(entry?.quantity).toBe(BigInt(events))
          expect(yield* tables.verifySums(undefined, 10)).toEqual({
            differences: [],
            last: undefined
          })
          return whole
        })
      )
    })
  )

const names = (prefix: string, numbers: ReadonlyArray<number>) =>
  numbers.map((number) => `${prefix}-${number}`)

it.scopedLive("processes that start at once on an empty file share it", () =>
  Effect.gen(function* () {
    const file = yield* newFile
    const prefixes = ["a", "b", "c"]
    const finished = yield* Effect.all(
      prefixes.map((prefix) => run([file, "libsql", prefix, "20"])),
      { concurrency: "unbounded" }
    )
    expect(finished.map(({ errors }) => errors)).toEqual(["", "", ""])
    expect(finished.map(({ stored }) => stored.length)).toEqual([20, 20, 20])
    expect((yield* storedIn(file, prefixes, 20)).length).toBe(60)
  })
)

it.scopedLive("a process that is killed loses nothing that was acknowledged", () =>
  Effect.gen(function* () {
    const file = yield* newFile
    const { stored } = yield* run([file, "libsql", "a", "100000"], { killAfter: 15 })
    expect(stored.length).toBeGreaterThanOrEqual(15)
    const found = yield* storedIn(file, ["a"], stored.length + 1)
    expect(found).toEqual(expect.arrayContaining(names("a", stored)))
    expect(found.length).toBeLessThanOrEqual(stored.length + 1)
  })
)

const canMount = (path: string): boolean => {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", path], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

it.scopedLive(
  "a full disk loses nothing that was acknowledged, and a free one is used again",
  (t) =>
    Effect.gen(function* () {
      const disk = join(yield* folder, "disk")
      mkdirSync(disk)
      if (!canMount(disk)) {
        return t.skip()
      }
      // a closed connection of libsql keeps the file until its statements are collected
      yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", ["-l", disk])))
      const [file, ballast] = [join(disk, "ledger.db"), join(disk, "ballast")]
      writeFileSync(ballast, Buffer.alloc(500_000))
      const { errors, failed, stored } = yield* run([file, "libsql", "a", "100000", ballast])
      expect(errors).toBe("")
      expect(failed).toMatch(/^failed \d+ no the disk is full \(SQLITE_FULL\)$/)
      expect(stored.length).toBeGreaterThan(10)
      expect(yield* storedIn(file, ["a"], stored.length)).toEqual(names("a", stored))
    })
)

it.scopedLive.skipIf(process.platform === "win32")(
  "a file that may not grow loses nothing that was acknowledged",
  () =>
    Effect.gen(function* () {
      const file = yield* newFile
      // in blocks of 512 bytes
      const { errors, failed, stored } = yield* run([file, "libsql", "a", "100000"], {
        limit: 2048
      })
      expect(errors).toBe("")
      expect(failed).toMatch(/^failed \d+ (no|unknown) .*\(SQLITE_(FULL|IOERR)\)$/)
      expect(stored.length).toBeGreaterThan(10)
      expect(yield* storedIn(file, ["a"], stored.length)).toEqual(names("a", stored))
    })
)
