/** Agreements, purchases and events over the control API. */
import { FetchHttpClient, HttpApiClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import {
  type Marketplace,
  MeteringSandbox,
  SandboxApi,
  SandboxServer
} from "../../src/sandbox/index.js"
import { analytics, at, setTime } from "./support.js"

const now = "2026-11-24T10:30:00Z"

const buyer = "777788889999"

const live = Layer.provideMerge(SandboxServer.layerNode(), MeteringSandbox.layer())

const connect = Effect.flatMap(SandboxServer.SandboxServer, ({ url }) =>
  HttpApiClient.make(SandboxApi.Api, { baseUrl: url })
).pipe(Effect.provide(FetchHttpClient.layer))

const both = Effect.zipRight(setTime(now), Effect.all([connect, MeteringSandbox.MeteringSandbox]))

const payload: Marketplace.Purchase = {
  customerAWSAccountId: buyer,
  customerIdentifier: "cust-new",
  productCode: analytics,
  endsAt: at("2027-11-24T00:00:00Z")
}

describe("the typed client", () => {
  it.effect("buys, and reads products, agreements and events as MeteringSandbox has them", () =>
    Effect.gen(function* () {
      const [api, { events, marketplace }] = yield* both
      const landing = yield* api.marketplace.buy({ payload })
      assert.strictEqual(landing.agreement.customerAWSAccountId, buyer)
      assert.deepStrictEqual(yield* api.marketplace.products(), yield* marketplace.products)
      const { agreement } = yield* api.marketplace.setUpAccount({
        payload: { customerAWSAccountId: buyer }
      })
      assert.deepStrictEqual(agreement, landing.agreement)
      const agreements = yield* api.marketplace.agreements()
      assert.deepStrictEqual(agreements, yield* marketplace.agreements)
      assert.deepStrictEqual(
        agreements.find(({ customerAWSAccountId }) => customerAWSAccountId === buyer),
        landing.agreement
      )
      yield* TestClock.adjust("2 minutes")
      const list = yield* api.events.list({ urlParams: {} })
      assert.deepStrictEqual(list, yield* events.list())
      assert.deepStrictEqual(
        list.events.map(({ name }) => name),
        [
          "Purchase Agreement Created - Proposer",
          "subscribe-success",
          "License Updated - Manufacturer"
        ]
      )
      assert.deepStrictEqual(
        yield* api.events.list({ urlParams: { limit: 1, after: String(list.events[0]?.eventId) } }),
        yield* events.list({ limit: 1, after: list.events[0]?.eventId })
      )
      const { events: scheduled } = yield* api.events.scheduled({ urlParams: {} })
      assert.deepStrictEqual(scheduled, (yield* events.scheduled()).events)
      assert.deepStrictEqual(
        scheduled.map(({ name }) => name),
        [...Array.from({ length: 5 }, () => "Purchase Agreement Ending - Proposer"), "End"]
      )
      assert.deepStrictEqual(yield* api.events.targets(), [])
    }).pipe(Effect.provide(live))
  )

  it.effect("performs every operation that an agreement lists", () =>
    Effect.gen(function* () {
      const [api] = yield* both
      const { cancel, ...operations } = api.marketplace
      for (const startsAt of [at(now), at("2026-11-24T12:00:00Z")]) {
        const { agreement } = yield* api.marketplace.buy({ payload: { ...payload, startsAt } })
        for (const operation of agreement.operations) {
          const next = yield* api.marketplace.buy({ payload: { ...payload, startsAt } })
          const selector = { payload: { agreementId: next.agreement.agreementId } }
          if (operation === "cancel") {
            const customer = yield* cancel(selector)
            assert.deepStrictEqual(customer.agreements.at(-1)?.cancelledAt, at(now))
          } else {
            const changed = yield* operations[operation](selector)
            assert.strictEqual(changed.customerAWSAccountId, buyer)
          }
        }
      }
      const { agreement } = yield* api.marketplace.buy({ payload })
      const selector = { payload: { agreementId: agreement.agreementId } }
      yield* api.marketplace.issueAdvisory(selector)
      yield* api.marketplace.resolveAdvisory(selector)
    }).pipe(Effect.provide(live))
  )

  it.effect("sets and gets the faults of calls and of delivery", () =>
    Effect.gen(function* () {
      const [api] = yield* both
      const faults = { script: [{ fault: "throttling", times: 2 }] } as const
      yield* api.control.setFaults({ payload: faults })
      assert.deepStrictEqual(yield* api.control.faults(), { ...faults, chances: [] })
      const deliveryFaults = { drop: 0.5, delay: { share: 0.1, duration: 1000 }, seed: 3 }
      yield* api.events.setDeliveryFaults({ payload: deliveryFaults })
      assert.deepStrictEqual(yield* api.events.deliveryFaults(), deliveryFaults)
    }).pipe(Effect.provide(live))
  )
})

describe("an invalid body is rejected with the field and what it expects", () => {
  const cases: ReadonlyArray<readonly [path: string, method: string, body: unknown, RegExp]> = [
    ["buy", "POST", {}, /customerAWSAccountId: is missing\n.*productCode: is missing/],
    ["buy", "POST", { ...payload, endsAt: "tomorrow" }, /endsAt: Expected an ISO 8601 time/],
    [
      "buy",
      "POST",
      { ...payload, endsAt: undefined, landingUrl: "javascript:alert(1)" },
      /landingUrl: Expected a URL of http or https/
    ],
    [
      "buy",
      "POST",
      { ...payload, endsAt: undefined, landingUrl: "http://user:secret@a/" },
      /landingUrl: Expected a URL of http or https without user name/
    ],
    [
      "buy",
      "POST",
      { ...payload, endsAt: undefined, offerId: "x" },
      /offerId: Expected offer- and/
    ],
    ["buy", "POST", { ...payload, endsAt: undefined, reseler: "1" }, /reseler: is not known/],
    ["renew", "POST", { offerId: 1 }, /offerId: Expected/],
    ["events/resend", "POST", {}, /eventId: is missing/],
    [
      "delivery-faults",
      "PUT",
      { drop: 2 },
      /drop: Expected a number from 0 to 1|drop: Expected a number/
    ],
    [
      "delivery-faults",
      "PUT",
      { delay: { share: 1, duration: "2 days" } },
      /delay\.duration: Expected a duration of at most 1 day/
    ]
  ]
  for (const [path, method, body, message] of cases) {
    it.effect(`${path} with ${JSON.stringify(body)}`, () =>
      Effect.gen(function* () {
        const { url } = yield* SandboxServer.SandboxServer
        const response = yield* Effect.promise(async () => {
          const response = await fetch(`${url}/_sandbox/${path}`, {
            method,
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body)
          })
          return { status: response.status, text: await response.text() }
        })
        assert.strictEqual(response.status, 400)
        assert.match(JSON.parse(response.text).message, message)
        assert.notInclude(response.text, "secret")
      }).pipe(Effect.provide(live))
    )
  }
})
