/** Comparison by parts, where no test framework can be had. */

/**
 * Fails unless `actual` has what is `expected` of it: the members that an object names, the elements of a list,
 * text that a pattern fits, and of all else the same value.
 */
export const expectLike = (actual: unknown, expected: unknown): void => {
  const fault = faultOf(actual, expected, "")
  if (fault !== undefined) throw new Error(fault)
}

const faultOf = (actual: unknown, expected: unknown, path: string): string | undefined => {
  const otherwise = () => `${path || "it"} is ${show(actual)}, not ${show(expected)}`
  if (expected instanceof RegExp) {
    return typeof actual === "string" && expected.test(actual) ? undefined : otherwise()
  }
  if (typeof expected !== "object" || expected === null) {
    return Object.is(actual, expected) ? undefined : otherwise()
  }
  if (typeof actual !== "object" || actual === null) return otherwise()
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return otherwise()
  }
  for (const [key, part] of Object.entries(expected)) {
    const fault = faultOf(Reflect.get(actual, key), part, `${path}.${key}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

const show = (value: unknown): string =>
  value instanceof RegExp ? String(value) : (JSON.stringify(value) ?? String(value)).slice(0, 500)
