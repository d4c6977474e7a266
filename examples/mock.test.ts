/** Tests code that meters without a network: a mock has only the operations that it calls. */
import { expect, it } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { MeteringClient, MeterUsage } from "effect-marketplace-metering"

const reportHour = (hour: DateTime.Utc, quantity: number) =>
  MeteringClient.meterUsage({
    productCode: "4v9hm1u3i5p7l3c0",
    timestamp: hour,
    usageDimension: "hosts",
    usageQuantity: quantity
  }).pipe(Effect.map(({ meteringRecordId }) => meteringRecordId))

it.effect("reports the given hour", () => {
  const requests: Array<MeterUsage.Input> = []
  const MeteringMock = Layer.mock(MeteringClient.MeteringClient, {
    meterUsage: (request: MeterUsage.Input) => {
      requests.push(request)
      return Effect.succeed(new MeterUsage.MeterUsageResponse({ meteringRecordId: "record-1" }))
    }
  })
  return Effect.gen(function* () {
    const hour = DateTime.unsafeMake("2026-11-24T10:00:00Z")
    expect(yield* reportHour(hour, 3)).toBe("record-1")
    expect(requests).toMatchObject([{ timestamp: hour, usageQuantity: 3 }])
  }).pipe(Effect.provide(MeteringMock))
})
