/** The last hour of usage after the end of an agreement. */
import { FileSystem } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Marketplace, MeteringSandbox, type Scenario } from "../../src/sandbox/index.js"
import { analytics, at, record, statusesOf } from "./support.js"

const buyer = "777788889999"

const sandbox = MeteringSandbox.MeteringSandbox

const scenario = (rules: Scenario.ServiceBehavior): Scenario.Options => ({
  products: [{ code: analytics, dimensions: ["api-calls"] }],
  customers: [{ customerAWSAccountId: buyer, customerIdentifier: "cust-buyer", agreements: [] }],
  now: at("2026-11-24T10:00:00Z"),
  rules
})

const selector = { customerAWSAccountId: buyer }

type Act = (
  actions: MeteringSandbox.MarketplaceActions
) => Effect.Effect<unknown, MeteringSandbox.SandboxError>

const cancel: Act = ({ cancel }) => cancel(selector)

const setTime = (time: string) =>
  Effect.flatMap(sandbox, ({ control }) => control.setTime(at(`2026-11-24T${time}Z`)))

const buy = (terms: Partial<Marketplace.Purchase> = {}) =>
  Effect.flatMap(sandbox, ({ marketplace }) =>
    marketplace.buy({ ...selector, productCode: analytics, ...terms })
  )

/** The status of usage of the time before the end, under the license of the agreement if it has one. */
const usage = ({ licenseArn }: Scenario.Agreement) =>
  Effect.map(
    statusesOf(
      [
        record(at("2026-11-24T10:00:01Z"), {
          ...selector,
          ...(licenseArn !== undefined && { licenseArn })
        })
      ],
      licenseArn === undefined ? analytics : null
    ),
    (statuses) => (Array.isArray(statuses) ? statuses.join() : statuses)
  )

/** The minutes and seconds after 11:00 of the events since then. */
const log = Effect.gen(function* () {
  const { events } = yield* (yield* sandbox).events.list()
  const start = at("2026-11-24T11:00:00Z").epochMillis
  return events.flatMap(({ at: time, name }) =>
    time.epochMillis < start ? [] : `${(time.epochMillis - start) / 1000} ${name}`
  )
})

/** The end of the last hour of an agreement that ends at 11:00. */
const cases: ReadonlyArray<
  readonly [
    what: string,
    rules: Scenario.ServiceBehavior,
    terms: Partial<Marketplace.Purchase>,
    act: Act | undefined,
    lastAccepted: string,
    firstRejected: string,
    events: ReadonlyArray<string>
  ]
> = [
  [
    "begins with the end by default",
    {},
    {},
    cancel,
    "11:59:59",
    "12:00:00",
    ["31 License Deprovisioned - Manufacturer", "3600 unsubscribe-success"]
  ],
  [
    "begins with the deprovision after a cancellation",
    { finalHourStartsAt: "deprovisioned" },
    {},
    cancel,
    "12:00:30",
    "12:00:31",
    ["31 License Deprovisioned - Manufacturer", "3631 unsubscribe-success"]
  ],
  [
    "begins with the deprovision after an expiry",
    { finalHourStartsAt: "deprovisioned", deprovisionedEventDelay: "10 minutes" },
    { endsAt: at("2026-11-24T11:00:00Z") },
    undefined,
    "12:09:59",
    "12:10:00",
    ["600 License Deprovisioned - Manufacturer", "4200 unsubscribe-success"]
  ],
  [
    "begins with the end where there is no license",
    { finalHourStartsAt: "deprovisioned" },
    { licenseArn: null },
    cancel,
    "11:59:59",
    "12:00:00",
    ["3600 unsubscribe-success"]
  ],
  [
    "begins with the deprovision that waits for the update of the license",
    { finalHourStartsAt: "deprovisioned" },
    {},
    (actions) => Effect.zipRight(actions.amend(selector), cancel(actions)),
    "12:01:00",
    "12:01:01",
    [
      "61 License Updated - Manufacturer",
      "61 License Deprovisioned - Manufacturer",
      "3661 unsubscribe-success"
    ]
  ]
]

describe("the last hour of usage", () => {
  for (const [what, rules, terms, act, accepted, rejected, expected] of cases) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const { agreement } = yield* buy(terms)
        yield* setTime("11:00:00")
        if (act !== undefined) yield* act((yield* sandbox).marketplace)
        yield* setTime(accepted)
        assert.strictEqual(yield* usage(agreement), "Success")
        yield* setTime(rejected)
        const [ended] = yield* (yield* sandbox).marketplace.agreements
        assert.strictEqual(ended?.state, "ended")
        assert.match(yield* usage(agreement), /^(InvalidLicenseException|CustomerNotSubscribed)$/)
        yield* setTime("13:00:00")
        assert.deepStrictEqual((yield* log).slice(-expected.length), [...expected])
      }).pipe(Effect.provide(MeteringSandbox.layer(scenario(rules))))
    )
  }

  it.effect("is the same for all agreements of a customer, and after a restart", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/state`
      const layer = MeteringSandbox.layerFile(
        file,
        scenario({ finalHourStartsAt: "deprovisioned" })
      )
      const deprovisionedAt = at("2026-11-24T11:00:31Z")
      yield* Effect.gen(function* () {
        yield* buy()
        yield* buy()
        yield* setTime("11:00:00")
        const { agreements } = yield* (yield* sandbox).marketplace.cancel(selector)
        assert.deepStrictEqual(
          agreements.map((agreement) => agreement.deprovisionedAt),
          [deprovisionedAt, deprovisionedAt]
        )
        yield* setTime("12:00:30")
      }).pipe(Effect.provide(layer))
      yield* Effect.gen(function* () {
        const agreements = yield* (yield* sandbox).marketplace.agreements
        assert.deepStrictEqual(
          agreements.map((agreement) => [agreement.state, agreement.deprovisionedAt]),
          [
            ["ending", deprovisionedAt],
            ["ending", deprovisionedAt]
          ]
        )
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("of a terminated agreement is in the result", () =>
    Effect.gen(function* () {
      yield* buy()
      yield* setTime("11:00:00")
      const { deprovisionedAt, state } = yield* (yield* sandbox).marketplace.terminate(selector)
      assert.deepStrictEqual([state, deprovisionedAt], ["ending", at("2026-11-24T11:00:31Z")])
    }).pipe(Effect.provide(MeteringSandbox.layer(scenario({ finalHourStartsAt: "deprovisioned" }))))
  )
})
