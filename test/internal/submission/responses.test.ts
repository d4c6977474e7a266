/** Responses with missing, additional or contradictory results. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringRetry from "effect-marketplace-metering/MeteringRetry"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import { decoder } from "../../../src/internal/schema/decodeResponse.js"
import { shapeOf } from "../../../src/internal/schema/shape.js"
import { wireOf } from "./simulation.js"
import {
  accept,
  account,
  at,
  type Call,
  makeResponse,
  record,
  records,
  result,
  stubClient,
  submitAll,
  summaries
} from "./support.js"

const options = { schedule: MeteringRetry.standard, concurrency: 1 }

const echo = (record: UsageRecord.UsageRecord, change: Partial<UsageRecord.Input>) =>
  new UsageRecord.UsageRecord({ ...record, ...change }, true)

const successes = (echoes: ReadonlyArray<UsageRecord.UsageRecord>) => () =>
  Effect.succeed(makeResponse(echoes.map((echo, i) => result(echo, "Success", `id-${i}`))))

/** Decodes a response, which distinguishes absent fields from 0. */
const decodeResponse = (json: object): BatchMeterUsage.BatchMeterUsageResponse => {
  const unreadable: Array<unknown> = []
  const response = decoder(shapeOf(BatchMeterUsage.BatchMeterUsageResponse))(
    JSON.parse(JSON.stringify(json)),
    unreadable,
    { unreadable }
  )
  return response as BatchMeterUsage.BatchMeterUsageResponse
}

const recordCounts = (calls: ReadonlyArray<Call>) => calls.map(({ records }) => records.length)

describe("results", () => {
  it.effect("are matched by content, in any order", () =>
    Effect.gen(function* () {
      const stub = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse(
            [...records]
              .reverse()
              .map((record) =>
                record.quantity % 2 === 0
                  ? result(record)
                  : result(record, "CustomerNotSubscribed", "")
              )
          )
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(4), stub)), [
        "CustomerNotSubscribed",
        "Accepted id-d1",
        "CustomerNotSubscribed",
        "Accepted id-d3"
      ])
    })
  )

  it.effect.each<readonly [string, Partial<UsageRecord.Input>]>([
    ["rounds the time down to the hour", { timestamp: at("2026-11-24T10:00:00Z") }],
    ["adds the other identity", { customerIdentifier: "cust" }],
    ["adds a license", { licenseArn: "arn:aws:license-manager::111122223333:license:l-1" }],
    ["leaves out the allocations", { usageAllocations: undefined }]
  ])("match a record if the echo %s", ([, change]) =>
    Effect.gen(function* () {
      const all = records(3)
      const stub = stubClient(successes(all.map((record) => echo(record, change))))
      assert.deepStrictEqual(summaries(yield* submitAll(all, stub)), [
        "Accepted id-0",
        "Accepted id-1",
        "Accepted id-2"
      ])
      assert.strictEqual(stub.calls.length, 1)
    })
  )

  it.effect.each<readonly [string, Partial<UsageRecord.Input>]>([
    ["another hour", { timestamp: at("2026-11-24T11:15:00Z") }],
    ["another dimension", { dimension: "D1" }],
    ["another quantity", { quantity: 7 }],
    ["a quantity of 0", { quantity: 0 }],
    ["another customer", { customerAWSAccountId: "999999999999" }],
    ["no identity that was sent", { customerAWSAccountId: undefined, customerIdentifier: "c" }]
  ])("do not match if the echo has %s: the record is sent again, then Unknown", ([, change]) =>
    Effect.gen(function* () {
      const all = records(3)
      const stub = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse(records.map((one) => result(one === all[1] ? echo(one, change) : one)))
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(all, stub, options)), [
        "Accepted id-d0",
        "Unknown NoResult",
        "Accepted id-d2"
      ])
      assert.deepStrictEqual(recordCounts(stub.calls), [3, 1, 1])
    })
  )

  it.effect("match without a quantity if they fit one record only", () =>
    Effect.gen(function* () {
      const all = [record(0, { quantity: 7 }), record(1, { quantity: 0 })]
      const stub = stubClient(({ records }) =>
        Effect.succeed(
          decodeResponse({
            Results: records.map((one, i) => ({
              UsageRecord: { ...wireOf(one), Quantity: i === 0 ? undefined : null },
              Status: "Success",
              MeteringRecordId: `id-${i}`
            }))
          })
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(all, stub)), [
        "Accepted id-0",
        "Accepted id-1"
      ])
      assert.strictEqual(stub.calls.length, 1)
    })
  )

  describe("of one customer with both identities are not mixed up", () => {
    const byAccount = record(0, { quantity: 5 })
    const byIdentifier = (quantity: number) => record(0, { quantity, customerIdentifier: "cust" })

    it.effect.each<readonly [string, number, object]>([
      ["has one identity and no quantity", 7, { Quantity: undefined }],
      [
        "has both identities and the quantity of both",
        5,
        { CustomerAWSAccountId: account, CustomerIdentifier: "cust", Quantity: 5 }
      ],
      [
        "has both identities and no quantity",
        7,
        { CustomerAWSAccountId: account, CustomerIdentifier: "cust", Quantity: undefined }
      ],
      ["has another customer", 7, { CustomerAWSAccountId: "9", Quantity: undefined }]
    ])("if the only echo %s", ([, quantity, change]) =>
      Effect.gen(function* () {
        const both = [byAccount, byIdentifier(quantity)]
        // the first response has one result
        const stub = stubClient(
          () =>
            Effect.succeed(
              decodeResponse({
                Results: [
                  {
                    UsageRecord: { ...wireOf(byAccount), ...change },
                    Status: "Success",
                    MeteringRecordId: "ambiguous"
                  }
                ]
              })
            ),
          accept
        )
        assert.deepStrictEqual(summaries(yield* submitAll(both, stub, options)), [
          "Accepted id-d0",
          "Accepted id-d0"
        ])
      })
    )
  })

  it.effect("that are missing are requested again until a success", () =>
    Effect.gen(function* () {
      const stub = stubClient(
        ({ records }) => Effect.succeed(makeResponse(records.slice(1).map((one) => result(one)))),
        accept
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(3), stub, options)), [
        "Accepted id-d0",
        "Accepted id-d1",
        "Accepted id-d2"
      ])
      assert.deepStrictEqual(recordCounts(stub.calls), [3, 1])
    })
  )

  it.effect("that are all missing leave every record Unknown", () =>
    Effect.gen(function* () {
      const stub = stubClient(() => Effect.succeed(makeResponse([])))
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), stub, options)), [
        "Unknown NoResult",
        "Unknown NoResult"
      ])
      assert.strictEqual(stub.calls.length, 3)
    })
  )

  it.effect("for records that were not sent are ignored", () =>
    Effect.gen(function* () {
      const stub = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse([result(record(7)), ...records.map((one) => result(one)), result(record(8))])
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), stub)), [
        "Accepted id-d0",
        "Accepted id-d1"
      ])
    })
  )

  it.effect("that contradict each other are ignored, and the record is sent alone", () =>
    Effect.gen(function* () {
      const stub = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse(
            records.flatMap((one) =>
              one.quantity === 2 ? [result(one), result(one, "DuplicateRecord")] : [result(one)]
            )
          )
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(3), stub, options)), [
        "Accepted id-d0",
        "Unknown Ambiguous",
        "Accepted id-d2"
      ])
      assert.deepStrictEqual(recordCounts(stub.calls), [3, 1, 1])
    })
  )

  it.effect("for a record that is also unprocessed are ignored", () =>
    Effect.gen(function* () {
      const stub = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse(
            records.map((one) => result(one)),
            records
          )
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), stub, options)), [
        "Unknown Ambiguous"
      ])
    })
  )

  it.effect("that fit two records are requested again, one record per call", () =>
    Effect.gen(function* () {
      // one customer with both identities, which only the service knows
      const both = [
        record(0, { quantity: 5 }),
        record(0, { quantity: 5, customerIdentifier: "cust" })
      ]
      const stub = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse(
            records.map((one) =>
              result(
                echo(one, { customerAWSAccountId: account, customerIdentifier: "cust" }),
                "Success",
                "same"
              )
            )
          )
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(both, stub, options)), [
        "Accepted same",
        "Accepted same"
      ])
      assert.deepStrictEqual(recordCounts(stub.calls), [2, 1, 1])
    })
  )

  it.effect("without a status are ignored", () =>
    Effect.gen(function* () {
      const bare = (usageRecord: UsageRecord.UsageRecord) =>
        new UsageRecord.UsageRecordResult({ usageRecord, meteringRecordId: "id" }, true)
      const stub = stubClient(({ records }) => Effect.succeed(makeResponse(records.map(bare))))
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), stub, options)), [
        "Unknown NoResult"
      ])
    })
  )

  it.effect("without an echo match if the call has one record", () =>
    Effect.gen(function* () {
      const stub = stubClient(({ records }) =>
        Effect.succeed(makeResponse(records.map(() => result(undefined, "Success", "id"))))
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), stub, options)), [
        "Accepted id"
      ])
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), stub, options)), [
        "Unknown NoResult",
        "Unknown NoResult"
      ])
    })
  )

  it.effect("without an echo do not match if another result is unreadable", () =>
    Effect.gen(function* () {
      const stub = stubClient(() =>
        Effect.succeed(
          decodeResponse({ Results: [{ Status: "Success", MeteringRecordId: "ambiguous" }, "?"] })
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), stub, options)), [
        "Unknown NoResult"
      ])
    })
  )

  it.effect("that are unreadable leave their records Unknown", () =>
    Effect.gen(function* () {
      const stub = stubClient(({ records }) =>
        Effect.succeed(
          new BatchMeterUsage.BatchMeterUsageResponse(
            {
              results: records.slice(1).map((one) => result(one)),
              unprocessedRecords: [],
              unreadable: ["?"]
            },
            true
          )
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), stub, options)), [
        "Unknown NoResult",
        "Accepted id-d1"
      ])
    })
  )
})

describe("unprocessed records", () => {
  it.effect("are sent again, without the others", () =>
    Effect.gen(function* () {
      const stub = stubClient(
        ({ records }) =>
          Effect.succeed(
            makeResponse(
              records.slice(0, 1).map((one) => result(one)),
              records.slice(1)
            )
          ),
        ({ records }) => Effect.succeed(makeResponse([], records)),
        accept
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(3), stub, options)), [
        "Accepted id-d0",
        "Accepted id-d1",
        "Accepted id-d2"
      ])
      assert.deepStrictEqual(recordCounts(stub.calls), [3, 2, 2])
    })
  )

  it.effect("are matched by content", () =>
    Effect.gen(function* () {
      const stub = stubClient(({ records: [first, second] }) =>
        Effect.succeed(
          makeResponse(
            first === undefined ? [] : [result(first)],
            second === undefined ? [] : [echo(second, { customerIdentifier: "cust" })]
          )
        )
      )
      const outcomes = yield* submitAll(records(2), stub, options)
      assert.deepStrictEqual(recordCounts(stub.calls), [2, 1])
      assert.strictEqual(outcomes[1]?._tag, "Accepted")
    })
  )

  it.effect("are NotSent after the last attempt, because the service did not process them", () =>
    Effect.gen(function* () {
      const stub = stubClient(({ records }) => Effect.succeed(makeResponse([], records)))
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), stub, options)), [
        "NotSent Unprocessed"
      ])
      assert.strictEqual(stub.calls.length, 3)
    })
  )
})
