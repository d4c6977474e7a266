/** How many records go in a call, by how many of those before were refused for their own sake. */
import { countLimit } from "./parcel.js"

export interface Caution {
  readonly limitOf: (group: string) => number
  /** So many were in a call that the service took. */
  readonly taken: (group: string, count: number) => void
  /** So many were refused, each for its own sake. */
  readonly refused: (group: string, count: number) => void
}

interface Seen {
  taken: number
  refused: number
}

/** Every group begins as if so many of it had been taken. */
const credit = 10

/** Of what was seen before so many others, half is forgotten. */
const memory = 400

/** A call that is as likely to be refused as to be taken tells most. From 3 of 10 on that is a call of one record. */
export const make = (): Caution => {
  const groups = new Map<string, Seen>()

  const see = (group: string, taken: number, refused: number) => {
    const seen = groups.get(group) ?? { taken: 0, refused: 0 }
    seen.taken += taken
    seen.refused += refused
    if (seen.taken + seen.refused > memory) {
      seen.taken /= 2
      seen.refused /= 2
    }
    groups.set(group, seen)
  }

  return {
    limitOf: (group) => {
      const { refused, taken } = groups.get(group) ?? { taken: 0, refused: 0 }
      if (refused === 0) return countLimit
      const share = refused / (refused + taken + credit)
      const even = Math.floor(Math.LN2 / -Math.log1p(-share))
      return Math.min(countLimit, Math.max(1, even))
    },
    taken: (group, count) => {
      // where nothing was ever refused there is nothing to weigh
      if (count > 0) see(group, count, 0)
    },
    refused: (group, count) => see(group, 0, count)
  }
}
