/** The events of changes of agreements: their order, their gaps, and what they contain. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, DateTime, Effect, Either, Fiber, Option, Redacted, Stream, TestClock } from "effect"
import { MarketplaceEvent, Trust } from "../../src/lifecycle/index.js"
import { MeteringClient } from "../../src/MeteringClient.js"
import {
  type EventDelivery,
  type Marketplace,
  MeteringSandbox,
  type Scenario
} from "../../src/sandbox/index.js"
import { acme, analytics, at, batch, container, record, setTime } from "./support.js"

const now = "2026-11-24T10:30:00Z"

const buyer = "777788889999"

const sandbox = MeteringSandbox.MeteringSandbox

/** Customers of an older product, a newer one and a contract of a channel partner. */
const scenario = {
  products: [
    { code: analytics, dimensions: ["api-calls"], productId: "prod-analytics" },
    { code: container, dimensions: ["pods"] }
  ],
  customers: [
    {
      customerAWSAccountId: acme,
      customerIdentifier: "cust-acme",
      agreements: [{ productCode: analytics, agreementId: "agmt-acme" }]
    },
    { customerAWSAccountId: "222233334444", agreements: [] }
  ],
  sellerAccount: "999900001111"
} satisfies Scenario.Options

const sandboxed = Effect.provide(MeteringSandbox.layer(scenario))

/** Seconds from `now`, and the name of each event so far. */
const log = Effect.gen(function* () {
  const { events } = yield* (yield* sandbox).events.list()
  return events.map(({ at: time, name }) => {
    const seconds = (time.epochMillis - at(now).epochMillis) / 1000
    return `${seconds} ${name}`
  })
})

const bodies = Effect.gen(function* () {
  const { events } = yield* (yield* sandbox).events.list()
  return events.map(({ body }) => body as Record<string, never>)
})

/** Lets two hours pass. */
const later = Effect.flatMap(sandbox, ({ control }) => control.advance("2 hours"))

const purchase = (terms: Partial<Marketplace.Purchase> = {}): Marketplace.Purchase => ({
  customerAWSAccountId: buyer,
  productCode: analytics,
  ...terms
})

const buy = (terms?: Partial<Marketplace.Purchase>) =>
  Effect.flatMap(sandbox, ({ marketplace }) => marketplace.buy(purchase(terms)))

const newCustomer = ["0 Purchase Agreement Created - Proposer", "61 License Updated - Manufacturer"]

const repeated = (times: number, line: string) => Array.from({ length: times }, () => line)

type Act = (
  actions: MeteringSandbox.MarketplaceActions
) => Effect.Effect<unknown, MeteringSandbox.SandboxError>

const selector = { customerAWSAccountId: buyer }

describe("a purchase", () => {
  const cases: ReadonlyArray<readonly [string, Partial<Marketplace.Purchase>, string[]]> = [
    ["by a customer of a new product", {}, newCustomer],
    [
      "by a customer with a legacy identifier",
      { customerIdentifier: "cust-new" },
      [
        "0 Purchase Agreement Created - Proposer",
        "0 subscribe-success",
        "61 License Updated - Manufacturer"
      ]
    ],
    [
      "of a product without licenses",
      { customerIdentifier: "cust-new", licenseArn: null },
      ["0 Purchase Agreement Created - Proposer", "0 subscribe-success"]
    ],
    [
      "from a channel partner",
      { reseller: "121212121212" },
      ["0 Purchase Agreement Created - Manufacturer", "61 License Updated - Manufacturer"]
    ],
    [
      "that starts in the future",
      { customerIdentifier: "cust-new", startsAt: at("2026-11-24T11:00:00Z") },
      [
        "0 Purchase Agreement Created - Proposer",
        "1800 subscribe-success",
        "1861 License Updated - Manufacturer"
      ]
    ],
    [
      "with an end",
      { customerIdentifier: "cust-new", endsAt: at("2026-11-24T10:40:00Z") },
      [
        "0 Purchase Agreement Created - Proposer",
        "0 subscribe-success",
        "61 License Updated - Manufacturer",
        "600 Purchase Agreement Ended - Proposer",
        "600 unsubscribe-pending",
        "631 License Deprovisioned - Manufacturer",
        "4200 unsubscribe-success"
      ]
    ],
    [
      "of a buyer who cannot pay",
      { customerIdentifier: "cust-new", paymentFails: true },
      ["0 subscribe-fail"]
    ]
  ]
  for (const [what, terms, expected] of cases) {
    it.effect(what, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        yield* buy(terms)
        yield* later
        assert.deepStrictEqual(yield* log, expected)
      }).pipe(sandboxed)
    )
  }
})

describe("an operation", () => {
  const cases: ReadonlyArray<
    readonly [string, Partial<Marketplace.Purchase>, Act, ReadonlyArray<string>]
  > = [
    [
      "cancel",
      { customerIdentifier: "cust-new" },
      ({ cancel }) => cancel(selector),
      [
        "600 Purchase Agreement Ended - Proposer",
        "600 unsubscribe-pending",
        "631 License Deprovisioned - Manufacturer",
        "4200 unsubscribe-success"
      ]
    ],
    [
      "terminate",
      { reseller: "121212121212" },
      ({ terminate }) => terminate(selector),
      ["600 Purchase Agreement Ended - Manufacturer", "631 License Deprovisioned - Manufacturer"]
    ],
    [
      "expire",
      { endsAt: at("2027-01-01T00:00:00Z") },
      ({ expire }) => expire(selector),
      ["600 Purchase Agreement Ended - Proposer", "631 License Deprovisioned - Manufacturer"]
    ],
    [
      "amend",
      {},
      ({ amend }) => amend({ ...selector, endsAt: at("2026-11-24T11:30:00Z") }),
      [
        "600 Purchase Agreement Amended - Proposer",
        "661 License Updated - Manufacturer",
        "3600 Purchase Agreement Ended - Proposer",
        "3631 License Deprovisioned - Manufacturer"
      ]
    ],
    [
      "amend without an end",
      { endsAt: at("2026-11-24T11:30:00Z") },
      ({ amend }) => amend({ ...selector, endsAt: null }),
      ["600 Purchase Agreement Amended - Proposer", "661 License Updated - Manufacturer"]
    ],
    [
      "amend twice with the same end",
      { customerIdentifier: "cust-new" },
      ({ amend }) =>
        Effect.forEach(["11:30", "12:00", "11:30"], (time) =>
          amend({ ...selector, endsAt: at(`2026-11-24T${time}:00Z`) })
        ),
      [
        ...repeated(3, "600 Purchase Agreement Amended - Proposer"),
        ...repeated(3, "661 License Updated - Manufacturer"),
        "3600 Purchase Agreement Ended - Proposer",
        "3600 unsubscribe-pending",
        "3631 License Deprovisioned - Manufacturer",
        "7200 unsubscribe-success"
      ]
    ],
    [
      "amend before the start",
      {
        customerIdentifier: "cust-new",
        startsAt: at("2026-11-24T11:30:00Z"),
        entitlements: [{ dimension: "api-calls", value: { integerValue: 5 } }]
      },
      ({ amend }) => amend({ ...selector, endsAt: at("2026-12-24T00:00:00Z") }),
      [
        "600 Purchase Agreement Amended - Proposer",
        "3600 subscribe-success",
        "3600 entitlement-updated",
        "3661 License Updated - Manufacturer"
      ]
    ],
    [
      "renew",
      { customerIdentifier: "cust-new" },
      ({ renew }) => renew(selector),
      [
        "600 Purchase Agreement Created - Proposer",
        "600 subscribe-success",
        "600 Purchase Agreement Ended - Proposer",
        "631 License Deprovisioned - Manufacturer",
        "661 License Updated - Manufacturer"
      ]
    ],
    [
      "replace",
      {},
      ({ replace }) => replace(selector),
      [
        "600 Purchase Agreement Created - Proposer",
        "600 Purchase Agreement Ended - Proposer",
        "631 License Deprovisioned - Manufacturer",
        "661 License Updated - Manufacturer"
      ]
    ],
    [
      "issueAdvisory and resolveAdvisory",
      {},
      ({ issueAdvisory, resolveAdvisory }) =>
        Effect.zipRight(issueAdvisory(selector), resolveAdvisory(selector)),
      [
        "600 Purchase Agreement Advisory Issued - Manufacturer",
        "600 Purchase Agreement Advisory Resolved - Manufacturer"
      ]
    ],
    [
      "failPayment",
      { customerIdentifier: "cust-new", startsAt: at("2026-11-24T11:30:00Z") },
      ({ failPayment }) => failPayment(selector),
      ["600 subscribe-fail", "600 Purchase Agreement Ended - Proposer"]
    ],
    [
      "cancel before the start",
      { customerIdentifier: "cust-new", startsAt: at("2026-11-24T11:30:00Z") },
      ({ cancel }) => cancel(selector),
      ["600 Purchase Agreement Ended - Proposer"]
    ],
    ["suspend, of which AWS sends nothing", {}, ({ suspend }) => suspend(selector), []]
  ]
  for (const [what, terms, act, expected] of cases) {
    it.effect(what, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        yield* buy(terms)
        yield* TestClock.adjust("10 minutes")
        const before = yield* log
        yield* act((yield* sandbox).marketplace)
        yield* later
        assert.deepStrictEqual((yield* log).slice(before.length), expected)
      }).pipe(sandboxed)
    )
  }

  it.effect("schedules the end of an agreement once, and none after it ended", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { events, marketplace } = yield* sandbox
      const ends = Effect.map(events.scheduled(), ({ events: scheduled }) =>
        scheduled
          .filter(({ name }) => name === "End")
          .map(({ at: time }) => time && DateTime.formatIso(time))
      )
      yield* buy({ endsAt: at("2026-12-01T00:00:00Z") })
      yield* marketplace.amend({ ...selector, endsAt: at("2026-12-02T00:00:00Z") })
      assert.deepStrictEqual(yield* ends, ["2026-12-02T00:00:00.000Z"])
      const renewed = yield* marketplace.renew({ ...selector, endsAt: at("2026-12-03T00:00:00Z") })
      assert.deepStrictEqual(yield* ends, ["2026-12-03T00:00:00.000Z"])
      yield* marketplace.cancel({ agreementId: renewed.agreementId })
      assert.deepStrictEqual(yield* ends, [])
    }).pipe(sandboxed)
  )

  it.effect("deprovisions a license only after the event of its provision", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* buy()
      yield* (yield* sandbox).marketplace.cancel(selector)
      yield* later
      assert.deepStrictEqual(yield* log, [
        "0 Purchase Agreement Created - Proposer",
        "0 Purchase Agreement Ended - Proposer",
        "61 License Updated - Manufacturer",
        "61 License Deprovisioned - Manufacturer"
      ])
    }).pipe(sandboxed)
  )

  it.effect("waits as long as the rules say", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* buy()
      yield* TestClock.adjust("10 minutes")
      yield* (yield* sandbox).marketplace.cancel(selector)
      yield* later
      assert.deepStrictEqual(yield* log, [
        "0 Purchase Agreement Created - Proposer",
        "5 License Updated - Manufacturer",
        "600 Purchase Agreement Ended - Proposer",
        "4200 License Deprovisioned - Manufacturer"
      ])
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          ...scenario,
          rules: { licenseEventDelay: "5 seconds", deprovisionedEventDelay: "1 hour" }
        })
      )
    )
  )
})

describe("a contract", () => {
  const entitlements = (integerValue: number) => [
    { dimension: "api-calls", value: { integerValue } }
  ]

  it.effect("sends entitlement-updated when it is made, amended, renewed and ended", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { marketplace } = yield* sandbox
      yield* buy({ customerIdentifier: "cust-new", entitlements: entitlements(5) })
      const amended = yield* marketplace.amend({ ...selector, entitlements: entitlements(7) })
      assert.deepStrictEqual(amended.entitlements, entitlements(7))
      const renewed = yield* marketplace.renew(selector)
      assert.deepStrictEqual(renewed.entitlements, entitlements(7))
      yield* marketplace.cancel(selector)
      const messages = (yield* bodies).filter((body) => "action" in body)
      assert.deepStrictEqual(
        messages.map(({ action }) => String(action)),
        [
          "subscribe-success",
          "entitlement-updated",
          "entitlement-updated",
          "subscribe-success",
          "entitlement-updated",
          "unsubscribe-pending",
          "entitlement-updated"
        ]
      )
      assert.deepStrictEqual(messages[1] as object, {
        action: "entitlement-updated",
        "customer-identifier": "cust-new",
        "product-code": analytics
      })
      const error = yield* Effect.flip(
        marketplace.buy(
          purchase({ entitlements: [{ dimension: "x", value: { booleanValue: true } }] })
        )
      )
      assert.match(error.message, /x is not a dimension of sandbox-analytics/)
    }).pipe(sandboxed)
  )
})

describe("states and possible operations", () => {
  const details = Effect.gen(function* () {
    const { agreements } = (yield* sandbox).marketplace
    const all = yield* agreements
    return all.filter(({ customerAWSAccountId }) => customerAWSAccountId === buyer)
  })

  it.effect("follow the life of an agreement", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { marketplace } = yield* sandbox
      yield* buy({ startsAt: at("2026-11-24T11:00:00Z") })
      const states = Effect.map(details, ([one]) => [one?.state, one?.status, one?.operations])
      assert.deepStrictEqual(yield* states, [
        "pending",
        "ACTIVE",
        ["amend", "cancel", "failPayment"]
      ])
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* states, [
        "active",
        "ACTIVE",
        ["amend", "renew", "replace", "cancel", "expire", "terminate", "issueAdvisory"]
      ])
      yield* marketplace.issueAdvisory(selector)
      assert.deepStrictEqual((yield* states)[2], [
        "amend",
        "renew",
        "replace",
        "cancel",
        "expire",
        "terminate",
        "resolveAdvisory"
      ])
      yield* marketplace.terminate(selector)
      assert.deepStrictEqual(yield* states, ["ending", "TERMINATED", []])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* states, ["ended", "TERMINATED", []])
    }).pipe(sandboxed)
  )

  it.effect("an impossible operation is rejected with the reason, and changes nothing", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { events, marketplace } = yield* sandbox
      const { agreement } = yield* buy()
      const { agreementId } = agreement
      const before = yield* Effect.all([details, events.list(), events.scheduled()])
      const messages: ReadonlyArray<readonly [Act, RegExp]> = [
        [
          ({ failPayment }) => failPayment({ agreementId }),
          /failPayment is not possible on agmt-\w+: it is active/
        ],
        [({ resolveAdvisory }) => resolveAdvisory({ agreementId }), /it has no advisory/],
        [
          ({ amend }) => amend({ agreementId, endsAt: at("2026-11-24T10:00:00Z") }),
          /endsAt: .* cannot end before it begins or before now/
        ],
        [
          ({ renew }) => renew({ agreementId, endsAt: at("2026-11-24T10:00:00Z") }),
          /ends before it begins/
        ],
        [({ renew }) => renew({ agreementId: "agmt-none" }), /no customer with such an agreement/],
        [({ buy }) => buy(purchase({ productCode: "nothing" })), /There is no product nothing/]
      ]
      for (const [act, message] of messages) {
        const error = yield* Effect.flip(act(marketplace))
        assert.strictEqual(error._tag, "SandboxError")
        assert.match(error.message, message)
      }
      assert.deepStrictEqual(
        yield* Effect.all([details, events.list(), events.scheduled()]),
        before
      )
      yield* marketplace.cancel({ agreementId })
      const error = yield* Effect.flip(marketplace.cancel({ agreementId }))
      assert.match(error.message, /has no agreement for agmt-/)
    }).pipe(sandboxed)
  )

  it.effect("a renewal takes usage by its new license, and names its predecessor", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { marketplace } = yield* sandbox
      const { agreement: old } = yield* buy()
      yield* TestClock.adjust("10 minutes")
      const renewed = yield* marketplace.renew(selector)
      assert.strictEqual(renewed.previousAgreementId, old.agreementId)
      assert.strictEqual(renewed.offerId, old.offerId)
      assert.notStrictEqual(renewed.licenseArn, old.licenseArn)
      const usage = record(yield* DateTime.now, selector)
      const result = yield* batch([{ ...usage, licenseArn: String(renewed.licenseArn) }], null)
      assert.deepStrictEqual(
        result.results.map(({ status }) => status),
        ["Success"]
      )
      const replaced = yield* marketplace.replace({ ...selector, offerId: "offer-other" })
      assert.strictEqual(replaced.previousAgreementId, renewed.agreementId)
      assert.strictEqual(replaced.offerId, "offer-other")
      assert.deepStrictEqual(
        (yield* details).map(({ intent = "NEW", status }) => [intent, status]),
        [
          ["NEW", "RENEWED"],
          ["RENEW", "REPLACED"],
          ["REPLACE", "ACTIVE"]
        ]
      )
    }).pipe(sandboxed)
  )
})

describe("the content of events", () => {
  it.effect("is that of a direct sale", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { agreement } = yield* buy({
        endsAt: at("2027-11-24T00:00:00Z"),
        freeTrial: true,
        customerIdentifier: "cust-new"
      })
      yield* TestClock.adjust("10 minutes")
      yield* (yield* sandbox).marketplace.cancel(selector)
      yield* later
      const [created, subscribed, updated, ended] = yield* bodies
      const common = {
        catalog: "AWSMarketplace",
        acceptor: { accountId: buyer },
        proposer: { accountId: "999900001111" }
      }
      const { id, ...envelope } = created ?? {}
      const { requestId } = (envelope as unknown as { detail: { requestId: string } }).detail
      assert.match(String(id), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.deepStrictEqual(envelope as object, {
        version: "0",
        "detail-type": "Purchase Agreement Created - Proposer",
        source: "aws.agreement-marketplace",
        account: "999900001111",
        time: now,
        region: "us-east-1",
        resources: [`arn:aws:aws-marketplace::aws:agreement:${agreement.agreementId}`],
        detail: {
          requestId,
          ...common,
          agreement: {
            id: agreement.agreementId,
            intent: "NEW",
            status: "ACTIVE",
            acceptanceTime: now,
            startTime: now,
            endTime: "2027-11-24T00:00:00Z"
          },
          resaleAuthorization: { id: null },
          offer: { id: agreement.offerId }
        }
      })
      assert.deepStrictEqual(subscribed as object, {
        action: "subscribe-success",
        "customer-identifier": "cust-new",
        "product-code": analytics,
        "offer-identifier": agreement.offerId,
        isFreeTrialTermPresent: "true"
      })
      const { requestId: _, ...license } = (
        updated as unknown as { detail: Record<string, unknown> }
      ).detail
      assert.deepStrictEqual(license, {
        ...common,
        agreement: { id: agreement.agreementId },
        product: { code: analytics, id: "prod-analytics" },
        license: { arn: agreement.licenseArn },
        offer: { id: agreement.offerId }
      })
      const { requestId: __, ...end } = (ended as unknown as { detail: Record<string, unknown> })
        .detail
      assert.deepStrictEqual(end, {
        ...common,
        agreement: { id: agreement.agreementId, status: "CANCELLED" },
        resaleAuthorization: { id: null }
      })
    }).pipe(sandboxed)
  )

  it.effect("has an acceptance that is not after the event", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const startsAt = at("2026-11-24T11:00:00Z")
      const { marketplace } = yield* sandbox
      yield* marketplace.subscribe({ customerAWSAccountId: acme, productCode: analytics, startsAt })
      const [created] = yield* bodies
      const { agreement } = (created as unknown as { detail: { agreement: object } }).detail
      assert.include(agreement, { acceptanceTime: now, startTime: "2026-11-24T11:00:00Z" })
    }).pipe(sandboxed)
  )

  it.effect("of a channel partner names it as the proposer", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* buy({ reseller: "121212121212" })
      const [created] = yield* bodies
      const { proposer, resaleAuthorization } = (
        created as unknown as { detail: Record<string, { id?: string; accountId?: string }> }
      ).detail
      assert.strictEqual(proposer?.accountId, "121212121212")
      assert.match(String(resaleAuthorization?.id), /^resaleauthz-[a-z0-9]{13}$/)
    }).pipe(sandboxed)
  )

  for (const [party, reseller, keys] of [
    ["proposer", undefined, ["previousAgreementId", "product"]],
    ["manufacturer", "121212121212", []]
  ] as const) {
    it.effect(`of a renewal names the predecessor and the product: ${party}`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        yield* buy({ reseller })
        yield* (yield* sandbox).marketplace.renew(selector)
        const created = (yield* bodies).map(
          ({ detail }) => detail as unknown as { readonly agreement: { readonly intent: string } }
        )
        const renewal = created.find(({ agreement }) => agreement.intent === "RENEW")
        assert.deepStrictEqual(
          ["previousAgreementId", "product"].filter(
            (key) => key in (renewal?.agreement ?? {}) || key in (renewal ?? {})
          ),
          [...keys]
        )
      }).pipe(sandboxed)
    )
  }

  it.effect("the issuer of a license is neither the buyer nor the seller", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { agreement } = yield* buy()
      const issuer = /^arn:aws:license-manager::(\d{12}):license:l-[0-9a-f]{32}$/.exec(
        agreement.licenseArn ?? ""
      )?.[1]
      assert.isDefined(issuer)
      assert.notInclude([buyer, "999900001111"], issuer)
    }).pipe(sandboxed)
  )

  it.effect("every event can be decoded again", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { events, marketplace } = yield* sandbox
      yield* buy({ customerIdentifier: "cust-new" })
      yield* marketplace.issueAdvisory(selector)
      yield* marketplace.renew(selector)
      yield* marketplace.cancel(selector)
      yield* later
      const collected = yield* events.list()
      assert.isAbove(collected.events.length, 8)
      for (const { body, channel } of collected.events) {
        const tag = decodedTag(body)
        assert.notStrictEqual(tag, "Unknown")
        assert.strictEqual(channel === "sns", /^(Sub|Unsub)/.test(tag))
      }
    }).pipe(sandboxed)
  )
})

const decodedTag = (body: unknown): string =>
  MarketplaceEvent.decode(body, Trust.queue)
    .map((result) => (Either.isRight(result) ? result.right.event._tag : result.left.message))
    .join()

describe("the stream", () => {
  it.effect("has each event when it falls due, in order and once", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { events } = yield* sandbox
      const fiber = yield* Effect.fork(Stream.runCollect(Stream.take(events.stream, 3)))
      yield* TestClock.adjust(0)
      yield* buy({ customerIdentifier: "cust-new" })
      yield* TestClock.adjust("60 seconds")
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 second")
      const collected = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(collected).map(({ _tag }) => _tag),
        ["AgreementCreated", "SubscribeSuccess", "LicenseUpdated"]
      )
    }).pipe(sandboxed)
  )

  it.effect("has an event as much sooner as the clock was moved", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { control, events } = yield* sandbox
      yield* buy()
      const fiber = yield* Effect.fork(Stream.runCollect(Stream.take(events.stream, 1)))
      yield* TestClock.adjust(0)
      yield* control.advance("30 seconds")
      yield* TestClock.adjust("30 seconds")
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 second")
      const [event] = Chunk.toReadonlyArray(yield* Fiber.join(fiber))
      assert.strictEqual(event?._tag, "LicenseUpdated")
    }).pipe(sandboxed)
  )

  it.effect("has at once what a moved clock brings", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { control, events } = yield* sandbox
      yield* buy({ endsAt: at("2026-12-24T00:00:00Z") })
      const fiber = yield* Effect.fork(Stream.runCollect(Stream.take(events.stream, 3)))
      yield* TestClock.adjust(0)
      yield* control.setTime(at("2027-01-01T00:00:00Z"))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(yield* Fiber.join(fiber)).map(
          (event) => "time" in event && event.time && DateTime.formatIso(event.time)
        ),
        ["2026-11-24T10:31:01.000Z", "2026-12-24T00:00:00.000Z", "2026-12-24T00:00:31.000Z"]
      )
    }).pipe(sandboxed)
  )
})

describe("the scenario's own agreements", () => {
  it.effect("have events for what they do after the start", () =>
    Effect.gen(function* () {
      yield* (yield* sandbox).control.advance("3 hours")
      assert.deepStrictEqual(yield* log, [
        "1800 subscribe-success",
        "1861 License Updated - Manufacturer",
        "3600 Purchase Agreement Ended - Proposer",
        "3600 unsubscribe-pending",
        "3631 License Deprovisioned - Manufacturer",
        "7200 unsubscribe-success"
      ])
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          ...scenario,
          customers: [
            {
              customerAWSAccountId: acme,
              customerIdentifier: "cust-acme",
              agreements: [
                {
                  productCode: analytics,
                  licenseArn: "arn:aws:license-manager::123456789012:license:l-1",
                  startsAt: at("2026-11-24T11:00:00Z"),
                  endsAt: at("2026-11-24T11:30:00Z")
                },
                { productCode: container, endsAt: at("2026-11-24T10:00:00Z") }
              ]
            }
          ],
          now: at(now)
        })
      )
    )
  )

  it.effect("end once, and fail, at their times", () =>
    Effect.gen(function* () {
      const { control, marketplace } = yield* sandbox
      yield* marketplace.expire({ customerAWSAccountId: buyer })
      yield* control.advance("3 hours")
      assert.deepStrictEqual(yield* log, [
        "0 Purchase Agreement Ended - Proposer",
        "1200 subscribe-fail",
        "1200 Purchase Agreement Ended - Proposer",
        "1800 Purchase Agreement Ended - Proposer",
        "1800 unsubscribe-pending",
        "5400 unsubscribe-success"
      ])
      const all = yield* marketplace.agreements
      assert.deepStrictEqual(
        all.map(({ status }) => status),
        ["FAILED", "EXPIRED", "EXPIRED"]
      )
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          ...scenario,
          customers: [
            {
              customerAWSAccountId: acme,
              customerIdentifier: "cust-acme",
              agreements: [
                {
                  productCode: analytics,
                  startsAt: at("2026-11-24T11:00:00Z"),
                  failedAt: at("2026-11-24T10:50:00Z")
                },
                {
                  productCode: analytics,
                  endsAt: at("2026-11-24T11:00:00Z"),
                  cancelledAt: at("2026-11-24T12:00:00Z")
                }
              ]
            },
            {
              customerAWSAccountId: buyer,
              agreements: [{ productCode: analytics, cancelledAt: at("2026-11-24T11:30:00Z") }]
            }
          ],
          now: at(now)
        })
      )
    )
  )

  it.effect("come again after a reset, as far as they lie ahead", () =>
    Effect.gen(function* () {
      const { control, events } = yield* sandbox
      yield* control.advance("20 minutes")
      yield* control.reset
      const scheduled = (yield* events.scheduled()).events
      assert.deepStrictEqual(
        scheduled.map(({ at: time, name }) => [time && DateTime.formatIso(time), name]),
        [["2026-11-24T11:00:00.000Z", "End"]]
      )
      assert.deepStrictEqual(yield* events.list(), { events: [] })
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          ...scenario,
          customers: [
            {
              customerAWSAccountId: acme,
              agreements: [{ productCode: analytics, endsAt: at("2026-11-24T11:00:00Z") }]
            }
          ],
          now: at(now)
        })
      )
    )
  )
})

describe("buying", () => {
  const resolve = (registrationToken: Redacted.Redacted) =>
    Effect.flatMap(MeteringClient, (client) => client.resolveCustomer({ registrationToken }))

  const token = ({ fields }: Marketplace.Landing) =>
    fields["x-amzn-marketplace-token"] ?? Redacted.make("")

  it.effect("returns a form whose token resolves to the buyer", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const landing = yield* buy({ customerIdentifier: "cust-new", freeTrial: true })
      assert.isUndefined(landing.landingUrl)
      assert.sameMembers(Object.keys(landing.fields), [
        "x-amzn-marketplace-token",
        "x-amzn-marketplace-offer-type"
      ])
      assert.strictEqual(
        Redacted.value(landing.fields["x-amzn-marketplace-offer-type"] ?? Redacted.make("")),
        "free-trial"
      )
      const { customerAWSAccountId, customerIdentifier, licenseArn, productCode } = yield* resolve(
        token(landing)
      )
      assert.deepStrictEqual(
        [customerAWSAccountId, customerIdentifier, licenseArn, productCode],
        [buyer, "cust-new", landing.agreement.licenseArn, analytics]
      )
      assert.isFalse(landing.agreement.registered)
      const all = yield* (yield* sandbox).marketplace.agreements
      const bought = all.find(({ agreementId }) => agreementId === landing.agreement.agreementId)
      assert.isTrue(bought?.registered)
    }).pipe(sandboxed)
  )

  it.effect("a token is minted for the purchase after a cancellation", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { marketplace } = yield* sandbox
      yield* buy()
      yield* marketplace.cancel(selector)
      const { agreement } = yield* buy()
      const { licenseArn } = yield* resolve(yield* marketplace.mintToken(selector))
      assert.strictEqual(licenseArn, agreement.licenseArn)
    }).pipe(sandboxed)
  )

  it.effect("has the fields that were seen, where the rules say so", () =>
    Effect.gen(function* () {
      const landing = yield* buy()
      assert.strictEqual(landing.landingUrl, "https://seller.example/welcome")
      const fields = Object.entries(landing.fields).map(([name, value]) => [
        name,
        name === "x-amzn-marketplace-token" ? "" : Redacted.value(value)
      ])
      assert.deepStrictEqual(fields, [
        ["x-amzn-marketplace-token", ""],
        ["x-amzn-marketplace-agreement-id", landing.agreement.agreementId],
        ["x-amzn-marketplace-product-id", "prod-a"],
        ["x-amzn-marketplace-fulfillment-url", "https://seller.example/welcome"]
      ])
      // no secret is printed
      assert.notInclude(JSON.stringify(landing), Redacted.value(token(landing)))
      const { marketplace } = yield* sandbox
      const again = yield* marketplace.setUpAccount(selector)
      assert.notStrictEqual(Redacted.value(token(again)), Redacted.value(token(landing)))
      assert.deepStrictEqual(
        { ...again, fields: { ...again.fields, "x-amzn-marketplace-token": token(landing) } },
        landing
      )
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          products: [
            {
              code: analytics,
              dimensions: ["api-calls"],
              productId: "prod-a",
              landingUrl: "https://seller.example/welcome"
            }
          ],
          rules: { landingFields: "observed" }
        })
      )
    )
  )

  it.effect("is opened again with the type of its offer, for the same agreement", () =>
    Effect.gen(function* () {
      const { marketplace } = yield* sandbox
      const first = yield* buy({ freeTrial: true })
      const landing = yield* marketplace.setUpAccount(selector)
      assert.deepStrictEqual(landing.agreement, first.agreement)
      assert.strictEqual(
        Redacted.value(landing.fields["x-amzn-marketplace-offer-type"] ?? token(landing)),
        "free-trial"
      )
      const { licenseArn } = yield* resolve(token(landing))
      assert.strictEqual(licenseArn, first.agreement.licenseArn)
      const { message } = yield* Effect.flip(
        marketplace.setUpAccount({ agreementId: "agmt-unknown" })
      )
      assert.strictEqual(message, "There is no customer with such an agreement in the sandbox.")
    }).pipe(sandboxed)
  )

  it.effect("a customer can buy a second product, and keeps its identifier", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* buy({ customerIdentifier: "cust-new" })
      const second = yield* buy({ productCode: container })
      assert.strictEqual(second.agreement.customerIdentifier, "cust-new")
      const error = yield* Effect.flip(buy({ customerIdentifier: "cust-other" }))
      assert.match(error.message, /has the customer identifier cust-new/)
    }).pipe(sandboxed)
  )
})

describe("faults of delivery", () => {
  const received = (faults: EventDelivery.DeliveryFaults, purchases: number) =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { control, events } = yield* sandbox
      yield* events.setDeliveryFaults(faults)
      const stream: Array<string> = []
      yield* Effect.forkScoped(
        Stream.runForEach(events.stream, (event) =>
          Effect.sync(() => {
            stream.push("id" in event ? String(event.id) : "")
          })
        )
      )
      yield* TestClock.adjust(0)
      for (let i = 0; i < purchases; i++) {
        yield* buy({ customerAWSAccountId: `10000000000${i}`, licenseArn: null })
      }
      yield* TestClock.adjust(0)
      const prompt = stream.length
      yield* control.advance("1 day")
      yield* TestClock.adjust(0)
      const sent = (yield* events.list()).events.map(({ eventId, fault }) => ({ eventId, fault }))
      return {
        sent,
        prompt,
        stream: stream.map((id) => sent.findIndex(({ eventId }) => eventId === id))
      }
    })

  const run = (faults: EventDelivery.DeliveryFaults, purchases = 3) =>
    Effect.scoped(received(faults, purchases)).pipe(sandboxed)

  it.effect("none by default", () =>
    Effect.gen(function* () {
      const { prompt, sent, stream } = yield* run({})
      assert.deepStrictEqual(stream, [0, 1, 2])
      assert.strictEqual(prompt, 3)
      assert.deepStrictEqual(
        sent.map(({ fault }) => fault),
        [undefined, undefined, undefined]
      )
    })
  )

  it.effect("duplicate, drop, delay and reorder", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* run({ duplicate: 1 })).stream, [0, 0, 1, 1, 2, 2])
      const dropped = yield* run({ drop: 1 })
      assert.deepStrictEqual(dropped.stream, [])
      assert.deepStrictEqual(
        dropped.sent.map(({ fault }) => fault),
        ["drop", "drop", "drop"]
      )
      const delayed = yield* run({ delay: { share: 1, duration: "10 minutes" } })
      assert.deepStrictEqual([delayed.prompt, delayed.stream], [0, [0, 1, 2]])
    })
  )

  it.effect("a reordered event follows the next one", () =>
    Effect.gen(function* () {
      const seeds = Array.from({ length: 20 }, (_, seed) => seed)
      const orders = yield* Effect.forEach(seeds, (seed) => run({ reorder: 0.5, seed }))
      for (const { sent, stream } of orders) {
        assert.sameMembers(stream, [0, 1, 2])
        sent.forEach(({ fault }, i) => {
          const next = sent.findIndex(({ fault }, j) => j > i && fault === undefined)
          if (fault === "reorder" && next > 0) {
            assert.isAbove(stream.indexOf(i), stream.indexOf(next))
          }
        })
      }
      assert.isAbove(new Set(orders.map(({ stream }) => stream.join())).size, 2)
    })
  )

  it.effect("are the same for the same seed", () =>
    Effect.gen(function* () {
      const faults = { duplicate: 0.3, drop: 0.3, reorder: 0.3, seed: 5 }
      const first = yield* run(faults, 8)
      assert.deepStrictEqual((yield* run(faults, 8)).stream, first.stream)
      const others = yield* Effect.forEach([6, 7, 8], (seed) => run({ ...faults, seed }, 8))
      assert.isTrue(others.some(({ stream }) => stream.join() !== first.stream.join()))
    })
  )

  it.effect("afterLanding holds events back until the token was resolved", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { control, events } = yield* sandbox
      const landing = yield* buy()
      yield* control.advance("1 hour")
      const fiber = yield* Effect.fork(Stream.runCollect(Stream.take(events.stream, 2)))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(
        (yield* events.scheduled()).events.map(({ at, name }) => [at, name]),
        [
          [undefined, "Purchase Agreement Created - Proposer"],
          [undefined, "License Updated - Manufacturer"]
        ]
      )
      const client = yield* MeteringClient
      const [[, registrationToken]] = Object.entries(landing.fields) as [
        [string, Redacted.Redacted]
      ]
      yield* client.resolveCustomer({ registrationToken })
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(yield* Fiber.join(fiber)).map(({ _tag }) => _tag),
        ["AgreementCreated", "LicenseUpdated"]
      )
      assert.deepStrictEqual((yield* events.scheduled()).events, [])
    }).pipe(
      Effect.provide(MeteringSandbox.layer({ ...scenario, deliveryFaults: { afterLanding: true } }))
    )
  )
})

describe("afterLanding and a renewal", () => {
  const withFault = Effect.provide(
    MeteringSandbox.layer({ ...scenario, deliveryFaults: { afterLanding: true } })
  )

  const land = ({ fields }: Marketplace.Landing) =>
    Effect.flatMap(MeteringClient, (client) =>
      client.resolveCustomer({
        registrationToken: fields["x-amzn-marketplace-token"] ?? Redacted.make("")
      })
    )

  it.effect("its events are not held back after the landing of its predecessor", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { events, marketplace } = yield* sandbox
      yield* land(yield* buy())
      yield* marketplace.renew(selector)
      yield* marketplace.replace(selector)
      yield* later
      assert.deepStrictEqual((yield* events.scheduled()).events, [])
      const faults = (yield* events.list()).events.map(({ fault }) => fault)
      assert.strictEqual(faults[0], "afterLanding")
      assert.deepStrictEqual(
        faults.slice(1).filter((fault) => fault !== undefined),
        []
      )
    }).pipe(withFault)
  )

  it.effect("its events wait for the landing of its predecessor", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { events, marketplace } = yield* sandbox
      const landing = yield* buy()
      yield* marketplace.renew(selector)
      yield* later
      assert.lengthOf((yield* events.scheduled()).events, 6)
      yield* land(landing)
      assert.deepStrictEqual((yield* events.scheduled()).events, [])
    }).pipe(withFault)
  )
})

describe("the list of events", () => {
  it.effect("has pages, and keeps the last 1000", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { events, marketplace } = yield* sandbox
      yield* buy()
      for (let i = 0; i < 501; i++) {
        yield* marketplace.issueAdvisory(selector)
        yield* marketplace.resolveAdvisory(selector)
      }
      const all = yield* events.list()
      assert.lengthOf(all.events, 1000)
      assert.notProperty(all, "next")
      const first = yield* events.list({ limit: 999 })
      assert.isDefined(first.next)
      const second = yield* events.list({ after: first.next })
      assert.deepStrictEqual([...first.events, ...second.events], [...all.events])
      const unknown = yield* Effect.flip(events.list({ after: "x" }))
      assert.match(unknown.message, /^after: expected/)
      const none = yield* Effect.flip(events.list({ limit: 0 }))
      assert.match(none.message, /^limit: expected/)
    }).pipe(sandboxed)
  )
})

describe("the events to come", () => {
  it.effect("have pages, which events that fall due or are added do not move", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { control, events, marketplace } = yield* sandbox
      yield* events.setDeliveryFaults({ afterLanding: true })
      yield* buy({ endsAt: at("2027-11-24T10:30:00Z") })
      yield* events.setDeliveryFaults({ delay: { share: 1, duration: "1 day" } })
      yield* marketplace.issueAdvisory(selector)
      yield* marketplace.resolveAdvisory(selector)
      const all = yield* events.scheduled()
      assert.notProperty(all, "next")
      assert.deepStrictEqual(
        all.events,
        (yield* events.scheduled({ limit: all.events.length })).events
      )
      const pages = yield* Stream.paginateEffect(undefined as string | undefined, (after) =>
        Effect.map(events.scheduled({ limit: 2, after }), ({ events, next }) => [
          events,
          next === undefined ? Option.none() : Option.some(next)
        ])
      ).pipe(Stream.runCollect)
      assert.deepStrictEqual(Chunk.toReadonlyArray(pages).flat(), [...all.events])
      const first = yield* events.scheduled({ limit: 3 })
      const rest = all.events.slice(3)
      yield* marketplace.issueAdvisory(selector)
      yield* control.advance("2 days")
      assert.deepStrictEqual((yield* events.scheduled({ after: first.next })).events, rest)
      for (const after of ["x", "1.x", "held.", "", "1.2.3"]) {
        const unknown = yield* Effect.flip(events.scheduled({ after }))
        assert.match(unknown.message, /^after: expected/)
      }
      const none = yield* Effect.flip(events.scheduled({ limit: 0 }))
      assert.match(none.message, /^limit: expected/)
    }).pipe(sandboxed)
  )
})
