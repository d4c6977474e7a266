import { fork } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { FileSystem, Error as PlatformError } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as stateFileLock from "../../../src/bin/internal/stateFileLock.js"

const folder = mkdtempSync(join(tmpdir(), "state-lock-"))
const file = join(folder, "sandbox.state")
const lock = `${file}.lock`

const holder = () => {
  const child = fork(fileURLToPath(new URL("lockHolder.ts", import.meta.url)), {
    execArgv: ["--import", "tsx"]
  })
  const next = () =>
    new Promise<string>((resolve, reject) => {
      child.once("exit", reject)
      child.once("message", (messages) => {
        child.off("exit", reject)
        resolve(String(messages))
      })
    })
  return {
    child,
    ready: next(),
    send: (path: string) => {
      const messages = next()
      child.send(path)
      return messages
    }
  }
}

/** The id of a process that has exited. */
const ended = async () => {
  const child = fork("-e", [], { execArgv: ["--eval", ""] })
  await new Promise((resolve) => child.once("exit", resolve))
  return child.pid ?? 0
}

describe("processes that race for one state file", () => {
  let holders: ReadonlyArray<ReturnType<typeof holder>> = []
  let dead = 0
  beforeAll(async () => {
    holders = Array.from({ length: 6 }, holder)
    dead = await ended()
    await Promise.all(holders.map(({ ready }) => ready))
  })
  afterAll(() => {
    for (const { child } of holders) child.kill()
    rmSync(folder, { recursive: true })
  })

  const stale = (id: string) => `${dead} 00000000-0000-4000-8000-${id.padStart(12, "0")}\n`
  const rounds = 60

  const races: ReadonlyArray<readonly [what: string, prepare: (round: number) => void]> = [
    ["without a lock", () => {}],
    [
      "over the lock of a killed process",
      (round) => writeFileSync(lock, stale(String(round)), { flag: "wx" })
    ],
    [
      "over the lock of a process that was killed while it replaced another",
      (round) => {
        writeFileSync(lock, stale(`1${round}`), { flag: "wx" })
        writeFileSync(`${lock}.${stale(`1${round}`).split(" ")[1]?.trim()}`, stale(`2${round}`))
      }
    ]
  ]
  for (const [what, prepare] of races) {
    it(`only one of them holds the lock ${what}`, async () => {
      for (let round = 0; round < rounds; round++) {
        prepare(round)
        const messages = await Promise.all(holders.map(({ send }) => send(file)))
        assert.lengthOf(
          messages.filter((one) => one === "held"),
          1,
          `round ${round}: ${messages.join("; ")}`
        )
        for (const other of messages.filter((one) => one !== "held")) {
          assert.match(other, /in use by the sandbox of process \d+/)
        }
        await Promise.all(holders.map(({ send }) => send("")))
        assert.deepStrictEqual(readdirSync(folder), [])
      }
    })
  }
})

const scopedFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "state-lock-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const hold = (path: string) =>
  Effect.scoped(stateFileLock.acquire(path)).pipe(Effect.provide(NodeFileSystem.layer))

describe("a lock", () => {
  it.scoped("has one holder within a process, too", () =>
    Effect.gen(function* () {
      const other = join(yield* scopedFolder, "sandbox.state")
      yield* Effect.provide(stateFileLock.acquire(other), NodeFileSystem.layer)
      const error = yield* Effect.flip(hold(other))
      assert.include(error.message, `in use by the sandbox of process ${process.pid}`)
    })
  )

  it.scoped("does not replace another file, nor write through a link", () =>
    Effect.gen(function* () {
      const other = join(yield* scopedFolder, "sandbox.state")
      const precious = `${other}.precious`
      writeFileSync(precious, "precious")
      symlinkSync(precious, `${other}.lock`)
      const error = yield* Effect.flip(hold(other))
      assert.include(error.message, `Delete it if no sandbox uses the state`)
    })
  )

  it.scoped("reports a file system without hard links", () =>
    Effect.gen(function* () {
      const folder = yield* scopedFolder
      const other = join(folder, "sandbox.state")
      const fs = yield* FileSystem.FileSystem
      const denied = new PlatformError.SystemError({
        reason: "PermissionDenied",
        module: "FileSystem",
        method: "link"
      })
      const error = yield* stateFileLock
        .acquire(other)
        .pipe(
          Effect.scoped,
          Effect.provideService(FileSystem.FileSystem, { ...fs, link: () => Effect.fail(denied) }),
          Effect.flip
        )
      assert.match(
        error.message,
        /sandbox\.state cannot be locked: its file system has no hard links \(.+\)\. Choose a file on another file system with --state\.$/
      )
      assert.deepStrictEqual(readdirSync(folder), [])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
