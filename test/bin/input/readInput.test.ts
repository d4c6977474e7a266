import { execFile, execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { FileSystem } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as limits from "../../../src/bin/input/limits.js"
import * as readInput from "../../../src/bin/input/readInput.js"

layer(NodeFileSystem.layer)("input", (it) => {
  const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

  it.scoped("of a file is its text, also if a character is split", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "long.csv")
      const text = "aé".repeat(100_000)
      writeFileSync(path, text)
      assert.strictEqual(yield* readInput.readText(path), text)
      assert.strictEqual(yield* readInput.fileSize(path), 300_000)
    })
  )

  it.scoped("that is not UTF-8 is rejected", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "latin.csv")
      for (const [bytes, expected] of [
        [[0x61, 0xe9, 0x62], "It is not UTF-8: line 1 has the byte 0xE9. "],
        [[0x61, 0x0d, 0x0a, 0x62, 0xfc], "It is not UTF-8: line 2 has the byte 0xFC. "],
        [[0x61, 0x0d, 0x62, 0xfc, 0x0d], "It is not UTF-8: line 2 has the byte 0xFC. "],
        [[0x61, 0xc3], "It is not UTF-8: it ends in the middle of a character, in line 1. "]
      ] as const) {
        writeFileSync(path, Uint8Array.from(bytes))
        const failure = yield* Effect.flip(readInput.readText(path, "It"))
        assert.strictEqual(
          failure.message,
          `${expected}Save it as UTF-8 (a spreadsheet calls it "CSV UTF-8"), or convert it: iconv -f WINDOWS-1252 -t UTF-8.`
        )
      }
    })
  )

  it.scoped("has a size limit", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "endless")
      writeFileSync(path, "a".repeat(limits.textBytes))
      assert.lengthOf(yield* readInput.readText(path), limits.textBytes)
      for (const endless of ["/dev/zero", path]) {
        if (endless === path) writeFileSync(path, "a".repeat(limits.textBytes + 1))
        const { message } = yield* Effect.flip(readInput.readText(endless, "It"))
        assert.match(message, /^It is (longer than 1,048,576 bytes|UTF-16)/)
      }
    })
  )

  it.scoped("of a named pipe is read to its end, without a known size", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "pipe")
      execFileSync("mkfifo", [path])
      assert.strictEqual(yield* readInput.fileSize(path), undefined)
      execFile("sh", ["-c", 'printf usage > "$1"', "sh", path])
      assert.strictEqual(yield* readInput.readText(path), "usage")
    })
  )
})
