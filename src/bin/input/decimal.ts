/** Parses decimal numbers that JavaScript represents exactly. */
import * as limits from "./limits.js"

/** Excludes exponents, spaces and hexadecimal digits. */
const decimal = /^-?\d+(\.\d+)?$/

/** Returns a text that is the same for equal numbers: the sign, the significant digits, and the power of ten of the last digit. */
const canonicalForm = (text: string): string => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, "")
  const significant = digits.replace(/0+$/, "")
  const power = Number(exponent) - fraction.length + digits.length - significant.length
  return significant === "" ? "0" : `${sign}${significant}e${power}`
}

/** Returns false for numbers that would be rounded, such as 1.00000000000000001, and for more than 40 characters. */
export const isExact = (text: string): boolean =>
  text.length <= limits.numberLength && canonicalForm(text) === canonicalForm(String(Number(text)))

/** Returns `undefined` for a text that is not an exact decimal number. */
export const parse = (text: string): number | undefined =>
  text.length <= limits.numberLength && decimal.test(text) && isExact(text)
    ? Number(text)
    : undefined

/** Matches numbers such as 1.000, which is a thousand in some countries, and one in others. */
export const ambiguousThousands = /^-?\d{1,3}\.000$/

/** Like `parse`, but returns `undefined` for numbers that match `ambiguousThousands`. */
export const parseQuantity = (text: string): number | undefined =>
  ambiguousThousands.test(text) ? undefined : parse(text)
