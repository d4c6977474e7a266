import { execFile, execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { FileSystem } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as input from "../../src/bin/internal/input.js"

layer(NodeFileSystem.layer)("input", (it) => {
  const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

  it.scoped("of a file is its text, also where a character is cut in two", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "long.csv")
      const text = "aé".repeat(100_000)
      writeFileSync(path, text)
      assert.strictEqual(yield* input.textOf(path), text)
      assert.strictEqual(yield* input.sizeOf(path), 300_000)
    })
  )

  it.scoped("that is not UTF-8 is refused, and not read as something else", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "latin.csv")
      for (const bytes of [
        [0x61, 0xe9, 0x62],
        [0x61, 0xc3]
      ]) {
        writeFileSync(path, Uint8Array.from(bytes))
        const failure = yield* Effect.flip(input.textOf(path, "It"))
        assert.strictEqual(failure.message, "It is not UTF-8 to its end. The rest was not read.")
      }
    })
  )

  it.scoped("of a named pipe is read to its end, which is not known before", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "pipe")
      execFileSync("mkfifo", [path])
      assert.strictEqual(yield* input.sizeOf(path), undefined)
      execFile("sh", ["-c", 'printf usage > "$1"', "sh", path])
      assert.strictEqual(yield* input.textOf(path), "usage")
    })
  )
})
