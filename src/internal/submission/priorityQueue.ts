/** A binary heap: the least of all that is in it, at hand. */

export interface PriorityQueue<A> {
  readonly size: () => number
  readonly peek: () => A | undefined
  readonly push: (value: A) => void
  readonly pop: () => A | undefined
}

export const make = <A>(isLess: (left: A, right: A) => boolean): PriorityQueue<A> => {
  const values: Array<A> = []

  /** Puts a value where, going up from `place`, none above it is greater. */
  const siftUp = (value: A, start: number) => {
    let index = start
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = values[parentIndex] as A
      if (!isLess(value, parent)) break
      values[index] = parent
      index = parentIndex
    }
    values[index] = value
  }

  /** Puts a value where, going down from the top, none below it is less. */
  const siftDown = (value: A) => {
    let index = 0
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= values.length) break
      // both places are within the list
      if (
        childIndex + 1 < values.length &&
        isLess(values[childIndex + 1] as A, values[childIndex] as A)
      )
        childIndex += 1
      const child = values[childIndex] as A
      if (!isLess(child, value)) break
      values[index] = child
      index = childIndex
    }
    values[index] = value
  }

  return {
    size: () => values.length,
    peek: () => values[0],
    push: (value) => siftUp(value, values.length),
    pop: () => {
      const top = values[0]
      const last = values.pop()
      if (values.length > 0) siftDown(last as A)
      return top
    }
  }
}
