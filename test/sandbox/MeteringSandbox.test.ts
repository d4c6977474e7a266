import { assert, describe, it, layer } from "@effect/vitest"
import { Cause, DateTime, Effect, Exit, Option, Redacted, TestClock } from "effect"
import * as jose from "jose"
import { MeteringClient } from "../../src/MeteringClient.js"
import { type Marketplace, MeteringSandbox, Scenario } from "../../src/sandbox/index.js"
import {
  acme,
  acmeLicence,
  analytics,
  at,
  batch,
  billed,
  container,
  record,
  setTime
} from "./support.js"

const sandboxed = Effect.provide(MeteringSandbox.layer())
const now = "2026-11-24T10:30:00Z"
const lifetime = 4 * 60 * 60 * 1000

const resolve = (registrationToken: Redacted.Redacted) =>
  Effect.flatMap(MeteringClient, (client) => client.resolveCustomer({ registrationToken }))

describe("ResolveCustomer", () => {
  it.effect("says who the buyer is, and the same again", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const token = yield* sandbox.mintToken({ customerIdentifier: "cust-acme" })
      for (const requestId of ["sandbox-000000000001", "sandbox-000000000002"]) {
        assert.deepStrictEqual(
          { ...(yield* resolve(token)) },
          {
            customerAWSAccountId: acme,
            customerIdentifier: "cust-acme",
            productCode: analytics,
            licenseArn: acmeLicence,
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
      const anew = yield* resolve(
        yield* sandbox.mintToken({ customerAWSAccountId: "333344445555" })
      )
      assert.notProperty(anew, "customerIdentifier")
      const old = yield* resolve(yield* sandbox.mintToken({ productCode: container }))
      assert.notProperty(old, "licenseArn")
      assert.strictEqual(old.productCode, container)
    }).pipe(sandboxed)
  )

  const ages: ReadonlyArray<readonly [string, number, string]> = [
    ["the last instant of its life", lifetime - 1, "resolved"],
    ["the end of its life", lifetime, "ExpiredTokenException"]
  ]
  for (const [when, age, fate] of ages) {
    it.effect(`at ${when}, a token is ${fate}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        const token = yield* sandbox.mintToken()
        yield* TestClock.adjust(age)
        const answer = yield* Effect.either(resolve(token))
        assert.strictEqual(answer._tag === "Left" ? answer.left._tag : "resolved", fate)
      }).pipe(sandboxed)
    )
  }

  it.effect("the lifetime is an option", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const token = yield* sandbox.mintToken()
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* Effect.flip(resolve(token)))._tag, "ExpiredTokenException")
    }).pipe(
      Effect.provide(MeteringSandbox.layer({ rules: { registrationTokenLifetime: "1 hour" } }))
    )
  )

  it.effect("a token that nobody minted is invalid", () =>
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
        return [yield* sandbox.mintToken(), yield* sandbox.mintToken()].map(Redacted.value)
      })
      const [one, other] = [yield* mint.pipe(sandboxed), yield* mint.pipe(sandboxed)]
      assert.deepStrictEqual(one, other)
      assert.notStrictEqual(one[0], one[1])
    })
  )

  const nobody: ReadonlyArray<readonly [string, Marketplace.Which, RegExp]> = [
    ["an unknown account", { customerAWSAccountId: "1" }, /no customer 1/],
    ["an unknown identifier", { customerIdentifier: "x" }, /no customer x/],
    ["no agreement at all", { customerAWSAccountId: "444455556666" }, /no agreement/],
    [
      "no agreement for it",
      { customerIdentifier: "cust-globex", productCode: container },
      /no agreement/
    ]
  ]
  for (const [who, subscriber, reason] of nobody) {
    it.effect(`there is no token for ${who}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        const error = yield* Effect.flip(sandbox.mintToken(subscriber))
        assert.strictEqual(error._tag, "SandboxError")
        assert.match(error.message, reason)
      }).pipe(sandboxed)
    )
  }
})

describe("behind the scenes", () => {
  it.effect("calls that came through are counted, bad input is not", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      yield* batch([record(at(now))])
      yield* Effect.ignore(batch([record(at(now))], "unknown"))
      yield* Effect.ignore(batch([record(at(now), { quantity: -1 })]))
      assert.deepStrictEqual(yield* sandbox.calls, {
        MeterUsage: 0,
        BatchMeterUsage: 2,
        RegisterUsage: 0,
        ResolveCustomer: 0
      })
    }).pipe(sandboxed)
  )

  it.effect("a reset forgets usage, tokens and calls", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const token = yield* sandbox.mintToken()
      yield* batch([record(at(now))])
      yield* sandbox.reset
      assert.deepStrictEqual(yield* billed, [])
      assert.strictEqual((yield* sandbox.calls).BatchMeterUsage, 0)
      assert.strictEqual((yield* Effect.flip(resolve(token)))._tag, "InvalidTokenException")
    }).pipe(sandboxed)
  )

  it.effect("a record shows what was sent", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const timestamp = at("2026-11-24T09:59:59.999Z")
      const { results } = yield* batch([record(timestamp, { licenseArn: acmeLicence })], null)
      assert.deepStrictEqual(yield* sandbox.records, [
        {
          meteringRecordId: results[0]?.meteringRecordId ?? "",
          operation: "BatchMeterUsage",
          productCode: analytics,
          licenseArn: acmeLicence,
          customerAWSAccountId: acme,
          dimension: "api-calls",
          hour: DateTime.unsafeMake("2026-11-24T09:00:00Z"),
          timestamp,
          quantity: 1
        }
      ])
    }).pipe(sandboxed)
  )

  it.effect("two sandboxes know nothing of each other", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* batch([record(at(now))])
      assert.deepStrictEqual(yield* billed.pipe(sandboxed), [])
      assert.lengthOf(yield* billed, 1)
    }).pipe(sandboxed)
  )
})

describe("a scenario that contradicts itself", () => {
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
          agreements: [{ productCode: analytics, licenseArn: acmeLicence }]
        }))
      },
      /licence arn:aws:.* twice/
    ],
    [
      { customers: [{ ...customer, agreements: [{ productCode: "other" }] }] },
      /agreement for other, which is not a product/
    ],
    [{ caller: { customerAWSAccountId: "1", instanceId: "i-1" } }, /caller 1 is not a customer/]
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

const rotation = at("2026-11-24T10:30:00Z")

// the last, since `layer` changes what `it.effect` means from then on
layer(
  MeteringSandbox.layer({
    products: [
      {
        code: container,
        dimensions: [],
        publicKeyVersions: [{ version: 1, rotationTimestamp: rotation }, { version: 2 }]
      },
      { code: "elsewhere", dimensions: [], region: "eu-west-1" },
      { code: "unbought", dimensions: [] }
    ],
    customers: [
      {
        customerAWSAccountId: acme,
        agreements: [{ productCode: container }, { productCode: "elsewhere" }]
      }
    ]
  })
)("RegisterUsage", (it) => {
  const register = (productCode: string, publicKeyVersion: number, nonce?: string) =>
    Effect.flatMap(MeteringClient, (client) =>
      client.registerUsage({ productCode, publicKeyVersion, ...(nonce !== undefined && { nonce }) })
    )

  it.effect("answers with a JWT, PS256, that the public key verifies", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const { publicKeyRotationTimestamp, signature = "" } = yield* register(container, 2, "n-1")
      assert.isUndefined(publicKeyRotationTimestamp)
      const pem = yield* sandbox.publicKey
      const verified = yield* Effect.promise(async () =>
        jose.jwtVerify(signature, await jose.importSPKI(pem, "PS256"), { algorithms: ["PS256"] })
      )
      assert.deepStrictEqual(verified.payload, {
        productCode: container,
        publicKeyVersion: 2,
        nonce: "n-1",
        iat: at(now).epochMillis / 1000
      })
      const bare = yield* register(container, 2)
      assert.notProperty(jose.decodeJwt(bare.signature ?? ""), "nonce")
      assert.strictEqual(yield* sandbox.publicKey, pem)
    })
  )

  it.effect("tells when a key's version was rotated, from then on", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(rotation.epochMillis - 1)
      assert.notProperty(yield* register(container, 1), "publicKeyRotationTimestamp")
      yield* TestClock.setTime(rotation.epochMillis)
      const { publicKeyRotationTimestamp } = yield* register(container, 1)
      assert.deepStrictEqual(publicKeyRotationTimestamp, rotation)
    })
  )

  const refusals: ReadonlyArray<readonly [string, string, number, string]> = [
    ["an unknown product", "nobodys", 1, "InvalidProductCodeException"],
    ["another Region", "elsewhere", 1, "InvalidRegionException"],
    ["an unknown version", container, 3, "InvalidPublicKeyVersionException"],
    ["no agreement", "unbought", 1, "CustomerNotEntitledException"]
  ]
  for (const [rule, productCode, version, tag] of refusals) {
    it.effect(`refuses ${rule}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(register(productCode, version))
        assert.strictEqual(error._tag, tag)
        assert.deepInclude(error, { operation: "RegisterUsage", statusCode: 400 })
      })
    )
  }
})
