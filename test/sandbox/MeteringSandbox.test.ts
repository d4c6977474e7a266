import { assert, describe, it } from "@effect/vitest"
import { Cause, DateTime, Effect, Exit, Option, Redacted } from "effect"
import { MeteringClient } from "../../src/MeteringClient.js"
import { MeteringSandbox, Scenario } from "../../src/sandbox/index.js"
import {
  acme,
  acmeLicense,
  analytics,
  at,
  batch,
  billed,
  record,
  setTime,
  statusesOf
} from "./support.js"

const sandboxed = Effect.provide(MeteringSandbox.layer())
const now = "2026-11-24T10:30:00Z"
const resolve = (registrationToken: Redacted.Redacted) =>
  Effect.flatMap(MeteringClient, (client) => client.resolveCustomer({ registrationToken }))

describe("MeteringSandbox", () => {
  it.effect("counts processed calls, not those with invalid input", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      yield* batch([record(at(now))])
      yield* Effect.ignore(batch([record(at(now))], "unknown"))
      yield* Effect.ignore(batch([record(at(now), { quantity: -1 })]))
      assert.deepStrictEqual(yield* sandbox.report.callCounts, {
        MeterUsage: 0,
        BatchMeterUsage: 2,
        RegisterUsage: 0,
        ResolveCustomer: 0,
        GetEntitlements: 0
      })
    }).pipe(sandboxed)
  )

  it.effect("reset clears usage, tokens and calls", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const token = yield* sandbox.marketplace.mintToken()
      yield* batch([record(at(now))])
      yield* sandbox.control.reset
      assert.deepStrictEqual(yield* billed, [])
      assert.strictEqual((yield* sandbox.report.callCounts).BatchMeterUsage, 0)
      assert.strictEqual((yield* Effect.flip(resolve(token)))._tag, "InvalidTokenException")
    }).pipe(sandboxed)
  )

  it.effect("a metering record contains the sent usage", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const timestamp = at("2026-11-24T09:59:59.999Z")
      const { results } = yield* batch([record(timestamp, { licenseArn: acmeLicense })], null)
      assert.deepStrictEqual(yield* sandbox.report.records, [
        {
          meteringRecordId: results[0]?.meteringRecordId ?? "",
          operation: "BatchMeterUsage",
          productCode: analytics,
          licenseArn: acmeLicense,
          customerAWSAccountId: acme,
          dimension: "api-calls",
          hour: DateTime.unsafeMake("2026-11-24T09:00:00Z"),
          timestamp,
          quantity: 1
        }
      ])
    }).pipe(sandboxed)
  )

  it.effect("sandboxes are independent of each other", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const outcomes = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => index),
        (index) =>
          Effect.gen(function* () {
            const sandbox = yield* MeteringSandbox.MeteringSandbox
            yield* sandbox.control.advance(`${index} seconds`)
            yield* sandbox.control.setFaults({ script: [{ fault: "none", times: index + 1 }] })
            yield* sandbox.marketplace.suspend({ customerIdentifier: "cust-globex" })
            yield* Effect.yieldNow()
            yield* batch([record(at(now), { quantity: index })])
            const token = yield* sandbox.marketplace.mintToken()
            yield* Effect.yieldNow()
            const { requestId } = yield* resolve(token)
            return {
              requestId,
              calls: yield* sandbox.report.callCounts,
              now: (yield* sandbox.control.now).epochMillis - at(now).epochMillis,
              billed: (yield* sandbox.report.billed).map((one) => one.quantity)
            }
          }).pipe(sandboxed),
        { concurrency: "unbounded" }
      )
      for (const [index, outcome] of outcomes.entries()) {
        assert.deepStrictEqual(outcome, {
          requestId: "sandbox-000000000002",
          calls: {
            MeterUsage: 0,
            BatchMeterUsage: 1,
            RegisterUsage: 0,
            ResolveCustomer: 1,
            GetEntitlements: 0
          },
          now: index * 1000,
          billed: [index]
        })
      }
      // the shared default scenario is unchanged
      assert.deepStrictEqual(
        yield* statusesOf([record(at(now), { customerIdentifier: "cust-globex" })]),
        ["Success"]
      )
    }).pipe(sandboxed)
  )
})

describe("an invalid scenario is a defect of the layer", () => {
  const [product] = Scenario.defaultScenario.products
  const customer = { customerAWSAccountId: acme, agreements: [] }
  const cases: ReadonlyArray<readonly [MeteringSandbox.Options, RegExp]> = [
    [{ products: [product, product], customers: [] }, /product sandbox-analytics twice/],
    [{ customers: [customer, customer] }, /customer account 111122223333 twice/],
    [
      {
        customers: ["1", "2"].map((customerAWSAccountId) => ({
          customerAWSAccountId,
          customerIdentifier: "same",
          agreements: []
        }))
      },
      /customer identifier same twice/
    ],
    [
      {
        customers: ["1", "2"].map((customerAWSAccountId) => ({
          customerAWSAccountId,
          agreements: [{ productCode: analytics, licenseArn: acmeLicense }]
        }))
      },
      /license arn:aws:.* twice/
    ],
    [
      { customers: [{ ...customer, agreements: [{ productCode: "other" }] }] },
      /agreement for other, which is not a product/
    ],
    [{ caller: { customerAWSAccountId: "1", instanceId: "i-1" } }, /caller 1 is not a customer/],
    [
      {
        credentials: [
          {
            accessKeyId: "a",
            secretAccessKey: Redacted.make("b"),
            caller: { customerAWSAccountId: "2", instanceId: "i-1" }
          }
        ]
      },
      /caller 2 is not a customer/
    ],
    [
      {
        credentials: [
          { accessKeyId: "a", secretAccessKey: Redacted.make("b") },
          { accessKeyId: "a", secretAccessKey: Redacted.make("c") }
        ]
      },
      /access key a twice/
    ],
    [
      {
        customers: [
          {
            customerAWSAccountId: acme,
            agreements: [
              { productCode: analytics, licenseArn: acmeLicense },
              { productCode: analytics, licenseArn: acmeLicense }
            ]
          }
        ]
      },
      /license arn:aws:.* twice/
    ]
  ]
  for (const [options, reason] of cases) {
    it.effect(String(reason), () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Effect.provide(Effect.void, MeteringSandbox.layer(options)))
        const defect = Exit.causeOption(exit).pipe(
          Option.flatMap(Cause.dieOption),
          Option.getOrUndefined
        )
        assert.instanceOf(defect, Scenario.ScenarioError)
        assert.match(defect.message, reason)
      })
    )
  }
})
