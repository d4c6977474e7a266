/** Actions of customers and changes of the clock. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, TestClock } from "effect"
import { MeteringClient } from "../../../../src/MeteringClient.js"
import { type Marketplace, MeteringSandbox, type Scenario } from "../../../../src/sandbox/index.js"
import {
  acme,
  acmeLicense,
  analytics,
  at,
  batch,
  billed,
  container,
  globexLicense,
  record,
  setTime,
  statusesOf,
  unknownAccount
} from "../../support.js"

const sandboxed = Effect.provide(MeteringSandbox.layer())
const now = "2026-11-24T10:30:00Z"
const recent = at("2026-11-24T10:05:00Z")

const sandbox = MeteringSandbox.MeteringSandbox

const tokenLicense = (which?: Marketplace.AgreementSelector) =>
  Effect.gen(function* () {
    const registrationToken = yield* (yield* sandbox).marketplace.mintToken(which)
    const client = yield* MeteringClient
    const { licenseArn } = yield* client.resolveCustomer({ registrationToken })
    return licenseArn
  })

describe("addCustomer", () => {
  it.effect("a customer is known, and not subscribed until it has subscribed", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { addCustomer, subscribe } = (yield* sandbox).marketplace
      assert.deepStrictEqual(yield* addCustomer({ customerAWSAccountId: unknownAccount }), {
        customerAWSAccountId: unknownAccount,
        agreements: []
      })
      const usage = record(recent, { customerAWSAccountId: unknownAccount })
      assert.deepStrictEqual(yield* statusesOf([usage]), ["CustomerNotSubscribed"])
      yield* subscribe({
        customerAWSAccountId: unknownAccount,
        productCode: analytics,
        startsAt: recent
      })
      assert.deepStrictEqual(yield* statusesOf([usage]), ["Success"])
    }).pipe(sandboxed)
  )

  it.effect("one that is known gets what is new of its agreements and its identifier", () =>
    Effect.gen(function* () {
      const { addCustomer } = (yield* sandbox).marketplace
      const account = "333344445555"
      const licensed = { productCode: container, licenseArn: "arn:aws:new" }
      const bare = { productCode: container }
      const [held] = (yield* addCustomer({ customerAWSAccountId: account })).agreements
      const customer = yield* addCustomer({
        customerAWSAccountId: account,
        customerIdentifier: "cust-late",
        agreements: [licensed, bare]
      })
      assert.deepStrictEqual(customer, {
        customerAWSAccountId: account,
        customerIdentifier: "cust-late",
        agreements: [held as Scenario.Agreement, licensed, bare]
      })
      assert.deepStrictEqual(yield* addCustomer(customer), customer)
      assert.deepStrictEqual(
        (yield* (yield* sandbox).marketplace.customers).find(
          (one) => one.customerAWSAccountId === account
        ),
        customer
      )
    }).pipe(sandboxed)
  )

  const faults: ReadonlyArray<readonly [string, Marketplace.NewCustomer, RegExp]> = [
    [
      "an identifier that is another's",
      { customerAWSAccountId: unknownAccount, customerIdentifier: "cust-acme" },
      /identifier cust-acme is 111122223333's/
    ],
    [
      "another identifier than it has",
      { customerAWSAccountId: acme, customerIdentifier: "other" },
      /111122223333 has the customer identifier cust-acme/
    ],
    [
      "a product that there is not",
      { customerAWSAccountId: unknownAccount, agreements: [{ productCode: "other" }] },
      /no product other/
    ],
    [
      "another's license",
      {
        customerAWSAccountId: unknownAccount,
        agreements: [{ productCode: analytics, licenseArn: acmeLicense }]
      },
      /license arn:\S+ is taken/
    ],
    [
      "its own license for something else",
      {
        customerAWSAccountId: acme,
        agreements: [{ productCode: container, licenseArn: acmeLicense }]
      },
      /license arn:\S+ is taken/
    ],
    [
      "one license twice",
      {
        customerAWSAccountId: unknownAccount,
        agreements: [
          { productCode: analytics, licenseArn: "arn:aws:x" },
          { productCode: container, licenseArn: "arn:aws:x" }
        ]
      },
      /license arn:aws:x is taken/
    ]
  ]
  for (const [fault, customer, reason] of faults) {
    it.effect(`rejects ${fault}, and changes nothing`, () =>
      Effect.gen(function* () {
        const { addCustomer, customers } = (yield* sandbox).marketplace
        const before = yield* customers
        const error = yield* Effect.flip(addCustomer(customer))
        assert.strictEqual(error._tag, "SandboxError")
        assert.match(error.message, reason)
        assert.deepStrictEqual(yield* customers, before)
      }).pipe(sandboxed)
    )
  }
})

describe("subscribe", () => {
  it.effect("issues a license, another one each time, and the same in every sandbox", () =>
    Effect.gen(function* () {
      const twice = Effect.gen(function* () {
        const { subscribe } = (yield* sandbox).marketplace
        const subscription = { customerAWSAccountId: acme, productCode: container }
        return [yield* subscribe(subscription), yield* subscribe(subscription)]
      })
      const agreements = yield* twice.pipe(sandboxed)
      for (const { licenseArn } of agreements) {
        assert.match(
          licenseArn ?? "",
          /^arn:aws:license-manager::123456789012:license:l-[0-9a-f]{32}$/
        )
      }
      assert.notDeepEqual(agreements[0], agreements[1])
      assert.deepStrictEqual(yield* twice.pipe(sandboxed), agreements)
    })
  )

  it.effect("with the license that is given, or with none", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { subscribe } = (yield* sandbox).marketplace
      const subscription = { customerIdentifier: "cust-initech", productCode: container }
      assert.deepStrictEqual(yield* subscribe({ ...subscription, licenseArn: "arn:aws:mine" }), {
        productCode: container,
        licenseArn: "arn:aws:mine",
        startsAt: at(now)
      })
      assert.deepStrictEqual(yield* subscribe({ ...subscription, licenseArn: null }), {
        productCode: container,
        startsAt: at(now)
      })
    }).pipe(sandboxed)
  )

  it.effect("for a time", () =>
    Effect.gen(function* () {
      const {
        control: { setTime },
        marketplace: { subscribe }
      } = yield* sandbox
      const [startsAt, endsAt] = [at("2026-11-24T10:00:00Z"), at("2026-11-24T11:00:00Z")]
      yield* subscribe({
        customerAWSAccountId: "444455556666",
        productCode: analytics,
        startsAt,
        endsAt
      })
      const statuses = Effect.gen(function* () {
        const timestamp = yield* (yield* sandbox).control.now
        return yield* statusesOf([record(timestamp, { customerAWSAccountId: "444455556666" })])
      })
      for (const [time, expected] of [
        ["09:59:59.999", "CustomerNotSubscribed"],
        ["10:00:00.000", "Success"],
        ["10:59:59.999", "Success"],
        ["11:00:00.000", "CustomerNotSubscribed"]
      ] as const) {
        yield* setTime(at(`2026-11-24T${time}Z`))
        assert.deepStrictEqual(yield* statuses, [expected])
      }
    }).pipe(sandboxed)
  )

  const faults: ReadonlyArray<readonly [string, Marketplace.Subscription, RegExp]> = [
    [
      "an unknown customer",
      { customerAWSAccountId: unknownAccount, productCode: analytics },
      /no customer 999999999999/
    ],
    ["an unknown product", { customerAWSAccountId: acme, productCode: "x" }, /no product x/],
    [
      "an end before the beginning",
      {
        customerAWSAccountId: acme,
        productCode: analytics,
        startsAt: at("2026-11-24T11:00:00Z"),
        endsAt: at("2026-11-24T10:00:00Z")
      },
      /ends before it begins/
    ],
    [
      "a license that is taken",
      { customerAWSAccountId: acme, productCode: analytics, licenseArn: globexLicense },
      /license arn:\S+ is taken/
    ]
  ]
  for (const [fault, subscription, reason] of faults) {
    it.effect(`rejects ${fault}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip((yield* sandbox).marketplace.subscribe(subscription))
        assert.match(error.message, reason)
      }).pipe(sandboxed)
    )
  }
})

describe("cancel", () => {
  it.effect("the last usage is taken for an hour", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { cancel } = (yield* sandbox).marketplace
      yield* cancel({ customerAWSAccountId: acme, productCode: analytics })
      yield* TestClock.adjust(3_599_999)
      assert.deepStrictEqual(yield* statusesOf([record(recent)]), ["Success"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* statusesOf([record(recent)]), ["CustomerNotSubscribed"])
    }).pipe(sandboxed)
  )

  it.effect("only what is meant, all where nothing is said, and nothing twice", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { cancel } = (yield* sandbox).marketplace
      const cancelled = ({ agreements }: Scenario.Customer) =>
        agreements.map(({ cancelledAt }) => cancelledAt && DateTime.formatIso(cancelledAt))
      assert.deepStrictEqual(
        cancelled(yield* cancel({ customerAWSAccountId: acme, licenseArn: acmeLicense })),
        ["2026-11-24T10:30:00.000Z", undefined]
      )
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(cancelled(yield* cancel({ customerAWSAccountId: acme })), [
        "2026-11-24T10:30:00.000Z",
        "2026-11-24T10:40:00.000Z"
      ])
      const error = yield* Effect.flip(cancel({ customerAWSAccountId: acme }))
      assert.match(error.message, /no agreement for any product/)
    }).pipe(sandboxed)
  )

  it.effect("an agreement that has not begun never takes usage", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { cancel, subscribe } = (yield* sandbox).marketplace
      const account = { customerAWSAccountId: "444455556666" }
      const startsAt = at("2026-11-24T11:00:00Z")
      yield* subscribe({ ...account, productCode: analytics, startsAt })
      yield* cancel(account)
      for (const time of [now, "2026-11-24T11:00:00Z", "2026-11-24T11:29:00Z"]) {
        yield* setTime(time)
        assert.deepStrictEqual(yield* statusesOf([record(recent, account)]), [
          "CustomerNotSubscribed"
        ])
      }
    }).pipe(sandboxed)
  )

  const faults: ReadonlyArray<readonly [string, Marketplace.AgreementSelector, RegExp]> = [
    ["an unknown customer", { customerIdentifier: "x" }, /no customer x/],
    [
      "two in one",
      { customerAWSAccountId: acme, customerIdentifier: "cust-globex" },
      /no customer 111122223333 with the identifier cust-globex/
    ],
    ["what it does not have", { customerAWSAccountId: acme, productCode: "x" }, /agreement for x/],
    [
      "another's license",
      { customerAWSAccountId: acme, licenseArn: globexLicense },
      /no agreement for arn/
    ],
    ["an unknown license", { licenseArn: "arn:aws:x" }, /no customer with such an agreement/]
  ]
  for (const [fault, which, reason] of faults) {
    it.effect(`rejects ${fault}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip((yield* sandbox).marketplace.cancel(which))
        assert.match(error.message, reason)
      }).pipe(sandboxed)
    )
  }
})

describe("the default customer", () => {
  it.effect(
    "is the first of the scenario with such an agreement, then one that was added later",
    () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const { addCustomer, cancel, subscribe } = (yield* sandbox).marketplace
        assert.strictEqual(yield* tokenLicense(), acmeLicense)
        assert.strictEqual(yield* tokenLicense({ licenseArn: globexLicense }), globexLicense)
        yield* addCustomer({ customerAWSAccountId: "000000000001" })
        const { licenseArn = "" } = yield* subscribe({
          customerAWSAccountId: "000000000001",
          productCode: analytics
        })
        // an account that sorts before it does not come before it
        assert.strictEqual(yield* tokenLicense({ productCode: analytics }), acmeLicense)
        assert.strictEqual(yield* tokenLicense({ licenseArn }), licenseArn)
        const { customerAWSAccountId } = yield* cancel({ licenseArn })
        assert.strictEqual(customerAWSAccountId, "000000000001")
      }).pipe(sandboxed)
  )

  it.effect("a token is for an agreement that has not ended, where there is one", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const {
        control: { advance },
        marketplace: { cancel, subscribe }
      } = yield* sandbox
      const account = { customerAWSAccountId: "333344445555" }
      const first = yield* tokenLicense(account)
      yield* cancel(account)
      yield* advance("1 hour")
      assert.strictEqual(yield* tokenLicense(account), first)
      const { licenseArn } = yield* subscribe({ ...account, productCode: analytics })
      assert.strictEqual(yield* tokenLicense(account), licenseArn)
    }).pipe(sandboxed)
  )
})

describe("suspend and resume", () => {
  it.effect("say how the customer is", () =>
    Effect.gen(function* () {
      const { resume, suspend } = (yield* sandbox).marketplace
      assert.isTrue((yield* suspend({ customerAWSAccountId: acme })).suspended)
      assert.isTrue((yield* suspend({ customerAWSAccountId: acme })).suspended)
      assert.isFalse((yield* resume({ customerIdentifier: "cust-acme" })).suspended)
    }).pipe(sandboxed)
  )

  it.effect("a suspended account is entitled to nothing", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { suspend } = (yield* sandbox).marketplace
      yield* suspend({ customerAWSAccountId: acme })
      const client = yield* MeteringClient
      const meter = yield* Effect.flip(
        client.meterUsage({
          productCode: container,
          timestamp: recent,
          usageDimension: "pods",
          usageQuantity: 1
        })
      )
      const register = yield* Effect.flip(
        client.registerUsage({ productCode: container, publicKeyVersion: 1 })
      )
      assert.deepStrictEqual(
        [meter._tag, register._tag],
        ["CustomerNotEntitledException", "CustomerNotEntitledException"]
      )
    }).pipe(sandboxed)
  )

  it.effect("reject no customer", () =>
    Effect.gen(function* () {
      const { resume, suspend } = (yield* sandbox).marketplace
      const who = { customerAWSAccountId: unknownAccount }
      const errors = yield* Effect.all([Effect.flip(suspend(who)), Effect.flip(resume(who))])
      for (const { message } of errors) assert.match(message, /no customer 999999999999/)
    }).pipe(sandboxed)
  )
})

describe("the calendar", () => {
  it.effect("ends with the year 9999, and stays where it was when it is to go further", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const {
        control: { advance, load, now: time, save, setTime: set },
        marketplace: { cancel, subscribe }
      } = yield* sandbox
      for (const beyond of [
        advance(Number.POSITIVE_INFINITY),
        advance("9000000 days"),
        set(DateTime.unsafeMake(at("9999-12-31T23:59:59.999Z").epochMillis + 1)),
        set(DateTime.unsafeMake(-1e15))
      ]) {
        const error = yield* Effect.flip(beyond)
        assert.strictEqual(error._tag, "SandboxError")
        assert.match(error.message, /years from 0 to 9999/)
      }
      assert.deepStrictEqual(yield* time, at(now))
      for (const edge of ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"]) {
        yield* set(at(edge))
        yield* subscribe({ customerAWSAccountId: acme, productCode: analytics })
        yield* cancel({ customerAWSAccountId: acme })
        yield* load(yield* save)
        assert.deepStrictEqual(yield* time, at(edge))
      }
    }).pipe(sandboxed)
  )

  const iso = Effect.flatMap(sandbox, (sandbox) =>
    Effect.map(sandbox.control.now, DateTime.formatIso)
  )

  it.effect("follows the clock, from where it was set or put ahead", () =>
    Effect.gen(function* () {
      const { advance, setTime: set } = (yield* sandbox).control
      yield* setTime(now)
      assert.strictEqual(yield* iso, "2026-11-24T10:30:00.000Z")
      yield* set(at("2027-01-01T05:59:59.999Z"))
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* iso, "2027-01-01T06:00:00.000Z")
      assert.strictEqual(DateTime.formatIso(yield* advance("1 day")), "2027-01-02T06:00:00.000Z")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* iso, "2027-01-02T07:00:00.000Z")
    }).pipe(sandboxed)
  )

  it.effect("begins where the scenario says, and goes on from there", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* iso, "2026-02-28T23:59:59.999Z")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* iso, "2026-03-01T00:00:00.000Z")
    }).pipe(Effect.provide(MeteringSandbox.layer({ now: at("2026-02-28T23:59:59.999Z") })))
  )

  it.effect("decides what is too late", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { advance } = (yield* sandbox).control
      const usage = [record(at("2026-11-24T10:30:00Z"))]
      yield* advance(24 * 60 * 60 * 1000 - 1)
      assert.deepStrictEqual(yield* statusesOf(usage), ["Success"])
      yield* advance(1)
      assert.strictEqual(yield* statusesOf(usage), "TimestampOutOfBoundsException")
    }).pipe(sandboxed)
  )
})

describe("reset", () => {
  it.effect(
    "is back at the scenario in everything but the clock, and goes on as a new one does",
    () =>
      Effect.gen(function* () {
        const options: MeteringSandbox.Options = {
          now: at(now),
          faults: { script: [{ fault: "throttling", operation: "BatchMeterUsage" }], seed: 3 },
          quotas: { BatchMeterUsage: 2 }
        }
        const life = Effect.gen(function* () {
          const usage = record(recent)
          const tokens = yield* Effect.all([tokenLicense(), tokenLicense()])
          return [
            tokens,
            yield* statusesOf([usage]),
            yield* statusesOf([usage]),
            yield* statusesOf([usage]),
            yield* statusesOf([usage]),
            yield* billed,
            yield* (yield* sandbox).marketplace.customers
          ]
        })
        const first = yield* Effect.provide(life, MeteringSandbox.layer(options))
        yield* Effect.gen(function* () {
          const {
            control: { advance, reset, setFaults },
            marketplace: { cancel, suspend },
            report: { log }
          } = yield* sandbox
          yield* life
          yield* suspend({ customerAWSAccountId: acme })
          yield* cancel({ customerIdentifier: "cust-globex" })
          yield* advance("3 days")
          yield* setFaults({ chances: [{ fault: "internalError", probability: 1 }] })
          yield* Effect.ignore(batch([record(recent)]))
          yield* reset
          assert.deepStrictEqual(yield* log, [])
          assert.deepStrictEqual(yield* life, first)
        }).pipe(Effect.provide(MeteringSandbox.layer(options)))
      })
  )
})
