/** The service as a function: state, request and time in; state and answer out. */
import * as Either from "effect/Either"
import * as BatchMeterUsage from "../../BatchMeterUsage.js"
import { refusalOf } from "../../internal/awsJsonServer.js"
import * as check from "../../internal/check.js"
import { invalidInput } from "../../internal/make.js"
import { of } from "../../internal/shape.js"
import type { ModelledException, OperationName } from "../../MeteringError.js"
import * as MeterUsage from "../../MeterUsage.js"
import type { Operation } from "../../Operation.js"
import * as RegisterUsage from "../../RegisterUsage.js"
import * as ResolveCustomer from "../../ResolveCustomer.js"
import { batchMeterUsage } from "./batchMeterUsage.js"
import { meterUsage } from "./meterUsage.js"
import { registerUsage } from "./registerUsage.js"
import { resolveCustomer } from "./resolveCustomer.js"
import type { Answer, Handler, State } from "./state.js"

/** An answer, and the id of the call that it answers. */
export interface Answered {
  readonly requestId: string
  readonly answer: Answer
}

/** Carries out one call. */
export const step = (
  state: State,
  name: OperationName,
  request: object,
  now: number
): readonly [Answered, State] => {
  const counted: State = {
    ...state,
    calls: { ...state.calls, [name]: state.calls[name] + 1 }
  }
  const [next, answer] = handlers[name](counted, request, now)
  return [{ requestId: requestIdOf(counted), answer }, next]
}

/** Recognisable as no id of the service's. */
const requestIdOf = ({ calls }: State): string => {
  const count = Object.values(calls).reduce((sum, calls) => sum + calls, 0)
  return `sandbox-${String(count).padStart(12, "0")}`
}

/** Shapes first: the service does not look at what breaks them. */
const handle = <Request extends object, Response, E extends ModelledException, A>(
  operation: Operation<Request, Response, E, A>,
  handler: Handler<Request>
): Handler<object> => {
  const checked = check.compile(of(operation.request))
  return (state, request, now) => {
    const invalid = invalidInput(checked(request), operation.name)
    return invalid === undefined
      ? // the check has just said so
        handler(state, request as Request, now)
      : [state, Either.left(refusalOf(operation, invalid))]
  }
}

const handlers: { readonly [Name in OperationName]: Handler<object> } = {
  MeterUsage: handle(MeterUsage.operation, meterUsage),
  BatchMeterUsage: handle(BatchMeterUsage.operation, batchMeterUsage),
  RegisterUsage: handle(RegisterUsage.operation, registerUsage),
  ResolveCustomer: handle(ResolveCustomer.operation, resolveCustomer)
}
