/** What the refusal of a record proves of others: for some reasons the service's response to them is certain. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import type { ClockReading } from "./clockReading.js"
import type { PendingRecord } from "./pendingRecord.js"

export interface RejectionCache {
  /** Whether these have in common whatever a call with this error can have been refused for. */
  readonly haveCommonCause: (
    entries: ReadonlyArray<PendingRecord>,
    error: BatchMeterUsageError,
    now: ClockReading
  ) => boolean
  /** This record was refused with this error, for its own sake. */
  readonly recordRejected: (
    entry: PendingRecord,
    error: BatchMeterUsageError,
    now: ClockReading
  ) => void
  /** The service took these, so that nothing is believed of them any more. */
  readonly recordAccepted: (entries: ReadonlyArray<PendingRecord>, now: ClockReading) => void
  /** The error that this record is certain to be refused with. */
  readonly cachedRejection: (
    entry: PendingRecord,
    now: ClockReading
  ) => BatchMeterUsageError | undefined
  /** Which records go with one that may be refused like another; nothing where it may share any call. */
  readonly suspectedCause: (entry: PendingRecord, now: ClockReading) => string | undefined
  /** What a record has to share with this one to be refused with it for this error. */
  readonly causeOf: (
    entry: PendingRecord,
    error: BatchMeterUsageError,
    now: ClockReading
  ) => string | undefined
}

interface CachedRejection {
  readonly error: BatchMeterUsageError
  /** Until when it is believed: dimensions and licenses can come into being. */
  readonly expiresAt: number
}

/** For so many milliseconds a refusal is believed to stand. */
const timeToLiveMillis = 300_000

/** So many are remembered. */
const maxCached = 10_000

const evictOldest = (cache: Map<string, unknown> | Set<string>) => {
  if (cache.size <= maxCached) return
  const [oldest] = cache.keys()
  if (oldest !== undefined) cache.delete(oldest)
}

/** The tags of a record with more allocations are not compared. */
const maxComparedAllocations = 25

const suspectedKinds: ReadonlyArray<CauseKind> = ["license", "customer", "time"]

type CauseKind = "dimension" | "tags" | "product" | "license" | "customer" | "time"

const causeKinds: { readonly [tag: string]: CauseKind } = {
  InvalidUsageDimensionException: "dimension",
  InvalidTagException: "tags",
  InvalidProductCodeException: "product",
  InvalidLicenseException: "license",
  InvalidCustomerIdentifierException: "customer",
  TimestampOutOfBoundsException: "time"
}

/** Usage that is further ahead than this, in milliseconds, is accepted of no customer. */
const maxAheadMillis = 3_600_000

const isFarAhead = (time: number, now: ClockReading): boolean => time > now.wall + maxAheadMillis

export const make = (): RejectionCache => {
  const cached = new Map<string, CachedRejection>()
  const cachedKinds = new Set<CauseKind>()
  const suspectKeys = new Set<string>()

  /** Each license for itself: that a call took two of them does not show that they are refused alike. */
  const productOf = ({ productCode = "", record: { licenseArn } }: PendingRecord): string =>
    licenseArn === undefined ? `p${productCode}` : `l${licenseArn}`

  /** Both identities: a record that names a customer twice can be refused for that alone. */
  const customerOf = ({ record }: PendingRecord): string =>
    JSON.stringify([record.customerAWSAccountId, record.customerIdentifier])

  const timeOf = ({ record }: PendingRecord): number => record.timestamp.epochMillis

  /** What a proof is found by. Of customers and of time there is none: customers come, and time passes. */
  const cacheKeyOf = (kind: CauseKind, entry: PendingRecord): string | undefined => {
    const { dimension, licenseArn, usageAllocations } = entry.record
    switch (kind) {
      case "dimension":
        return JSON.stringify([kind, productOf(entry), dimension])
      case "tags":
        return usageAllocations === undefined || usageAllocations.length > maxComparedAllocations
          ? undefined
          : JSON.stringify([kind, productOf(entry), usageAllocations.map(({ tags }) => tags)])
      case "product":
        return licenseArn === undefined ? undefined : JSON.stringify([kind, productOf(entry)])
      case "license":
        // it may be active at one time of usage and not at another, whatever the times between them
        return licenseArn === undefined
          ? undefined
          : JSON.stringify([kind, licenseArn, customerOf(entry), timeOf(entry)])
      default:
        return undefined
    }
  }

  /** What records have to share to be refused with one another. */
  const causeOf = (
    kind: CauseKind,
    entry: PendingRecord,
    now: ClockReading
  ): string | undefined => {
    const time = timeOf(entry)
    switch (kind) {
      case "customer":
        return JSON.stringify([kind, productOf(entry), customerOf(entry)])
      case "time":
        // of other usage, it may be the agreement's time that is meant
        return JSON.stringify(
          isFarAhead(time, now) ? [kind, time] : [kind, time, productOf(entry), customerOf(entry)]
        )
      default:
        return cacheKeyOf(kind, entry)
    }
  }

  /** What makes a record suspicious once another was refused for the same. */
  const suspectKeyOf = (
    kind: CauseKind,
    entry: PendingRecord,
    now: ClockReading
  ): string | undefined => {
    switch (kind) {
      case "license":
        return JSON.stringify([kind, entry.record.licenseArn, customerOf(entry)])
      case "customer":
        return JSON.stringify([kind, productOf(entry), customerOf(entry)])
      case "time":
        return isFarAhead(timeOf(entry), now) ? kind : undefined
      default:
        return undefined
    }
  }

  return {
    haveCommonCause: (entries, { _tag }, now) => {
      const kind = causeKinds[_tag]
      const [first, ...others] = entries
      if (kind === undefined || first === undefined) return false
      const cause = causeOf(kind, first, now)
      return cause !== undefined && others.every((entry) => causeOf(kind, entry, now) === cause)
    },
    recordRejected: (entry, error, now) => {
      const kind = causeKinds[error._tag]
      if (kind === undefined) return
      const suspectKey = suspectKeyOf(kind, entry, now)
      if (suspectKey !== undefined) suspectKeys.add(suspectKey)
      evictOldest(suspectKeys)
      const key = cacheKeyOf(kind, entry)
      if (key === undefined) return
      cachedKinds.add(kind)
      cached.delete(key)
      cached.set(key, { error, expiresAt: now.monotonic + timeToLiveMillis })
      evictOldest(cached)
    },
    recordAccepted: (entries, now) => {
      if (cached.size === 0 && suspectKeys.size === 0) return
      for (const entry of entries) {
        for (const kind of cachedKinds) {
          const key = cacheKeyOf(kind, entry)
          if (key !== undefined) cached.delete(key)
        }
        for (const kind of suspectedKinds) {
          const suspectKey = suspectKeyOf(kind, entry, now)
          if (suspectKey !== undefined) suspectKeys.delete(suspectKey)
        }
      }
    },
    cachedRejection: (entry, now) => {
      for (const kind of cachedKinds) {
        const key = cacheKeyOf(kind, entry)
        const rejection = key === undefined ? undefined : cached.get(key)
        if (key === undefined || rejection === undefined) continue
        if (rejection.expiresAt > now.monotonic) return rejection.error
        cached.delete(key)
      }
      return undefined
    },
    suspectedCause: (entry, now) => {
      if (suspectKeys.size === 0) return undefined
      for (const kind of suspectedKinds) {
        const suspectKey = suspectKeyOf(kind, entry, now)
        if (suspectKey !== undefined && suspectKeys.has(suspectKey)) {
          return causeOf(kind, entry, now)
        }
      }
      return undefined
    },
    causeOf: (entry, { _tag }, now) => {
      const kind = causeKinds[_tag]
      return kind === undefined ? undefined : causeOf(kind, entry, now)
    }
  }
}
