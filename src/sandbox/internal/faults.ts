/** Which fault befalls the next call: a script's next step, or what a seed decides. */
import * as Utils from "effect/Utils"
import type { OperationName } from "../../MeteringError.js"
import type { Chance, Fault, Faults, Step } from "../Fault.js"

/** What is left of a script, the chances, and where in its sequence the generator of numbers is. */
export interface FaultState {
  readonly script: ReadonlyArray<Step>
  readonly chances: ReadonlyArray<Chance>
  readonly random: Utils.PCGRandomState
}

export const start = ({ chances = [], script = [], seed = 0 }: Faults): FaultState => ({
  script,
  chances,
  random: new Utils.PCGRandom(seed).getState()
})

const isFor =
  (operation: OperationName) =>
  (one: Step | Chance): boolean =>
    one.operation === undefined || one.operation === operation

/** The fault of the next call of an operation. */
export const next = (state: FaultState, operation: OperationName): readonly [Fault, FaultState] => {
  const { chances, script } = state
  const index = script.findIndex(isFor(operation))
  const step = script[index]
  if (step !== undefined) {
    const times = (step.times ?? 1) - 1
    const rest = times > 0 ? [{ ...step, times }] : []
    return [
      step,
      { ...state, script: [...script.slice(0, index), ...rest, ...script.slice(index + 1)] }
    ]
  }
  const applicable = chances.filter(isFor(operation))
  if (applicable.length === 0) return [none, state]
  const random = generator(state)
  const hit = applicable.find(({ probability }) => random.number() < probability)
  return [hit ?? none, { ...state, random: random.getState() }]
}

const none: Fault = { fault: "none" }

/** The numbers from 0 to `length - 1`, in an order that the seed decides. */
export const shuffle = (
  state: FaultState,
  length: number
): readonly [ReadonlyArray<number>, FaultState] => {
  const random = generator(state)
  const drawn = Array.from({ length }, (_, index) => [random.number(), index] as const)
  return [
    drawn.sort(([left], [right]) => left - right).map(([, index]) => index),
    { ...state, random: random.getState() }
  ]
}

const generator = ({ random }: FaultState): Utils.PCGRandom => {
  const generator = new Utils.PCGRandom(0)
  generator.setState(random)
  return generator
}
