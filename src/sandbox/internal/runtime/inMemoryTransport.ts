/** A sandbox as a client meets it in memory: what a server would answer, and what a client over HTTP makes of that. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import type { Transport } from "../../../internal/client/makeClient.js"
import { decodeError } from "../../../internal/protocol/decodeError.js"
import { requestSizeLimit, requestTooLarge } from "../../../internal/protocol/requestSize.js"
import { ConnectionError, type ModelledException } from "../../../MeteringError.js"
import type { Operation } from "../../../Operation.js"
import type { Rule } from "../../../Preflight.js"
import type { Fault } from "../../Fault.js"
import type { CallerIdentity } from "../model/callLog.js"
import type { HttpResponse } from "../model/serviceResponse.js"
import * as requestSize from "../operations/requestSize.js"
import type { SandboxRuntime } from "./runtime.js"

/** Stands for an endpoint where there is none. */
export const endpoint = "sandbox"

const callerIdentity: CallerIdentity = { signature: "inMemory" }

export const makeTransport = (
  runtime: SandboxRuntime,
  skipRules: ReadonlyArray<Rule>
): Transport => {
  const checksSize = !skipRules.includes("requestSize")
  return (operation) => {
    const oversizeBytes = requestSize.oversizeBytes(operation)
    return (request) => {
      const bytes = checksSize ? oversizeBytes(request, requestSizeLimit) : undefined
      return bytes === undefined
        ? call(runtime, operation, request)
        : Effect.fail(requestTooLarge(operation.name, bytes))
    }
  }
}

const call = <Request extends object, Response, E extends ModelledException, Result>(
  runtime: SandboxRuntime,
  operation: Operation<Request, Response, E, Result>,
  request: Request
) =>
  Effect.gen(function* () {
    const incoming = yield* runtime.receive(operation.name)
    const outcome = yield* runtime.handle(operation, incoming, callerIdentity, request)
    const { response, fault } = outcome ?? unauthenticatedOutcome
    const delay = delayOf(fault)
    if (delay !== undefined) yield* Effect.sleep(delay)
    return yield* response === undefined || fault.fault === "cutAfter"
      ? Either.left(responseLost(operation))
      : Either.mapLeft(response, (error) => errorOf(operation, error, incoming.requestId))
  })

/** In memory no signature is verified, so that no response and no fault are known before. */
const unauthenticatedOutcome = { response: undefined, fault: { fault: "none" } } as const

/** How long an answer is under way. */
const delayOf = (fault: Fault) =>
  fault.fault === "latency" || fault.fault === "slowBody" ? fault.duration : undefined

const responseLost = ({ name }: Pick<Operation<object, object, ModelledException>, "name">) =>
  new ConnectionError(
    { operation: name, endpoint, reason: "ECONNRESET", delivery: "unknown" },
    true
  )

const errorOf = <E extends ModelledException>(
  operation: Pick<Operation<unknown, unknown, E>, "name" | "exceptions">,
  { body, headers, status }: HttpResponse,
  requestId: string
) =>
  decodeError(
    operation,
    { status, body, headers: { ...headers, "x-amzn-requestid": requestId } },
    body.startsWith("{") ? JSON.parse(body) : undefined,
    identity
  )
