/** Compares the outcomes of a submission with the usage that its requests make the service bill. */
import { Effect } from "effect"
import type { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import type * as UsageOutcome from "effect-marketplace-metering/UsageOutcome"
import { assert } from "vitest"
import {
  type BilledLine,
  type Catalog,
  computeBilling,
  isValid,
  keyOf,
  unitsByLine
} from "./oracle.js"
import { rawCalls, wireOf } from "./simulation.js"

export interface InvariantContext {
  readonly catalog: Catalog
  readonly sandbox: MeteringSandbox.Service
}

/** Billed lines by key, computed from the requests. The sandbox has to bill the same. */
export const billedLines = ({ catalog, sandbox }: InvariantContext) =>
  Effect.gen(function* () {
    const log = yield* sandbox.report.log
    assert.isBelow(log.length, 1_000, "the log may have dropped calls")
    const lines = computeBilling(rawCalls(log), catalog)
    const billed = (yield* sandbox.report.billed).map(
      ({ customerAWSAccountId, dimension, hour, productCode, quantity }): BilledLine => ({
        product: productCode,
        account: customerAWSAccountId,
        dimension,
        hour: new Date(hour.epochMillis).toISOString().slice(0, "2026-12-01T05".length),
        quantity
      })
    )
    assert.deepStrictEqual(sorted(unitsByLine(billed)), sorted(unitsByLine(lines.values())))
    return lines
  })

const sorted = (units: ReadonlyMap<string, number>) =>
  [...units].sort(([left], [right]) => (left < right ? -1 : 1))

/** The product code of the request that carries the record. */
const requestProductCode = ({ productCode, record }: UsageOutcome.Outcome) =>
  record.licenseArn === undefined ? productCode : undefined

export const keyOfOutcome = (catalog: Catalog, outcome: UsageOutcome.Outcome) =>
  keyOf(catalog, wireOf(outcome.record), requestProductCode(outcome))

/** True if a call with this record alone is accepted. */
export const isAcceptable = (catalog: Catalog, outcome: UsageOutcome.Outcome, at: number) =>
  isValid(catalog, wireOf(outcome.record), requestProductCode(outcome), at)

/** Quantities with outcome `Accepted`, and those with `Unknown`, by key. */
const reportedQuantities = (catalog: Catalog, outcomes: ReadonlyArray<UsageOutcome.Outcome>) => {
  const accepted = new Map<string, Set<number>>()
  const uncertain = new Map<string, Set<number>>()
  for (const outcome of outcomes) {
    const quantities =
      outcome._tag === "Accepted" ? accepted : outcome._tag === "Unknown" ? uncertain : undefined
    if (quantities === undefined) continue
    const key = keyOfOutcome(catalog, outcome)
    quantities.set(key, (quantities.get(key) ?? new Set()).add(outcome.record.quantity ?? 0))
  }
  return { accepted, uncertain }
}

/**
 * For each key: every accepted quantity is billed, and a billed quantity was accepted or is unknown. With `isCertain`, no
 * response was lost, and a billed quantity was accepted. The ID of an accepted record is that of its metering record.
 */
export const assertBilling = (
  context: InvariantContext,
  outcomes: ReadonlyArray<UsageOutcome.Outcome>,
  { isCertain = false }: { readonly isCertain?: boolean } = {}
) =>
  Effect.gen(function* () {
    const { catalog, sandbox } = context
    const billed = yield* billedLines(context)
    const { accepted, uncertain } = reportedQuantities(catalog, outcomes)
    for (const [key, quantities] of accepted) {
      assert.deepStrictEqual([...quantities], [billed.get(key)?.quantity], `accepted: ${key}`)
    }
    for (const [key, { quantity }] of billed) {
      const isReported = accepted.has(key) || (uncertain.get(key)?.has(quantity) ?? false)
      assert.isTrue(isReported, `billed, but neither accepted nor unknown: ${key}`)
      if (isCertain) assert.isTrue(accepted.has(key), `billed, but not accepted: ${key}`)
    }
    if (isCertain) assert.strictEqual(uncertain.size, 0)

    const ids = new Map<string | undefined, number>(
      (yield* sandbox.report.records).map(({ meteringRecordId, quantity }) => [
        meteringRecordId,
        quantity
      ])
    )
    for (const outcome of outcomes) {
      if (outcome._tag !== "Accepted") continue
      assert.strictEqual(ids.get(outcome.meteringRecordId), outcome.record.quantity)
    }
  })

/** Each index of the input has one outcome. */
export const assertOneOutcomeEach = (
  outcomes: ReadonlyArray<UsageOutcome.Outcome>,
  count: number
) =>
  assert.deepStrictEqual(
    outcomes.map(({ index }) => index).sort((left, right) => left - right),
    Array.from({ length: count }, (_, index) => index)
  )
