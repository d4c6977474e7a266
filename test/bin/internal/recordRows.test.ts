import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Stream } from "effect"
import { MemoryLedgerStore, UsageLedger } from "effect-marketplace-metering/ledger"
import { eventRowSchema } from "../../../src/bin/input/eventRows.js"
import * as parseRows from "../../../src/bin/input/parseRows.js"
import { recordRows } from "../../../src/bin/internal/recordRows.js"
import { settable } from "../../internal/submission/virtualClock.js"
import { account, at, otherAccount, products, start } from "../../ledger/ledgerSupport.js"
import { encode } from "../readRows.js"

const hour = 3_600_000
const arn = "arn:aws:license-manager::111122223333:license:l-1"

const withTags = {
  ...products,
  analytics: { ...products.analytics, region: "us-east-1", tagKeys: ["team"] },
  mirror: { region: "us-east-1", productCode: "mirror-code", dimensions: { calls: {} } }
} as typeof products

/** Customers with one subscription, with two of one dimension, and with a renewal. */
const subscriptions: ReadonlyArray<UsageLedger.Subscription> = [
  { id: "one", product: "analytics", customerAWSAccountId: account },
  { id: "two", product: "analytics", customerAWSAccountId: otherAccount },
  { id: "mirrored", product: "mirror", customerAWSAccountId: otherAccount, licenseArn: arn },
  { id: "old", product: "search", customerIdentifier: "cust-1", until: at(start) },
  { id: "new", product: "search", customerIdentifier: "cust-1", from: at(start), follows: "old" }
].map((one) => ({ from: at(start - 48 * hour), ...one }))

/** The results of rows, and then the sums by subscription's lineage, dimension and hour. */
const recordText = (text: string, format: parseRows.Format = "csv") =>
  Effect.gen(function* () {
    for (const one of subscriptions) yield* UsageLedger.subscribe(one)
    const bytes = Stream.succeed(encode(text))
    const results = yield* recordRows(
      format === "csv"
        ? parseRows.csv(eventRowSchema, bytes, "usage.csv")
        : parseRows.ndjson(eventRowSchema, bytes)
    ).pipe(Stream.runCollect)
    const entries = yield* Stream.runCollect(UsageLedger.entries())
    return {
      results: [...results].map(({ reason, row, status }) =>
        [row.line, status, ...(reason === undefined ? [] : [reason])].join(" ")
      ),
      entries: [...entries].map(
        (entry) =>
          `${entry.lineage} ${entry.dimension} ${DateTime.formatIso(entry.hour).slice(11, 13)} ${entry.recorded}`
      )
    }
  }).pipe(
    Effect.provide(
      UsageLedger.layer({ seller: "acme", target: "sandbox", products: withTags }).pipe(
        Layer.provideMerge(MemoryLedgerStore.layer)
      )
    ),
    Effect.withClock(settable(start).clock)
  )

const head = "id,timestamp,dimension,quantity"

describe("recorded rows", () => {
  it.effect("of one id are recorded once, and rejected with other contents", () =>
    Effect.gen(function* () {
      const { entries, results } = yield* recordText(
        `${head},subscription
a,2026-11-24T09:10:00Z,calls,5,one
a,2026-11-24T09:10:00Z,calls,5,one
a,2026-11-24T09:10:00Z,calls,6,one
,2026-11-24T09:10:00Z,calls,6,one
b,yesterday,calls,6,one
c,2026-11-24T09:10:00Z,calls,1.5,one
d,2026-11-24T09:10:00Z,gb,1.5,one
e,2026-11-24T09:10:00Z,gb,1.000,one
f,2026-11-24T09:10:00Z,gb,0.25,missing
`
      )
      assert.deepStrictEqual(
        results.map((result) => result.split(/[:(]/)[0]),
        [
          "2 Recorded",
          "3 AlreadyRecorded",
          "4 Rejected the event a is recorded with another quantity. Give different usage an id of its own, and correct a quantity by adjust",
          "5 Rejected id",
          "6 Rejected timestamp",
          "7 Rejected quantity",
          "8 Recorded",
          "9 Rejected quantity",
          "10 Rejected there is no subscription missing"
        ]
      )
      assert.deepStrictEqual(entries, ["one calls 09 5", "one gb 09 1.5"])
    })
  )

  it.effect("find the subscription of a customer", () =>
    Effect.gen(function* () {
      const { entries, results } = yield* recordText(
        `${head},customerAWSAccountId,customerIdentifier,licenseArn,productCode
a,2026-11-24T09:10:00Z,calls,1,${account},,,
b,2026-11-24T09:10:00Z,calls,2,${otherAccount},,,
c,2026-11-24T09:10:00Z,calls,3,${otherAccount},,${arn},
d,2026-11-24T09:10:00Z,calls,4,${otherAccount},,,analytics-code
e,2026-11-24T09:10:00Z,gb,5,${otherAccount},,,
f,2026-11-24T09:10:00Z,queries,6,,cust-1,,
g,2026-11-24T10:00:00Z,queries,7,,cust-1,,
h,2026-11-24T09:10:00Z,queries,8,,cust-2,,
i,2026-11-24T09:10:00Z,calls,9,,cust-1,,
j,2026-11-24T09:10:00Z,calls,10,${otherAccount},,aws:license-manager:us-east-1:111122223333:l-1,
`
      )
      const rejected = results.filter((result) => result.includes("Rejected"))
      assert.deepStrictEqual(
        rejected.map((result) => result.split(":")[0]),
        [
          `3 Rejected the customer ${otherAccount} has several subscriptions with calls`,
          "9 Rejected the customer cust-2 has no subscription with queries",
          "10 Rejected the customer cust-1 has no subscription with calls"
        ]
      )
      assert.sameMembers(entries, [
        "one calls 09 1",
        "two calls 09 4",
        "two gb 09 5",
        "mirrored calls 09 13",
        "old queries 09 6",
        "old queries 10 7"
      ])
    })
  )

  it.effect("have tags, or an event for each allocation", () =>
    Effect.gen(function* () {
      const tag = (team: string) => [{ key: "team", value: team }]
      const row = (id: string, others: object) =>
        JSON.stringify({
          id,
          timestamp: "2026-11-24T09:10:00Z",
          dimension: "calls",
          quantity: 3,
          subscription: "one",
          ...others
        })
      const allocated = (quantities: ReadonlyArray<number>) => ({
        usageAllocations: quantities.map((allocatedUsageQuantity, i) => ({
          allocatedUsageQuantity,
          ...(i > 0 && { tags: tag(`t${i}`) })
        }))
      })
      const { entries, results } = yield* recordText(
        [
          row("a", { tags: { team: "blue" } }),
          row("b", allocated([1, 2])),
          row("b", allocated([1, 2])),
          row("b", allocated([2, 1])),
          row("c", allocated([1, 1])),
          row("d", { tags: { team: 1 } }),
          row("e", { ...allocated([3]), tags: { team: "blue" } }),
          row("f", { tags: { shoe: "blue" } }),
          // the same usage without allocations, of another customer too, with a tag twice, and with a huge number
          row("b", {}),
          row("g", { customerAWSAccountId: otherAccount }),
          row("h", {
            usageAllocations: [{ allocatedUsageQuantity: 3, tags: [...tag("x"), ...tag("y")] }]
          }),
          row("i", { usageAllocations: [{ allocatedUsageQuantity: "3e-999999999" }] })
        ].join("\n"),
        "ndjson"
      )
      assert.deepStrictEqual(
        results.map((result) => result.replace(/(: |is recorded).*/, "")),
        [
          "1 Recorded",
          "2 Recorded",
          "3 AlreadyRecorded",
          "4 Rejected the event b ",
          "5 Rejected usageAllocations",
          "6 Rejected tags",
          "7 Rejected tags",
          "8 Rejected tags",
          "9 Rejected the event b ",
          "10 Rejected subscription",
          "11 Rejected usageAllocations",
          "12 Rejected usageAllocations"
        ]
      )
      assert.deepStrictEqual(entries, ["one calls 09 6"])
    })
  )
})
