/** Exact decimal numbers, stored as integers in units of 10^-scale. */
import * as Either from "effect/Either"

/** The largest number of decimal places of a dimension. */
export const maxScale = 9

/** Digits, decimal places, and the exponent in the text of very small and very large numbers. */
const decimal = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?(?:e([+-]?\d{1,3}))?$/i

/**
 * Parses a quantity of 0 or more. Fails with a description of the valid quantities if it has more decimal places than the scale
 * (trailing zeros do not count), or more digits than a number holds exactly.
 */
export const parse = (quantity: number | string, scale: number): Either.Either<number, string> => {
  // fast path for nearly all events
  if (scale === 0 && typeof quantity === "number") {
    return Number.isSafeInteger(quantity) && quantity >= 0
      ? Either.right(quantity + 0)
      : Either.left(expectedOf(scale))
  }
  const match = decimal.exec(typeof quantity === "number" ? String(quantity) : quantity)
  if (match === null) return Either.left(expectedOf(scale))
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match
  const digits = (whole + fraction).replace(/^0+(?=.)/, "")
  /** The power of ten of the last digit, in 10^-scale. */
  const shift = Number(exponent) - fraction.length + scale
  const units =
    shift >= 0
      ? shift > 40
        ? undefined
        : BigInt(digits) * 10n ** BigInt(shift)
      : divideExactly(BigInt(digits), -shift)
  if (units === undefined)
    return /^0+$/.test(digits) ? Either.right(0) : Either.left(expectedOf(scale))
  return units <= BigInt(Number.MAX_SAFE_INTEGER) && (sign === "" || units === 0n)
    ? Either.right(Number(units))
    : Either.left(expectedOf(scale))
}

const divideExactly = (digits: bigint, places: number): bigint | undefined => {
  if (digits === 0n) return 0n
  if (places > 80) return undefined
  const divisor = 10n ** BigInt(places)
  return digits % divisor === 0n ? digits / divisor : undefined
}

const expectedOf = (scale: number): string =>
  scale === 0
    ? `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`
    : `a number from 0 to ${toText(BigInt(Number.MAX_SAFE_INTEGER), scale)} with at most ${scale} decimal places`

/** Formats a decimal number without trailing zeros. */
export const toText = (units: bigint, scale: number): string => {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0")
  const whole = digits.slice(0, digits.length - scale)
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "")
  return `${units < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`
}
