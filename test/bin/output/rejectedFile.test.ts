import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, FastCheck as fc } from "effect"
import * as rejectedFile from "../../../src/bin/output/rejectedFile.js"

/** A folder with a source and an earlier file of rejected rows, readable for all. */
const folder = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "rejected-"))
    writeFileSync(join(path, "usage.csv"), "source")
    writeFileSync(join(path, "rejected.csv"), "earlier", { mode: 0o644 })
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
).pipe(
  Effect.map((path) => ({
    path,
    source: join(path, "usage.csv"),
    target: join(path, "rejected.csv"),
    text: (name = "rejected.csv") => readFileSync(join(path, name), "utf8"),
    names: () => readdirSync(path).sort()
  }))
)

const run = <A, E>(effect: Effect.Effect<A, E, rejectedFile.Requirements>) =>
  effect.pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

const row = (line: number) => ({ line, text: `${line}\n` })

describe("the file of rejected rows", () => {
  it.effect("keeps its content until the end, and is then readable only for its owner", () =>
    Effect.gen(function* () {
      const { names, path, source, target, text } = yield* folder
      yield* run(
        Effect.gen(function* () {
          const { finish, unfinished, write } = yield* rejectedFile.open(target, source)
          yield* write([row(1)])
          assert.strictEqual(text(), "earlier")
          yield* write([row(2)])
          const [temporary = ""] = names().filter((name) => name.endsWith(".tmp"))
          assert.strictEqual(unfinished(), `The rejected records are in ${join(path, temporary)}.`)
          yield* finish
          assert.isUndefined(unfinished())
          assert.strictEqual(text(), "1\n2\n")
        })
      )
      assert.strictEqual(text(), "1\n2\n")
      assert.strictEqual(statSync(target).mode & 0o777, 0o600)
      assert.deepStrictEqual(names(), ["rejected.csv", "usage.csv"])
    }).pipe(Effect.scoped)
  )

  it.effect("is empty if nothing was rejected, and unchanged if it was not finished", () =>
    Effect.gen(function* () {
      const { names, source, target, text } = yield* folder
      yield* run(rejectedFile.open(target, source))
      assert.strictEqual(text(), "earlier")
      yield* run(Effect.flatMap(rejectedFile.open(target, source), ({ finish }) => finish))
      assert.strictEqual(text(), "")
      assert.deepStrictEqual(names(), ["rejected.csv", "usage.csv"])
    }).pipe(Effect.scoped)
  )

  it.effect("has the rows from before an interruption", () =>
    Effect.gen(function* () {
      const { names, source, target, text } = yield* folder
      const isWritten = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        run(
          Effect.flatMap(rejectedFile.open(target, source), ({ write }) =>
            write([row(2), row(1)]).pipe(
              Effect.zipRight(Deferred.succeed(isWritten, undefined)),
              Effect.zipRight(Effect.never)
            )
          )
        )
      )
      yield* Deferred.await(isWritten)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(text(), "1\n2\n")
      assert.deepStrictEqual(names(), ["rejected.csv", "usage.csv"])
    }).pipe(Effect.scoped)
  )

  it.effect("is never the source, by any name, nor a broken link or a directory", () =>
    Effect.gen(function* () {
      const { path, source, text } = yield* folder
      const names = ["hard", "soft", "dangling", "directory"].map((name) => join(path, name))
      const [hard = "", soft = "", dangling = "", directory = ""] = names
      linkSync(source, hard)
      symlinkSync(source, soft)
      symlinkSync(join(path, "nowhere"), dangling)
      mkdirSync(directory)
      for (const [target, expected] of [
        [source, /is being read/],
        [hard, /is being read/],
        [soft, /is being read/],
        [dangling, /link to a missing file/],
        [directory, /not a regular file/],
        [join(path, "nowhere", "x"), /cannot be written: no such file/]
      ] as const) {
        const error = yield* Effect.flip(run(rejectedFile.open(target, source)))
        assert.strictEqual(error.exitCode, 2)
        assert.match(error.message, expected)
      }
      assert.strictEqual(text("usage.csv"), "source")
    }).pipe(Effect.scoped)
  )

  it.effect("does not replace a source that was linked there meanwhile", () =>
    Effect.gen(function* () {
      const { names, source, target, text } = yield* folder
      const error = yield* run(
        Effect.gen(function* () {
          const { finish, write } = yield* rejectedFile.open(target, source)
          yield* write([row(1)])
          rmSync(target)
          linkSync(source, target)
          return yield* Effect.flip(finish)
        })
      )
      assert.strictEqual(text("usage.csv"), "source")
      const [, temporary = ""] = /The rejected records are in (.*)\.$/.exec(error.message) ?? []
      assert.strictEqual(readFileSync(temporary, "utf8"), "1\n")
      assert.lengthOf(names(), 3)
    }).pipe(Effect.scoped)
  )

  it.effect("is replaced at the target of a link, which stays", () =>
    Effect.gen(function* () {
      const { path, source, target, text } = yield* folder
      const link = join(path, "link")
      symlinkSync(target, link)
      yield* run(
        Effect.flatMap(rejectedFile.open(link, source), ({ finish, write }) =>
          Effect.zipRight(write([row(1)]), finish)
        )
      )
      assert.strictEqual(text(), "1\n")
      assert.isTrue(lstatSync(link).isSymbolicLink())
    }).pipe(Effect.scoped)
  )

  const lines = fc.uniqueArray(fc.nat(1_000), { minLength: 1, maxLength: 40 })
  it.effect.prop(
    "has its rows in the order of the source, written in any order",
    [fc.array(lines, { maxLength: 4 }), fc.constantFrom(1, 3_000, 300_000)],
    ([some, size]) =>
      Effect.gen(function* () {
        const { source, target, text } = yield* folder
        const all = [...new Set(some.flat())]
        const textOf = (line: number) => `${line} ${"ä".repeat(line % 7 === 0 ? size : 1)}\n`
        yield* run(
          Effect.gen(function* () {
            const { finish, write } = yield* rejectedFile.open(target, source)
            for (let i = 0; i < all.length; i += 7) {
              yield* write(all.slice(i, i + 7).map((line) => ({ line, text: textOf(line) })))
            }
            yield* finish
          })
        )
        const expected = all.sort((a, b) => a - b).map(textOf)
        assert.isTrue(text() === expected.join(""))
      }).pipe(Effect.scoped),
    { fastCheck: { numRuns: 30 } }
  )
})
