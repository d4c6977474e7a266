/** The handler of an operation, as a pure function of state, request and context. */
import * as Either from "effect/Either"
import type { Caller } from "../../Scenario.js"
import type { AwsError, Claims, SuccessResult } from "../model/serviceResponse.js"
import type { State } from "../model/state.js"

export interface CallContext {
  /** Unique within the sandbox. */
  readonly requestId: string
  /** The time of the sandbox's clock in epoch milliseconds. Applies to usage, agreements and tokens. */
  readonly now: number
  /** The time of the machine's clock in epoch milliseconds. Applies to signatures. */
  readonly clock: number
  readonly caller: Caller
  /** Indices of the records to return as unprocessed. */
  readonly unprocessed: ReadonlySet<number>
}

export type HandlerResult = Either.Either<SuccessResult, AwsError>

export type Handler<Request> = (
  state: State,
  request: Request,
  context: CallContext
) => readonly [State, HandlerResult]

export const succeed = (fields: object, claims?: Claims): HandlerResult =>
  Either.right({ fields, ...(claims && { claims }) })

export const reject = (rejection: AwsError): HandlerResult => Either.left(rejection)
