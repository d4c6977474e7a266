/** Whoever answers behind the door: the sandbox itself, which knows more of a call than its request, or any client. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as BatchMeterUsage from "../../BatchMeterUsage.js"
import { type Reply, responder } from "../../internal/awsJsonServer.js"
import type { Service as MeteringService } from "../../MeteringClient.js"
import type { CommonError, ModelledException, OperationName } from "../../MeteringError.js"
import * as MeterUsage from "../../MeterUsage.js"
import type { Operation } from "../../Operation.js"
import * as RegisterUsage from "../../RegisterUsage.js"
import * as ResolveCustomer from "../../ResolveCustomer.js"
import type { Engine } from "./engine.js"
import type { Arrival, Outcome } from "./machine.js"
import type { Visitor } from "./state.js"

/** Carries out a call. There is no outcome where its signature is to be checked again, by another clock. */
export type Call = (
  arrival: Arrival,
  visitor: Visitor,
  skew: number
) => Effect.Effect<Outcome<Reply> | undefined>

/** One operation of the service, from a body to a call, or to a reply that says why it cannot be read. */
export interface Served {
  readonly name: OperationName
  readonly read: (body: Uint8Array) => Either.Either<Call, Reply>
}

/** The operations by name, of a client or of the sandbox that is behind it. */
export const operationsOf = (
  client: MeteringService,
  engine: Engine | undefined
): ReadonlyMap<string, Served> => {
  const serve = <
    Request extends object,
    Response extends Answer,
    E extends ModelledException,
    Answer
  >(
    operation: Operation<Request, Response, E, Answer>,
    call: (request: Request) => Effect.Effect<Answer, E | CommonError>
  ) => {
    const { decode, encode, encodeError } = responder(operation)
    const answer =
      engine === undefined
        ? (request: Request): Call => {
            const reply = Effect.match(
              Effect.suspend(() => call(request)),
              {
                onFailure: encodeError,
                onSuccess: encode
              }
            )
            return () => Effect.map(reply, (answer) => ({ fault: { fault: "none" }, answer }))
          }
        : (request: Request): Call =>
            (arrival, visitor, skew) =>
              Effect.map(
                engine.answer(operation, arrival, visitor, request, skew),
                (outcome) =>
                  outcome && {
                    fault: outcome.fault,
                    answer:
                      outcome.answer &&
                      Either.match(outcome.answer, { onLeft: identity<Reply>, onRight: encode })
                  }
              )
    const { name } = operation
    return [name, { name, read: (body: Uint8Array) => Either.map(decode(body), answer) }] as const
  }
  return new Map<string, Served>([
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
