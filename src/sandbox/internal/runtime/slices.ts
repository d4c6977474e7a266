/** Splits long work into slices, and yields to other fibers and connections between them. */
import * as Effect from "effect/Effect"

/** Continues in the next turn of the event loop. */
export const yieldToEventLoop: Effect.Effect<void> = Effect.async((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/** Number of elements to sort or map in a slice, which takes a few milliseconds. */
const sliceLength = 8192

export const map = <A, B>(all: ReadonlyArray<A>, f: (element: A) => B): Effect.Effect<Array<B>> =>
  Effect.gen(function* () {
    const mapped: Array<B> = []
    for (let from = 0; from < all.length; from += sliceLength) {
      if (from > 0) yield* yieldToEventLoop
      for (const element of all.slice(from, from + sliceLength)) mapped.push(f(element))
    }
    return mapped
  })

/** Sorts into a new array. The sort is stable, like `Array.prototype.sort`. */
export const sort = <A>(
  all: Iterable<A>,
  compare: (left: A, right: A) => number
): Effect.Effect<ReadonlyArray<A>> =>
  Effect.gen(function* () {
    let runs: Array<ReadonlyArray<A>> = []
    let run: Array<A> = []
    for (const element of all) {
      run.push(element)
      if (run.length === sliceLength) {
        runs.push(run.sort(compare))
        run = []
        yield* yieldToEventLoop
      }
    }
    if (run.length > 0) runs.push(run.sort(compare))
    while (runs.length > 1) {
      const merged: Array<ReadonlyArray<A>> = []
      for (let i = 0; i < runs.length; i += 2) {
        const [left = [], right] = runs.slice(i, i + 2)
        merged.push(right === undefined ? left : yield* merge(left, right, compare))
      }
      runs = merged
    }
    return runs[0] ?? []
  })

const merge = <A>(
  left: ReadonlyArray<A>,
  right: ReadonlyArray<A>,
  compare: (left: A, right: A) => number
): Effect.Effect<ReadonlyArray<A>> =>
  Effect.gen(function* () {
    const merged: Array<A> = []
    let i = 0
    let j = 0
    while (i < left.length || j < right.length) {
      for (let steps = sliceLength; steps > 0 && (i < left.length || j < right.length); steps--) {
        // the casts are safe, because each index is below the length where it is read
        const takesLeft =
          j >= right.length || (i < left.length && compare(left[i] as A, right[j] as A) <= 0)
        merged.push((takesLeft ? left[i++] : right[j++]) as A)
      }
      yield* yieldToEventLoop
    }
    return merged
  })
