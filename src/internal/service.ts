/** The client's functions over anything that can carry out one call. */
import * as Effect from "effect/Effect"
import { constUndefined } from "effect/Function"
import * as BatchMeterUsage from "../BatchMeterUsage.js"
import type { Service } from "../MeteringClient.js"
import { type CommonError, InvalidInputError, type ModelledException } from "../MeteringError.js"
import * as MeterUsage from "../MeterUsage.js"
import type { Operation } from "../Operation.js"
import type { Rule } from "../Preflight.js"
import * as RegisterUsage from "../RegisterUsage.js"
import * as ResolveCustomer from "../ResolveCustomer.js"
import * as check from "./check.js"
import { invalidInput, requestOf } from "./make.js"
import { observe } from "./observe.js"
import { of } from "./shape.js"

/** Prepares one operation; what it returns carries out a call with a request that has been checked. */
export type Execute = <Request extends object, Response, E extends ModelledException, Answer>(
  operation: Operation<Request, Response, E, Answer>
) => (request: Request) => Effect.Effect<Response, E | CommonError>

/** Attributes of every call's span, and the preflight rules that are not to be checked. */
export interface Options {
  readonly attributes: Record<string, unknown>
  readonly except: ReadonlyArray<Rule>
}

export const make = (execute: Execute, options: Options): Service => {
  const derive = <
    Request extends object,
    Response extends object,
    E extends ModelledException,
    Answer extends object = Response
  >(
    operation: Operation<Request, Response, E, Answer>,
    refuse: (request: Request) => InvalidInputError | undefined = constUndefined
  ) => {
    const { settle } = operation
    const compile = () => ({
      run: execute(operation),
      checked: check.compile(of(operation.request), options.except),
      observed: observe(operation.name, options.attributes)
    })
    // by the first call: most programs only ever call one operation
    let compiled: ReturnType<typeof compile> | undefined
    return (input: unknown): Effect.Effect<Answer, E | CommonError> => {
      const request = requestOf(operation, input)
      const { checked, observed, run } = (compiled ??= compile())
      return observed(
        Effect.suspend(() => {
          const invalid = invalidInput(checked(request), operation.name) ?? refuse(request)
          if (invalid !== undefined) return Effect.fail(invalid)
          return settle === undefined
            ? // without `settle` an operation's answer is its response
              (run(request) as unknown as Effect.Effect<Answer, E | CommonError>)
            : Effect.flatMap(Effect.either(run(request)), (outcome) => settle(request, outcome))
        })
      )
    }
  }
  return {
    meterUsage: derive(MeterUsage.operation, refuseDryRun),
    meterUsageDryRun: derive(MeterUsage.dryRunOperation),
    batchMeterUsage: derive(BatchMeterUsage.operation),
    registerUsage: derive(RegisterUsage.operation),
    resolveCustomer: derive(ResolveCustomer.operation)
  }
}

/** Its response would not be a receipt. */
const refuseDryRun = (request: MeterUsage.MeterUsageRequest): InvalidInputError | undefined =>
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
