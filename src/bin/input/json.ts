/** Finds problems that `JSON.parse` ignores: rounded numbers, repeated members, and deep nesting. */
import { listSome, truncateText } from "../output/format.js"
import * as decimal from "./decimal.js"
import * as limits from "./limits.js"

/** Converts a member name of AWS's JSON to a field name. They differ only in the case of the first letter. */
export const toFieldName = (name: string) => name.charAt(0).toLowerCase() + name.slice(1)

const numeric = /[-+.0-9eE]*/y

/** Returns the end of the number at `from`, or `from` if there is no number. */
const endOfNumber = (text: string, from: number): number => {
  const code = text.charCodeAt(from)
  if (code !== 45 && (code < 48 || code > 57)) return from
  numeric.lastIndex = from
  numeric.test(text)
  return numeric.lastIndex
}

/** Returns the end of the string at `from`, or of the text if the string is not closed. */
const endOfString = (text: string, from: number): number => {
  for (let end = text.indexOf('"', from + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let firstBackslash = end
    while (text[firstBackslash - 1] === "\\") firstBackslash--
    if ((end - firstBackslash) % 2 === 0) return end + 1
  }
  return text.length
}

const memberName = (token: string): string => {
  if (!token.includes("\\")) return token.slice(1, -1)
  try {
    return JSON.parse(token) as string
  } catch {
    return token
  }
}

/** Returns a description of the problem, or `undefined` if `JSON.parse` is safe. Scans the text once, without recursion. */
export const findUnsafeJson = (text: string): string | undefined => {
  const repeated: Array<string> = []
  const rounded: Array<string> = []
  /** The member names of each open object, from the outside. `undefined` for an open array. */
  const open: Array<Set<string> | undefined> = []
  let isName = false
  for (let i = 0; i < text.length; ) {
    const character = text[i]
    if (character === '"') {
      const end = endOfString(text, i)
      const names = open.at(-1)
      if (isName && names !== undefined) {
        const name = memberName(text.slice(i, end))
        if (names.has(toFieldName(name))) repeated.push(name)
        names.add(toFieldName(name))
      }
      isName = false
      i = end
      continue
    }
    const end = endOfNumber(text, i)
    if (end > i) {
      const token = text.slice(i, end)
      if (!decimal.isExact(token)) rounded.push(token)
      i = end
      continue
    }
    if (character === "{" || character === "[") {
      open.push(character === "{" ? new Set() : undefined)
      if (open.length > limits.depth) return `nested deeper than ${limits.depth} levels`
      isName = character === "{"
    } else if (character === "}" || character === "]") {
      open.pop()
      isName = false
    } else if (character === ",") isName = true
    i++
  }
  return repeated.length > 0
    ? `${listSome(repeated)}: repeated`
    : rounded.length > 0
      ? `${listSome(rounded)}: expected numbers that need no rounding`
      : undefined
}

/** Formats a value as JSON for an error message, truncated. */
export const formatValue = (value: unknown): string =>
  truncateText(JSON.stringify(value) ?? String(value))
