/** Takes the steps that fall due, and sends what was held back. */
import { locateAgreement } from "./agreement.js"
import * as agreementEvents from "./agreementEvents.js"
import { type DueStep, first, heldSteps } from "./dueSteps.js"
import { emit, hasLanded, outboxChange, sendHeld } from "./emission.js"
import { change, type State } from "./state.js"
import { isNotice } from "./terms.js"

/** Sends the events that wait for the landing of an agreement. */
export const land = (state: State, agreementId: string): State => {
  const landed = change(state, { _tag: "Landed", agreementId })
  return heldSteps(landed.outbox.due, (step) => {
    const located = step.at === undefined ? locateAgreement(landed.catalog, step) : undefined
    return located !== undefined && hasLanded(landed.landed, located)
  }).reduce(sendHeld, landed)
}

/** Takes all steps that are due, in their order. */
export const settle = (state: State, now: number): State => {
  let next = releaseHeld(state)
  for (let step = first(next.outbox.due); isDue(step, now); step = first(next.outbox.due)) {
    next = fire(next, step, step.at)
  }
  return next
}

/** Sends the events that waited for a landing before `afterLanding` was turned off. */
const releaseHeld = (state: State): State =>
  state.outbox.faults.afterLanding === true
    ? state
    : heldSteps(state.outbox.due, ({ at }) => at === undefined).reduce(sendHeld, state)

const isDue = (step: DueStep | undefined, now: number): step is DueStep & { readonly at: number } =>
  step?.at !== undefined && step.at <= now

/** Takes a step at its time. */
const fire = (state: State, step: DueStep, at: number): State => {
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
        ? agreementEvents.noticed(next, located, step.kind, at)
        : emit(next, located, step.kind, at)
  }
}
