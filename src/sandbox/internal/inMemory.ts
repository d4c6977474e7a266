/** A sandbox as a client meets it in memory: what a server would answer, and what a client over HTTP makes of that. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import type { Reply } from "../../internal/awsJsonServer.js"
import type { Execute } from "../../internal/service.js"
import { decodeError } from "../../internal/serviceError.js"
import { ConnectionError, type ModelledException } from "../../MeteringError.js"
import type { Operation } from "../../Operation.js"
import type { Fault } from "../Fault.js"
import type { Engine } from "./engine.js"
import type { Visitor } from "./state.js"

/** Stands for an endpoint where there is none. */
export const endpoint = "sandbox"

const visitor: Visitor = { signature: "inMemory" }

export const execute =
  (engine: Engine): Execute =>
  (operation) =>
  (request) =>
    Effect.flatMap(engine.arrive(operation.name), (arrival) => {
      const answered = Effect.flatMap(
        engine.answer(operation, arrival, visitor, request),
        (answer) =>
          answer === undefined || arrival.fault.fault === "cutAfter"
            ? Effect.fail(lost(operation))
            : Either.mapLeft(answer, (reply) => errorOf(operation, reply, arrival.requestId))
      )
      const delay = delayOf(arrival.fault)
      return delay === undefined ? answered : Effect.zipLeft(answered, Effect.sleep(delay))
    })

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
