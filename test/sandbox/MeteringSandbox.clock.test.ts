/** Beginnings and ends of agreements when the clock is moved back. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { type Marketplace, MeteringSandbox, type Scenario } from "../../src/sandbox/index.js"
import { analytics, at, record, statusesOf } from "./support.js"

const buyer = "777788889999"

const sandbox = MeteringSandbox.MeteringSandbox

const scenario = {
  products: [{ code: analytics, dimensions: ["api-calls"] }],
  customers: [{ customerAWSAccountId: buyer, customerIdentifier: "cust-buyer", agreements: [] }],
  now: at("2026-11-24T10:00:00Z")
} satisfies Scenario.Options

const selector = { customerAWSAccountId: buyer }

const inSandbox = Effect.provide(MeteringSandbox.layer(scenario))

/** The name of each event so far. */
const log = Effect.gen(function* () {
  const { events } = yield* (yield* sandbox).events.list()
  return events.map(({ name }) => name)
})

const setTime = (time: string) =>
  Effect.flatMap(sandbox, ({ control }) => control.setTime(at(`2026-11-24T${time}Z`)))

const buy = (terms: Partial<Marketplace.Purchase>) =>
  Effect.flatMap(sandbox, ({ marketplace }) =>
    marketplace.buy({ ...selector, productCode: analytics, ...terms })
  )

const details = Effect.flatMap(sandbox, ({ marketplace }) =>
  Effect.map(marketplace.agreements, ([one]) => [one?.state, one?.status, one?.operations] as const)
)

const wholeLife = [
  "Purchase Agreement Created - Proposer",
  "subscribe-success",
  "License Updated - Manufacturer",
  "Purchase Agreement Ended - Proposer",
  "unsubscribe-pending",
  "License Deprovisioned - Manufacturer",
  "unsubscribe-success"
]

type Acts = ReadonlyArray<
  readonly [
    string,
    (
      actions: MeteringSandbox.MarketplaceActions
    ) => Effect.Effect<unknown, MeteringSandbox.SandboxError>
  ]
>

describe("an agreement whose end was announced", () => {
  const acts: Acts = [
    ["cancel", ({ cancel }) => cancel(selector)],
    ["terminate", ({ terminate }) => terminate(selector)],
    ["expire", ({ expire }) => expire(selector)],
    ["renew", ({ renew }) => renew(selector)],
    ["amend", ({ amend }) => amend({ ...selector, endsAt: at("2026-11-24T12:30:00Z") })]
  ]
  for (const [name, act] of acts) {
    it.effect(`does not end again after the clock was moved back: ${name}`, () =>
      Effect.gen(function* () {
        yield* buy({ endsAt: at("2026-11-24T12:00:00Z") })
        yield* setTime("12:10:00")
        yield* setTime("11:00:00")
        assert.deepStrictEqual(yield* details, ["ending", "EXPIRED", []])
        const error = yield* Effect.flip(act((yield* sandbox).marketplace))
        assert.strictEqual(error._tag, "SandboxError")
        yield* setTime("15:00:00")
        assert.deepStrictEqual(yield* log, wholeLife)
        assert.deepStrictEqual(yield* details, ["ended", "EXPIRED", []])
      }).pipe(inSandbox)
    )
  }

  it.effect("does not end again if it was cancelled before the clock was moved back", () =>
    Effect.gen(function* () {
      const { marketplace } = yield* sandbox
      yield* buy({ endsAt: at("2026-11-24T12:00:00Z") })
      yield* setTime("11:30:00")
      yield* marketplace.cancel(selector)
      yield* setTime("11:00:00")
      const error = yield* Effect.flip(marketplace.expire(selector))
      assert.match(error.message, /expire is not possible .*: it is ending/)
      yield* setTime("15:00:00")
      assert.deepStrictEqual(yield* log, wholeLife)
    }).pipe(inSandbox)
  )

  it.effect("stays ended when the sandbox is loaded from before its end", () =>
    Effect.gen(function* () {
      const { control } = yield* sandbox
      yield* buy({ endsAt: at("2026-11-24T12:00:00Z") })
      yield* setTime("12:10:00")
      yield* setTime("11:00:00")
      yield* control.load(yield* control.save)
      assert.deepStrictEqual(yield* details, ["ending", "EXPIRED", []])
      yield* setTime("15:00:00")
      assert.deepStrictEqual(yield* log, wholeLife)
    }).pipe(inSandbox)
  )

  it.effect("still takes usage that it took before", () =>
    Effect.gen(function* () {
      const { agreement } = yield* buy({ endsAt: at("2026-11-24T12:00:00Z") })
      yield* setTime("12:10:00")
      yield* setTime("11:00:00")
      const usage = record(at("2026-11-24T10:30:00Z"), {
        ...selector,
        licenseArn: String(agreement.licenseArn)
      })
      assert.deepStrictEqual(yield* statusesOf([usage], null), ["Success"])
    }).pipe(inSandbox)
  )
})

describe("an agreement whose beginning was announced", () => {
  it.effect("does not begin again after the clock was moved back", () =>
    Effect.gen(function* () {
      const { marketplace } = yield* sandbox
      yield* buy({ startsAt: at("2026-11-24T11:00:00Z") })
      yield* setTime("11:10:00")
      yield* setTime("10:30:00")
      const [state, , operations] = yield* details
      assert.strictEqual(state, "active")
      assert.notInclude(operations ?? [], "failPayment")
      yield* marketplace.amend({ ...selector, endsAt: at("2026-11-24T12:00:00Z") })
      yield* setTime("15:00:00")
      assert.deepStrictEqual(yield* log, [
        ...wholeLife.slice(0, 3),
        "Purchase Agreement Amended - Proposer",
        "License Updated - Manufacturer",
        ...wholeLife.slice(3)
      ])
    }).pipe(inSandbox)
  )
})

describe("a clock that is moved back", () => {
  it.effect("plans the ends that lie ahead again and were not announced", () =>
    Effect.gen(function* () {
      const { events } = yield* sandbox
      yield* setTime("08:00:00")
      assert.deepStrictEqual(
        (yield* events.scheduled()).events.map(({ at: time, name }) => [
          time && DateTime.formatIso(time),
          name
        ]),
        [["2026-11-24T09:00:00.000Z", "End"]]
      )
      yield* setTime("12:00:00")
      assert.deepStrictEqual(yield* log, [
        "Purchase Agreement Ended - Proposer",
        "unsubscribe-pending",
        "unsubscribe-success"
      ])
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          ...scenario,
          customers: [
            {
              customerAWSAccountId: buyer,
              customerIdentifier: "cust-buyer",
              agreements: [{ productCode: analytics, endsAt: at("2026-11-24T09:00:00Z") }]
            }
          ]
        })
      )
    )
  )
})

describe("an agreement whose start was announced", () => {
  const acts: Acts = [
    ["cancelled", ({ cancel }) => cancel(selector)],
    ["terminated", ({ terminate }) => terminate(selector)],
    ["expired", ({ expire }) => expire(selector)],
    ["renewed", ({ renew }) => renew(selector)],
    ["replaced", ({ replace }) => replace(selector)]
  ]
  for (const [what, act] of acts) {
    it.effect(`ends at its start when it is ${what} before it`, () =>
      Effect.gen(function* () {
        const { events, marketplace } = yield* sandbox
        const start = at("2026-11-24T12:00:00Z")
        yield* buy({ startsAt: start })
        yield* setTime("13:00:00")
        yield* setTime("11:00:00")
        yield* act(marketplace)
        const [agreement] = yield* marketplace.agreements
        assert.deepStrictEqual(agreement?.cancelledAt ?? agreement?.endsAt, start)
        assert.strictEqual(agreement?.state, "ending")
        const ended = (yield* events.list()).events.find(({ name }) => / Ended /.test(name))
        assert.notInclude(JSON.stringify(ended?.body), '"ACTIVE"')
      }).pipe(inSandbox)
    )
  }
})
