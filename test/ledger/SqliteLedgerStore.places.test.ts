import * as fs from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { vi } from "vitest"
import { networkFileSystemName } from "../../src/ledger/internal/sqlite/fileChecks.js"
import { newFile, open } from "./support/sqliteFile.js"

vi.mock("node:fs", { spy: true })

it.scoped.runIf(process.platform === "linux")("rejects a network file system by its name", () =>
  Effect.gen(function* () {
    const file = yield* newFile
    const stats = fs.statfsSync("/")
    vi.mocked(fs.statfsSync).mockReturnValueOnce({ ...stats, type: 0x6969 } as never)
    const error = yield* Effect.flip(open(file))
    expect(error).toMatchObject({ reason: "networkFileSystem" })
    expect(error.message).toContain(`${file} is on NFS, whose locks`)
    expect(error.message).toContain("use PostgreSQL")
    expect(fs.existsSync(file)).toBe(false)
    yield* open(file)
  })
)

it("knows network file systems, also by a number with a sign", () => {
  expect(networkFileSystemName(0xff534d42)).toBe("CIFS")
  expect(networkFileSystemName(0xff534d42 | 0)).toBe("CIFS")
  expect(networkFileSystemName(0x65735546)).toBe("FUSE")
  // ext4, btrfs, XFS, tmpfs, overlayfs, ZFS
  const local = [0xef53, 0x9123683e, 0x58465342, 0x01021994, 0x794c7630, 0x2fc12fc1]
  expect(local.map(networkFileSystemName)).toEqual(local.map(() => undefined))
})

it.scoped("rejects a file or a folder that cannot be written", () =>
  Effect.gen(function* () {
    const file = yield* newFile
    yield* Effect.scoped(open(file))
    const denied = () => {
      throw Object.assign(new Error("EACCES"), { code: "EACCES" })
    }
    vi.mocked(fs.accessSync).mockImplementationOnce(denied)
    const error = yield* Effect.flip(open(file))
    expect(error).toMatchObject({ reason: "unsafeSettings" })
    expect(error.message).toContain(`${file} cannot be written. Allow this process`)
    yield* open(file)
  })
)

it.scoped.runIf(process.platform === "linux")("warns of a disk in memory", () =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel._tag === "Warning") lines.push(String(message))
    })
    const opened = (file: string) =>
      Effect.provide(open(file), Logger.replace(Logger.defaultLogger, logger))
    yield* opened(yield* newFile)
    expect(lines).toEqual([])
    const stats = { ...fs.statfsSync("/"), type: 0x01021994 } as never
    vi.mocked(fs.statfsSync).mockReturnValueOnce(stats).mockReturnValueOnce(stats)
    const file = yield* newFile
    yield* opened(file)
    expect(lines).toEqual([`${file} is on a disk in memory: a restart of the machine loses it`])
  })
)
