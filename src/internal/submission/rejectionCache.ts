/** Caches rejections that are certain to apply to other records as well. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import type { ClockReading } from "./clockReading.js"
import type { PendingRecord } from "./pendingRecord.js"

interface RejectionCache {
  /** Returns whether these records share every possible cause of a call rejected with this error. */
  readonly haveCommonCause: (
    items: ReadonlyArray<PendingRecord>,
    error: BatchMeterUsageError,
    now: ClockReading
  ) => boolean
  /** Records that a record was rejected with this error, alone or for a cause that its whole call shares. */
  readonly recordRejected: (
    item: PendingRecord,
    error: BatchMeterUsageError,
    now: ClockReading
  ) => void
  /** Records that the service accepted these records, which disproves their cached causes. */
  readonly recordAccepted: (items: ReadonlyArray<PendingRecord>, now: ClockReading) => void
  /** Returns the error with which this record is certain to be rejected, if there is one. */
  readonly cachedRejection: (
    item: PendingRecord,
    now: ClockReading
  ) => BatchMeterUsageError | undefined
  /**
   * Returns the cause for which a record may be rejected, because a similar record was. Records with the same cause share
   * calls.
   */
  readonly suspectedCause: (item: PendingRecord, now: ClockReading) => string | undefined
  /** Returns the cause that other records must share to be rejected together with this one. */
  readonly causeOf: (
    item: PendingRecord,
    error: BatchMeterUsageError,
    now: ClockReading
  ) => string | undefined
}

interface CachedRejection {
  readonly error: BatchMeterUsageError
  /** Monotonic milliseconds. Rejections expire because dimensions and licenses can be created. */
  readonly expiresAt: number
}

const timeToLiveMillis = 300_000

/** Maximum number of entries in the cache, and separately of suspected keys. */
const maxCached = 10_000

const evictOldest = (cache: Map<string, unknown> | Set<string>) => {
  if (cache.size <= maxCached) return
  const [oldest] = cache.keys()
  if (oldest !== undefined) cache.delete(oldest)
}

/** Maximum number of allocations of a record whose tags are compared with those of other records. */
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

/** Milliseconds ahead of now, beyond which the service accepts no usage, regardless of the agreement. */
const maxAheadMillis = 3_600_000

const isFarAhead = (time: number, now: ClockReading): boolean => time > now.wall + maxAheadMillis

export const make = (): RejectionCache => {
  const cached = new Map<string, CachedRejection>()
  const cachedKinds = new Set<CauseKind>()
  const suspectKeys = new Set<string>()

  /**
   * Identifies the product by its code, or by the license. Licenses of one product are not combined, because they may be
   * rejected for different causes.
   */
  const productOf = ({ productCode = "", record: { licenseArn } }: PendingRecord): string =>
    licenseArn === undefined ? `p${productCode}` : `l${licenseArn}`

  /** Combines both identities, because a record with both can be rejected for that alone. */
  const customerOf = ({ record }: PendingRecord): string =>
    JSON.stringify([record.customerAWSAccountId, record.customerIdentifier])

  const timeOf = ({ record }: PendingRecord): number => record.timestamp.epochMillis

  /**
   * Returns the key of a cached cause. Returns `undefined` for customers and times, which are not cached because customers
   * subscribe and time passes.
   */
  const cacheKeyOf = (kind: CauseKind, item: PendingRecord): string | undefined => {
    const { dimension, licenseArn, usageAllocations } = item.record
    switch (kind) {
      case "dimension":
        return JSON.stringify([kind, productOf(item), dimension])
      case "tags":
        return usageAllocations === undefined || usageAllocations.length > maxComparedAllocations
          ? undefined
          : JSON.stringify([kind, productOf(item), usageAllocations.map(({ tags }) => tags)])
      case "product":
        return licenseArn === undefined ? undefined : JSON.stringify([kind, productOf(item)])
      case "license":
        // a license may be active at one time of usage and not at another, in any order
        return licenseArn === undefined
          ? undefined
          : JSON.stringify([kind, licenseArn, customerOf(item), timeOf(item)])
      default:
        return undefined
    }
  }

  const causeOf = (kind: CauseKind, item: PendingRecord, now: ClockReading): string | undefined => {
    const time = timeOf(item)
    switch (kind) {
      case "customer":
        return JSON.stringify([kind, productOf(item), customerOf(item)])
      case "time":
        // usage that is not far ahead may be outside the customer's agreement
        return JSON.stringify(
          isFarAhead(time, now) ? [kind, time] : [kind, time, productOf(item), customerOf(item)]
        )
      default:
        return cacheKeyOf(kind, item)
    }
  }

  /** Returns the key that makes a record suspected of the cause of a rejected record with the same key. */
  const suspectKeyOf = (
    kind: CauseKind,
    item: PendingRecord,
    now: ClockReading
  ): string | undefined => {
    switch (kind) {
      case "license":
        return JSON.stringify([kind, item.record.licenseArn, customerOf(item)])
      case "customer":
        return JSON.stringify([kind, productOf(item), customerOf(item)])
      case "time":
        return isFarAhead(timeOf(item), now) ? kind : undefined
      default:
        return undefined
    }
  }

  return {
    haveCommonCause: (items, { _tag }, now) => {
      const kind = causeKinds[_tag]
      const [first, ...others] = items
      if (kind === undefined || first === undefined) return false
      const cause = causeOf(kind, first, now)
      return cause !== undefined && others.every((item) => causeOf(kind, item, now) === cause)
    },
    recordRejected: (item, error, now) => {
      const kind = causeKinds[error._tag]
      if (kind === undefined) return
      const suspectKey = suspectKeyOf(kind, item, now)
      if (suspectKey !== undefined) suspectKeys.add(suspectKey)
      evictOldest(suspectKeys)
      const key = cacheKeyOf(kind, item)
      if (key === undefined) return
      cachedKinds.add(kind)
      cached.delete(key)
      cached.set(key, { error, expiresAt: now.monotonic + timeToLiveMillis })
      evictOldest(cached)
    },
    recordAccepted: (items, now) => {
      if (cached.size === 0 && suspectKeys.size === 0) return
      for (const item of items) {
        for (const kind of cachedKinds) {
          const key = cacheKeyOf(kind, item)
          if (key !== undefined) cached.delete(key)
        }
        for (const kind of suspectedKinds) {
          const suspectKey = suspectKeyOf(kind, item, now)
          if (suspectKey !== undefined) suspectKeys.delete(suspectKey)
        }
      }
    },
    cachedRejection: (item, now) => {
      for (const kind of cachedKinds) {
        const key = cacheKeyOf(kind, item)
        const rejection = key === undefined ? undefined : cached.get(key)
        if (key === undefined || rejection === undefined) continue
        if (rejection.expiresAt > now.monotonic) return rejection.error
        cached.delete(key)
      }
      return undefined
    },
    suspectedCause: (item, now) => {
      if (suspectKeys.size === 0) return undefined
      for (const kind of suspectedKinds) {
        const suspectKey = suspectKeyOf(kind, item, now)
        if (suspectKey !== undefined && suspectKeys.has(suspectKey)) {
          return causeOf(kind, item, now)
        }
      }
      return undefined
    },
    causeOf: (item, { _tag }, now) => {
      const kind = causeKinds[_tag]
      return kind === undefined ? undefined : causeOf(kind, item, now)
    }
  }
}
