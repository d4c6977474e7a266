/** One operation of the service as a function, and what its answers are made with. */
import * as Either from "effect/Either"
import type { Caller } from "../../Scenario.js"
import type { Claims, State, SuccessResult } from "../model/state.js"
import type { AwsError } from "../server/awsJsonServer.js"

/** When a call comes, and on whose behalf. */
export interface CallContext {
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

export type HandlerResult = Either.Either<SuccessResult, AwsError>

/** The state after the call and the answer to it, given the state before it. */
export type Handler<Request> = (
  state: State,
  request: Request,
  context: CallContext
) => readonly [State, HandlerResult]

export const succeed = (fields: object, claims?: Claims): HandlerResult =>
  Either.right({ fields, ...(claims && { claims }) })

export const reject = (rejection: AwsError): HandlerResult => Either.left(rejection)
