/** What must hold for any sequence of calls. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, FastCheck } from "effect"
import { MeteringClient } from "../../src/MeteringClient.js"
import { MeteringSandbox } from "../../src/sandbox/index.js"
import { acme, acmeLicence, analytics, at, billed, setTime, stranger } from "./support.js"

const now = "2026-11-24T10:30:00Z"

/** Few values each, so that records meet. */
const record = FastCheck.record({
  minutesAgo: FastCheck.constantFrom(0, 10, 29, 31, 60, 95, 1439),
  dimension: FastCheck.constantFrom("api-calls", "seats"),
  quantity: FastCheck.constantFrom(0, 1, 2, 2_147_483_647),
  identity: FastCheck.constantFrom(
    { customerAWSAccountId: acme },
    { customerIdentifier: "cust-acme" },
    { customerIdentifier: "cust-globex" },
    { customerAWSAccountId: stranger }
  )
})

const call = FastCheck.record({
  records: FastCheck.array(record, { maxLength: 25 }),
  way: FastCheck.constantFrom("product", "licence", "unknown product")
})

type Call = typeof call extends FastCheck.Arbitrary<infer A> ? A : never

const inputOf = ({ records, way }: Call) => ({
  ...(way !== "licence" && { productCode: way === "product" ? analytics : "unknown" }),
  usageRecords: records.map(({ dimension, identity, minutesAgo, quantity }) => ({
    timestamp: DateTime.subtract(at(now), { minutes: minutesAgo }),
    dimension,
    quantity,
    ...(way === "licence" ? { customerAWSAccountId: acme, licenseArn: acmeLicence } : identity)
  }))
})

const send = (call: Call) =>
  Effect.flatMap(MeteringClient, (client) => Effect.either(client.batchMeterUsage(inputOf(call))))

const run = <A, E>(
  program: Effect.Effect<A, E, MeteringClient | MeteringSandbox.MeteringSandbox>
) => Effect.zipRight(setTime(now), Effect.provide(program, MeteringSandbox.layer()))

describe("for any sequence of calls", () => {
  it.effect.prop(
    "what is billed of a key is what was first accepted of it",
    [FastCheck.array(call, { maxLength: 8 })],
    ([calls]) =>
      run(
        Effect.gen(function* () {
          const sandbox = yield* MeteringSandbox.MeteringSandbox
          const first = new Map<string, number>()
          for (const call of calls) {
            const answer = yield* send(call)
            if (answer._tag === "Left") continue
            for (const { meteringRecordId, status, usageRecord } of answer.right.results) {
              if (status !== "Success" || meteringRecordId === undefined) continue
              const quantity = usageRecord?.quantity ?? -1
              assert.strictEqual(first.get(meteringRecordId) ?? quantity, quantity)
              first.set(meteringRecordId, quantity)
            }
          }
          assert.deepStrictEqual(
            new Map((yield* sandbox.records).map((one) => [one.meteringRecordId, one.quantity])),
            new Map(first)
          )
          const sum = (all: Iterable<number>) => [...all].reduce((sum, one) => sum + one, 0)
          assert.strictEqual(
            sum((yield* sandbox.billed).map((one) => one.quantity)),
            sum(first.values())
          )
        })
      )
  )

  it.effect.prop(
    "repeating any call changes nothing that is billed, and gets the same answers",
    [FastCheck.array(call, { minLength: 1, maxLength: 6 }), FastCheck.nat()],
    ([calls, pick]) =>
      run(
        Effect.gen(function* () {
          const fates = (call: Call) =>
            Effect.map(send(call), (answer) =>
              answer._tag === "Left"
                ? answer.left._tag
                : answer.right.results.map(({ meteringRecordId, status }) => [
                    status,
                    meteringRecordId
                  ])
            )
          const answers = yield* Effect.forEach(calls, fates)
          const before = yield* billed
          const index = pick % calls.length
          assert.deepStrictEqual(yield* fates(calls[index] as Call), answers[index])
          assert.deepStrictEqual(yield* Effect.forEach(calls, fates), answers)
          assert.deepStrictEqual(yield* billed, before)
        })
      )
  )

  it.effect.prop(
    "the order of records within a call is irrelevant to what is billed",
    [
      call.chain((call) =>
        FastCheck.tuple(
          FastCheck.constant(call),
          FastCheck.shuffledSubarray(call.records, { minLength: call.records.length })
        )
      )
    ],
    ([[call, records]]) =>
      Effect.gen(function* () {
        const billedAfter = (call: Call) => run(Effect.zipRight(send(call), billed))
        assert.deepStrictEqual(yield* billedAfter({ ...call, records }), yield* billedAfter(call))
      })
  )

  it.effect.prop("each record has one result, in its place, and echoes it", [call], ([call]) =>
    run(
      Effect.gen(function* () {
        const answer = yield* send(call)
        if (answer._tag === "Left") return
        const { usageRecords } = inputOf(call)
        assert.deepStrictEqual(
          answer.right.results.map(({ usageRecord }) => ({ ...usageRecord })),
          usageRecords
        )
      })
    )
  )
})
