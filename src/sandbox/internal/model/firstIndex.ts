/**
 * Finds the first index at which a predicate holds by bisection. Returns the length if there is none. The predicate must hold for
 * all values after the first.
 */
export const firstIndex = <A>(
  values: ReadonlyArray<A>,
  predicate: (value: A) => boolean
): number => {
  let [from, to] = [0, values.length]
  while (from < to) {
    const middle = (from + to) >> 1
    // the cast is safe, because `middle` is below the length
    if (predicate(values[middle] as A)) to = middle
    else from = middle + 1
  }
  return from
}
