import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Accessors from "effect-marketplace-metering/Accessors"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import * as MeterUsage from "effect-marketplace-metering/MeterUsage"
import * as RegisterUsage from "effect-marketplace-metering/RegisterUsage"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import { makeClients } from "../../differential/harness.js"
import { meterUsage, minimalResponse, record } from "../../support/operations.js"

const hour = 3_600_000

const leftOf = <E>(outcome: Either.Either<unknown, E>): E | undefined =>
  Either.isLeft(outcome) ? outcome.left : undefined

/** As `DateTime.addDuration` makes them of durations that are no whole milliseconds. */
const timeOf = (millis: number): DateTime.Utc =>
  millis < 0
    ? DateTime.subtractDuration(DateTime.unsafeMake(0), -millis)
    : DateTime.addDuration(DateTime.unsafeMake(0), millis)

/** Just before a full hour, and anywhere else; after 1970 and before. */
const fractional = FastCheck.oneof(
  FastCheck.tuple(
    FastCheck.integer({ min: -500_000, max: 500_000 }),
    FastCheck.constantFrom(0.0005, 0.001, 0.0515, 0.25, 0.5, 0.999)
  ).map(([hours, before]) => hours * hour - before),
  FastCheck.double({ min: -2e12, max: 2e12, noNaN: true }),
  FastCheck.constant(1795885199999.9485)
).filter((millis) => timeOf(millis).epochMillis === millis)

const fields = { ...record, customerAWSAccountId: "111122223333" } satisfies UsageRecord.Input

describe("a time with a part of a millisecond", () => {
  it.prop(
    "is cut to the millisecond wherever a value is made, in its own hour",
    [fractional],
    ([millis]) => {
      const timestamp = timeOf(millis)
      const whole = Math.floor(millis)
      for (const made of [
        UsageRecord.make({ ...fields, timestamp }),
        new UsageRecord.UsageRecord({ ...fields, timestamp }),
        MeterUsage.make({ ...meterUsage, timestamp }),
        new MeterUsage.MeterUsageRequest({ ...meterUsage, timestamp })
      ]) {
        assert.strictEqual(made.timestamp.epochMillis, whole)
        assert.strictEqual(Math.floor(made.timestamp.epochMillis / hour), Math.floor(millis / hour))
      }
    }
  )

  it.prop("is cut when it is read, and when it is written", [fractional], ([millis]) => {
    const decoded = Schema.decodeUnknownSync(UsageRecord.UsageRecord)({
      Timestamp: millis / 1000,
      Dimension: "d",
      Quantity: 1,
      CustomerIdentifier: "c"
    })
    // seconds have a little less room than milliseconds
    assert.strictEqual(
      Math.floor(decoded.timestamp.epochMillis / hour),
      Math.floor(((millis / 1000) * 1000) / hour)
    )
    assert.isTrue(Number.isInteger(decoded.timestamp.epochMillis))
    const lensed = Accessors.urTimestamp.replace(timeOf(millis), UsageRecord.make(fields))
    assert.strictEqual(
      Schema.encodeSync(UsageRecord.UsageRecord)(lensed).Timestamp,
      Math.floor(millis) / 1000
    )
  })

  it.prop(
    "leaves whole milliseconds as they are",
    [FastCheck.integer({ min: -8e14, max: 8e14 })],
    ([millis]) => {
      const decoded = Schema.decodeUnknownSync(RegisterUsage.RegisterUsageResponse)({
        Signature: "s",
        PublicKeyRotationTimestamp: millis / 1000
      })
      assert.strictEqual(decoded.publicKeyRotationTimestamp?.epochMillis, millis)
    }
  )

  it.effect("is sent as the same whole time by every transport, however it was set", () =>
    Effect.gen(function* () {
      const millis = 1795885199999.9485
      const made = UsageRecord.make(fields)
      const request = {
        productCode: "p",
        usageRecords: [Accessors.urTimestamp.replace(timeOf(millis), made)]
      }
      const rig = makeClients()
      rig.respondWith({ status: 200, headers: {}, body: JSON.stringify(minimalResponse) })
      for (const [who, layer] of rig.ours) {
        const { missingRecords } = yield* Effect.provide(
          MeteringClient.batchMeterUsage(request),
          layer
        )
        assert.strictEqual(missingRecords[0]?.timestamp.epochMillis, 1795885199999, who)
        assert.instanceOf(missingRecords[0], UsageRecord.UsageRecord, who)
      }
      const times = rig.sent().map((body) => JSON.parse(body).UsageRecords[0].Timestamp)
      assert.deepStrictEqual(times, [1795885199.999, 1795885199.999, 1795885199.999])
    })
  )

  it.effect("is billed in its own hour by the sandbox in memory", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const client = yield* MeteringClient.MeteringClient
      const now = yield* DateTime.now
      const full = DateTime.startOf(now, "hour")
      const { results } = yield* client.batchMeterUsage({
        productCode: "sandbox-analytics",
        usageRecords: [
          { ...fields, timestamp: DateTime.subtractDuration(full, 0.25), quantity: 7 },
          { ...fields, timestamp: DateTime.subtractDuration(full, 1), quantity: 7 }
        ]
      })
      assert.deepStrictEqual(
        results.map(({ status }) => status),
        ["Success", "Success"]
      )
      const billed = yield* sandbox.report.billed
      assert.lengthOf(billed, 1)
      assert.strictEqual(billed[0]?.hour.epochMillis, full.epochMillis - hour)
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          products: [{ code: "sandbox-analytics", dimensions: ["api-calls"] }],
          customers: [
            {
              customerAWSAccountId: "111122223333",
              agreements: [{ productCode: "sandbox-analytics" }]
            }
          ]
        })
      )
    )
  )
})

describe("a time beyond the range of dates", () => {
  const wire = { Dimension: "d", Quantity: 1, CustomerIdentifier: "c" }
  const beyond = [8.64e12 + 1, -8.64e12 - 1, 1e300, Number.NaN, Number.POSITIVE_INFINITY]

  it.each(beyond)("is rejected when %d is decoded, without an exception", (Timestamp) => {
    for (const outcome of [
      Schema.decodeUnknownEither(UsageRecord.UsageRecord)({ ...wire, Timestamp }),
      Schema.decodeUnknownEither(MeterUsage.MeterUsageRequest)({
        ProductCode: "p",
        UsageDimension: "d",
        Timestamp
      }),
      Schema.decodeUnknownEither(RegisterUsage.RegisterUsageResponse)({
        PublicKeyRotationTimestamp: Timestamp
      })
    ]) {
      assert.include(leftOf(outcome)?.message ?? "", "the range of dates")
    }
  })

  it("is a violation in a constructor", () => {
    for (const millis of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 8.64e15 + 2]) {
      const timestamp = Object.assign(DateTime.unsafeMake(0), { epochMillis: millis })
      for (const made of [
        UsageRecord.makeEither({ ...fields, timestamp }),
        MeterUsage.makeEither({ ...meterUsage, timestamp })
      ]) {
        assert.deepInclude(leftOf(made)?.violations[0] ?? {}, {
          field: "timestamp",
          rule: "type"
        })
      }
      assert.throws(
        () => new UsageRecord.UsageRecord({ ...fields, timestamp }),
        /the range of dates/
      )
      const known = Accessors.urTimestamp.replace(timestamp, UsageRecord.make(fields))
      assert.isTrue(Either.isLeft(Schema.encodeEither(UsageRecord.UsageRecord)(known)))
    }
  })
})
