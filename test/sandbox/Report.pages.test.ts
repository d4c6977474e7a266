/** Pages of long lists, and the capacity of a sandbox. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, FastCheck } from "effect"
import { BatchMeterUsageRequest } from "../../src/BatchMeterUsage.js"
import { MeteringSandbox, Scenario } from "../../src/sandbox/index.js"
import { initial } from "../../src/sandbox/internal/model/state.js"
import { handleCall } from "../../src/sandbox/internal/runtime/handleCall.js"
import { UsageRecord } from "../../src/UsageRecord.js"
import { acme, analytics, at, batch, record, setTime } from "./support.js"

const sandbox = MeteringSandbox.MeteringSandbox

const now = at("2026-11-24T10:30:00Z")

/** Meters two dimensions for a number of hours, by product and by license. */
const metered = (hours: number) =>
  Effect.gen(function* () {
    yield* setTime("2026-11-24T10:30:00Z")
    for (const more of [
      {},
      { licenseArn: Scenario.defaultScenario.customers[0].agreements[0].licenseArn }
    ]) {
      for (let hour = 0; hour < hours; hour++) {
        const timestamp = DateTime.subtract(now, { hours: hour })
        yield* batch(
          [
            record(timestamp, more),
            record(timestamp, { ...more, dimension: "seats", quantity: 5 })
          ],
          "licenseArn" in more ? null : analytics
        )
      }
    }
  })

it.effect.prop(
  "pages of any size contain the whole list, in order",
  [FastCheck.integer({ min: 1, max: 30 })],
  ([limit]) =>
    Effect.gen(function* () {
      yield* metered(6)
      const { billed, billedPage, records, recordsPage } = (yield* sandbox).report
      const [allBilled, allRecords] = [yield* billed, yield* records]
      assert.lengthOf(allBilled, 12)
      assert.lengthOf(allRecords, 24)
      const pagesOf = <A, Page extends { readonly next?: string | undefined }>(
        get: (after: string | undefined) => Effect.Effect<Page, MeteringSandbox.SandboxError>,
        entriesOf: (page: Page) => ReadonlyArray<A>
      ) =>
        Effect.gen(function* () {
          const found: Array<A> = []
          let after: string | undefined
          do {
            const page = yield* get(after)
            assert.isAtMost(entriesOf(page).length, limit)
            found.push(...entriesOf(page))
            after = page.next
          } while (after !== undefined)
          return found
        })
      assert.deepStrictEqual(
        yield* pagesOf(
          (after) => recordsPage({ limit, after }),
          ({ records }) => records
        ),
        allRecords
      )
      assert.deepStrictEqual(
        yield* pagesOf(
          (after) => billedPage({ limit, after }),
          ({ billed }) => billed
        ),
        allBilled
      )
      // usage that sorts before the next page does not shift it
      const first = yield* recordsPage({ limit: 10 })
      yield* batch([record(now, { dimension: "aaa" }), record(now, { dimension: "events" })])
      const second = yield* recordsPage({ limit: 1, after: first.next })
      assert.notDeepEqual(second.records[0], first.records[9])
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          products: [{ code: analytics, dimensions: ["aaa", "api-calls", "events", "seats"] }],
          customers: [
            {
              ...Scenario.defaultScenario.customers[0],
              agreements: [Scenario.defaultScenario.customers[0].agreements[0]]
            }
          ]
        })
      )
    ),
  { fastCheck: { numRuns: 10 } }
)

describe("an invalid page", () => {
  for (const options of [
    { limit: 0 },
    { limit: 1.5 },
    { limit: 10_001 },
    { after: "" },
    { after: "x" },
    { after: "WzFd" }
  ]) {
    it.effect(`is rejected: ${JSON.stringify(options)}`, () =>
      Effect.gen(function* () {
        const { billedPage, recordsPage } = (yield* sandbox).report
        for (const page of [
          Effect.asVoid(billedPage(options)),
          Effect.asVoid(recordsPage(options))
        ]) {
          const error = yield* Effect.flip(page)
          assert.match(error.message, /^(limit|after): expected/)
        }
      }).pipe(Effect.provide(MeteringSandbox.layer()))
    )
  }
})

it("a full sandbox rejects usage with ServiceQuotaExceededException", () => {
  const clock = now.epochMillis
  let state = initial(Scenario.defaultScenario, clock, 4000)
  const call = (dimension: string, hour: number) => {
    const request = BatchMeterUsageRequest.make({
      productCode: analytics,
      usageRecords: [
        UsageRecord.make({
          timestamp: DateTime.subtract(now, { hours: hour }),
          dimension,
          quantity: 1,
          customerAWSAccountId: acme
        })
      ]
    })
    const [outcome, next] = handleCall(state, {
      incoming: { requestId: "sandbox-1", operation: "BatchMeterUsage" },
      callerIdentity: { signature: "inMemory" },
      operation: "BatchMeterUsage",
      request,
      clock,
      skew: undefined
    })
    state = next
    return outcome?.response
  }
  const responses = Array.from({ length: 20 }, (_, hour) => call("seats", hour))
  const stored = state.metered.size
  assert.isAbove(stored, 5)
  assert.isBelow(stored, 12)
  const last = responses.at(-1)
  assert.strictEqual(last?._tag, "Left")
  if (last?._tag !== "Left") return
  assert.strictEqual(last.left.status, 400)
  assert.match(last.left.body, /#ServiceQuotaExceededException/)
  assert.match(last.left.body, new RegExp(`The sandbox is full: its ${stored} metering records`))
})
