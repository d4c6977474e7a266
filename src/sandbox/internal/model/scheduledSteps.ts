/** The steps that are scheduled by the sandbox's clock, as an immutable value with indexes by time and by agreement. */
import * as Data from "effect/Data"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as RedBlackTree from "effect/RedBlackTree"
import type { EventKind } from "./events.js"

/** The start or the end of an agreement. `Fail` is the end of an agreement whose buyer cannot pay. */
export type MilestoneKind = "Start" | "End" | "Fail"

/** A step to run when the sandbox's clock reaches its time. */
export interface ScheduledStep {
  readonly number: number
  /** Epoch milliseconds. Absent for an event that `afterLanding` holds back until the registration token is resolved. */
  readonly at?: number | undefined
  readonly account: string
  readonly agreementId: string
  /** `Send` sends an event that was held back. */
  readonly kind: EventKind | MilestoneKind | "Send"
  /** The number of the event to send. Only for `Send`. */
  readonly event?: number | undefined
  /** True for an event that the fault `reorder` holds back until the next event is sent. Only for `Send`. */
  readonly isReordered?: boolean | undefined
}

/** The sort key of a step: its time and its number. Steps without a time have the time `Infinity`. */
export type Position = readonly [at: number, number: number]

const byPosition: Order.Order<Position> = Order.tuple(Order.number, Order.number)

/** The position before all steps. */
export const start: Position = [Number.NEGATIVE_INFINITY, 0]

/** Returns a `Data.tuple`, because `RedBlackTree.removeFirst` compares keys by `Equal`. */
const positionOf = ({ at = Number.POSITIVE_INFINITY, number }: ScheduledStep): Position =>
  Data.tuple(at, number)

export interface ScheduledSteps {
  readonly inOrder: RedBlackTree.RedBlackTree<Position, ScheduledStep>
  readonly byNumber: HashMap.HashMap<number, ScheduledStep>
  readonly byAgreement: HashMap.HashMap<string, ReadonlyArray<ScheduledStep>>
  /** The steps that send a held-back event, by the number of the event. */
  readonly held: HashMap.HashMap<number, ScheduledStep>
}

export const empty: ScheduledSteps = {
  inOrder: RedBlackTree.empty(byPosition),
  byNumber: HashMap.empty(),
  byAgreement: HashMap.empty(),
  held: HashMap.empty()
}

export const add = (scheduled: ScheduledSteps, step: ScheduledStep): ScheduledSteps => ({
  inOrder: RedBlackTree.insert(scheduled.inOrder, positionOf(step), step),
  byNumber: HashMap.set(scheduled.byNumber, step.number, step),
  byAgreement: HashMap.set(scheduled.byAgreement, step.agreementId, [
    ...ofAgreement(scheduled, step.agreementId),
    step
  ]),
  held: step.event === undefined ? scheduled.held : HashMap.set(scheduled.held, step.event, step)
})

export const make = (steps: Iterable<ScheduledStep>): ScheduledSteps => {
  let scheduled = empty
  for (const step of steps) scheduled = add(scheduled, step)
  return scheduled
}

export const remove = (scheduled: ScheduledSteps, number: number): ScheduledSteps => {
  const step = Option.getOrUndefined(HashMap.get(scheduled.byNumber, number))
  if (step === undefined) return scheduled
  const others = ofAgreement(scheduled, step.agreementId).filter((one) => one !== step)
  return {
    inOrder: RedBlackTree.removeFirst(scheduled.inOrder, positionOf(step)),
    byNumber: HashMap.remove(scheduled.byNumber, number),
    byAgreement:
      others.length === 0
        ? HashMap.remove(scheduled.byAgreement, step.agreementId)
        : HashMap.set(scheduled.byAgreement, step.agreementId, others),
    held: step.event === undefined ? scheduled.held : HashMap.remove(scheduled.held, step.event)
  }
}

/** Returns the step with the earliest time, or `undefined`. */
export const first = ({ inOrder }: ScheduledSteps): ScheduledStep | undefined =>
  Option.getOrUndefined(RedBlackTree.first(inOrder))?.[1]

/** Returns whether an event waits for its registration token. Such steps come last, because they have no time. */
export const hasUntimed = ({ inOrder }: ScheduledSteps): boolean =>
  Option.exists(RedBlackTree.last(inOrder), ([, { at }]) => at === undefined)

/** Returns all steps in the order of their positions. */
export const values = ({ inOrder }: ScheduledSteps): Iterable<ScheduledStep> =>
  RedBlackTree.values(inOrder)

/** Yields the steps after a position, in the order of their positions. */
export function* after(
  { inOrder }: ScheduledSteps,
  position: Position
): Generator<ScheduledStep, void> {
  for (const [, step] of RedBlackTree.greaterThan(inOrder, position)) yield step
}

export const ofAgreement = (
  scheduled: ScheduledSteps,
  agreementId: string
): ReadonlyArray<ScheduledStep> =>
  Option.getOrElse(HashMap.get(scheduled.byAgreement, agreementId), () => [])

/** Returns the steps that send a held-back event and that match, in the order of their positions. */
export const heldSteps = (
  { held }: ScheduledSteps,
  matches: (step: ScheduledStep) => boolean
): ReadonlyArray<ScheduledStep> => {
  if (HashMap.isEmpty(held)) return []
  const steps = Array.from(HashMap.values(held)).filter(matches)
  return steps.sort((left, right) => byPosition(positionOf(left), positionOf(right)))
}

/** Returns the step that sends the held-back event with this number, or `undefined`. */
export const heldStep = ({ held }: ScheduledSteps, event: number): ScheduledStep | undefined =>
  Option.getOrUndefined(HashMap.get(held, event))
