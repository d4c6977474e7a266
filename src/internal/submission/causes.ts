/** What the refusal of a record proves of others: for some reasons the service's response to them is certain. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import type { Entry } from "./entry.js"
import type { Moment } from "./moment.js"

export interface Causes {
  /** Whether these have in common whatever a call with this error can have been refused for. */
  readonly sharedBy: (
    entries: ReadonlyArray<Entry>,
    error: BatchMeterUsageError,
    now: Moment
  ) => boolean
  /** This record was refused with this error, for its own sake. */
  readonly learn: (entry: Entry, error: BatchMeterUsageError, now: Moment) => void
  /** The service took these, so that nothing is believed of them any more. */
  readonly taken: (entries: ReadonlyArray<Entry>, now: Moment) => void
  /** The error that this record is certain to be refused with. */
  readonly known: (entry: Entry, now: Moment) => BatchMeterUsageError | undefined
  /** Which records go with one that may be refused like another; nothing where it may share any call. */
  readonly suspicionOf: (entry: Entry, now: Moment) => string | undefined
  /** What a record has to share with this one to be refused with it for this error. */
  readonly reasonOf: (entry: Entry, error: BatchMeterUsageError, now: Moment) => string | undefined
}

interface Proof {
  readonly error: BatchMeterUsageError
  /** Until when it is believed: dimensions and licenses can come into being. */
  readonly until: number
}

/** For so many milliseconds a refusal is believed to stand. */
const lifetime = 300_000

/** So many are remembered. */
const most = 10_000

const forgetOldest = (known: Map<string, unknown> | Set<string>) => {
  if (known.size <= most) return
  const [oldest] = known.keys()
  if (oldest !== undefined) known.delete(oldest)
}

/** The tags of a record with more allocations are not compared. */
const mostAllocations = 25

const kindsOfSuspicion: ReadonlyArray<Kind> = ["license", "customer", "time"]

type Kind = "dimension" | "tags" | "product" | "license" | "customer" | "time"

const kinds: { readonly [tag: string]: Kind } = {
  InvalidUsageDimensionException: "dimension",
  InvalidTagException: "tags",
  InvalidProductCodeException: "product",
  InvalidLicenseException: "license",
  InvalidCustomerIdentifierException: "customer",
  TimestampOutOfBoundsException: "time"
}

/** Usage that is further ahead than this, in milliseconds, is accepted of no customer. */
const farAhead = 3_600_000

const isFarAhead = (time: number, now: Moment): boolean => time > now.wall + farAhead

export const make = (): Causes => {
  const proofs = new Map<string, Proof>()
  const proven = new Set<Kind>()
  const suspicions = new Set<string>()

  /** Each license for itself: that a call took two of them does not show that they are refused alike. */
  const productOf = ({ productCode = "", record: { licenseArn } }: Entry): string =>
    licenseArn === undefined ? `p${productCode}` : `l${licenseArn}`

  /** Both identities: a record that names a customer twice can be refused for that alone. */
  const customerOf = ({ record }: Entry): string =>
    JSON.stringify([record.customerAWSAccountId, record.customerIdentifier])

  const timeOf = ({ record }: Entry): number => record.timestamp.epochMillis

  /** What a proof is found by. Of customers and of time there is none: customers come, and time passes. */
  const keyOf = (kind: Kind, entry: Entry): string | undefined => {
    const { dimension, licenseArn, usageAllocations } = entry.record
    switch (kind) {
      case "dimension":
        return JSON.stringify([kind, productOf(entry), dimension])
      case "tags":
        return usageAllocations === undefined || usageAllocations.length > mostAllocations
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
  const reasonOf = (kind: Kind, entry: Entry, now: Moment): string | undefined => {
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
        return keyOf(kind, entry)
    }
  }

  /** What makes a record suspicious once another was refused for the same. */
  const suspicion = (kind: Kind, entry: Entry, now: Moment): string | undefined => {
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
    sharedBy: (entries, { _tag }, now) => {
      const kind = kinds[_tag]
      const [first, ...others] = entries
      if (kind === undefined || first === undefined) return false
      const reason = reasonOf(kind, first, now)
      return reason !== undefined && others.every((entry) => reasonOf(kind, entry, now) === reason)
    },
    learn: (entry, error, now) => {
      const kind = kinds[error._tag]
      if (kind === undefined) return
      const suspected = suspicion(kind, entry, now)
      if (suspected !== undefined) suspicions.add(suspected)
      forgetOldest(suspicions)
      const key = keyOf(kind, entry)
      if (key === undefined) return
      proven.add(kind)
      proofs.delete(key)
      proofs.set(key, { error, until: now.steady + lifetime })
      forgetOldest(proofs)
    },
    taken: (entries, now) => {
      if (proofs.size === 0 && suspicions.size === 0) return
      for (const entry of entries) {
        for (const kind of proven) {
          const key = keyOf(kind, entry)
          if (key !== undefined) proofs.delete(key)
        }
        for (const kind of kindsOfSuspicion) {
          const suspected = suspicion(kind, entry, now)
          if (suspected !== undefined) suspicions.delete(suspected)
        }
      }
    },
    known: (entry, now) => {
      for (const kind of proven) {
        const key = keyOf(kind, entry)
        const proof = key === undefined ? undefined : proofs.get(key)
        if (key === undefined || proof === undefined) continue
        if (proof.until > now.steady) return proof.error
        proofs.delete(key)
      }
      return undefined
    },
    suspicionOf: (entry, now) => {
      if (suspicions.size === 0) return undefined
      for (const kind of kindsOfSuspicion) {
        const suspected = suspicion(kind, entry, now)
        if (suspected !== undefined && suspicions.has(suspected)) {
          return reasonOf(kind, entry, now)
        }
      }
      return undefined
    },
    reasonOf: (entry, { _tag }, now) => {
      const kind = kinds[_tag]
      return kind === undefined ? undefined : reasonOf(kind, entry, now)
    }
  }
}
