/** The state that a sandbox restores after a restart. */
import { generateKeyPairSync, type KeyObject } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Redacted, TestClock } from "effect"
import { MeteringClient } from "../../../../src/MeteringClient.js"
import { MeteringSandbox, Scenario } from "../../../../src/sandbox/index.js"
import { withChecksum } from "../../../../src/sandbox/internal/runtime/stateText.js"
import { applyEvent, event, observableState, options } from "../../arbitraries.js"
import { at, batch, billed, record, setTime } from "../../support.js"

const sandbox = MeteringSandbox.MeteringSandbox

const layer = MeteringSandbox.layer({
  ...options,
  quotas: { BatchMeterUsage: 3 },
  faults: { chances: [{ fault: "cutAfter", probability: 0.1 }], seed: 1 }
})

const save = Effect.flatMap(sandbox, ({ control }) => control.save)
const load = (saved: string) => Effect.flatMap(sandbox, ({ control }) => control.load(saved))

it.effect.prop(
  "a sandbox that has loaded what another has saved does from then on what the other does",
  [FastCheck.array(event, { maxLength: 15 }), FastCheck.array(event, { maxLength: 15 })],
  ([before, after]) =>
    Effect.gen(function* () {
      const { saved, ...first } = yield* Effect.gen(function* () {
        yield* Effect.forEach(before, applyEvent)
        const saved = yield* save
        const then = yield* observableState
        return {
          saved,
          then,
          outcomes: yield* Effect.forEach(after, applyEvent),
          end: yield* observableState
        }
      }).pipe(Effect.provide(layer))
      const second = yield* Effect.gen(function* () {
        // whatever it did before is forgotten
        yield* Effect.forEach(after, applyEvent)
        yield* load(saved)
        const then = yield* observableState
        return {
          then,
          outcomes: yield* Effect.forEach(after, applyEvent),
          end: yield* observableState
        }
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(second, first)
    }),
  { fastCheck: { numRuns: 60 }, timeout: 30_000 }
)

it.effect("time goes on between the two, by the clock", () =>
  Effect.gen(function* () {
    const fresh = Effect.provide(MeteringSandbox.layer({ now: at("2026-11-24T10:30:00Z") }))
    const saved = yield* save.pipe(fresh)
    yield* TestClock.adjust("1 hour")
    yield* Effect.gen(function* () {
      yield* load(saved)
      const { now } = (yield* sandbox).control
      assert.deepStrictEqual(yield* now, at("2026-11-24T11:30:00Z"))
    }).pipe(fresh)
  })
)

const damaged =
  "its checksum is not that of its text and of the lines before it, so it was damaged or changed by hand"

const pemOf = ({ privateKey }: { readonly privateKey: KeyObject }) =>
  privateKey.export({ format: "pem", type: "pkcs8" }).toString()

describe("what cannot be loaded changes nothing", () => {
  const texts: ReadonlyArray<
    readonly [what: string, damage: (saved: string) => string, reason: string]
  > = [
    ["nothing", () => "", "line 1: this is not a sandbox's state"],
    ["another text", () => "hello\n", "line 1: this is not a sandbox's state"],
    ["a scenario", () => Scenario.toJson({}), "line 1: this is not a sandbox's state"],
    [
      "a text of another version",
      (saved) => saved.replace("5}", "4}"),
      "line 1: it is a state of another version than 5, which alone is read here"
    ],
    ["a title alone", (saved) => `${saved.split("\n")[0]}\n`, "it ends too early"],
    ["a text without its last byte", (saved) => saved.slice(0, -1), "it ends too early"],
    ["a text without its half", (saved) => saved.slice(0, saved.length / 2), "it ends too early"],
    ["a line of something else", (saved) => `${saved}{"a":1}\n`, `line 4: ${damaged}`],
    [
      "a change that there is not",
      (saved) => saved.replace('"Calendar"', '"Almanac"'),
      `line 2: ${damaged}`
    ],
    [
      "another quantity",
      (saved) => saved.replace('"quantity":1,', '"quantity":2,'),
      `line 2: ${damaged}`
    ],
    ...[
      "",
      "junk",
      "-----BEGIN PRIVATE KEY-----\njunk\n-----END PRIVATE KEY-----\n",
      pemOf(generateKeyPairSync("ed25519")),
      pemOf(generateKeyPairSync("rsa", { modulusLength: 1024 }))
    ].map(
      (pem) =>
        [
          `a private key that cannot sign: ${pem.slice(0, 50)}`,
          (saved: string) => {
            const last = saved.trimEnd().split("\n").at(-1) ?? ""
            return (
              saved +
              withChecksum(last.slice(0, 16), JSON.stringify([{ _tag: "PrivateKey", pem }])).line
            )
          },
          "line 4: this is not a change of a sandbox's state"
        ] as const
    )
  ]
  for (const [what, damage, reason] of texts) {
    it.effect(what, () =>
      Effect.gen(function* () {
        yield* setTime("2026-11-24T10:30:00Z")
        const { mintToken } = (yield* sandbox).marketplace
        const token = yield* mintToken()
        yield* batch([record(at("2026-11-24T10:05:00Z"))])
        const error = yield* Effect.flip(load(damage(yield* save)))
        assert.strictEqual(error._tag, "SandboxError")
        assert.strictEqual(error.message, reason)
        assert.notInclude(error.message, Redacted.value(token))
        assert.lengthOf(yield* billed, 1)
        const client = yield* MeteringClient
        yield* client.resolveCustomer({ registrationToken: token })
      }).pipe(Effect.provide(MeteringSandbox.layer()))
    )
  }
})
