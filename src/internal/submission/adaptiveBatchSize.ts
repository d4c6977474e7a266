/** Limits the number of records per call by the share of earlier records that were rejected. */
import { maxRecords } from "./batch.js"

interface AdaptiveBatchSize {
  readonly limitOf: (group: string) => number
  /** Records that `count` records were in an accepted call. */
  readonly recordAccepted: (group: string, count: number) => void
  /** Records that `count` records were rejected, each for its own cause. */
  readonly recordRejected: (group: string, count: number) => void
}

interface Observations {
  accepted: number
  rejected: number
}

/** The number of accepted records that every group is assumed to start with. */
const priorAccepted = 10

/** Maximum number of observations per group. Above it, the counts are halved, so that recent observations count more. */
const maxObservations = 400

/**
 * Limits calls to the size that is rejected with even odds, which yields the most information. At 3 rejections in 10 records
 * and more, the limit is one record.
 */
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
      if (count > 0) observe(group, count, 0)
    },
    recordRejected: (group, count) => observe(group, 0, count)
  }
}
