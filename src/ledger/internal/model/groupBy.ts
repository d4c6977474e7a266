/** Groups values by a key. Groups and their values keep the given order. */
export const groupBy = <A, K>(values: ReadonlyArray<A>, key: (value: A) => K): Map<K, Array<A>> => {
  const groups = new Map<K, Array<A>>()
  for (const value of values) {
    const group = groups.get(key(value))
    if (group === undefined) groups.set(key(value), [value])
    else group.push(value)
  }
  return groups
}
