import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import {
  type Division,
  divide,
  maxAllocations,
  maxQuantity,
  type Part
} from "../../../../src/ledger/internal/model/share.js"

const scales = FastCheck.integer({ min: 0, max: 9 })
const amounts = FastCheck.oneof(
  FastCheck.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  FastCheck.bigInt({ min: 0n, max: 5_000n }),
  FastCheck.bigInt({ min: -3n, max: 3n }),
  FastCheck.constantFrom(maxQuantity - 1n, maxQuantity, maxQuantity + 1n)
)
const setOf = (team: string) => (team === "" ? "" : JSON.stringify([["team", team]]))
const sets = FastCheck.string({ maxLength: 3 }).map(setOf)
const partsOf = (amount: FastCheck.Arbitrary<bigint>): FastCheck.Arbitrary<Array<Part>> =>
  FastCheck.uniqueArray(FastCheck.record({ tags: sets, amount }), {
    selector: ({ tags }) => tags,
    maxLength: 12
  })

const total = (values: ReadonlyArray<bigint>) => values.reduce((sum, value) => sum + value, 0n)
const sumOf = (parts: ReadonlyArray<Part>) => total(parts.map(({ amount }) => amount))
const restOf = ({ rests }: Division) => sumOf(rests)

describe("divide", () => {
  it.prop(
    "loses nothing: sum + rounding = quantity + rests",
    [partsOf(amounts), scales, FastCheck.boolean()],
    ([parts, scale, isLast]) => {
      const division = divide(parts, scale, isLast)
      const unit = 10n ** BigInt(scale)
      assert.strictEqual(
        sumOf(parts) + division.rounding,
        division.quantity * unit + restOf(division)
      )
    }
  )

  it.prop(
    "gives shares of at least 1 that add up to the quantity",
    [partsOf(amounts), scales, FastCheck.boolean()],
    ([parts, scale, isLast]) => {
      const { quantity, shares } = divide(parts, scale, isLast)
      assert.strictEqual(total(shares.map((share) => share.quantity)), quantity)
      assert.isTrue(shares.every((share) => share.quantity > 0n && share.quantity <= maxQuantity))
      assert.isTrue(quantity >= 0n && quantity <= maxQuantity)
    }
  )

  it.prop(
    "rounds the sum down, to at most 2^31 - 1",
    [partsOf(amounts), scales],
    ([parts, scale]) => {
      const { quantity, rounding } = divide(parts, scale, false)
      const sum = sumOf(parts)
      const whole = sum <= 0n ? 0n : sum / 10n ** BigInt(scale)
      assert.strictEqual(quantity, whole > maxQuantity ? maxQuantity : whole)
      assert.strictEqual(rounding, 0n)
    }
  )

  it.prop(
    "rounds half up in the last hour, and carries nothing but an overflow or a debt",
    [partsOf(amounts), scales],
    ([parts, scale]) => {
      const division = divide(parts, scale, true)
      const unit = 10n ** BigInt(scale)
      const sum = sumOf(parts)
      const rounded = sum <= 0n ? 0n : (2n * sum + unit) / (2n * unit)
      assert.strictEqual(division.quantity, rounded > maxQuantity ? maxQuantity : rounded)
      if (sum > 0n && rounded <= maxQuantity) {
        assert.isTrue(division.rests.every(({ amount }) => amount === 0n))
        assert.isTrue(division.rounding * 2n <= unit && division.rounding * 2n > -unit)
      } else assert.strictEqual(division.rounding, 0n)
    }
  )

  it.prop(
    "gives each set of tags its whole units, or one more",
    [partsOf(FastCheck.bigInt({ min: 0n, max: maxQuantity / 12n })), scales],
    ([parts, scale]) => {
      const { rests, shares } = divide(parts, scale, false)
      const unit = 10n ** BigInt(scale)
      for (const { amount, tags } of parts) {
        const share = shares.find((one) => one.tags === tags)?.quantity ?? 0n
        assert.isTrue(share === amount / unit || share === amount / unit + 1n)
        assert.strictEqual(rests.find((rest) => rest.tags === tags)?.amount, amount - share * unit)
      }
    }
  )

  it.prop(
    "does not depend on the order of the parts",
    [
      partsOf(amounts).chain((parts) =>
        FastCheck.tuple(
          FastCheck.constant(parts),
          FastCheck.shuffledSubarray(parts, { minLength: parts.length })
        )
      ),
      scales,
      FastCheck.boolean()
    ],
    ([[parts, shuffled], scale, isLast]) => {
      assert.deepEqual(divide(shuffled, scale, isLast), divide(parts, scale, isLast))
    }
  )

  it("carries what belongs to more than 2,500 sets of tags", () => {
    const parts = Array.from({ length: maxAllocations + 3 }, (_, index) => ({
      tags: setOf(`${index}`),
      amount: BigInt(index + 1)
    }))
    const { length } = divide(parts, 0, false).shares
    assert.isAtMost(length, maxAllocations)
    assert.isAtLeast(length, maxAllocations - 1)
    const smallest = parts.slice(0, parts.length - length)
    const carried = divide(parts, 0, false)
    assert.strictEqual(restOf(carried), sumOf(smallest))
    for (const { tags } of smallest) {
      assert.isFalse(carried.shares.some((share) => share.tags === tags))
    }
    // in the last hour they are billed without tags
    const last = divide(parts, 0, true)
    assert.strictEqual(BigInt(last.quantity), sumOf(parts))
    assert.strictEqual(restOf(last), 0n)
    assert.strictEqual(last.rounding, 0n)
    assert.isAtMost(last.shares.length, maxAllocations)
  })
})
