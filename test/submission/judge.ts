/** What was told of records, held against what the requests alone make the service bill. */
import { Effect } from "effect"
import type { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import type * as UsageSubmission from "effect-marketplace-metering/UsageSubmission"
import { assert } from "vitest"
import { billing, invoice, isSound, keyOf, type Line, type Market } from "./oracle.js"
import { rawCalls, wireOf } from "./world.js"

export interface Judged {
  readonly market: Market
  readonly sandbox: MeteringSandbox.Service
}

/** Lines that are billed, by key: by the requests, and by the sandbox no less. */
export const billedIn = ({ market, sandbox }: Judged) =>
  Effect.gen(function* () {
    const log = yield* sandbox.log
    assert.isBelow(log.length, 1_000, "calls may have been forgotten")
    const lines = billing(rawCalls(log), market)
    const billed = (yield* sandbox.billed).map(
      ({ customerAWSAccountId, dimension, hour, productCode, quantity }): Line => ({
        product: productCode,
        account: customerAWSAccountId,
        dimension,
        hour: new Date(hour.epochMillis).toISOString().slice(0, "2026-12-01T05".length),
        quantity
      })
    )
    assert.deepStrictEqual(sorted(invoice(billed)), sorted(invoice(lines.values())))
    return lines
  })

const sorted = (units: ReadonlyMap<string, number>) =>
  [...units].sort(([left], [right]) => (left < right ? -1 : 1))

/** The product that is sent with a record. */
const productOf = ({ productCode, record }: UsageSubmission.Outcome) =>
  record.licenseArn === undefined ? productCode : undefined

export const keyOfOutcome = (market: Market, outcome: UsageSubmission.Outcome) =>
  keyOf(market, wireOf(outcome.record), productOf(outcome))

/** Whether a call with this record alone would be taken. */
export const isGood = (market: Market, outcome: UsageSubmission.Outcome, at: number) =>
  isSound(market, wireOf(outcome.record), productOf(outcome), at)

/** Quantities that are said to be billed, and those that may be, by key. */
const toldOf = (market: Market, outcomes: ReadonlyArray<UsageSubmission.Outcome>) => {
  const accepted = new Map<string, Set<number>>()
  const perhaps = new Map<string, Set<number>>()
  for (const outcome of outcomes) {
    const told =
      outcome._tag === "Accepted" ? accepted : outcome._tag === "Unknown" ? perhaps : undefined
    if (told === undefined) continue
    const key = keyOfOutcome(market, outcome)
    told.set(key, (told.get(key) ?? new Set()).add(outcome.record.quantity ?? 0))
  }
  return { accepted, perhaps }
}

/**
 * Of each key: what was accepted is what is billed; what is billed was accepted or is unknown; and it was accepted
 * where no answer was lost. An accepted record's id is that of the metering record it is billed by.
 */
export const judge = (
  world: Judged,
  outcomes: ReadonlyArray<UsageSubmission.Outcome>,
  { isWithoutDoubt = false }: { readonly isWithoutDoubt?: boolean } = {}
) =>
  Effect.gen(function* () {
    const { market, sandbox } = world
    const billed = yield* billedIn(world)
    const { accepted, perhaps } = toldOf(market, outcomes)
    for (const [key, quantities] of accepted) {
      assert.deepStrictEqual([...quantities], [billed.get(key)?.quantity], `accepted: ${key}`)
    }
    for (const [key, { quantity }] of billed) {
      const isTold = accepted.has(key) || (perhaps.get(key)?.has(quantity) ?? false)
      assert.isTrue(isTold, `billed, and nobody was told: ${key}`)
      if (isWithoutDoubt) assert.isTrue(accepted.has(key), `billed without doubt: ${key}`)
    }
    if (isWithoutDoubt) assert.strictEqual(perhaps.size, 0)

    const ids = new Map<string | undefined, number>(
      (yield* sandbox.records).map(({ meteringRecordId, quantity }) => [meteringRecordId, quantity])
    )
    for (const outcome of outcomes) {
      if (outcome._tag !== "Accepted") continue
      assert.strictEqual(ids.get(outcome.meteringRecordId), outcome.record.quantity)
    }
  })

/** Each place of the input has one outcome. */
export const judgeNumber = (outcomes: ReadonlyArray<UsageSubmission.Outcome>, count: number) =>
  assert.deepStrictEqual(
    outcomes.map(({ index }) => index).sort((left, right) => left - right),
    Array.from({ length: count }, (_, index) => index)
  )
