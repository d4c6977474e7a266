/** A sandbox as a client meets it in memory: what a server would answer, and what a client over HTTP makes of that. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import type { Reply } from "../../internal/awsJsonServer.js"
import { requestSizeLimit, tooLarge } from "../../internal/requestSize.js"
import type { Execute } from "../../internal/service.js"
import { decodeError } from "../../internal/serviceError.js"
import { ConnectionError, type ModelledException } from "../../MeteringError.js"
import type { Operation } from "../../Operation.js"
import type { Rule } from "../../Preflight.js"
import type { Fault } from "../Fault.js"
import type { Engine } from "./engine.js"
import * as size from "./size.js"
import type { Visitor } from "./state.js"

/** Stands for an endpoint where there is none. */
export const endpoint = "sandbox"

const visitor: Visitor = { signature: "inMemory" }

export const execute = (engine: Engine, except: ReadonlyArray<Rule>): Execute => {
  const checksSize = !except.includes("requestSize")
  return (operation) => {
    const excess = size.excess(operation)
    return (request) => {
      const bytes = checksSize ? excess(request, requestSizeLimit) : undefined
      return bytes === undefined
        ? call(engine, operation, request)
        : Effect.fail(tooLarge(operation.name, bytes))
    }
  }
}

const call = <Request extends object, Response, E extends ModelledException, Answer>(
  engine: Engine,
  operation: Operation<Request, Response, E, Answer>,
  request: Request
) =>
  Effect.gen(function* () {
    const arrival = yield* engine.arrive(operation.name)
    const outcome = yield* engine.answer(operation, arrival, visitor, request)
    const { answer, fault } = outcome ?? notLookedAt
    const delay = delayOf(fault)
    if (delay !== undefined) yield* Effect.sleep(delay)
    return yield* answer === undefined || fault.fault === "cutAfter"
      ? Either.left(lost(operation))
      : Either.mapLeft(answer, (reply) => errorOf(operation, reply, arrival.requestId))
  })

/** In memory no signature is verified, so that no response and no fault are known before. */
const notLookedAt = { answer: undefined, fault: { fault: "none" } } as const

/** How long an answer is under way. */
const delayOf = (fault: Fault) =>
  fault.fault === "latency" || fault.fault === "slowBody" ? fault.duration : undefined

const lost = ({ name }: Pick<Operation<object, object, ModelledException>, "name">) =>
  new ConnectionError(
    { operation: name, endpoint, reason: "ECONNRESET", delivery: "unknown" },
    true
  )

const errorOf = <E extends ModelledException>(
  operation: Pick<Operation<unknown, unknown, E>, "name" | "exceptions">,
  { body, headers, status }: Reply,
  requestId: string
) =>
  decodeError(
    operation,
    { status, body, headers: { ...headers, "x-amzn-requestid": requestId } },
    body.startsWith("{") ? JSON.parse(body) : undefined,
    identity
  )
