/** The things that a run can do or suffer, counted to show that they happen. */
export const features = [
  "recorded",
  "recordedTogether",
  "recordedAgain",
  "tagsInOtherOrder",
  "conflict",
  "carried",
  "tooLate",
  "corrected",
  "renewed",
  "closed",
  "advanced",
  "advancedAgain",
  "positionSkipped",
  "retried",
  "carriedForward",
  "recovered",
  "crashed",
  "frozen",
  "unavailable"
] as const

export type Feature = (typeof features)[number]

export type Counts = Readonly<Record<string, number>>

/** Adds counts up, in place. */
export const addCounts = (totals: Record<string, number>, counts: Counts): void => {
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count
}

/** Those that never happened. */
export const missing = (counts: Counts): ReadonlyArray<string> =>
  features.filter((feature) => !counts[feature])
