/** Reads numbers that JavaScript represents exactly. */
import * as limits from "./limits.js"

/** No exponents, spaces or hexadecimal digits. */
const decimal = /^-?\d+(\.\d+)?$/

/** Sign, significant digits, and the power of ten of the last digit. */
const canonicalForm = (text: string): string => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, "")
  const significant = digits.replace(/0+$/, "")
  const power = Number(exponent) - fraction.length + digits.length - significant.length
  return significant === "" ? "0" : `${sign}${significant}e${power}`
}

/** False for numbers that would be rounded, such as 1.00000000000000001, and for more than 40 characters. */
export const isExact = (text: string): boolean =>
  text.length <= limits.numberLength && canonicalForm(text) === canonicalForm(String(Number(text)))

/** Returns `undefined` for a text that is not an exact decimal number. */
export const parse = (text: string): number | undefined =>
  text.length <= limits.numberLength && decimal.test(text) && isExact(text)
    ? Number(text)
    : undefined

/** 1.000 is a thousand in some countries, and one in others. */
export const ambiguousThousands = /^-?\d{1,3}\.000$/

/** Like `parse`, without numbers whose point is ambiguous. */
export const parseQuantity = (text: string): number | undefined =>
  ambiguousThousands.test(text) ? undefined : parse(text)
