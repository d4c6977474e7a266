import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as decimal from "../../../../src/ledger/internal/model/decimal.js"

const scale = FastCheck.integer({ min: 0, max: decimal.maxScale })
const units = FastCheck.oneof(
  FastCheck.maxSafeNat(),
  FastCheck.nat(1000),
  FastCheck.constantFrom(0, 1, Number.MAX_SAFE_INTEGER)
)

/** Written with every decimal place, by another way than the code's. */
const written = (value: number, places: number) => {
  const divisor = 10n ** BigInt(places)
  const fraction = String(BigInt(value) % divisor).padStart(places, "0")
  return `${BigInt(value) / divisor}${places === 0 ? "" : `.${fraction}`}`
}

describe("parse", () => {
  it.prop("reads every text of a quantity exactly", [units, scale], ([value, places]) =>
    assert.deepEqual(decimal.parse(written(value, places), places), Either.right(value))
  )

  it.prop(
    "is not changed by zeros around the digits",
    [units, scale, FastCheck.nat(5), FastCheck.nat(5)],
    ([value, places, before, after]) => {
      const text = written(value, places)
      const longer = `${"0".repeat(before)}${text}${places === 0 ? "." : ""}${"0".repeat(after + 1)}`
      assert.deepEqual(decimal.parse(longer, places), Either.right(value))
    }
  )

  it.prop(
    "takes a number as the decimal number that it is written as",
    [FastCheck.nat(10_000_000), scale],
    ([value, places]) =>
      assert.deepEqual(decimal.parse(Number(written(value, places)), places), Either.right(value))
  )

  it.prop(
    "rejects a place too many, also of numbers",
    [FastCheck.nat(1_000_000), FastCheck.integer({ min: 1, max: 9 }), scale],
    ([whole, digit, places]) => {
      const text = `${whole}.${"0".repeat(places)}${digit}`
      assert.isTrue(Either.isLeft(decimal.parse(text, places)))
      assert.isTrue(Either.isLeft(decimal.parse(Number(text), places)))
    }
  )

  it.prop("rejects what is negative", [units, scale], ([value, places]) => {
    const result = decimal.parse(`-${written(value, places)}`, places)
    if (value === 0) assert.deepEqual(result, Either.right(0))
    else assert.isTrue(Either.isLeft(result))
  })

  it.prop(
    "never throws, and gives safe integers only",
    [FastCheck.double(), scale],
    ([n, places]) => {
      const result = decimal.parse(n, places)
      if (Either.isRight(result)) assert.isTrue(Number.isSafeInteger(result.right))
    }
  )

  const cases: ReadonlyArray<readonly [number | string, number, number | undefined]> = [
    [9007199254740991, 0, 9007199254740991],
    [9007199254740992, 0, undefined],
    ["9007199254740992", 0, undefined],
    ["9007199.254740991", 9, 9007199254740991],
    ["9007199.254740992", 9, undefined],
    ["0.000000001", 9, 1],
    [1e-9, 9, 1],
    [1e-10, 9, undefined],
    [5e-324, 9, undefined],
    [Number.MAX_VALUE, 9, undefined],
    [1e21, 0, undefined],
    [0.1 + 0.2, 9, undefined],
    [0.3, 1, 3],
    [-0, 0, 0],
    [-0, 3, 0],
    ["-0.00", 2, 0],
    ["1e3", 0, 1000],
    ["1e+3", 0, 1000],
    ["2.5E-1", 2, 25],
    ["0e999", 9, 0],
    ["1e999", 9, undefined],
    [Number.NaN, 0, undefined],
    [Number.NaN, 9, undefined],
    [Number.POSITIVE_INFINITY, 0, undefined],
    [Number.POSITIVE_INFINITY, 9, undefined],
    ...[
      "",
      " 1",
      "1 ",
      "1.",
      ".5",
      "+1",
      "0x10",
      "1_000",
      "1,5",
      "١",
      "1n",
      "1".repeat(100_000)
    ].map((text) => [text, 3, undefined] as const)
  ]
  for (const [quantity, places, expected] of cases) {
    it(`${expected === undefined ? "rejects" : "accepts"} ${String(quantity).slice(0, 30)} at scale ${places}`, () => {
      const result = decimal.parse(quantity, places)
      assert.deepEqual(Either.getOrUndefined(result), expected)
    })
  }

  it("says what is expected", () => {
    assert.deepEqual([decimal.parse(-1, 0), decimal.parse("x", 3)].map(Either.merge), [
      "a whole number from 0 to 9007199254740991",
      "a number from 0 to 9007199254740.991 with at most 3 decimal places"
    ])
  })
})

describe("toText", () => {
  it.prop("is read back as the same quantity", [units, scale], ([value, places]) =>
    assert.deepEqual(
      decimal.parse(decimal.toText(BigInt(value), places), places),
      Either.right(value)
    )
  )

  it.prop(
    "is short, with a sign",
    [FastCheck.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), scale],
    ([value, places]) => {
      const text = decimal.toText(value, places)
      assert.match(text, /^-?(0|[1-9]\d*)(\.\d*[1-9])?$/)
      const [whole = "", fraction = ""] = text.split(".")
      assert.strictEqual(BigInt(whole + fraction.padEnd(places, "0")), value)
    }
  )

  it("writes extremes", () => {
    assert.deepEqual(
      [
        decimal.toText(2n ** 62n, 9),
        decimal.toText(-1n, 9),
        decimal.toText(0n, 9),
        decimal.toText(-120n, 1)
      ],
      ["4611686018.427387904", "-0.000000001", "0", "-12"]
    )
  })
})
