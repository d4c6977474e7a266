/** A partial comparison, for runtimes without a test framework. */

/**
 * Throws unless `actual` matches `expected`: the members of an object, the elements of an array, the text of a regular
 * expression, or else the same value.
 */
export const expectLike = (actual: unknown, expected: unknown): void => {
  const mismatch = mismatchOf(actual, expected, "")
  if (mismatch !== undefined) throw new Error(mismatch)
}

const mismatchOf = (actual: unknown, expected: unknown, path: string): string | undefined => {
  const describeMismatch = () => `${path || "it"} is ${show(actual)}, not ${show(expected)}`
  if (expected instanceof RegExp) {
    return typeof actual === "string" && expected.test(actual) ? undefined : describeMismatch()
  }
  if (typeof expected !== "object" || expected === null) {
    return Object.is(actual, expected) ? undefined : describeMismatch()
  }
  if (typeof actual !== "object" || actual === null) return describeMismatch()
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return describeMismatch()
  }
  for (const [key, part] of Object.entries(expected)) {
    const mismatch = mismatchOf(Reflect.get(actual, key), part, `${path}.${key}`)
    if (mismatch !== undefined) return mismatch
  }
  return undefined
}

const show = (value: unknown): string =>
  value instanceof RegExp ? String(value) : (JSON.stringify(value) ?? String(value)).slice(0, 500)
