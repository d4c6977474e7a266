/** Answers that say less, more or something else than what became of the records. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringRetry from "effect-marketplace-metering/MeteringRetry"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import { decoder } from "../../src/internal/schema/decodeResponse.js"
import { shapeOf } from "../../src/internal/schema/shape.js"
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

/** A response as it is read from the wire, where what is absent is told from what is 0. */
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
  it.effect("belong to records by what they say, whatever their order", () =>
    Effect.gen(function* () {
      const answers = stubClient(({ records }) =>
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
      assert.deepStrictEqual(summaries(yield* submitAll(records(4), answers)), [
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
    ["adds a licence", { licenseArn: "arn:aws:license-manager::111122223333:license:l-1" }],
    ["leaves out the allocations", { usageAllocations: undefined }]
  ])("whose echo %s are those of the record", ([, change]) =>
    Effect.gen(function* () {
      const all = records(3)
      const answers = stubClient(successes(all.map((record) => echo(record, change))))
      assert.deepStrictEqual(summaries(yield* submitAll(all, answers)), [
        "Accepted id-0",
        "Accepted id-1",
        "Accepted id-2"
      ])
      assert.strictEqual(answers.calls.length, 1)
    })
  )

  it.effect.each<readonly [string, Partial<UsageRecord.Input>]>([
    ["another hour", { timestamp: at("2026-11-24T11:15:00Z") }],
    ["another dimension", { dimension: "D1" }],
    ["another quantity", { quantity: 7 }],
    ["a quantity of 0", { quantity: 0 }],
    ["another customer", { customerAWSAccountId: "999999999999" }],
    ["no identity that was sent", { customerAWSAccountId: undefined, customerIdentifier: "c" }]
  ])("whose echo has %s are not: the record is sent again, and is then unknown", ([, change]) =>
    Effect.gen(function* () {
      const all = records(3)
      const answers = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse(records.map((one) => result(one === all[1] ? echo(one, change) : one)))
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(all, answers, options)), [
        "Accepted id-d0",
        "Unknown NoResult",
        "Accepted id-d2"
      ])
      assert.deepStrictEqual(recordCounts(answers.calls), [3, 1, 1])
    })
  )

  it.effect(
    "whose echo leaves out the quantity are those of the record that alone can be meant",
    () =>
      Effect.gen(function* () {
        const all = [record(0, { quantity: 7 }), record(1, { quantity: 0 })]
        const answers = stubClient(({ records }) =>
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
        assert.deepStrictEqual(summaries(yield* submitAll(all, answers)), [
          "Accepted id-0",
          "Accepted id-1"
        ])
        assert.strictEqual(answers.calls.length, 1)
      })
  )

  describe("of one customer under both its names are never taken for each other's", () => {
    const byAccount = record(0, { quantity: 5 })
    const byIdentifier = (quantity: number) => record(0, { quantity, customerIdentifier: "cust" })

    it.effect.each<readonly [string, number, object]>([
      ["is of the one by its name, without a quantity", 7, { Quantity: undefined }],
      [
        "names both, with a quantity of both",
        5,
        { CustomerAWSAccountId: account, CustomerIdentifier: "cust", Quantity: 5 }
      ],
      [
        "names both, without a quantity",
        7,
        { CustomerAWSAccountId: account, CustomerIdentifier: "cust", Quantity: undefined }
      ],
      ["names no customer of the call", 7, { CustomerAWSAccountId: "9", Quantity: undefined }]
    ])("where the only echo %s", ([, quantity, change]) =>
      Effect.gen(function* () {
        const both = [byAccount, byIdentifier(quantity)]
        // the first call tells of one of them alone
        const answers = stubClient(
          () =>
            Effect.succeed(
              decodeResponse({
                Results: [
                  {
                    UsageRecord: { ...wireOf(byAccount), ...change },
                    Status: "Success",
                    MeteringRecordId: "whose?"
                  }
                ]
              })
            ),
          accept
        )
        assert.deepStrictEqual(summaries(yield* submitAll(both, answers, options)), [
          "Accepted id-d0",
          "Accepted id-d0"
        ])
      })
    )
  })

  it.effect("that are missing are asked for again; a success settles it", () =>
    Effect.gen(function* () {
      const answers = stubClient(
        ({ records }) => Effect.succeed(makeResponse(records.slice(1).map((one) => result(one)))),
        accept
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(3), answers, options)), [
        "Accepted id-d0",
        "Accepted id-d1",
        "Accepted id-d2"
      ])
      assert.deepStrictEqual(recordCounts(answers.calls), [3, 1])
    })
  )

  it.effect("of nothing at all leave every record unknown", () =>
    Effect.gen(function* () {
      const answers = stubClient(() => Effect.succeed(makeResponse([])))
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), answers, options)), [
        "Unknown NoResult",
        "Unknown NoResult"
      ])
      assert.strictEqual(answers.calls.length, 3)
    })
  )

  it.effect("of what was not sent are nobody's", () =>
    Effect.gen(function* () {
      const answers = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse([result(record(7)), ...records.map((one) => result(one)), result(record(8))])
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), answers)), [
        "Accepted id-d0",
        "Accepted id-d1"
      ])
    })
  )

  it.effect("that contradict each other are none; the record is asked for alone", () =>
    Effect.gen(function* () {
      const answers = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse(
            records.flatMap((one) =>
              one.quantity === 2 ? [result(one), result(one, "DuplicateRecord")] : [result(one)]
            )
          )
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(3), answers, options)), [
        "Accepted id-d0",
        "Unknown Ambiguous",
        "Accepted id-d2"
      ])
      assert.deepStrictEqual(recordCounts(answers.calls), [3, 1, 1])
    })
  )

  it.effect("for a record that is also unprocessed are none", () =>
    Effect.gen(function* () {
      const answers = stubClient(({ records }) =>
        Effect.succeed(
          makeResponse(
            records.map((one) => result(one)),
            records
          )
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), answers, options)), [
        "Unknown Ambiguous"
      ])
    })
  )

  it.effect("that may be of two records are asked for again one by one, and then told apart", () =>
    Effect.gen(function* () {
      // one customer under both its names, which only the service knows
      const both = [
        record(0, { quantity: 5 }),
        record(0, { quantity: 5, customerIdentifier: "cust" })
      ]
      const answers = stubClient(({ records }) =>
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
      assert.deepStrictEqual(summaries(yield* submitAll(both, answers, options)), [
        "Accepted same",
        "Accepted same"
      ])
      assert.deepStrictEqual(recordCounts(answers.calls), [2, 1, 1])
    })
  )

  it.effect("without a status are none", () =>
    Effect.gen(function* () {
      const bare = (usageRecord: UsageRecord.UsageRecord) =>
        new UsageRecord.UsageRecordResult({ usageRecord, meteringRecordId: "id" }, true)
      const answers = stubClient(({ records }) => Effect.succeed(makeResponse(records.map(bare))))
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), answers, options)), [
        "Unknown NoResult"
      ])
    })
  )

  it.effect("without an echo are the record's if it was the only one", () =>
    Effect.gen(function* () {
      const answers = stubClient(({ records }) =>
        Effect.succeed(makeResponse(records.map(() => result(undefined, "Success", "id"))))
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), answers, options)), [
        "Accepted id"
      ])
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), answers, options)), [
        "Unknown NoResult",
        "Unknown NoResult"
      ])
    })
  )

  it.effect("without an echo are not the record's where another result could not be read", () =>
    Effect.gen(function* () {
      const answers = stubClient(() =>
        Effect.succeed(
          decodeResponse({ Results: [{ Status: "Success", MeteringRecordId: "whose?" }, "?"] })
        )
      )
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), answers, options)), [
        "Unknown NoResult"
      ])
    })
  )

  it.effect("that cannot be read leave their records unknown", () =>
    Effect.gen(function* () {
      const answers = stubClient(({ records }) =>
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
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), answers, options)), [
        "Unknown NoResult",
        "Accepted id-d1"
      ])
    })
  )
})

describe("unprocessed records", () => {
  it.effect("go again, and only they", () =>
    Effect.gen(function* () {
      const answers = stubClient(
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
      assert.deepStrictEqual(summaries(yield* submitAll(records(3), answers, options)), [
        "Accepted id-d0",
        "Accepted id-d1",
        "Accepted id-d2"
      ])
      assert.deepStrictEqual(recordCounts(answers.calls), [3, 2, 2])
    })
  )

  it.effect("are found by what they say, too", () =>
    Effect.gen(function* () {
      const answers = stubClient(({ records: [first, second] }) =>
        Effect.succeed(
          makeResponse(
            first === undefined ? [] : [result(first)],
            second === undefined ? [] : [echo(second, { customerIdentifier: "cust" })]
          )
        )
      )
      const outcomes = yield* submitAll(records(2), answers, options)
      assert.deepStrictEqual(recordCounts(answers.calls), [2, 1])
      assert.strictEqual(outcomes[1]?._tag, "Accepted")
    })
  )

  it.effect("to the end are not sent: the service said that it had not looked at them", () =>
    Effect.gen(function* () {
      const answers = stubClient(({ records }) => Effect.succeed(makeResponse([], records)))
      assert.deepStrictEqual(summaries(yield* submitAll(records(1), answers, options)), [
        "NotSent Unprocessed"
      ])
      assert.strictEqual(answers.calls.length, 3)
    })
  )
})
