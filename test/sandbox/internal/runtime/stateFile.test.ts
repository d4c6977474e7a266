/** A sandbox whose state is in a file. */
import { FileSystem, Path } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  Deferred,
  Effect,
  Either,
  Exit,
  FastCheck,
  Fiber,
  Logger,
  Option,
  Ref,
  Stream,
  TestClock
} from "effect"
import { MeteringSandbox, Scenario } from "../../../../src/sandbox/index.js"
import { initial } from "../../../../src/sandbox/internal/model/state.js"
import * as stateText from "../../../../src/sandbox/internal/runtime/stateText.js"
import { applyEvent, event, observableState, options } from "../../arbitraries.js"
import { fullWhile } from "../../fullDisk.js"
import { eventually } from "../../http.js"
import {
  acme,
  analytics,
  at,
  batch,
  billed,
  calls,
  record,
  setTime,
  statusesOf
} from "../../support.js"

const now = "2026-11-24T10:30:00Z"
const recent = at("2026-11-24T10:05:00Z")

const sandbox = MeteringSandbox.MeteringSandbox

/** With a file of its own, which does not yet exist. */
const withFile = <A, E, R>(use: (file: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* fs.makeTempDirectoryScoped()
    return yield* use(path.join(folder, "sandbox.state"))
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

const on = (file: string, options?: MeteringSandbox.Options) =>
  Effect.provide(MeteringSandbox.layerFile(file, options))

const read = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(file))

const write = (file: string, text: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.writeFileString(file, text))

describe("two in sequence", () => {
  it.effect("the second takes up where the first ended: usage, customers, tokens, calls, key", () =>
    withFile((file) =>
      Effect.gen(function* () {
        yield* setTime(now)
        const first = yield* Effect.gen(function* () {
          const {
            marketplace: { mintToken, subscribe, suspend },
            report: { publicKey }
          } = yield* sandbox
          yield* calls.MeterUsage
          yield* calls.BatchMeterUsage
          yield* subscribe({ customerIdentifier: "cust-initech", productCode: analytics })
          yield* suspend({ customerIdentifier: "cust-globex" })
          return { sight: yield* observableState, key: yield* publicKey, token: yield* mintToken() }
        }).pipe(on(file))
        yield* Effect.gen(function* () {
          const { publicKey } = (yield* sandbox).report
          assert.deepStrictEqual(yield* observableState, first.sight)
          assert.strictEqual(yield* publicKey, first.key)
          yield* calls.ResolveCustomer
          assert.deepStrictEqual(yield* statusesOf([record(recent, { quantity: 9 })]), [
            "DuplicateRecord"
          ])
        }).pipe(on(file))
      })
    )
  )

  it.effect(
    "the calendar goes on by the clock, also after a reset, whatever the scenario's time",
    () =>
      withFile((file) =>
        Effect.gen(function* () {
          const scenario = { now: at("2026-11-24T10:30:00Z") }
          const time = Effect.flatMap(sandbox, ({ control }) => control.now)
          yield* Effect.flatMap(sandbox, ({ control }) => control.advance("1 day")).pipe(
            on(file, scenario)
          )
          yield* TestClock.adjust("1 hour")
          yield* Effect.gen(function* () {
            assert.deepStrictEqual(yield* time, at("2026-11-25T11:30:00Z"))
            yield* Effect.flatMap(sandbox, ({ control }) => control.reset)
            assert.deepStrictEqual(yield* time, at("2026-11-24T10:30:00Z"))
          }).pipe(on(file, scenario))
          yield* TestClock.adjust("1 hour")
          assert.deepStrictEqual(yield* time.pipe(on(file, scenario)), at("2026-11-24T11:30:00Z"))
        })
      )
  )

  it.effect("new faults of the scenario apply, unless others are pending", () =>
    withFile((file) =>
      Effect.gen(function* () {
        yield* setTime(now)
        const fault = (name: "throttling" | "internalError", times: number) => ({
          faults: { script: [{ fault: name, times }] }
        })
        const call = Effect.match(batch([record(recent)]), {
          onFailure: ({ _tag }) => _tag as string,
          onSuccess: () => "Success"
        })
        assert.strictEqual(yield* call.pipe(on(file)), "Success")
        assert.strictEqual(
          yield* call.pipe(on(file, fault("throttling", 2))),
          "ThrottlingException"
        )
        // of the two, one is left
        const left = yield* Effect.replicateEffect(call, 2).pipe(
          on(file, fault("internalError", 2))
        )
        assert.deepStrictEqual(left, ["ThrottlingException", "Success"])
      })
    )
  )

  it.effect("what is loaded is in the file as well", () =>
    withFile((file) =>
      Effect.gen(function* () {
        yield* setTime(now)
        const saved = yield* Effect.gen(function* () {
          yield* batch([record(recent, { quantity: 7 })])
          return yield* Effect.flatMap(sandbox, ({ control }) => control.save)
        }).pipe(Effect.provide(MeteringSandbox.layer()))
        yield* Effect.gen(function* () {
          yield* batch([record(recent, { dimension: "seats" })])
          yield* Effect.flatMap(sandbox, ({ control }) => control.load(saved))
        }).pipe(on(file))
        assert.deepStrictEqual(yield* billed.pipe(on(file)), [
          `${analytics} ${acme} api-calls 2026-11-24T10:00:00.000Z 7`
        ])
      })
    )
  )

  it.effect("the file is made small at each start", () =>
    withFile((file) =>
      Effect.gen(function* () {
        yield* setTime(now)
        const sizeAfter = (count: number) =>
          Effect.gen(function* () {
            yield* Effect.replicateEffect(batch([record(recent)]), count).pipe(on(file))
            yield* Effect.void.pipe(on(file))
            return (yield* read(file)).length
          })
        const once = yield* sizeAfter(1)
        // counts have more digits
        assert.isBelow((yield* sizeAfter(200)) - once, 20)
      })
    )
  )
})

describe("a long run", () => {
  const megabyte = 1024 * 1024
  /** Each adds so much to the file, and nothing to the state. */
  const again = Effect.flatMap(sandbox, ({ marketplace }) =>
    marketplace.addCustomer({ customerAWSAccountId: acme })
  )
  const world = {
    customers: [
      {
        customerAWSAccountId: acme,
        agreements: Array.from({ length: 550 }, (_, i) => ({
          productCode: analytics,
          licenseArn: `arn:aws:license-manager::${acme}:license:l-${String(i).padStart(2000, "0")}`
        }))
      }
    ]
  }

  it.effect("does not let the file grow for ever, and loses nothing by that", () =>
    withFile((file) =>
      Effect.gen(function* () {
        yield* setTime(now)
        const seen = yield* Effect.gen(function* () {
          yield* batch([record(recent)])
          yield* Effect.replicateEffect(again, 40)
          // it is made short beside the calls, and again where many came meanwhile
          const fs = yield* FileSystem.FileSystem
          const size = Effect.zipRight(again, fs.stat(file))
          yield* Effect.repeat(size, { until: ({ size }) => size < 10 * megabyte })
          yield* batch([record(recent, { dimension: "seats" })])
          return yield* observableState
        }).pipe(on(file, world))
        assert.lengthOf(seen.records, 2)
        assert.deepStrictEqual(yield* observableState.pipe(on(file, world)), seen)
      })
    )
  )

  it.effect("answers calls while the file is made short, and has them in the short one", () =>
    withFile((file) =>
      Effect.gen(function* () {
        yield* setTime(now)
        const fs = yield* FileSystem.FileSystem
        const isWritten = yield* Deferred.make<void>()
        const mayEnd = yield* Deferred.make<void>()
        const isRenamed = yield* Deferred.make<void>()
        const renames = yield* Ref.make(0)
        const slow = {
          ...fs,
          rename: (from: string, to: string) =>
            Effect.zipRight(
              fs.rename(from, to),
              Effect.flatMap(
                Ref.updateAndGet(renames, (count) => count + 1),
                (count) => (count === 2 ? Deferred.succeed(isRenamed, undefined) : Effect.void)
              )
            ),
          open: (path: string, options?: FileSystem.OpenFileOptions) =>
            Effect.flatMap(fs.open(path, options), (opened) =>
              Effect.map(Ref.get(renames), (count) =>
                count === 0
                  ? opened
                  : {
                      ...opened,
                      truncate: (length?: FileSystem.SizeInput) => opened.truncate(length),
                      stat: opened.stat,
                      sync: opened.sync,
                      // the first piece of the second file waits
                      writeAll: (bytes: Uint8Array) =>
                        Effect.zipRight(
                          Deferred.succeed(isWritten, undefined),
                          Effect.zipRight(Deferred.await(mayEnd), opened.writeAll(bytes))
                        )
                    }
              )
            )
        } as FileSystem.FileSystem
        const seen = yield* Effect.gen(function* () {
          yield* Effect.replicateEffect(again, 17)
          yield* Deferred.await(isWritten)
          assert.deepStrictEqual(yield* statusesOf([record(recent)]), ["Success"])
          yield* Deferred.succeed(mayEnd, undefined)
          yield* Deferred.await(isRenamed)
          assert.deepStrictEqual(yield* statusesOf([record(recent, { dimension: "seats" })]), [
            "Success"
          ])
          return yield* observableState
        }).pipe(on(file, world), Effect.provideService(FileSystem.FileSystem, slow))
        assert.lengthOf(seen.records, 2)
        assert.isBelow((yield* read(file)).length, 5 * megabyte)
        assert.deepStrictEqual(yield* observableState.pipe(on(file, world)), seen)
      })
    )
  )

  it.effect("goes on in the file that there is where another cannot be written", () =>
    withFile((file) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* setTime(now)
        const full = new SystemError({
          reason: "WriteZero",
          module: "FileSystem",
          method: "rename"
        })
        const failed = yield* Deferred.make<void>()
        const renames = yield* Ref.make(0)
        const seen = yield* Effect.gen(function* () {
          yield* Effect.replicateEffect(again, 20)
          yield* Deferred.await(failed)
          yield* batch([record(recent)])
          return yield* observableState
        }).pipe(
          on(file, world),
          Effect.provideService(FileSystem.FileSystem, {
            ...fs,
            rename: (from, to) =>
              Effect.flatMap(
                Ref.getAndUpdate(renames, (count) => count + 1),
                (count) =>
                  count === 0
                    ? fs.rename(from, to)
                    : Effect.zipRight(Deferred.succeed(failed, undefined), Effect.fail(full))
              )
          })
        )
        assert.isAbove((yield* read(file)).length, 20 * megabyte)
        assert.deepStrictEqual(yield* observableState.pipe(on(file, world)), seen)
      })
    )
  )
})

describe("the file", () => {
  it.effect("may be a link, and stays one", () =>
    withFile((file) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* setTime(now)
        const target = `${file}.target`
        yield* Effect.void.pipe(on(target))
        yield* fs.symlink(target, file)
        yield* batch([record(recent)]).pipe(on(file))
        assert.strictEqual(yield* fs.readLink(file), target)
        assert.lengthOf(yield* billed.pipe(on(target)), 1)
      })
    )
  )

  it.effect(
    "is its owner's alone, whatever it was before: it holds tokens and the private key",
    () =>
      withFile((file) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const mode = Effect.map(fs.stat(file), ({ mode }) => mode & 0o777)
          yield* Effect.void.pipe(on(file))
          yield* fs.chmod(file, 0o644)
          yield* Effect.flatMap(sandbox, ({ report }) => report.publicKey).pipe(on(file))
          assert.strictEqual(yield* mode, 0o600)
          assert.include(yield* read(file), "PRIVATE KEY")
        })
      )
  )

  it.effect("is not made where a link to nowhere is, which a new one would take the place of", () =>
    withFile((file) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.symlink(`${file}.gone`, file)
        const error = yield* Effect.flip(on(file)(Effect.void))
        assert.include(error.message, `${file}.gone`)
        assert.strictEqual(yield* fs.readLink(file), `${file}.gone`)
      })
    )
  )

  it.effect("is written to an unpredictable temporary name, so that no link can be planted", () =>
    withFile((file) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const opened: Array<readonly [path: string, FileSystem.OpenFileOptions | undefined]> = []
        const watched = {
          ...fs,
          open: (path: string, options?: FileSystem.OpenFileOptions) => {
            opened.push([path, options])
            return fs.open(path, options)
          }
        }
        const provided = Effect.provideService(FileSystem.FileSystem, watched)
        yield* Effect.void.pipe(on(file), provided)
        yield* Effect.void.pipe(on(file), provided)
        const beside = opened.filter(([path]) => path.endsWith(".new"))
        assert.lengthOf(new Set(beside.map(([path]) => path)), 2)
        // "x" fails on whatever is there, a link too
        for (const [, options] of beside) {
          assert.deepStrictEqual(options, { flag: "ax", mode: 0o600 })
        }
      })
    )
  )

  it.effect("leaves nothing beside itself, also of a sandbox that was killed while it wrote", () =>
    withFile((file) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        yield* write(`${file}.0123456789abcdef.new`, "half")
        yield* write(`${file}.txt.new`, "another's")
        yield* Effect.void.pipe(on(file))
        assert.deepStrictEqual((yield* fs.readDirectory(path.dirname(file))).sort(), [
          path.basename(file),
          `${path.basename(file)}.txt.new`
        ])
      })
    )
  )

  it.effect("is not touched by a scenario that contradicts itself", () =>
    withFile((file) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const error = yield* Effect.flip(
          on(file, { caller: { customerAWSAccountId: "1", instanceId: "i" } })(Effect.void)
        )
        assert.strictEqual(error._tag, "ScenarioError")
        assert.isFalse(yield* fs.exists(file))
      })
    )
  )

  it.effect("that cannot be had is an error of the platform", () =>
    withFile((file) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(on(`${file}/none/none`)(Effect.void))
        assert.strictEqual(error._tag, "SystemError")
      })
    )
  )
})

/** The files of two sandboxes that have the same state but for a record, and what there is to see of the first. */
const written = (file: string) =>
  Effect.gen(function* () {
    yield* setTime(now)
    const seen = yield* Effect.gen(function* () {
      yield* batch([record(recent, { quantity: 123_456 })])
      yield* Effect.flatMap(sandbox, ({ marketplace }) => marketplace.mintToken())
      return yield* observableState
    }).pipe(on(file))
    // begun again: all of this is in the snapshot
    yield* Effect.void.pipe(on(file))
    const snapshot = (yield* read(file)).length
    yield* batch([record(recent, { dimension: "seats" })]).pipe(on(file))
    return { seen, text: yield* read(file), snapshot }
  })

/** Reads a file's bytes as they come from a disk, so many at once. */
const readBy = (bytes: Uint8Array, size: number) =>
  Either.gen(function* () {
    const reader = stateText.makeReader(initial(Scenario.defaultScenario, 0))
    for (let from = 0; from < bytes.length; from += size) {
      yield* reader.read(bytes.slice(from, from + size))
    }
    return yield* reader.end()
  })

const bytesOf = (file: string) => Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFile(file))

const writeBytes = (file: string, bytes: Uint8Array) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.writeFile(file, bytes))

describe("a damaged file is rejected, says why and what to do, and is not changed", () => {
  const spoilt: ReadonlyArray<
    readonly [what: string, spoil: (text: string, snapshot: number) => string, reason: string]
  > = [
    ["empty", () => "", "it is empty"],
    [
      "filled with zero bytes",
      (text) => "\0".repeat(text.length),
      "line 1: it is filled with zero bytes, as after a crash of the machine"
    ],
    [
      "cut within its snapshot",
      (text, snapshot) => text.slice(0, snapshot / 2),
      "line 2: it ends before the state that it begins with is whole"
    ],
    [
      "cut at the end of a line within its snapshot",
      (text) => text.split("\n").slice(0, 2).join("\n").concat("\n"),
      "line 3: it ends before the state that it begins with is whole"
    ],
    [
      "cut in its first line",
      (text) => text.slice(0, 10),
      "line 1: it ends before the state that it begins with is whole"
    ],
    [
      "ending in zero bytes",
      (text) => `${text.slice(0, -20)}${"\0".repeat(20)}`,
      "line 5: its checksum is not that of its text and of the lines before it, so it was damaged or changed by hand"
    ],
    [
      "with another quantity",
      (text) => text.replace("123456", "123457"),
      "line 2: its checksum is not that of its text and of the lines before it, so it was damaged or changed by hand"
    ],
    [
      "without one of its lines",
      (text) =>
        text
          .split("\n")
          .filter((_, index) => index !== 1)
          .join("\n"),
      "line 2: its checksum is not that of its text and of the lines before it, so it was damaged or changed by hand"
    ],
    [
      "with a line twice",
      (text) =>
        text
          .split("\n")
          .flatMap((line, index) => (index === 3 ? [line, line] : [line]))
          .join("\n"),
      "line 5: its checksum is not that of its text and of the lines before it, so it was damaged or changed by hand"
    ],
    [
      "of something else",
      () => '{"region":"us-east-1"}\n',
      "line 1: this is not a sandbox's state"
    ],
    ["of something else, in one line", () => "hello", "line 1: this is not a sandbox's state"],
    [
      "of another version",
      (text) => text.replace(":5}", ":4}"),
      "line 1: it is a state of another version than 5, which alone is read here"
    ]
  ]
  for (const [what, spoil, reason] of spoilt) {
    it.effect(what, () =>
      withFile((file) =>
        Effect.gen(function* () {
          const { snapshot, text } = yield* written(file)
          const spoiled = spoil(text, snapshot)
          yield* write(file, spoiled)
          const error = yield* Effect.flip(on(file)(Effect.void))
          assert.strictEqual(error._tag, "SandboxError")
          assert.strictEqual(
            error.message,
            `${file}, ${reason}. The file was not changed: put a copy of it in its place, or move it away (or name another) to begin with nothing.`
          )
          assert.strictEqual(yield* read(file), spoiled)
        })
      )
    )
  }

  it.effect("at every byte of it, and no damage is taken for a state", () =>
    withFile((file) =>
      Effect.gen(function* () {
        yield* written(file)
        const whole = yield* bytesOf(file)
        for (let at = 0; at < whole.length; at++) {
          for (const change of [0x01, 0x40, 0xff]) {
            const spoiled = Uint8Array.from(whole)
            // a digit becomes another digit, a line end a letter
            spoiled[at] = (spoiled[at] ?? 0) ^ change
            assert.isTrue(Either.isLeft(readBy(spoiled, 100)), `byte ${at} of ${whole.length}`)
          }
        }
        // and so from a disk
        for (let at = 0; at < whole.length; at += 97) {
          const spoiled = Uint8Array.from(whole)
          spoiled[at] = (spoiled[at] ?? 0) ^ 0x01
          yield* writeBytes(file, spoiled)
          const result = yield* Effect.either(on(file)(Effect.void))
          assert.isTrue(Either.isLeft(result), `byte ${at} of ${whole.length}`)
          assert.deepStrictEqual(Uint8Array.from(yield* bytesOf(file)), spoiled)
        }
      })
    )
  )

  it.effect(
    "cut at every byte: rejected within its snapshot, and after that all whole lines are there",
    () =>
      withFile((file) =>
        Effect.gen(function* () {
          const { snapshot } = yield* written(file)
          const whole = yield* bytesOf(file)
          const newline = "\n".charCodeAt(0)
          const rejected = (cut: Uint8Array) => cut.length < snapshot
          // the first line counts the call, the second has its usage
          const records = (cut: Uint8Array) =>
            whole.slice(snapshot, cut.length + 1).filter((byte) => byte === newline).length < 2
              ? 1
              : 2
          for (let end = 0; end < whole.length; end++) {
            const cut = whole.slice(0, end)
            for (const size of [1, 64, whole.length]) {
              const found = Either.map(
                readBy(cut, size),
                ({ progress }) => progress.state.metered.size
              )
              assert.deepStrictEqual(
                Either.getOrUndefined(found),
                rejected(cut) ? undefined : records(cut),
                `byte ${end}, by ${size}`
              )
            }
          }
          // and so from a disk
          for (let end = 0; end < whole.length; end += 97) {
            const cut = whole.slice(0, end)
            yield* writeBytes(file, cut)
            const result = yield* Effect.either(on(file)(observableState))
            if (rejected(cut)) {
              assert.isTrue(Either.isLeft(result), `byte ${end}`)
              assert.deepStrictEqual(Uint8Array.from(yield* bytesOf(file)), Uint8Array.from(cut))
            } else {
              assert.lengthOf(Either.getOrThrow(result).records, records(cut), `byte ${end}`)
            }
          }
        })
      )
  )
})

describe("a last line that was cut short", () => {
  it.effect("is dropped, and that is said", () =>
    withFile((file) =>
      Effect.gen(function* () {
        const { seen, text } = yield* written(file)
        yield* write(file, text.slice(0, -30))
        const said: Array<string> = []
        const logger = Logger.make(({ logLevel, message }) => {
          said.push(`${logLevel.label} ${String(message)}`)
        })
        const found = yield* observableState.pipe(
          on(file),
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
        assert.deepStrictEqual(found.records, seen.records)
        assert.lengthOf(said, 1)
        assert.match(said[0] ?? "", /^WARN .*sandbox\.state ended in a line that was cut short/)
        // it was said once, and is as good as new
        const [before] = [said.length]
        assert.deepStrictEqual((yield* observableState.pipe(on(file))).records, seen.records)
        assert.strictEqual(said.length, before)
      })
    )
  )
})

it.effect.prop(
  "a file that ends at any byte after its snapshot is of a state that there was, with all that was answered before",
  [FastCheck.array(event, { minLength: 1, maxLength: 8 }), FastCheck.nat()],
  ([events, pick]) =>
    withFile((file) =>
      Effect.gen(function* () {
        /** How long the file was after each event, and what there was to see. */
        const history = yield* Effect.gen(function* () {
          const state = Effect.gen(function* () {
            const { billed, customers, records } = yield* observableState
            return { length: (yield* read(file)).length, sight: { billed, customers, records } }
          })
          return [
            yield* state,
            ...(yield* Effect.forEach(events, (event) => Effect.zipRight(applyEvent(event), state)))
          ]
        }).pipe(on(file, options))
        const text = yield* read(file)
        assert.strictEqual(history.at(-1)?.length, text.length)

        const snapshot = history[0]?.length ?? 0
        const end = snapshot + (pick % (text.length + 1 - snapshot))
        yield* write(file, text.slice(0, end))
        const found = yield* Effect.map(observableState, ({ billed, customers, records }) => ({
          billed,
          customers,
          records
        })).pipe(on(file, options))
        const answered = history.filter(({ length }) => length <= end).length - 1
        const possible = [history[answered] ?? history[0], history[answered + 1]].map(
          (state) => state?.sight
        )
        assert.isTrue(
          possible.some((state) => {
            try {
              assert.deepStrictEqual(found, state)
              return true
            } catch {
              return false
            }
          }),
          `byte ${end} of ${text.length}`
        )
      })
    ),
  { fastCheck: { numRuns: 60 }, timeout: 30_000 }
)

describe("a disk that is full", () => {
  /** Of the write with this number, half of the bytes get there. */
  const failingAt = (number: number) => {
    let writes = 0
    return fullWhile(() => ++writes === number)
  }

  for (const number of [2, 3, 4, 5]) {
    it.effect(`loses nothing that was answered: write ${number}`, () =>
      withFile((file) =>
        Effect.gen(function* () {
          yield* setTime(now)
          const seen = yield* Effect.gen(function* () {
            const exit = yield* Effect.exit(
              Effect.forEach(["api-calls", "seats"], (dimension) =>
                batch([record(recent, { dimension })])
              )
            )
            assert.isTrue(Exit.isFailure(exit))
            // what was not written down did not happen
            assert.lengthOf(yield* billed, number <= 3 ? 0 : 1)
            yield* batch([record(recent, { dimension: "events" })])
            return yield* observableState
          }).pipe(on(file), Effect.provide(failingAt(number)))
          assert.deepStrictEqual(yield* observableState.pipe(on(file)), seen)
        })
      )
    )
  }

  it.effect("is logged at the first failure, and when it has space again", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      lines.push(`${logLevel.label} ${message}`)
    })
    return withFile((file) =>
      Effect.gen(function* () {
        yield* setTime(now)
        const disk = { isFull: false }
        yield* Effect.gen(function* () {
          const { events, marketplace } = yield* sandbox
          yield* marketplace.subscribe({
            customerAWSAccountId: acme,
            productCode: analytics,
            startsAt: at("2026-11-24T11:00:00Z")
          })
          const later = yield* Effect.fork(Stream.runHead(events.stream))
          yield* TestClock.adjust(0)
          for (let round = 1; round <= 2; round++) {
            disk.isFull = true
            for (let i = 0; i < 3; i++) {
              assert.isTrue(Exit.isFailure(yield* Effect.exit(batch([record(recent)]))))
              yield* TestClock.adjust("40 minutes")
            }
            disk.isFull = false
            yield* batch([record(recent, { dimension: "seats" })])
            assert.lengthOf(lines, 2 * round)
          }
          yield* Fiber.join(later)
          assert.match(lines[0] ?? "", /^ERROR The state file .* cannot be written: .*WriteZero/)
          assert.match(lines[1] ?? "", /^INFO The state file .* can be written again\.$/)
        }).pipe(on(file), Effect.provide(fullWhile(() => disk.isFull)))
      })
    ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
  })

  it.effect("delays the events that fall due until it has space again", () =>
    withFile((file) =>
      Effect.gen(function* () {
        yield* setTime(now)
        const { events, marketplace } = yield* sandbox
        const fiber = yield* Effect.fork(Stream.runHead(events.stream))
        yield* TestClock.adjust(0)
        yield* marketplace.subscribe({
          customerAWSAccountId: acme,
          productCode: analytics,
          startsAt: at("2026-11-24T11:00:00Z")
        })
        assert.strictEqual(
          (yield* Fiber.join(fiber)).pipe(Option.getOrThrow)._tag,
          "AgreementCreated"
        )
        const later = yield* Effect.fork(Stream.runHead(events.stream))
        // the third write fails
        yield* TestClock.adjust("31 minutes")
        yield* eventually(
          Effect.zipRight(
            TestClock.adjust("1 second"),
            Effect.sync(() => later.unsafePoll())
          ),
          (exit) => exit !== null
        )
        assert.strictEqual(
          (yield* Fiber.join(later)).pipe(Option.getOrThrow)._tag,
          "SubscribeSuccess"
        )
      }).pipe(on(file), Effect.provide(failingAt(3)))
    )
  )
})
