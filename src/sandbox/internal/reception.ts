/** A call's way over HTTP, in the service's order: what is asked for, who asks, what exactly; and then the answer. */

import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { operationNameOf, type Reply, refuse, tooLarge } from "../../internal/awsJsonServer.js"
import { hasHungUp, nobodyListens, responseOf } from "./answer.js"
import * as body from "./body.js"
import * as breakage from "./breakage.js"
import * as callLog from "./callLog.js"
import type { Served } from "./desk.js"
import * as door from "./door.js"
import type { Engine } from "./engine.js"
import * as line from "./line.js"
import type { Arrival } from "./machine.js"
import { skewOf } from "./misfortune.js"
import type { Visitor } from "./state.js"
import { pathOf } from "./target.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

export interface Options extends Pick<Engine, "arrive" | "turnAway"> {
  readonly operations: ReadonlyMap<string, Served>
  readonly admit: ReturnType<typeof door.make>
  /** In bytes. */
  readonly longestBody: number
  /** What is said to whoever asks for something else than the service. */
  readonly notHere: Reply
}

export const make = (options: Options) => {
  const { admit, arrive, longestBody, notHere, operations, turnAway } = options

  const replyTo = (request: Request, arrival: Arrival, operation: Served | Reply) =>
    Effect.gen(function* () {
      const refused = (reply: Reply, visitor: Visitor) =>
        Effect.as(turnAway(arrival, visitor, reply), reply)
      if (!("read" in operation)) return yield* refused(operation, door.stranger(request))
      const bytes = yield* body.read(request, longestBody)
      if (Option.isNone(bytes)) {
        return yield* refused(tooLarge(longestBody), door.stranger(request))
      }
      const clock = yield* Clock.currentTimeMillis
      const [visitor, refusal] = yield* admit(request, bytes.value, clock + skewOf(arrival.fault))
      if (refusal !== undefined) return yield* refused(refusal, visitor)
      const call = operation.read(bytes.value)
      return Either.isLeft(call)
        ? yield* refused(call.left, visitor)
        : yield* call.right(arrival, visitor)
    })

  return (request: Request): Effect.Effect<Response> => {
    const operation = isForService(request)
      ? (operations.get(operationNameOf(request.headers["x-amz-target"]) ?? "") ?? unknown)
      : notHere
    const name = "read" in operation ? operation.name : undefined
    return Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      const arrival = yield* arrive(name)
      const answer = (reply: Reply | undefined) =>
        Effect.gen(function* () {
          const sent = isCut(arrival) ? undefined : reply
          yield* callLog.write(arrival, sent, began, yield* Clock.currentTimeMillis)
          return sent === undefined
            ? yield* Effect.as(line.cut(request), nobodyListens)
            : yield* respond(sent, arrival)
        })
      return yield* replyTo(request, arrival, operation).pipe(
        Effect.tap(() => delayOf(arrival)),
        Effect.interruptible,
        Effect.flatMap(answer),
        Effect.catchTag("RequestError", () => Effect.succeed(nobodyListens)),
        Effect.catchAllCause((cause) =>
          Effect.flatMap(hasHungUp, (isGone) =>
            isGone ? Effect.succeed(nobodyListens) : Effect.flatMap(breakage.replyTo(cause), answer)
          )
        )
      )
    })
  }
}

const isForService = (request: Request): boolean =>
  request.method === "POST" && pathOf(request) === "/"

const isCut = ({ fault: { fault } }: Arrival): boolean =>
  fault === "cutBefore" || fault === "cutAfter"

const delayOf = ({ fault }: Arrival): Effect.Effect<void> =>
  fault.fault === "latency" ? Effect.sleep(fault.duration) : Effect.void

export const respond = (reply: Reply, arrival: Arrival): Effect.Effect<Response> =>
  Effect.map(Clock.currentTimeMillis, (clock) => responseOf(reply, arrival, clock))

const unknown = refuse({
  code: "UnknownOperationException",
  message: "The X-Amz-Target names no operation of AWS Marketplace Metering."
})
