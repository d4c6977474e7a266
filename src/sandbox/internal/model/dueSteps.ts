/** The steps that fall due by the sandbox's clock, by time and by agreement, as an immutable value. */
import * as Data from "effect/Data"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as RedBlackTree from "effect/RedBlackTree"
import type { EventKind } from "./events.js"

/** The beginning and the end of an agreement. `Fail` is its end because the buyer cannot pay. */
export type TermKind = "Start" | "End" | "Fail"

/** A step that falls due by the sandbox's clock. */
export interface DueStep {
  readonly number: number
  /** Epoch milliseconds. Absent for an event that waits for the landing of its buyer. */
  readonly at?: number | undefined
  readonly account: string
  readonly agreementId: string
  /** `Send` sends an event that was held back. */
  readonly kind: EventKind | TermKind | "Send"
  /** The number of the event of `Send`. */
  readonly event?: number | undefined
  /** True for an event that is sent as soon as another one was. */
  readonly isReordered?: boolean | undefined
}

/** The place of a step: by time and number, and those without a time at the end. */
export type Position = readonly [at: number, number: number]

const byPosition: Order.Order<Position> = Order.tuple(Order.number, Order.number)

/** Before all steps. */
export const start: Position = [Number.NEGATIVE_INFINITY, 0]

/** With an equality of its own, by which a tree removes a key. */
const positionOf = ({ at = Number.POSITIVE_INFINITY, number }: DueStep): Position =>
  Data.tuple(at, number)

export interface DueSteps {
  readonly inOrder: RedBlackTree.RedBlackTree<Position, DueStep>
  readonly byNumber: HashMap.HashMap<number, DueStep>
  readonly byAgreement: HashMap.HashMap<string, ReadonlyArray<DueStep>>
  /** Those that send an event that was held back, by its number. */
  readonly held: HashMap.HashMap<number, DueStep>
}

export const empty: DueSteps = {
  inOrder: RedBlackTree.empty(byPosition),
  byNumber: HashMap.empty(),
  byAgreement: HashMap.empty(),
  held: HashMap.empty()
}

export const add = (due: DueSteps, step: DueStep): DueSteps => ({
  inOrder: RedBlackTree.insert(due.inOrder, positionOf(step), step),
  byNumber: HashMap.set(due.byNumber, step.number, step),
  byAgreement: HashMap.set(due.byAgreement, step.agreementId, [
    ...ofAgreement(due, step.agreementId),
    step
  ]),
  held: step.event === undefined ? due.held : HashMap.set(due.held, step.event, step)
})

export const make = (steps: Iterable<DueStep>): DueSteps => {
  let due = empty
  for (const step of steps) due = add(due, step)
  return due
}

export const remove = (due: DueSteps, number: number): DueSteps => {
  const step = Option.getOrUndefined(HashMap.get(due.byNumber, number))
  if (step === undefined) return due
  const others = ofAgreement(due, step.agreementId).filter((one) => one !== step)
  return {
    inOrder: RedBlackTree.removeFirst(due.inOrder, positionOf(step)),
    byNumber: HashMap.remove(due.byNumber, number),
    byAgreement:
      others.length === 0
        ? HashMap.remove(due.byAgreement, step.agreementId)
        : HashMap.set(due.byAgreement, step.agreementId, others),
    held: step.event === undefined ? due.held : HashMap.remove(due.held, step.event)
  }
}

/** The step that falls due first. */
export const first = ({ inOrder }: DueSteps): DueStep | undefined =>
  Option.getOrUndefined(RedBlackTree.first(inOrder))?.[1]

/** In the order in which they fall due. */
export const values = ({ inOrder }: DueSteps): Iterable<DueStep> => RedBlackTree.values(inOrder)

/** Those after a position. */
export function* after({ inOrder }: DueSteps, position: Position): Generator<DueStep, void> {
  for (const [, step] of RedBlackTree.greaterThan(inOrder, position)) yield step
}

/** The steps of an agreement. */
export const ofAgreement = (due: DueSteps, agreementId: string): ReadonlyArray<DueStep> =>
  Option.getOrElse(HashMap.get(due.byAgreement, agreementId), () => [])

/** The steps that send an event that was held back and that match, in the order in which they fall due. */
export const heldSteps = (
  { held }: DueSteps,
  matches: (step: DueStep) => boolean
): ReadonlyArray<DueStep> => {
  if (HashMap.isEmpty(held)) return []
  const steps = Array.from(HashMap.values(held)).filter(matches)
  return steps.sort((left, right) => byPosition(positionOf(left), positionOf(right)))
}

/** The step that sends an event that was held back. */
export const heldStep = ({ held }: DueSteps, event: number): DueStep | undefined =>
  Option.getOrUndefined(HashMap.get(held, event))
