/** Thousands of agreements. */
import { assert, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { MeteringSandbox } from "../../src/sandbox/index.js"
import { analytics, at } from "./support.js"

const agreements = 4000

const firstEnd = at("2027-12-01T00:00:00Z")

/** Each agreement has five notices and an end. */
const layer = MeteringSandbox.layer({
  products: [{ code: analytics, dimensions: ["api-calls"] }],
  customers: Array.from({ length: agreements }, (_, i) => ({
    customerAWSAccountId: String(100_000_000_000 + i),
    agreements: [{ productCode: analytics, endsAt: DateTime.add(firstEnd, { seconds: i }) }]
  }))
})

it.effect("plans what comes of thousands of agreements in seconds", () =>
  Effect.gen(function* () {
    const { control, marketplace } = yield* MeteringSandbox.MeteringSandbox
    // plans again what lies ahead
    yield* control.setTime(at("1969-01-01T00:00:00Z"))
    assert.lengthOf(yield* marketplace.agreements, agreements)
  }).pipe(Effect.provide(layer))
)
