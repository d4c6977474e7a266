/** Whoever answers behind the door: the sandbox itself, which knows more of a call than its request, or any client. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as BatchMeterUsage from "../../../BatchMeterUsage.js"
import type { Service as MeteringService } from "../../../MeteringClient.js"
import type { CommonError, ModelledException, OperationName } from "../../../MeteringError.js"
import * as MeterUsage from "../../../MeterUsage.js"
import type { Operation } from "../../../Operation.js"
import * as RegisterUsage from "../../../RegisterUsage.js"
import * as ResolveCustomer from "../../../ResolveCustomer.js"
import type { CallerIdentity } from "../model/callLog.js"
import type { HttpResponse } from "../model/serviceResponse.js"
import type { CallOutcome, IncomingCall } from "../runtime/handleCall.js"
import type { SandboxRuntime } from "../runtime/runtime.js"
import { operationCodec } from "./awsJsonServer.js"

/** Carries out a call. There is no outcome where its signature is to be checked again, by another clock. */
export type RunCall = (
  incoming: IncomingCall,
  callerIdentity: CallerIdentity,
  skew: number
) => Effect.Effect<CallOutcome<HttpResponse> | undefined>

/** One operation of the service, from a body to a call, or to a reply that says why it cannot be read. */
export interface ServedOperation {
  readonly name: OperationName
  readonly read: (body: Uint8Array) => Either.Either<RunCall, HttpResponse>
}

/** The operations by name, of a client or of the sandbox that is behind it. */
export const operationsOf = (
  client: MeteringService,
  runtime: SandboxRuntime | undefined
): ReadonlyMap<string, ServedOperation> => {
  const serve = <
    Request extends object,
    Response extends Result,
    E extends ModelledException,
    Result
  >(
    operation: Operation<Request, Response, E, Result>,
    call: (request: Request) => Effect.Effect<Result, E | CommonError>
  ) => {
    const { decode, encode, encodeError } = operationCodec(operation)
    const prepare =
      runtime === undefined
        ? (request: Request): RunCall => {
            const encoded = Effect.match(
              Effect.suspend(() => call(request)),
              {
                onFailure: encodeError,
                onSuccess: encode
              }
            )
            return () => Effect.map(encoded, (response) => ({ fault: { fault: "none" }, response }))
          }
        : (request: Request): RunCall =>
            (incoming, callerIdentity, skew) =>
              Effect.map(
                runtime.handle(operation, incoming, callerIdentity, request, skew),
                (outcome) =>
                  outcome && {
                    fault: outcome.fault,
                    response:
                      outcome.response &&
                      Either.match(outcome.response, {
                        onLeft: identity<HttpResponse>,
                        onRight: encode
                      })
                  }
              )
    const { name } = operation
    return [name, { name, read: (body: Uint8Array) => Either.map(decode(body), prepare) }] as const
  }
  return new Map<string, ServedOperation>([
    serve(
      MeterUsage.operation,
      (
        request
      ): Effect.Effect<
        MeterUsage.MeterUsageResponse | MeterUsage.DryRunResponse,
        MeterUsage.MeterUsageError
      > => (request.dryRun ? client.meterUsageDryRun(request) : client.meterUsage(request))
    ),
    serve(BatchMeterUsage.operation, client.batchMeterUsage),
    serve(RegisterUsage.operation, client.registerUsage),
    serve(ResolveCustomer.operation, client.resolveCustomer)
  ])
}
