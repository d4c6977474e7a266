/** How many records go in a call, by how many of those before were refused for their own sake. */
import { maxRecords } from "./batch.js"

export interface AdaptiveBatchSize {
  readonly limitOf: (group: string) => number
  /** So many were in a call that the service took. */
  readonly recordAccepted: (group: string, count: number) => void
  /** So many were refused, each for its own sake. */
  readonly recordRejected: (group: string, count: number) => void
}

interface Observations {
  accepted: number
  rejected: number
}

/** Every group begins as if so many of it had been taken. */
const priorAccepted = 10

/** Of what was seen before so many others, half is forgotten. */
const maxObservations = 400

/** A call that is as likely to be refused as to be taken tells most. From 3 of 10 on that is a call of one record. */
export const make = (): AdaptiveBatchSize => {
  const groups = new Map<string, Observations>()

  const observe = (group: string, accepted: number, rejected: number) => {
    const observations = groups.get(group) ?? { accepted: 0, rejected: 0 }
    observations.accepted += accepted
    observations.rejected += rejected
    if (observations.accepted + observations.rejected > maxObservations) {
      observations.accepted /= 2
      observations.rejected /= 2
    }
    groups.set(group, observations)
  }

  return {
    limitOf: (group) => {
      const { rejected, accepted } = groups.get(group) ?? { accepted: 0, rejected: 0 }
      if (rejected === 0) return maxRecords
      const rejectionRate = rejected / (rejected + accepted + priorAccepted)
      const evenOddsSize = Math.floor(Math.LN2 / -Math.log1p(-rejectionRate))
      return Math.min(maxRecords, Math.max(1, evenOddsSize))
    },
    recordAccepted: (group, count) => {
      // where nothing was ever refused there is nothing to weigh
      if (count > 0) observe(group, count, 0)
    },
    recordRejected: (group, count) => observe(group, 0, count)
  }
}
