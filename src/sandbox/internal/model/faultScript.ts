/** Selects the fault of the next call: from the script, or else at random with a seed. */
import * as Utils from "effect/Utils"
import type { OperationName } from "../../../MeteringError.js"
import type { Fault, Faults, RandomFault, ScriptedFault } from "../../Fault.js"

/** The rest of the script, the random faults, and the state of the random number generator. */
export interface FaultState {
  readonly script: ReadonlyArray<ScriptedFault>
  readonly chances: ReadonlyArray<RandomFault>
  readonly random: Utils.PCGRandomState
}

export const start = ({ chances = [], script = [], seed = 0 }: Faults): FaultState => ({
  script,
  chances,
  random: new Utils.PCGRandom(seed).getState()
})

/** Returns the fault of the next call of an operation, and the state after it. */
export const next = (state: FaultState, operation: OperationName): readonly [Fault, FaultState] => {
  const { chances, script } = state
  const index = script.findIndex(appliesTo(operation))
  const scripted = script[index]
  if (scripted !== undefined) {
    const times = (scripted.times ?? 1) - 1
    const remaining = times > 0 ? [{ ...scripted, times }] : []
    return [
      scripted,
      { ...state, script: [...script.slice(0, index), ...remaining, ...script.slice(index + 1)] }
    ]
  }
  const applicable = chances.filter(appliesTo(operation))
  if (applicable.length === 0) return [noFault, state]
  const random = randomFrom(state)
  const drawn = applicable.find(({ probability }) => random.number() < probability)
  return [drawn ?? noFault, { ...state, random: random.getState() }]
}

const appliesTo =
  (operation: OperationName) =>
  (fault: ScriptedFault | RandomFault): boolean =>
    fault.operation === undefined || fault.operation === operation

export const noFault: Fault = { fault: "none" }

/** Returns the integers from 0 to `length - 1` in random order. */
export const shuffle = (
  state: FaultState,
  length: number
): readonly [ReadonlyArray<number>, FaultState] => {
  const random = randomFrom(state)
  const drawn = Array.from({ length }, (_, index) => [random.number(), index] as const)
  return [
    drawn.sort(([left], [right]) => left - right).map(([, index]) => index),
    { ...state, random: random.getState() }
  ]
}

const randomFrom = ({ random }: FaultState): Utils.PCGRandom => {
  const generator = new Utils.PCGRandom(0)
  generator.setState(random)
  return generator
}
