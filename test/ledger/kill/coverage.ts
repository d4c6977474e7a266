/** Shows that a campaign has tested something: a ledger in which nothing happened has no problems either. */
import type { Outcome } from "./campaign.js"
import { steps } from "./stops.js"

/** Kills from which on each step must be among them. */
const allSteps = 150

export const gaps = ({
  billedUnits,
  calls,
  kills,
  killsAt,
  recordedEntries,
  states
}: Omit<Outcome, "failures">): ReadonlyArray<string> => {
  const accepted = states.accepted ?? 0
  const missed = steps.filter((step) => killsAt[step] === undefined)
  return [
    ...(kills < allSteps ? [] : missed.map((step) => `no process was killed at ${step}`)),
    ...(calls === 0 || billedUnits === 0 ? ["nothing was billed"] : []),
    ...(accepted * 2 < recordedEntries
      ? [`${accepted} of ${recordedEntries} entries are accepted`]
      : [])
  ]
}
