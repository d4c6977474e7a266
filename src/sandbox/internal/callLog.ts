/** The last calls, as an immutable queue: what is appended takes the same time however many there are. */

/** At most so many calls are kept, and so many bytes of them. */
const maxCalls = 1000
const maxBytes = 16 * 1024 * 1024

interface Cell<Called> {
  readonly called: Called
  readonly bytes: number
  readonly next: Cell<Called> | undefined
}

export interface CallLog<Called> {
  /** The oldest first, before all of `newest`. */
  readonly oldest: Cell<Called> | undefined
  /** The newest first. */
  readonly newest: Cell<Called> | undefined
  readonly count: number
  readonly bytes: number
}

export const empty: CallLog<never> = {
  oldest: undefined,
  newest: undefined,
  count: 0,
  bytes: 0
}

/** The log with a call more, and without the oldest where there is too much. */
export const append = <Called>(
  log: CallLog<Called>,
  called: Called,
  bytes: number
): CallLog<Called> => {
  let oldest = log.oldest
  let newest: Cell<Called> | undefined = { called, bytes, next: log.newest }
  let count = log.count + 1
  let sum = log.bytes + bytes
  while (count > maxCalls || (sum > maxBytes && count > 0)) {
    if (oldest === undefined) {
      // each call is turned over once
      for (; newest !== undefined; newest = newest.next) {
        oldest = { called: newest.called, bytes: newest.bytes, next: oldest }
      }
    }
    if (oldest === undefined) break
    count -= 1
    sum -= oldest.bytes
    oldest = oldest.next
  }
  return { oldest, newest, count, bytes: sum }
}

/** The oldest first. */
export const toArray = <Called>({ newest, oldest }: CallLog<Called>): ReadonlyArray<Called> => {
  const first = listed(oldest)
  return first.concat(listed(newest).reverse())
}

const listed = <Called>(cells: Cell<Called> | undefined): Array<Called> => {
  const all: Array<Called> = []
  for (let cell = cells; cell !== undefined; cell = cell.next) all.push(cell.called)
  return all
}
