import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { MeteringClient } from "effect-marketplace-metering"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import { missingRecords } from "../../../src/internal/protocol/missingRecords.js"
import { clientLayer } from "../../support/client.js"
import { productCode, record } from "../../support/operations.js"
import { stubHttp } from "../../support/stubHttp.js"

const of = (quantity: number, dimension = "api-calls") =>
  UsageRecord.make({ ...record, quantity, dimension })

const withoutIdentity = (quantity: number, dimension: string) => {
  const { customerAWSAccountId: _, ...fields } = record
  return new UsageRecord.UsageRecord({ ...fields, quantity, dimension }, true)
}

const result = (usageRecord: UsageRecord.UsageRecord | undefined, status: string | undefined) =>
  new UsageRecord.UsageRecordResult({ usageRecord, status })

const response = (
  results: ReadonlyArray<UsageRecord.UsageRecordResult>,
  unprocessedRecords: ReadonlyArray<UsageRecord.UsageRecord> = [],
  unreadable: ReadonlyArray<unknown> = []
) => ({ results, unprocessedRecords, unreadable })

describe("the records that a response does not account for", () => {
  const sent = [of(1, "a"), of(2, "b"), of(3, "c")]
  const [a, b, c] = sent as [
    UsageRecord.UsageRecord,
    UsageRecord.UsageRecord,
    UsageRecord.UsageRecord
  ]

  it.each<readonly [string, ReturnType<typeof response>, ReadonlyArray<UsageRecord.UsageRecord>]>([
    ["none, in the order of the request", response(sent.map((one) => result(one, "Success"))), []],
    ["none, whatever the status", response(sent.map((one) => result(one, "OnHold"))), []],
    ["none, in any order", response([c, a, b].map((one) => result(one, "Success"))), []],
    ["none that is unprocessed", response([result(b, "Success")], [c, a]), []],
    ["all of an empty response", response([]), sent],
    ["one without a result", response([result(a, "Success"), result(c, "Success")]), [b]],
    [
      "one, when another has two results",
      response([result(a, "Success"), result(a, "Success"), result(c, "Success")]),
      [b]
    ],
    [
      "one whose result has no status",
      response([result(a, "Success"), result(b, undefined), result(c, "Success")]),
      [b]
    ],
    [
      "one whose echo cannot be read",
      response([result(a, "Success"), result(undefined, "Success"), result(c, "Success")]),
      [b]
    ],
    [
      "one whose echo is of another quantity",
      response([result(a, "Success"), result(of(7, "b"), "Success"), result(c, "Success")]),
      [b]
    ],
    [
      "one whose echo names no customer",
      response([
        result(a, "Success"),
        result(withoutIdentity(2, "b"), "Success"),
        result(c, "Success")
      ]),
      [b]
    ],
    ["those that are unreadable", response([result(a, "Success")], [], [{}, {}]), [b, c]]
  ])("are %s", (_, response, missing) => {
    assert.deepStrictEqual(missingRecords(sent, response), missing)
  })

  it("are none of a lone record with a lone result, though its echo cannot be read", () => {
    assert.deepStrictEqual(missingRecords([a], response([result(undefined, "Success")])), [])
    assert.deepStrictEqual(missingRecords([a], response([result(undefined, undefined)])), [a])
    assert.deepStrictEqual(missingRecords([a], response([result(undefined, "Success")], [], [1])), [
      a
    ])
  })

  it("count equal records by their number", () => {
    assert.deepStrictEqual(missingRecords([a, a], response([result(a, "Success")])), [a])
    assert.deepStrictEqual(
      missingRecords([a, a], response([result(a, "Success"), result(a, "Success")])),
      []
    )
  })

  const sixth = FastCheck.shuffledSubarray([0, 1, 2, 3, 4, 5])
  it.prop("are the unmentioned ones, for any part in any order", [sixth, sixth], ([done, put]) => {
    const all = done.length + put.length
    const records = Array.from({ length: 12 }, (_, i) => of(i + 1, `d${i}`))
    const mentioned = [...done, ...put.map((i) => i + 6)]
    const at = (i: number) => records[i] as UsageRecord.UsageRecord
    const missing = missingRecords(
      records,
      response(
        done.map((i) => result(at(i), "Success")),
        put.map((i) => at(i + 6))
      )
    )
    assert.lengthOf(missing, 12 - all)
    assert.deepStrictEqual(
      missing,
      records.filter((_, i) => !mentioned.includes(i))
    )
  })
})

describe("a response", () => {
  it.effect("has them beside its results", () =>
    Effect.gen(function* () {
      const http = stubHttp({
        body: { Results: [], UnprocessedRecords: [] },
        headers: { "x-amzn-requestid": "r-1" }
      })
      const received = yield* MeteringClient.batchMeterUsage({
        productCode,
        usageRecords: [record, { ...record, dimension: "seats" }]
      }).pipe(Effect.provide(clientLayer(http.layer)))
      assert.deepStrictEqual(
        received.missingRecords.map(({ dimension }) => dimension),
        ["api-calls", "seats"]
      )
      assert.isTrue(received.missingRecords.every((one) => one instanceof UsageRecord.UsageRecord))
      assert.deepInclude({ ...received }, { requestId: "r-1", statusCode: 200, results: [] })
    })
  )

  it.effect("of the sandbox accounts for every record, also for those it does not process", () =>
    Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const now = yield* DateTime.now
      const usageRecords = ["api-calls", "seats"].map((dimension) => ({
        ...record,
        timestamp: now,
        dimension
      }))
      for (const share of [0, 0.5, 1]) {
        yield* sandbox.control.setFaults({ script: [{ fault: "unprocessed", share }] })
        const received = yield* MeteringClient.batchMeterUsage({
          productCode: "saas",
          usageRecords
        })
        assert.deepStrictEqual(received.missingRecords, [])
        assert.lengthOf([...received.results, ...received.unprocessedRecords], 2)
      }
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          products: [{ code: "saas", dimensions: ["api-calls", "seats"] }],
          customers: [
            { customerAWSAccountId: "111122223333", agreements: [{ productCode: "saas" }] }
          ]
        })
      )
    )
  )
})
