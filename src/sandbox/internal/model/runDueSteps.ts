/** Runs the scheduled steps that are due, and sends the events that `afterLanding` held back. */
import { locateAgreement } from "./agreement.js"
import * as agreementEvents from "./agreementEvents.js"
import { emit, hasLanded, outboxChange, sendHeld } from "./emission.js"
import { isNotice } from "./milestones.js"
import { first, hasUntimed, heldSteps, type ScheduledStep } from "./scheduledSteps.js"
import { change, type State } from "./state.js"

/** Marks an agreement as landed (its token was resolved), and sends the events that `afterLanding` held back for it. */
export const land = (state: State, agreementId: string): State => {
  const landed = change(state, { _tag: "Landed", agreementId })
  return heldSteps(landed.outbox.scheduled, (step) => {
    const located = step.at === undefined ? locateAgreement(landed.catalog, step) : undefined
    return located !== undefined && hasLanded(landed.landed, located)
  }).reduce(sendHeld, landed)
}

/** Runs all steps that are due, in the order of their times. */
export const runDueSteps = (state: State, now: number): State => {
  let next = releaseHeld(state)
  for (
    let step = first(next.outbox.scheduled);
    isDue(step, now);
    step = first(next.outbox.scheduled)
  ) {
    next = runStep(next, step, step.at)
  }
  return next
}

/** Sends the events that `afterLanding` held back, if it was turned off since. */
const releaseHeld = (state: State): State =>
  state.outbox.faults.afterLanding === true || !hasUntimed(state.outbox.scheduled)
    ? state
    : heldSteps(state.outbox.scheduled, ({ at }) => at === undefined).reduce(sendHeld, state)

const isDue = (
  step: ScheduledStep | undefined,
  now: number
): step is ScheduledStep & { readonly at: number } => step?.at !== undefined && step.at <= now

/** Runs a step as of its scheduled time, which may be before now. */
const runStep = (state: State, step: ScheduledStep, at: number): State => {
  if (step.kind === "Send") return sendHeld(state, step)
  const next = outboxChange(state, { _tag: "Done", number: step.number })
  const located = locateAgreement(next.catalog, step)
  if (located === undefined) return next
  switch (step.kind) {
    case "Start":
      return agreementEvents.started(next, located, at)
    case "End":
      return agreementEvents.ended(next, located, at)
    case "Fail":
      return agreementEvents.paymentFailed(next, located, at)
    default:
      return isNotice(step.kind)
        ? agreementEvents.notified(next, located, step.kind, at)
        : emit(next, located, step.kind, at)
  }
}
