/** A binary heap: the least of all that is in it, at hand. */

export interface Heap<A> {
  readonly size: () => number
  readonly peek: () => A | undefined
  readonly push: (value: A) => void
  readonly pop: () => A | undefined
}

export const make = <A>(isLess: (left: A, right: A) => boolean): Heap<A> => {
  const all: Array<A> = []

  /** Puts a value where, going up from `place`, none above it is greater. */
  const rise = (value: A, place: number) => {
    let at = place
    while (at > 0) {
      const up = (at - 1) >> 1
      const above = all[up] as A
      if (!isLess(value, above)) break
      all[at] = above
      at = up
    }
    all[at] = value
  }

  /** Puts a value where, going down from the top, none below it is less. */
  const sink = (value: A) => {
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= all.length) break
      // both places are within the list
      if (down + 1 < all.length && isLess(all[down + 1] as A, all[down] as A)) down += 1
      const below = all[down] as A
      if (!isLess(below, value)) break
      all[at] = below
      at = down
    }
    all[at] = value
  }

  return {
    size: () => all.length,
    peek: () => all[0],
    push: (value) => rise(value, all.length),
    pop: () => {
      const top = all[0]
      const last = all.pop()
      if (all.length > 0) sink(last as A)
      return top
    }
  }
}
