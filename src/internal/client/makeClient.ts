/** The client's functions over anything that can carry out one call. */
import * as Effect from "effect/Effect"
import { constUndefined } from "effect/Function"
import * as BatchMeterUsage from "../../BatchMeterUsage.js"
import type { Service } from "../../MeteringClient.js"
import { type CommonError, InvalidInputError, type ModelledException } from "../../MeteringError.js"
import * as MeterUsage from "../../MeterUsage.js"
import type { Operation } from "../../Operation.js"
import type { Rule } from "../../Preflight.js"
import * as RegisterUsage from "../../RegisterUsage.js"
import * as ResolveCustomer from "../../ResolveCustomer.js"
import { invalidInput, requestOf } from "../schema/construct.js"
import { shapeOf } from "../schema/shape.js"
import * as validate from "../schema/validate.js"
import { instrumentCall } from "./telemetry.js"

/** Prepares one operation; what it returns carries out a call with a request that has been checked. */
export type Transport = <Request extends object, Response, E extends ModelledException, Answer>(
  operation: Operation<Request, Response, E, Answer>
) => (request: Request) => Effect.Effect<Response, E | CommonError>

/** Attributes of every call's span, and the preflight rules that are not to be checked. */
export interface ClientOptions {
  readonly attributes: Record<string, unknown>
  readonly skipRules: ReadonlyArray<Rule>
}

export const makeClient = (transport: Transport, options: ClientOptions): Service => {
  const makeOperation = <
    Request extends object,
    Response extends object,
    E extends ModelledException,
    Answer extends object = Response
  >(
    operation: Operation<Request, Response, E, Answer>,
    reject: (request: Request) => InvalidInputError | undefined = constUndefined
  ) => {
    const { mapResult } = operation
    const compile = () => ({
      run: transport(operation),
      checked: validate.compile(shapeOf(operation.request), options.skipRules),
      observed: instrumentCall(operation.name, options.attributes)
    })
    // by the first call: most programs only ever call one operation
    let prepared: ReturnType<typeof compile> | undefined
    return (input: unknown): Effect.Effect<Answer, E | CommonError> => {
      const request = requestOf(operation, input)
      const { checked, observed, run } = (prepared ??= compile())
      return observed(
        Effect.suspend(() => {
          const invalid = invalidInput(checked(request), operation.name) ?? reject(request)
          if (invalid !== undefined) return Effect.fail(invalid)
          return mapResult === undefined
            ? // without `settle` an operation's answer is its response
              (run(request) as unknown as Effect.Effect<Answer, E | CommonError>)
            : Effect.flatMap(Effect.either(run(request)), (outcome) => mapResult(request, outcome))
        })
      )
    }
  }
  return {
    meterUsage: makeOperation(MeterUsage.operation, rejectDryRun),
    meterUsageDryRun: makeOperation(MeterUsage.dryRunOperation),
    batchMeterUsage: makeOperation(BatchMeterUsage.operation),
    registerUsage: makeOperation(RegisterUsage.operation),
    resolveCustomer: makeOperation(ResolveCustomer.operation)
  }
}

/** Its response would not be a receipt. */
const rejectDryRun = (request: MeterUsage.MeterUsageRequest): InvalidInputError | undefined =>
  request.dryRun
    ? new InvalidInputError(
        {
          operation: "MeterUsage",
          violations: [
            {
              field: "dryRun",
              rule: "type",
              expected: "false; for a dry run call meterUsageDryRun",
              value: true
            }
          ]
        },
        true
      )
    : undefined
