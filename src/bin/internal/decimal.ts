/** Numbers in texts: only those that mean the same as a number of the machine do. */

/** A number as people write it: no exponents, no spaces, no hexadecimals. */
const decimal = /^-?\d+(\.\d+)?$/

/** Sign, digits that count, and the power of ten that the last of them is of. */
const normalOf = (text: string): string => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, "")
  const counting = digits.replace(/0+$/, "")
  const power = Number(exponent) - fraction.length + digits.length - counting.length
  return counting === "" ? "0" : `${sign}${counting}e${power}`
}

/** Whether a number of the machine says all of what the text says: 1.00000000000000001 would be 1. */
const isExact = (text: string): boolean => normalOf(text) === normalOf(String(Number(text)))

/** What the text says, if it is a number that can be had without rounding. */
export const read = (text: string): number | undefined =>
  decimal.test(text) && isExact(text) ? Number(text) : undefined

const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** Numbers in a text of JSON that would be rounded when it is read. */
export const roundedIn = (json: string): ReadonlyArray<string> =>
  (json.match(token) ?? []).filter((text) => !text.startsWith('"') && !isExact(text))
