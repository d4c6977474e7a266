/**
 * Judges a ledger after all kills. It knows what was acknowledged to the producers, what the service billed, and what the ledger
 * claims. It shares no code with the ledger.
 */

/** Acknowledged usage, in the smallest parts of a unit, and the hour in which the ledger said that it is billed. */
export interface Acknowledged {
  readonly customer: string
  readonly dimension: string
  readonly hour: number
  readonly quantity: number
}

/** Usage that the service billed, in whole units. */
export interface Billed {
  readonly customer: string
  readonly dimension: string
  readonly hour: number
  readonly quantity: number
}

/** An entry as the ledger shows it. */
export interface Claim {
  readonly customer: string
  readonly dimension: string
  readonly hour: number
  readonly state: string
  /** The sum of usage, in the smallest parts of a unit. */
  readonly recorded: bigint
  /** Whole units of the record, if there is one. */
  readonly units: number | undefined
  /** The last cause in the history. */
  readonly cause: string | undefined
}

export interface Judgment {
  readonly problems: ReadonlyArray<string>
  /** Entries by state. */
  readonly states: { readonly [state: string]: number }
  readonly billedUnits: number
  readonly recordedEntries: number
}

/** States in which nothing is billed. */
const unbilled = new Set(["zero", "expired", "notSubscribed", "rejected", "conflicting"])

const keyOf = ({ customer, dimension, hour }: Omit<Billed, "quantity">) =>
  `${customer} ${dimension} ${new Date(hour * 3_600_000).toISOString().slice(0, 13)}`

const sumBy = <A>(
  rows: ReadonlyArray<A>,
  key: (row: A) => string,
  value: (row: A) => bigint
): Map<string, bigint> => {
  const sums = new Map<string, bigint>()
  for (const row of rows) sums.set(key(row), (sums.get(key(row)) ?? 0n) + value(row))
  return sums
}

export const judge = (
  acknowledged: ReadonlyArray<Acknowledged>,
  billed: ReadonlyArray<Billed>,
  claims: ReadonlyArray<Claim>,
  scales: { readonly [dimension: string]: number }
): Judgment => {
  const problems: Array<string> = []
  const recordedOf = sumBy(acknowledged, keyOf, ({ quantity }) => BigInt(quantity))
  const billedOf = sumBy(billed, keyOf, ({ quantity }) => BigInt(quantity))
  const claimOf = new Map(claims.map((claim) => [keyOf(claim), claim]))
  const states: Record<string, number> = {}

  for (const [key, quantity] of recordedOf) {
    const claim = claimOf.get(key)
    if (claim === undefined) problems.push(`${key}: ${quantity} were acknowledged and are lost`)
    else if (claim.recorded !== quantity) {
      problems.push(`${key}: ${quantity} were acknowledged, ${claim.recorded} are recorded`)
    }
  }
  for (const [key, quantity] of billedOf) {
    if (!claimOf.has(key)) problems.push(`${key}: ${quantity} are billed and were never recorded`)
  }
  for (const claim of claims) {
    const key = keyOf(claim)
    const { cause, dimension, recorded, state, units } = claim
    const usage = billedOf.get(key)
    states[state] = (states[state] ?? 0) + 1
    if (recorded !== 0n && !recordedOf.has(key)) {
      problems.push(`${key}: ${recorded} are recorded and were never acknowledged`)
    }
    if (scales[dimension] === 0 && units !== undefined && BigInt(units) !== recorded) {
      problems.push(`${key}: ${recorded} are recorded, and ${units} are to be billed`)
    }
    if (state === "accepted") {
      if (usage !== BigInt(units ?? -1)) {
        problems.push(`${key}: ${units} are accepted, ${usage ?? "none"} are billed`)
      }
    } else if (state === "inDoubt") {
      if (usage !== undefined && usage !== BigInt(units ?? -1)) {
        problems.push(`${key}: ${units} are in doubt, ${usage} are billed`)
      }
      if (!cause) problems.push(`${key}: it is in doubt without a reason`)
    } else if (unbilled.has(state)) {
      if (usage !== undefined) problems.push(`${key}: it is ${state}, and ${usage} are billed`)
    } else {
      problems.push(`${key}: it is still ${state}`)
    }
  }
  // what is not billed of fractions is less than one unit of each key
  const totals = sumBy(
    claims,
    ({ customer, dimension }) => `${customer} ${dimension}`,
    ({ dimension, recorded, units }) =>
      recorded - BigInt(units ?? 0) * 10n ** BigInt(scales[dimension] ?? 0)
  )
  for (const [key, rest] of totals) {
    const [, dimension = ""] = key.split(" ")
    if (rest < 0n || rest >= 10n ** BigInt(scales[dimension] ?? 0)) {
      problems.push(`${key}: ${rest} smallest parts are left over`)
    }
  }
  return {
    problems,
    states,
    billedUnits: billed.reduce((sum, { quantity }) => sum + quantity, 0),
    recordedEntries: recordedOf.size
  }
}
