/** The first index from which a predicate holds, by bisection, or else the length. It must hold for all that follow. */
export const firstIndex = <A>(
  values: ReadonlyArray<A>,
  predicate: (value: A) => boolean
): number => {
  let [from, to] = [0, values.length]
  while (from < to) {
    const middle = (from + to) >> 1
    // the middle is below the length
    if (predicate(values[middle] as A)) to = middle
    else from = middle + 1
  }
  return from
}
