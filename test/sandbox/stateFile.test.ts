/** A sandbox whose state is in a file. */
import { FileSystem, Path } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck, Layer, TestClock } from "effect"
import { MeteringSandbox } from "../../src/sandbox/index.js"
import { event, happen, options, sight } from "./life.js"
import { acme, analytics, at, batch, billed, calls, fates, record, setTime } from "./support.js"

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
          const { mintToken, publicKey, subscribe, suspend } = yield* sandbox
          yield* calls.MeterUsage
          yield* calls.BatchMeterUsage
          yield* subscribe({ customerIdentifier: "cust-initech", productCode: analytics })
          yield* suspend({ customerIdentifier: "cust-globex" })
          return { sight: yield* sight, key: yield* publicKey, token: yield* mintToken() }
        }).pipe(on(file))
        yield* Effect.gen(function* () {
          const { publicKey } = yield* sandbox
          assert.deepStrictEqual(yield* sight, first.sight)
          assert.strictEqual(yield* publicKey, first.key)
          yield* calls.ResolveCustomer
          assert.deepStrictEqual(yield* fates([record(recent, { quantity: 9 })]), [
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
          const time = Effect.flatMap(sandbox, ({ now }) => now)
          yield* Effect.flatMap(sandbox, ({ advance }) => advance("1 day")).pipe(on(file, scenario))
          yield* TestClock.adjust("1 hour")
          yield* Effect.gen(function* () {
            assert.deepStrictEqual(yield* time, at("2026-11-25T11:30:00Z"))
            yield* Effect.flatMap(sandbox, ({ reset }) => reset)
            assert.deepStrictEqual(yield* time, at("2026-11-24T10:30:00Z"))
          }).pipe(on(file, scenario))
          yield* TestClock.adjust("1 hour")
          assert.deepStrictEqual(yield* time.pipe(on(file, scenario)), at("2026-11-24T11:30:00Z"))
        })
      )
  )

  it.effect("faults that the scenario has only now befall it, unless others were to come", () =>
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
          return yield* Effect.flatMap(sandbox, ({ save }) => save)
        }).pipe(Effect.provide(MeteringSandbox.layer()))
        yield* Effect.gen(function* () {
          yield* batch([record(recent, { dimension: "seats" })])
          yield* Effect.flatMap(sandbox, ({ load }) => load(saved))
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
  const again = Effect.flatMap(sandbox, ({ addCustomer }) =>
    addCustomer({ customerAWSAccountId: acme })
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
          assert.isBelow((yield* read(file)).length, 20 * megabyte)
          yield* batch([record(recent, { dimension: "seats" })])
          return yield* sight
        }).pipe(on(file, world))
        assert.lengthOf(seen.records, 2)
        assert.deepStrictEqual(yield* sight.pipe(on(file, world)), seen)
      })
    )
  )

  it.effect("goes on in the file that there is where another cannot be written", () =>
    withFile((file) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* setTime(now)
        const seen = yield* Effect.gen(function* () {
          yield* fs.makeDirectory(`${file}.new`)
          yield* Effect.replicateEffect(again, 20)
          yield* batch([record(recent)])
          yield* fs.remove(`${file}.new`, { recursive: true })
          return yield* sight
        }).pipe(on(file, world))
        assert.isAbove((yield* read(file)).length, 20 * megabyte)
        assert.deepStrictEqual(yield* sight.pipe(on(file, world)), seen)
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
        yield* write(target, "")
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
          yield* fs.writeFileString(file, "", { mode: 0o644 })
          assert.strictEqual(yield* mode, 0o644)
          yield* Effect.flatMap(sandbox, ({ publicKey }) => publicKey).pipe(on(file))
          assert.strictEqual(yield* mode, 0o600)
          assert.include(yield* read(file), "PRIVATE KEY")
        })
      )
  )

  const foreign: ReadonlyArray<readonly [what: string, text: string, reason: string]> = [
    ["of something else", '{"region":"us-east-1"}\n', "line 1: this is not a sandbox's state"],
    ["of something else, in one line", "hello", "line 1: this is not a sandbox's state"],
    [
      "with a line of something else",
      '{"effect-marketplace-metering sandbox":1}\n[]\nsecret\n',
      "line 3: this is not a change of a sandbox's state"
    ]
  ]
  for (const [what, text, reason] of foreign) {
    it.effect(`${what} is not touched`, () =>
      withFile((file) =>
        Effect.gen(function* () {
          yield* write(file, text)
          const error = yield* Effect.flip(on(file)(Effect.void))
          assert.strictEqual(error._tag, "SandboxError")
          assert.strictEqual(error.message, `${file}, ${reason}`)
          assert.strictEqual(yield* read(file), text)
        })
      )
    )
  }

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

  it.effect("empty is a file of a new sandbox", () =>
    withFile((file) =>
      Effect.gen(function* () {
        yield* write(file, "")
        assert.deepStrictEqual(yield* billed.pipe(on(file)), [])
      })
    )
  )
})

it.effect.prop(
  "a file that ends at any byte is of a state that there was, with all that was answered before",
  [FastCheck.array(event, { minLength: 1, maxLength: 8 }), FastCheck.nat()],
  ([events, pick]) =>
    withFile((file) =>
      Effect.gen(function* () {
        /** How long the file was after each event, and what there was to see. */
        const history = yield* Effect.gen(function* () {
          const state = Effect.gen(function* () {
            const { billed, customers, records } = yield* sight
            return { length: (yield* read(file)).length, sight: { billed, customers, records } }
          })
          return [
            yield* state,
            ...(yield* Effect.forEach(events, (event) => Effect.zipRight(happen(event), state)))
          ]
        }).pipe(on(file, options))
        const text = yield* read(file)
        assert.strictEqual(history.at(-1)?.length, text.length)

        const end = pick % (text.length + 1)
        yield* write(file, text.slice(0, end))
        const found = yield* Effect.map(sight, ({ billed, customers, records }) => ({
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
  const failingAt = (number: number) =>
    Layer.effect(
      FileSystem.FileSystem,
      Effect.map(FileSystem.FileSystem, (fs) => {
        let writes = 0
        return {
          ...fs,
          open: (path, options) =>
            Effect.map(fs.open(path, options), (opened) => ({
              ...opened,
              truncate: (length) => opened.truncate(length),
              stat: opened.stat,
              writeAll: (bytes) =>
                ++writes === number
                  ? Effect.zipRight(
                      opened.writeAll(bytes.subarray(0, bytes.length / 2)),
                      Effect.fail(
                        new SystemError({
                          reason: "WriteZero",
                          module: "FileSystem",
                          method: "writeAll"
                        })
                      )
                    )
                  : opened.writeAll(bytes)
            }))
        } satisfies FileSystem.FileSystem
      })
    )

  for (const number of [1, 2, 3, 4]) {
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
            assert.lengthOf(yield* billed, number <= 2 ? 0 : 1)
            yield* batch([record(recent, { dimension: "events" })])
            return yield* sight
          }).pipe(on(file), Effect.provide(failingAt(number)))
          assert.deepStrictEqual(yield* sight.pipe(on(file)), seen)
        })
      )
    )
  }
})
