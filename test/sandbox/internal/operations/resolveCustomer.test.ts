import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, TestClock } from "effect"
import { MeteringClient } from "../../../../src/MeteringClient.js"
import { type Marketplace, MeteringSandbox } from "../../../../src/sandbox/index.js"
import { acme, acmeLicense, analytics, container, setTime } from "../../support.js"

const now = "2026-11-24T10:30:00Z"
const lifetime = 4 * 60 * 60 * 1000

const sandboxed = Effect.provide(MeteringSandbox.layer())

const resolve = (registrationToken: Redacted.Redacted) =>
  Effect.flatMap(MeteringClient, (client) => client.resolveCustomer({ registrationToken }))

describe("ResolveCustomer", () => {
  it.effect("says who the buyer is, and the same again", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const token = yield* sandbox.marketplace.mintToken({ customerIdentifier: "cust-acme" })
      for (const requestId of ["sandbox-000000000001", "sandbox-000000000002"]) {
        assert.deepStrictEqual(
          { ...(yield* resolve(token)) },
          {
            customerAWSAccountId: acme,
            customerIdentifier: "cust-acme",
            productCode: analytics,
            licenseArn: acmeLicense,
            requestId,
            statusCode: 200
          }
        )
      }
    }).pipe(sandboxed)
  )

  it.effect("leaves out what a customer does not have", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const newListing = yield* resolve(
        yield* sandbox.marketplace.mintToken({ customerAWSAccountId: "333344445555" })
      )
      assert.notProperty(newListing, "customerIdentifier")
      const old = yield* resolve(yield* sandbox.marketplace.mintToken({ productCode: container }))
      assert.notProperty(old, "licenseArn")
      assert.strictEqual(old.productCode, container)
    }).pipe(sandboxed)
  )

  const ages: ReadonlyArray<readonly [string, number, string]> = [
    ["the last instant of its life", lifetime - 1, "resolved"],
    ["the end of its life", lifetime, "ExpiredTokenException"]
  ]
  for (const [when, age, outcome] of ages) {
    it.effect(`at ${when}, a token is ${outcome}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        const token = yield* sandbox.marketplace.mintToken()
        yield* TestClock.adjust(age)
        const answer = yield* Effect.either(resolve(token))
        assert.strictEqual(answer._tag === "Left" ? answer.left._tag : "resolved", outcome)
      }).pipe(sandboxed)
    )
  }

  const lifetimes = [
    ["1 hour", 3_599_999, "resolved"],
    ["1 hour", 3_600_000, "ExpiredTokenException"],
    [0, 0, "ExpiredTokenException"]
  ] as const
  for (const [registrationTokenLifetime, age, outcome] of lifetimes) {
    it.effect(
      `rule registrationTokenLifetime: ${registrationTokenLifetime}, ${age} ms: ${outcome}`,
      () =>
        Effect.gen(function* () {
          const sandbox = yield* MeteringSandbox.MeteringSandbox
          const token = yield* sandbox.marketplace.mintToken()
          yield* TestClock.adjust(age)
          const answer = yield* Effect.either(resolve(token))
          assert.strictEqual(answer._tag === "Left" ? answer.left._tag : "resolved", outcome)
        }).pipe(Effect.provide(MeteringSandbox.layer({ rules: { registrationTokenLifetime } })))
    )
  }

  it.effect("a token ages by the sandbox's calendar", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const token = yield* sandbox.marketplace.mintToken()
      yield* sandbox.control.advance("4 hours")
      assert.strictEqual((yield* Effect.flip(resolve(token)))._tag, "ExpiredTokenException")
    }).pipe(sandboxed)
  )

  it.effect("a token says the same when its agreement has ended and its buyer is suspended", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const token = yield* sandbox.marketplace.mintToken()
      const { requestId: _, ...before } = yield* resolve(token)
      yield* sandbox.marketplace.cancel({ customerAWSAccountId: acme })
      yield* sandbox.marketplace.suspend({ customerAWSAccountId: acme })
      yield* sandbox.control.advance("2 hours")
      assert.deepInclude(yield* resolve(token), before)
    }).pipe(sandboxed)
  )

  it.effect("an unknown token is invalid", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(resolve(Redacted.make("sandbox-made-up")))
      assert.strictEqual(error._tag, "InvalidTokenException")
      assert.notInclude(error.message, "made-up")
    }).pipe(sandboxed)
  )

  it.effect("tokens differ, and are the same in every sandbox", () =>
    Effect.gen(function* () {
      const mint = Effect.gen(function* () {
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        return [yield* sandbox.marketplace.mintToken(), yield* sandbox.marketplace.mintToken()].map(
          Redacted.value
        )
      })
      const [one, other] = [yield* mint.pipe(sandboxed), yield* mint.pipe(sandboxed)]
      assert.deepStrictEqual(one, other)
      assert.notStrictEqual(one[0], one[1])
    })
  )

  const unknownCustomers: ReadonlyArray<readonly [string, Marketplace.AgreementSelector, RegExp]> =
    [
      ["an unknown account", { customerAWSAccountId: "1" }, /no customer 1/],
      ["an unknown identifier", { customerIdentifier: "x" }, /no customer x/],
      ["no agreement at all", { customerAWSAccountId: "444455556666" }, /no agreement/],
      [
        "no agreement for it",
        { customerIdentifier: "cust-globex", productCode: container },
        /no agreement/
      ]
    ]
  for (const [who, subscriber, reason] of unknownCustomers) {
    it.effect(`there is no token for ${who}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        const error = yield* Effect.flip(sandbox.marketplace.mintToken(subscriber))
        assert.strictEqual(error._tag, "SandboxError")
        assert.match(error.message, reason)
      }).pipe(sandboxed)
    )
  }
})
