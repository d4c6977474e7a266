import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import * as jose from "jose"
import * as Entitlement from "../../../../src/Entitlement.js"
import { MeteringClient } from "../../../../src/MeteringClient.js"
import { MeteringSandbox } from "../../../../src/sandbox/index.js"
import { acme, at, container, setTime } from "../../support.js"

const now = "2026-11-24T10:30:00Z"
const rotation = at(now)

const scenario = {
  products: [
    {
      code: container,
      dimensions: [],
      publicKeyVersions: [{ version: 1, rotationTimestamp: rotation }, { version: 2 }]
    },
    { code: "elsewhere", dimensions: [], region: "eu-west-1" },
    { code: "one-version", dimensions: [] },
    { code: "unbought", dimensions: [] }
  ],
  customers: [
    {
      customerAWSAccountId: acme,
      agreements: [
        { productCode: container },
        { productCode: "elsewhere" },
        { productCode: "one-version" }
      ]
    }
  ]
} satisfies MeteringSandbox.Options

const onPlatform = (supportedPlatform: boolean): MeteringSandbox.Options => ({
  ...scenario,
  caller: { customerAWSAccountId: acme, instanceId: "i-1", supportedPlatform }
})

const register = (productCode: string, publicKeyVersion: number, nonce?: string) =>
  Effect.flatMap(MeteringClient, (client) =>
    client.registerUsage({ productCode, publicKeyVersion, ...(nonce !== undefined && { nonce }) })
  )

const outcome = (productCode: string, publicKeyVersion = 1) =>
  Effect.match(register(productCode, publicKeyVersion), {
    onFailure: ({ _tag }) => _tag as string,
    onSuccess: () => "registered"
  })

const verified = (signature: string, pem: string) =>
  Effect.promise(async () =>
    jose.jwtVerify(signature, await jose.importSPKI(pem, "PS256"), { algorithms: ["PS256"] })
  )

describe("the signature", () => {
  it.effect("is a JWT, PS256, of what was asked, that the public key verifies", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const { publicKeyRotationTimestamp, signature = "" } = yield* register(container, 2, "n-1")
      assert.isUndefined(publicKeyRotationTimestamp)
      const pem = yield* sandbox.report.publicKey
      const { payload } = yield* verified(signature, pem)
      assert.deepStrictEqual(payload, {
        productCode: container,
        publicKeyVersion: 2,
        nonce: "n-1",
        iat: at(now).epochMillis / 1000
      })
      const bare = yield* register(container, 2)
      assert.notProperty(jose.decodeJwt(bare.signature ?? ""), "nonce")
      assert.strictEqual(yield* sandbox.report.publicKey, pem)
    }).pipe(Effect.provide(MeteringSandbox.layer(scenario)))
  )

  it.effect("is dated by the clock, not by the calendar", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      yield* sandbox.control.setTime(at("2030-01-01T00:00:00Z"))
      const { signature = "" } = yield* register(container, 2)
      assert.strictEqual(jose.decodeJwt(signature).iat, at(now).epochMillis / 1000)
    }).pipe(Effect.provide(MeteringSandbox.layer(scenario)))
  )

  it.effect("is one that the library's own verifier takes", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const nonce = "n-2"
      const { signature } = yield* register(container, 2, nonce)
      const claims = yield* Entitlement.verify(signature, {
        publicKey: yield* sandbox.report.publicKey,
        publicKeyVersion: 2,
        productCode: container,
        nonce
      })
      assert.strictEqual(claims.productCode, container)
    }).pipe(Effect.provide(MeteringSandbox.layer(scenario)))
  )

  it.effect("the key outlives a reset, and goes with what is saved", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const fresh = Effect.provide(MeteringSandbox.layer(scenario))
      const first = yield* Effect.gen(function* () {
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        const { signature = "" } = yield* register(container, 2)
        const pem = yield* sandbox.report.publicKey
        yield* sandbox.control.reset
        assert.strictEqual(yield* sandbox.report.publicKey, pem)
        return { signature, pem, saved: yield* sandbox.control.save }
      }).pipe(fresh)
      yield* Effect.gen(function* () {
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        // it has had a key of its own before
        const own = yield* sandbox.report.publicKey
        assert.notStrictEqual(own, first.pem)
        yield* sandbox.control.load(first.saved)
        assert.strictEqual(yield* sandbox.report.publicKey, first.pem)
        const { signature = "" } = yield* register(container, 2)
        yield* verified(signature, first.pem)
        yield* verified(first.signature, yield* sandbox.report.publicKey)
      }).pipe(fresh)
    })
  )

  it.effect("what was saved without a key leaves the key that there is", () =>
    Effect.gen(function* () {
      const fresh = Effect.provide(MeteringSandbox.layer(scenario))
      const sandbox = MeteringSandbox.MeteringSandbox
      const saved = yield* Effect.flatMap(sandbox, ({ control }) => control.save).pipe(fresh)
      yield* Effect.gen(function* () {
        const {
          control: { load },
          report: { publicKey }
        } = yield* sandbox
        const before = yield* publicKey
        yield* load(saved)
        assert.strictEqual(yield* publicKey, before)
      }).pipe(fresh)
    })
  )

  it.effect("concurrent readers get the same key", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const keys = yield* Effect.all(
        Array.from({ length: 5 }, () => sandbox.report.publicKey),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(keys).size, 1)
    }).pipe(Effect.provide(MeteringSandbox.layer(scenario)))
  )
})

it.effect("returns when a key version was rotated, from that time on", () =>
  Effect.gen(function* () {
    const sandbox = yield* MeteringSandbox.MeteringSandbox
    yield* sandbox.control.setTime(DateTime.subtract(rotation, { millis: 1 }))
    assert.notProperty(yield* register(container, 1), "publicKeyRotationTimestamp")
    yield* sandbox.control.setTime(rotation)
    const { publicKeyRotationTimestamp } = yield* register(container, 1)
    assert.deepStrictEqual(publicKeyRotationTimestamp, rotation)
    assert.notProperty(yield* register(container, 2), "publicKeyRotationTimestamp")
  }).pipe(Effect.provide(MeteringSandbox.layer(scenario)))
)

describe("rejected calls", () => {
  const cases: ReadonlyArray<readonly [rule: string, string, number, string]> = [
    ["an unknown product", "nobodys", 1, "InvalidProductCodeException"],
    ["another Region", "elsewhere", 1, "InvalidRegionException"],
    ["an unknown version", container, 3, "InvalidPublicKeyVersionException"],
    ["version 2 without configured versions", "one-version", 2, "InvalidPublicKeyVersionException"],
    ["no agreement", "unbought", 1, "CustomerNotEntitledException"]
  ]
  for (const [rule, productCode, version, tag] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(register(productCode, version))
        assert.strictEqual(error._tag, tag)
        assert.deepInclude(error, { operation: "RegisterUsage", statusCode: 400 })
      }).pipe(Effect.provide(MeteringSandbox.layer(scenario)))
    )
  }

  it.effect("version 0, where the client does not look", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* outcome(container, 0), "InvalidPublicKeyVersionException")
    }).pipe(Effect.provide(MeteringSandbox.layer({ ...scenario, skipRules: ["publicKeyVersion"] })))
  )

  it.effect("has version 1 without configured versions", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* outcome("one-version"), "registered")
    }).pipe(Effect.provide(MeteringSandbox.layer(scenario)))
  )
})

describe("once for every instance, task or pod", () => {
  it.effect("a platform is judged, and before the entitlement", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* outcome(container), "PlatformNotSupportedException")
      assert.strictEqual(yield* outcome("unbought"), "PlatformNotSupportedException")
      // the others are judged at every call, and first
      assert.strictEqual(yield* outcome(container, 3), "InvalidPublicKeyVersionException")
    }).pipe(Effect.provide(MeteringSandbox.layer(onPlatform(false))))
  )

  it.effect("a registered customer stays registered when the agreement ends", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      assert.strictEqual(yield* outcome(container), "registered")
      yield* sandbox.marketplace.cancel({ customerAWSAccountId: acme })
      yield* sandbox.control.advance("1 hour")
      assert.strictEqual(yield* outcome(container), "registered")
      // another product, and so another first call
      assert.strictEqual(yield* outcome("one-version"), "CustomerNotEntitledException")
      // the version is judged at every call
      assert.strictEqual(yield* outcome(container, 3), "InvalidPublicKeyVersionException")
    }).pipe(Effect.provide(MeteringSandbox.layer(onPlatform(true))))
  )

  it.effect("a rejected customer is checked again", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      assert.strictEqual(yield* outcome("unbought"), "CustomerNotEntitledException")
      yield* sandbox.marketplace.subscribe({ customerAWSAccountId: acme, productCode: "unbought" })
      assert.strictEqual(yield* outcome("unbought"), "registered")
    }).pipe(Effect.provide(MeteringSandbox.layer(onPlatform(true))))
  )

  it.effect("another instance of the same account is judged for itself", () =>
    Effect.gen(function* () {
      const saved = yield* Effect.gen(function* () {
        yield* outcome(container)
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        yield* sandbox.marketplace.cancel({ customerAWSAccountId: acme })
        yield* sandbox.control.advance("1 hour")
        return yield* sandbox.control.save
      }).pipe(Effect.provide(MeteringSandbox.layer(onPlatform(true))))
      for (const [instanceId, expected] of [
        ["i-1", "registered"],
        ["i-2", "CustomerNotEntitledException"]
      ] as const) {
        yield* Effect.gen(function* () {
          const sandbox = yield* MeteringSandbox.MeteringSandbox
          yield* sandbox.control.load(saved)
          assert.strictEqual(yield* outcome(container), expected)
        }).pipe(
          Effect.provide(
            MeteringSandbox.layer({
              ...scenario,
              caller: { customerAWSAccountId: acme, instanceId }
            })
          )
        )
      }
    })
  )
})
