/** Divides a sealed sum into whole units per set of tags and a remainder that is carried to the next hour. */

import { keysOf as keysOfTags } from "./tags.js"

/** The largest quantity of a record and of an allocation. */
export const maxQuantity = 2_147_483_647n

/** Maximum number of allocations of a record. */
export const maxAllocations = 2_500

/** Maximum number of distinct tag keys in the allocations of a record. */
const maxKeys = 5

/** Maximum size of a record's allocations, in bytes. A request is limited to 1,000,000 bytes. */
const maxBytes = 900_000

/** Bytes of an allocation's JSON in addition to its tags: field names, and a quantity of 10 digits. */
const overhead = 150

/** The amount of one set of tags, in 10^-scale. May be negative after corrections. */
export interface Part {
  readonly tags: string
  readonly amount: bigint
}

export interface Division {
  /** Whole units of the record. */
  readonly quantity: bigint
  /** Whole units by set of tags, each more than 0. They add up to `quantity`. */
  readonly shares: ReadonlyArray<{ readonly tags: string; readonly quantity: bigint }>
  /** The remainder of each set of tags, including 0. */
  readonly rests: ReadonlyArray<Part>
  /** The amount billed beyond the sum: 0, unless the last hour was rounded. */
  readonly rounding: bigint
}

/**
 * Divides a sum into the quantity to bill and the remainders to carry. The quantity is the sum in whole units, rounded down, from 0
 * to 2^31 - 1. Each set of tags gets its whole units, and the remaining units go to the largest fractions. The remainders are carried,
 * so that nothing is lost: sum = quantity + remainders. In the last hour of a subscription the sum is rounded half up, and nothing is
 * carried.
 *
 * The number of allocations in a record is limited. If there are more sets of tags, the smallest are carried; in the last hour they
 * are billed without tags. The number of tag keys is limited to 5. If there are more, for example after the product's keys changed,
 * sets with keys that are not in `tagKeys` are billed without tags.
 */
export const divide = (
  parts: ReadonlyArray<Part>,
  scale: number,
  isLast: boolean,
  tagKeys: ReadonlyArray<string> = []
): Division => {
  const unit = 10n ** BigInt(scale)
  const known = withoutTags(parts, foreignSets(parts, tagKeys))
  const fitting = fittingSets(known)
  const excess = known.filter(({ tags }) => tags !== "" && !fitting.has(tags))
  const placed = isLast ? withoutTags(known, new Set(excess.map(({ tags }) => tags))) : known
  const ordered = [...placed].sort(byAmount)
  const waiting = isLast ? [] : excess
  const sharing = ordered.filter((part) => !waiting.includes(part))
  const sum = sharing.reduce((total, { amount }) => total + amount, 0n)
  const rounded = isLast ? (sum * 2n + unit) / (unit * 2n) : sum / unit
  const quantity = sum <= 0n ? 0n : rounded > maxQuantity ? maxQuantity : rounded
  const shares = shareOut(sharing, quantity, unit)
  const rests = sharing.map(({ amount, tags }, index) => ({
    tags,
    amount: amount - (shares[index] ?? 0n) * unit
  }))
  // rounding drops a fraction, but not units that do not fit into the record
  const isRounded = isLast && sum > 0n && quantity === rounded && waiting.length === 0
  return {
    quantity,
    shares: sharing.flatMap(({ tags }, index) => {
      const share = shares[index] ?? 0n
      return share > 0n ? [{ tags, quantity: share }] : []
    }),
    rests: isRounded ? rests.map(({ tags }) => ({ tags, amount: 0n })) : [...rests, ...waiting],
    rounding: isRounded ? quantity * unit - sum : 0n
  }
}

const byAmount = (left: Part, right: Part): number =>
  left.amount === right.amount
    ? compare(left.tags, right.tags)
    : left.amount > right.amount
      ? -1
      : 1

/** Moves the amounts of these sets to the part without tags. */
const withoutTags = (
  parts: ReadonlyArray<Part>,
  sets: ReadonlySet<string>
): ReadonlyArray<Part> => {
  if (sets.size === 0) return parts
  let moved = 0n
  const others = parts.map((part) => {
    if (part.tags !== "" && !sets.has(part.tags)) return part
    moved += part.amount
    return { tags: part.tags, amount: 0n }
  })
  return [...others.filter(({ tags }) => tags !== ""), { tags: "", amount: moved }]
}

/** Returns the sets with keys that the product does not declare, if there are more keys than a record can have. */
const foreignSets = (
  parts: ReadonlyArray<Part>,
  tagKeys: ReadonlyArray<string>
): ReadonlySet<string> => {
  const keysOf = new Map<string, ReadonlyArray<string>>()
  for (const { amount, tags } of parts) {
    if (tags !== "" && amount > 0n) keysOf.set(tags, keysOfTags(tags))
  }
  if (new Set([...keysOf.values()].flat()).size <= maxKeys) return new Set()
  return new Set(
    [...keysOf].flatMap(([tags, keys]) =>
      keys.every((key) => tagKeys.includes(key)) ? [] : [tags]
    )
  )
}

/** Returns the largest sets of tags that fit into a record, together with the part without tags. */
const fittingSets = (parts: ReadonlyArray<Part>): ReadonlySet<string> => {
  const fitting = new Set<string>()
  let bytes = overhead
  for (const { tags } of parts.filter(({ tags }) => tags !== "").sort(byAmount)) {
    bytes += tags.length + overhead
    if (bytes > maxBytes || fitting.size >= maxAllocations - 1) break
    fitting.add(tags)
  }
  return fitting
}

const compare = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0)

/** Distributes `quantity` to the parts, in whole units. */
const shareOut = (
  parts: ReadonlyArray<Part>,
  quantity: bigint,
  unit: bigint
): ReadonlyArray<bigint> => {
  const weights = parts.map(({ amount }) => (amount > 0n ? amount : 0n))
  const total = weights.reduce((sum, weight) => sum + weight, 0n)
  if (total === 0n || quantity === 0n) return parts.map(() => 0n)
  const whole = weights.map((weight) => weight / unit)
  const isWhole = whole.reduce((sum, share) => sum + share, 0n) <= quantity
  const shares = isWhole ? whole : weights.map((weight) => (weight * quantity) / total)
  const fractions = isWhole
    ? weights.map((weight) => weight % unit)
    : weights.map((weight) => (weight * quantity) % total)
  let missing = quantity - shares.reduce((sum, share) => sum + share, 0n)
  // parts with equal fractions keep their order, so that the result is deterministic
  const byFraction = fractions
    .map((fraction, index) => ({ fraction, index }))
    .filter(({ index }) => (weights[index] ?? 0n) > 0n)
    .sort((left, right) =>
      left.fraction === right.fraction
        ? left.index - right.index
        : left.fraction > right.fraction
          ? -1
          : 1
    )
  for (let next = 0; missing > 0n; next = (next + 1) % byFraction.length) {
    const index = byFraction[next]?.index ?? 0
    shares[index] = (shares[index] ?? 0n) + 1n
    missing -= 1n
  }
  return shares
}
