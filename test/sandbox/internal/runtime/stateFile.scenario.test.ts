/** A state file that is used with another scenario than before. */
import { FileSystem } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import {
  type EventDelivery,
  MeteringSandbox,
  type Scenario
} from "../../../../src/sandbox/index.js"
import { acme, analytics, at, container, setTime } from "../../support.js"

const now = "2026-11-24T10:30:00Z"

const sandbox = MeteringSandbox.MeteringSandbox

const products = [
  { code: analytics, dimensions: ["api-calls"] },
  { code: container, dimensions: ["pods"] }
]

const scenario = (
  agreements: ReadonlyArray<Omit<Scenario.Agreement, "productCode">>,
  options: Scenario.Options = {}
): Scenario.Options => ({
  products,
  customers: [
    {
      customerAWSAccountId: acme,
      agreements: agreements.map((terms) => ({ productCode: analytics, ...terms }))
    }
  ],
  ...options
})

const x = { agreementId: "agmt-x" }
const y = { agreementId: "agmt-y" }
const noon = { endsAt: at("2026-11-24T12:00:00Z") }
const evening = { endsAt: at("2026-11-24T18:00:00Z") }

const events = Effect.gen(function* () {
  const { events } = yield* (yield* sandbox).events.list()
  return events.map(
    ({ agreementId, at: time, name }) =>
      `${(time.epochMillis - at(now).epochMillis) / 1000} ${agreementId} ${name}`
  )
})

/** Runs a program with one scenario, and a day later one with another. The events of the day after. */
const change = (
  first: Scenario.Options,
  second: Scenario.Options,
  program: Effect.Effect<
    unknown,
    MeteringSandbox.SandboxError,
    MeteringSandbox.MeteringSandbox
  > = Effect.void
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = `${yield* fs.makeTempDirectoryScoped()}/state`
    yield* setTime(now)
    yield* program.pipe(Effect.provide(MeteringSandbox.layerFile(file, first)))
    return yield* Effect.flatMap(sandbox, ({ control }) =>
      Effect.zipRight(control.advance("1 day"), events)
    ).pipe(Effect.provide(MeteringSandbox.layerFile(file, second)))
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

describe("an end", () => {
  const cases: ReadonlyArray<
    readonly [string, Scenario.Options, Scenario.Options, ReadonlyArray<string>]
  > = [
    [
      "of an agreement that there is no longer is not that of the one in its place",
      scenario([{ ...x, ...noon }]),
      scenario([y]),
      []
    ],
    [
      "of an agreement at another place is its own",
      scenario([{ ...x, ...noon }, y]),
      scenario([y, { ...x, ...noon }]),
      ["5400 agmt-x Purchase Agreement Ended - Proposer"]
    ],
    [
      "that was moved comes at its new time",
      scenario([{ ...x, ...noon }]),
      scenario([{ ...x, ...evening }]),
      ["27000 agmt-x Purchase Agreement Ended - Proposer"]
    ],
    ["that was removed does not come", scenario([{ ...x, ...noon }]), scenario([x]), []],
    [
      "of a new agreement comes",
      scenario([x]),
      scenario([x, { ...y, ...noon }]),
      ["5400 agmt-y Purchase Agreement Ended - Proposer"]
    ]
  ]
  for (const [what, first, second, expected] of cases) {
    it.effect(what, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* change(first, second), expected)
      })
    )
  }

  it.effect("that is moved after it came makes the agreement active until its new time", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/state`
      yield* setTime(now)
      yield* Effect.flatMap(sandbox, ({ control }) => control.advance("2 hours")).pipe(
        Effect.provide(MeteringSandbox.layerFile(file, scenario([{ ...x, ...noon }])))
      )
      yield* Effect.gen(function* () {
        const { control, marketplace } = yield* sandbox
        const [moved] = yield* marketplace.agreements
        assert.deepStrictEqual([moved?.state, moved?.status], ["active", "ACTIVE"])
        yield* control.advance("1 day")
        assert.deepStrictEqual(yield* events, [
          "5400 agmt-x Purchase Agreement Ended - Proposer",
          "27000 agmt-x Purchase Agreement Ended - Proposer"
        ])
      }).pipe(Effect.provide(MeteringSandbox.layerFile(file, scenario([{ ...x, ...evening }]))))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("that passed while no sandbox ran comes at the next start, once", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/state`
      const layer = MeteringSandbox.layerFile(file, scenario([{ ...x, ...noon }]))
      yield* setTime(now)
      yield* Effect.void.pipe(Effect.provide(layer))
      yield* setTime("2026-11-24T15:00:00Z")
      for (let i = 0; i < 2; i++) {
        const sent = yield* Effect.flatMap(sandbox, ({ control }) =>
          Effect.zipRight(control.now, events)
        ).pipe(Effect.provide(layer))
        assert.deepStrictEqual(sent, ["5400 agmt-x Purchase Agreement Ended - Proposer"])
      }
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})

describe("an event", () => {
  const hold = Effect.flatMap(sandbox, ({ marketplace }) =>
    marketplace.issueAdvisory({ agreementId: "agmt-x" })
  )
  const withFault = (deliveryFaults: EventDelivery.DeliveryFaults) =>
    scenario([x], { deliveryFaults })

  it.effect("that afterLanding held back is sent by a scenario without it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/state`
      yield* setTime(now)
      yield* hold.pipe(
        Effect.provide(MeteringSandbox.layerFile(file, withFault({ afterLanding: true })))
      )
      yield* Effect.gen(function* () {
        const { events } = yield* sandbox
        assert.deepStrictEqual((yield* events.scheduled()).events, [])
        assert.lengthOf((yield* events.list()).events, 1)
      }).pipe(Effect.provide(MeteringSandbox.layerFile(file, withFault({}))))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  const others: ReadonlyArray<readonly [string, ReadonlyArray<EventDelivery.Target>]> = [
    ["that there is no longer", []],
    ["that no longer gets such events", [{ type: "sns", name: "app", url: "http://127.0.0.1:9/" }]]
  ]
  it.effect.each(others)("to a target %s has failed", ([, targets]) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/state`
      const target: EventDelivery.Target = {
        type: "apiDestination",
        name: "app",
        url: "http://127.0.0.1:9/",
        headerValue: Redacted.make("secret")
      }
      yield* setTime(now)
      yield* hold.pipe(
        Effect.provide(MeteringSandbox.layerFile(file, scenario([x], { targets: [target] })))
      )
      yield* Effect.gen(function* () {
        const [event] = (yield* (yield* sandbox).events.list()).events
        assert.deepStrictEqual(
          event?.deliveries.map(({ attempts, state }) => [state, attempts]),
          [
            [
              "failed",
              [{ at: at(now), error: "the scenario has no target of this name for such events" }]
            ]
          ]
        )
      }).pipe(Effect.provide(MeteringSandbox.layerFile(file, scenario([x], { targets }))))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})
