/** Numbers in texts: only those that mean the same as a number of the machine do. */
import * as limits from "./limits.js"

/** A number as people write it: no exponents, no spaces, no hexadecimals. */
const decimal = /^-?\d+(\.\d+)?$/

/** Sign, digits that count, and the power of ten that the last of them is of. */
const canonicalForm = (text: string): string => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, "")
  const significant = digits.replace(/0+$/, "")
  const power = Number(exponent) - fraction.length + digits.length - significant.length
  return significant === "" ? "0" : `${sign}${significant}e${power}`
}

/**
 * True if a number of the machine says all of what the text says: 1.00000000000000001 would be 1. Of more than 40
 * characters none does.
 */
export const isExact = (text: string): boolean =>
  text.length <= limits.numberLength && canonicalForm(text) === canonicalForm(String(Number(text)))

/** What the text says, if it is a number that can be had without rounding. */
export const parse = (text: string): number | undefined =>
  text.length <= limits.numberLength && decimal.test(text) && isExact(text)
    ? Number(text)
    : undefined

/** In one half of the world 1.000 is a thousand, and in the other it is one. */
const ambiguousThousands = /^-?\d{1,3}\.000$/

/** The same of a quantity, where it has to be certain what a point in it means. */
export const parseQuantity = (text: string): number | undefined =>
  ambiguousThousands.test(text) ? undefined : parse(text)
