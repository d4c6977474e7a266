/** The events that announce the end or the renewal of an agreement to its proposer. */
import { FileSystem } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Either } from "effect"
import { MarketplaceEvent, Trust } from "../../src/lifecycle/index.js"
import { type Marketplace, MeteringSandbox, type Scenario } from "../../src/sandbox/index.js"
import { analytics, at } from "./support.js"

const buyer = "777788889999"

const sandbox = MeteringSandbox.MeteringSandbox

const scenario = {
  products: [{ code: analytics, dimensions: ["api-calls"], productId: "prod-analytics" }],
  customers: [{ customerAWSAccountId: buyer, agreements: [] }],
  sellerAccount: "999900001111",
  now: at("2026-01-01T00:00:00Z")
} satisfies Scenario.Options

const inSandbox = Effect.provide(MeteringSandbox.layer(scenario))

const selector = { customerAWSAccountId: buyer }

const buy = (terms: Partial<Marketplace.Purchase> = {}) =>
  Effect.flatMap(sandbox, ({ marketplace }) =>
    marketplace.buy({ ...selector, productCode: analytics, ...terms })
  )

const setTime = (day: string) =>
  Effect.flatMap(sandbox, ({ control }) => control.setTime(at(`${day}T00:00:00Z`)))

const prefix = "Purchase Agreement "

/** The day and the type of each event so far, without those of licenses. For a notice before the end with its days. */
const log = Effect.gen(function* () {
  const { events } = yield* (yield* sandbox).events.list()
  return events
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ at: time, body, name }) => {
      const days = /"daysBeforeEndTime":(\d+)/.exec(JSON.stringify(body))?.[1]
      const type = name.slice(prefix.length).replace(" - Proposer", "")
      return `${DateTime.formatIsoDateUtc(time)} ${type}${days === undefined ? "" : ` ${days}`}`
    })
})

const detail = (name: string) =>
  Effect.gen(function* () {
    const { events } = yield* (yield* sandbox).events.list()
    const event = events.find((one) => one.name === name)
    const [decoded] = MarketplaceEvent.decode(event?.body, Trust.queue).map(Either.getOrThrow)
    assert.strictEqual(decoded?.event._tag, "AgreementNotice")
    return (decoded?.body.detail ?? {}) as Record<string, unknown>
  })

const halfYear = { endsAt: at("2026-07-30T00:00:00Z") }

const noticesOfHalfYear = [
  "2026-01-31 Ending 180",
  "2026-04-01 Ending 120",
  "2026-05-01 Ending 90",
  "2026-05-31 Ending 60",
  "2026-06-30 Ending 30",
  "2026-07-30 Ended"
]

describe("the notices before an end", () => {
  it.effect("come 180, 120, 90, 60 and 30 days before it", () =>
    Effect.gen(function* () {
      yield* buy(halfYear)
      yield* setTime("2027-01-01")
      assert.deepStrictEqual(yield* log, ["2026-01-01 Created", ...noticesOfHalfYear])
    }).pipe(inSandbox)
  )

  it.effect("are those after the purchase, and after the start", () =>
    Effect.gen(function* () {
      yield* buy({
        startsAt: at("2026-04-15T00:00:00Z"),
        endsAt: at("2026-07-30T00:00:00Z")
      })
      yield* setTime("2027-01-01")
      assert.deepStrictEqual(yield* log, ["2026-01-01 Created", ...noticesOfHalfYear.slice(2)])
    }).pipe(inSandbox)
  )

  it.effect("do not come for an agreement without an end, or of a channel partner", () =>
    Effect.gen(function* () {
      const { events } = yield* sandbox
      yield* buy({ licenseArn: null })
      yield* buy({ ...halfYear, licenseArn: null, reseller: "121212121212" })
      assert.deepStrictEqual(
        (yield* events.scheduled()).events.map(({ name }) => name),
        ["End"]
      )
    }).pipe(inSandbox)
  )

  it.effect("come before the new end after an amendment, each once", () =>
    Effect.gen(function* () {
      const { events, marketplace } = yield* sandbox
      yield* buy(halfYear)
      yield* setTime("2026-05-02")
      yield* marketplace.amend({ ...selector, endsAt: at("2026-10-28T00:00:00Z") })
      assert.deepStrictEqual(
        (yield* events.scheduled()).events
          .filter(({ name }) => name.startsWith(prefix))
          .map(({ at: time, name }) => `${time && DateTime.formatIsoDateUtc(time)} ${name}`),
        ["2026-06-30", "2026-07-30", "2026-08-29", "2026-09-28"].map(
          (day) => `${day} Purchase Agreement Ending - Proposer`
        )
      )
      yield* setTime("2027-01-01")
      assert.deepStrictEqual(yield* log, [
        "2026-01-01 Created",
        ...noticesOfHalfYear.slice(0, 3),
        "2026-05-02 Amended",
        "2026-06-30 Ending 120",
        "2026-07-30 Ending 90",
        "2026-08-29 Ending 60",
        "2026-09-28 Ending 30",
        "2026-10-28 Ended"
      ])
    }).pipe(inSandbox)
  )

  it.effect("do not come after the end", () =>
    Effect.gen(function* () {
      const { events, marketplace } = yield* sandbox
      yield* buy(halfYear)
      yield* setTime("2026-05-02")
      yield* marketplace.cancel(selector)
      yield* setTime("2027-01-01")
      assert.deepStrictEqual(yield* log, [
        "2026-01-01 Created",
        ...noticesOfHalfYear.slice(0, 3),
        "2026-05-02 Ended"
      ])
      assert.deepStrictEqual((yield* events.scheduled()).events, [])
    }).pipe(inSandbox)
  )

  it.effect("come once when the clock is moved back", () =>
    Effect.gen(function* () {
      yield* buy(halfYear)
      yield* setTime("2026-05-02")
      yield* setTime("2026-02-01")
      yield* (yield* sandbox).marketplace.amend(selector)
      yield* setTime("2027-01-01")
      assert.deepStrictEqual(
        (yield* log).filter((line) => !line.includes("Amended")),
        ["2026-01-01 Created", ...noticesOfHalfYear]
      )
    }).pipe(inSandbox)
  )

  it.effect("are in a state file, and come again after a reset", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/state`
      const layer = MeteringSandbox.layerFile(file, {
        ...scenario,
        customers: [
          { customerAWSAccountId: buyer, agreements: [{ productCode: analytics, ...halfYear }] }
        ]
      })
      yield* setTime("2026-05-02").pipe(Effect.provide(layer))
      yield* Effect.gen(function* () {
        const { control, events } = yield* sandbox
        assert.deepStrictEqual(yield* log, noticesOfHalfYear.slice(0, 3))
        yield* setTime("2027-01-01")
        assert.deepStrictEqual(yield* log, noticesOfHalfYear)
        yield* control.reset
        assert.lengthOf((yield* events.scheduled()).events, 6)
        yield* setTime("2027-01-01")
        assert.deepStrictEqual(yield* log, noticesOfHalfYear)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})

describe("the notices of a renewal", () => {
  const renewal = { lockoutDays: 45, termsFinalizedDays: 75 }

  it.effect("come at the days of its terms", () =>
    Effect.gen(function* () {
      yield* buy({ ...halfYear, renewal })
      yield* setTime("2027-01-01")
      assert.deepStrictEqual(yield* log, [
        "2026-01-01 Created",
        ...noticesOfHalfYear.slice(0, 3),
        "2026-05-16 Renewal Terms Finalized",
        "2026-05-31 Ending 60",
        "2026-06-15 Renewal Upcoming",
        ...noticesOfHalfYear.slice(4)
      ])
    }).pipe(inSandbox)
  )

  it.effect("are those of the renewed agreement after it was renewed", () =>
    Effect.gen(function* () {
      const { events, marketplace } = yield* sandbox
      yield* buy({ ...halfYear, renewal })
      const renewed = yield* marketplace.renew({ ...selector, endsAt: at("2026-12-31T00:00:00Z") })
      assert.deepStrictEqual(renewed.renewal, renewal)
      const scheduled = (yield* events.scheduled()).events
      assert.deepStrictEqual(
        scheduled
          .filter(({ name }) => name.startsWith("Purchase Agreement Renewal"))
          .map(({ agreementId, at: time }) => [
            agreementId,
            time && DateTime.formatIsoDateUtc(time)
          ]),
        [
          [renewed.agreementId, "2026-10-17"],
          [renewed.agreementId, "2026-11-16"]
        ]
      )
    }).pipe(inSandbox)
  )

  it.effect("have the content that AWS documents", () =>
    Effect.gen(function* () {
      const { agreement } = yield* buy({ ...halfYear, renewal })
      yield* (yield* sandbox).marketplace.amend(selector)
      yield* setTime("2027-01-01")
      const period = {
        id: agreement.agreementId,
        startTime: "2026-01-01T00:00:00Z",
        endTime: "2026-07-30T00:00:00Z"
      }
      const common = {
        catalog: "AWSMarketplace",
        acceptor: { accountId: buyer },
        proposer: { accountId: "999900001111" },
        product: { id: "prod-analytics" }
      }
      const { requestId: _, ...ending } = yield* detail("Purchase Agreement Ending - Proposer")
      assert.deepStrictEqual(ending, {
        ...common,
        agreement: {
          ...period,
          status: "ACTIVE",
          daysBeforeEndTime: 180,
          autoRenewalEnabled: true
        },
        renewalSummary: { lockoutStartTime: "2026-06-15T00:00:00Z", disabledBy: null },
        offer: { id: agreement.offerId }
      })
      const { requestId: __, ...finalized } = yield* detail(
        "Purchase Agreement Renewal Terms Finalized - Proposer"
      )
      assert.deepStrictEqual(finalized, {
        ...common,
        agreement: period,
        renewalSummary: {
          tcv: "0.00",
          currency: "USD",
          termsFinalizedTime: "2026-05-16T00:00:00Z",
          lockoutReached: false,
          lockoutStartTime: "2026-06-15T00:00:00Z"
        }
      })
      const { requestId: ___, ...upcoming } = yield* detail(
        "Purchase Agreement Renewal Upcoming - Proposer"
      )
      assert.deepStrictEqual(upcoming, {
        ...common,
        agreement: period,
        renewalSummary: { lockoutReached: true, tcv: "0.00", currency: "USD" }
      })
      const { events } = yield* (yield* sandbox).events.list()
      const amended = events.find(({ name }) => name === "Purchase Agreement Amended - Proposer")
      const { detail: amendment } = (amended?.body ?? {}) as { readonly detail?: object }
      assert.deepInclude(amendment, {
        renewalSummary: { lockoutStartTime: "2026-06-15T00:00:00Z", disabledBy: null },
        product: { id: "prod-analytics" }
      })
    }).pipe(inSandbox)
  )

  it.effect("without a lockout have none", () =>
    Effect.gen(function* () {
      yield* buy({ ...halfYear, renewal: { termsFinalizedDays: 75 } })
      yield* setTime("2027-01-01")
      const { renewalSummary } = yield* detail(
        "Purchase Agreement Renewal Terms Finalized - Proposer"
      )
      assert.deepInclude(renewalSummary, { lockoutReached: null, lockoutStartTime: null })
      assert.isFalse((yield* log).some((line) => line.includes("Upcoming")))
    }).pipe(inSandbox)
  )
})
