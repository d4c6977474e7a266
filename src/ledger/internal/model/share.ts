/** Divides a sealed sum into whole units per set of tags, and a rest that is carried. */

/** The largest quantity of a record and of an allocation. */
export const maxQuantity = 2_147_483_647n

/** The most allocations of a record. */
export const maxAllocations = 2_500

/** The amount of one set of tags, in 10^-scale. May be negative after corrections. */
export interface Part {
  readonly tags: string
  readonly amount: bigint
}

export interface Division {
  /** Whole units of the record. */
  readonly quantity: bigint
  /** Whole units by set of tags, more than 0. They add up to `quantity`. */
  readonly shares: ReadonlyArray<{ readonly tags: string; readonly quantity: bigint }>
  /** The rest of each set of tags, 0 included. */
  readonly rests: ReadonlyArray<Part>
  /** The amount billed beyond the sum: 0, unless the last hour was rounded. */
  readonly rounding: bigint
}

/**
 * The quantity is the sum in whole units, rounded down, at most 2^31 - 1 and at least 0. Each set of tags gets its whole units,
 * and the remaining ones go to the largest fractions. The rest is carried, so that nothing is lost:
 * sum = quantity + rests. In the last hour of a subscription the sum is rounded half up, and nothing is carried.
 */
export const divide = (parts: ReadonlyArray<Part>, scale: number, isLast: boolean): Division => {
  const unit = 10n ** BigInt(scale)
  const ordered = [...parts].sort((left, right) =>
    left.amount === right.amount
      ? compare(left.tags, right.tags)
      : left.amount > right.amount
        ? -1
        : 1
  )
  const sharing = ordered.slice(0, maxAllocations)
  const waiting = ordered.slice(maxAllocations)
  const sum = sharing.reduce((total, { amount }) => total + amount, 0n)
  const rounded = isLast ? (sum * 2n + unit) / (unit * 2n) : sum / unit
  const quantity = sum <= 0n ? 0n : rounded > maxQuantity ? maxQuantity : rounded
  const shares = shareOut(sharing, quantity, unit)
  const rests = sharing.map(({ amount, tags }, index) => ({
    tags,
    amount: amount - (shares[index] ?? 0n) * unit
  }))
  // rounding ends what is left over, but not an overflow
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

const compare = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0)

/** Whole units for each part. They add up to `quantity`. */
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
  // parts are in a fixed order, so that equal fractions have one result
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
