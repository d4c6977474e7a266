/** Properties of any sequence of calls. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, FastCheck } from "effect"
import type { MeteringClient } from "../../src/MeteringClient.js"
import { MeteringSandbox } from "../../src/sandbox/index.js"
import type { UsageRecordResult } from "../../src/UsageRecord.js"
import {
  agentProduct,
  applyEvent,
  type BatchCall,
  batchCall,
  type Call,
  call,
  inputOf,
  options,
  send,
  wait
} from "./arbitraries.js"
import { acme, acmeLicense } from "./support.js"

const sandbox = MeteringSandbox.MeteringSandbox

const run = <A, E>(
  program: Effect.Effect<A, E, MeteringClient | MeteringSandbox.MeteringSandbox>
) => Effect.provide(program, MeteringSandbox.layer(options))

const now = Effect.flatMap(sandbox, ({ control }) => control.now)
const billed = Effect.flatMap(sandbox, ({ report }) => report.billed)

/** The accounts and products of the scenario, stated independently of it. */
const accounts = new Map([
  ["cust-acme", acme],
  ["cust-globex", "222233334444"]
])
const products = new Map([[acmeLicense, "sandbox-analytics"]])

interface Accepted {
  readonly productCode: string
  readonly account: string
  readonly dimension: string
  readonly hour: string
  readonly quantity: number
  /** Usage with the same key is billed once. */
  readonly key: string
}

/** The accepted usage of a response, by the documentation. */
const acceptedOf = (call: Call, outcome: unknown, time: DateTime.Utc): ReadonlyArray<Accepted> => {
  if (typeof outcome !== "object" || outcome === null) return []
  if (call._tag === "meter") {
    const timestamp = DateTime.subtract(time, { minutes: call.minutesAgo })
    const hour = DateTime.formatIso(timestamp).slice(0, 13)
    const key = call.productCode === agentProduct ? call.clientToken : hour
    return [
      {
        productCode: call.productCode,
        account: acme,
        dimension: "seats",
        hour,
        quantity: call.quantity,
        key: `MeterUsage ${call.productCode} ${key}`
      }
    ]
  }
  const { productCode } = inputOf(call, time)
  const { results } = outcome as { readonly results: ReadonlyArray<UsageRecordResult> }
  return results.flatMap(({ status, usageRecord }) => {
    if (status !== "Success" || usageRecord === undefined) return []
    const { customerAWSAccountId, customerIdentifier, dimension, licenseArn, quantity } =
      usageRecord
    const account = customerAWSAccountId ?? accounts.get(customerIdentifier ?? "") ?? ""
    const hour = DateTime.formatIso(usageRecord.timestamp).slice(0, 13)
    return [
      {
        productCode: productCode ?? products.get(licenseArn ?? "") ?? "",
        account,
        dimension,
        hour,
        quantity,
        key: ["Batch", productCode, licenseArn, account, dimension, hour].join(" ")
      }
    ]
  })
}

const totals = <A>(
  all: Iterable<A>,
  nameOf: (one: A) => string,
  quantityOf: (one: A) => number
): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>()
  for (const one of all) sums.set(nameOf(one), (sums.get(nameOf(one)) ?? 0) + quantityOf(one))
  return new Map([...sums].sort())
}

/** The two errors of a repeated client token depend on the order of earlier calls. */
const withoutReason = (response: unknown) =>
  response === "DuplicateRequestException" || response === "IdempotencyConflictException"
    ? "repeated"
    : response

describe("for any sequence of calls", () => {
  it.effect.prop(
    "the first accepted usage of each key is billed",
    [FastCheck.array(FastCheck.oneof({ weight: 4, arbitrary: call }, wait), { maxLength: 12 })],
    ([events]) =>
      run(
        Effect.gen(function* () {
          const first = new Map<string, Accepted>()
          for (const event of events) {
            const time = yield* now
            if (event._tag === "wait") {
              yield* applyEvent(event)
              continue
            }
            for (const accepted of acceptedOf(event, yield* send(event, time), time)) {
              const known = first.get(accepted.key) ?? accepted
              assert.strictEqual(accepted.quantity, known.quantity, accepted.key)
              first.set(accepted.key, known)
            }
          }
          assert.deepStrictEqual(
            totals(
              yield* billed,
              ({ customerAWSAccountId, dimension, hour, productCode }) =>
                [
                  productCode,
                  customerAWSAccountId,
                  dimension,
                  DateTime.formatIso(hour).slice(0, 13)
                ].join(" "),
              ({ quantity }) => quantity
            ),
            totals(
              first.values(),
              ({ account, dimension, hour, productCode }) =>
                [productCode, account, dimension, hour].join(" "),
              ({ quantity }) => quantity
            )
          )
        })
      ),
    { timeout: 30_000 }
  )

  it.effect.prop(
    "a repeated call gets the same response and does not change what is billed",
    [FastCheck.array(call, { minLength: 1, maxLength: 6 }), FastCheck.nat()],
    ([calls, pick]) =>
      run(
        Effect.gen(function* () {
          const time = yield* now
          const outcomeOf = (call: Call) => Effect.map(send(call, time), withoutReason)
          const responses = yield* Effect.forEach(calls, outcomeOf)
          const before = yield* billed
          const index = pick % calls.length
          assert.deepStrictEqual(yield* outcomeOf(calls[index] as Call), responses[index])
          assert.deepStrictEqual(yield* Effect.forEach(calls, outcomeOf), responses)
          assert.deepStrictEqual(yield* billed, before)
        })
      ),
    { timeout: 30_000 }
  )

  it.effect.prop(
    "the order of records within a call does not change what is billed",
    [
      FastCheck.array(call, { maxLength: 2 }),
      batchCall.chain((call) =>
        FastCheck.tuple(
          FastCheck.constant(call),
          FastCheck.shuffledSubarray(call.records, { minLength: call.records.length })
        )
      )
    ],
    ([before, [call, records]]) =>
      Effect.gen(function* () {
        const recordsAfter = (call: BatchCall) =>
          run(
            Effect.gen(function* () {
              const time = yield* now
              yield* Effect.forEach(before, (call) => send(call, time))
              yield* send(call, time)
              const { records } = (yield* sandbox).report
              return yield* records
            })
          )
        assert.deepStrictEqual(yield* recordsAfter({ ...call, records }), yield* recordsAfter(call))
      }),
    { timeout: 30_000 }
  )

  it.effect.prop(
    "each record has one result, in the same position, that echoes it",
    [batchCall],
    ([call]) =>
      run(
        Effect.gen(function* () {
          const time = yield* now
          const outcome = yield* send(call, time)
          if (typeof outcome !== "object" || outcome === null) return
          const { results } = outcome as { readonly results: ReadonlyArray<UsageRecordResult> }
          const { usageRecords } = inputOf(call, time)
          assert.deepStrictEqual(
            results.map(({ usageRecord }): object => ({ ...usageRecord })),
            usageRecords.map((record) => ({ ...record }))
          )
        })
      )
  )
})
