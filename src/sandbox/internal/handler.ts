/** One operation of the service as a function, and what its answers are made with. */
import * as Either from "effect/Either"
import type { Refusal } from "../../internal/awsJsonServer.js"
import type { Caller } from "../Scenario.js"
import type { Claims, Granted, State } from "./state.js"

/** When a call comes, and on whose behalf. */
export interface Occasion {
  /** The call's own, which no other has. */
  readonly requestId: string
  /** Epoch milliseconds by the calendar that usage is dated by. */
  readonly now: number
  /** Epoch milliseconds by the clock that signatures are dated by. */
  readonly clock: number
  readonly caller: Caller
  /** The records, by place in the call, that the service does not get to. */
  readonly unprocessed: ReadonlySet<number>
}

export type Verdict = Either.Either<Granted, Refusal>

/** The state after the call and the answer to it, given the state before it. */
export type Handler<Request> = (
  state: State,
  request: Request,
  occasion: Occasion
) => readonly [State, Verdict]

export const grant = (members: object, claims?: Claims): Verdict =>
  Either.right({ members, ...(claims && { claims }) })

export const refuse = (refusal: Refusal): Verdict => Either.left(refusal)
