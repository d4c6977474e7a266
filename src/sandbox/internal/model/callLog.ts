/** The last calls, as an immutable queue: what is appended takes the same time however many there are. */

/** At most so many calls are kept, and so many bytes of them. */
const maxCalls = 1000
const maxBytes = 16 * 1024 * 1024

interface Cell<Entry> {
  readonly entry: Entry
  readonly bytes: number
  readonly next: Cell<Entry> | undefined
}

export interface CallLog<Entry> {
  /** The oldest first, before all of `newest`. */
  readonly oldest: Cell<Entry> | undefined
  /** The newest first. */
  readonly newest: Cell<Entry> | undefined
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
export const append = <Entry>(log: CallLog<Entry>, entry: Entry, bytes: number): CallLog<Entry> => {
  let oldest = log.oldest
  let newest: Cell<Entry> | undefined = { entry, bytes, next: log.newest }
  let count = log.count + 1
  let totalBytes = log.bytes + bytes
  while (count > maxCalls || (totalBytes > maxBytes && count > 0)) {
    if (oldest === undefined) {
      // each call is turned over once
      for (; newest !== undefined; newest = newest.next) {
        oldest = { entry: newest.entry, bytes: newest.bytes, next: oldest }
      }
    }
    if (oldest === undefined) break
    count -= 1
    totalBytes -= oldest.bytes
    oldest = oldest.next
  }
  return { oldest, newest, count, bytes: totalBytes }
}

/** The oldest first. */
export const toArray = <Entry>({ newest, oldest }: CallLog<Entry>): ReadonlyArray<Entry> => {
  const first = collect(oldest)
  return first.concat(collect(newest).reverse())
}

const collect = <Entry>(cells: Cell<Entry> | undefined): Array<Entry> => {
  const all: Array<Entry> = []
  for (let cell = cells; cell !== undefined; cell = cell.next) all.push(cell.entry)
  return all
}
