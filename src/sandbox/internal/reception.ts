/** A call's way over HTTP, in the service's order: what is asked for, who asks, what exactly; and then the answer. */

import type * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { operationNameOf, type Reply, refuse, tooLarge } from "../../internal/awsJsonServer.js"
import type { Fault } from "../Fault.js"
import { hasHungUp, nobodyListens, responseOf } from "./answer.js"
import * as body from "./body.js"
import * as breakage from "./breakage.js"
import * as callLine from "./callLine.js"
import type { Served } from "./desk.js"
import * as door from "./door.js"
import type { Engine } from "./engine.js"
import * as line from "./line.js"
import type { Arrival, Outcome } from "./machine.js"
import { skewOf } from "./misfortune.js"
import type { Visitor } from "./state.js"
import { pathOf } from "./target.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

export interface Options extends Pick<Engine, "arrive" | "upcoming" | "turnAway"> {
  readonly operations: ReadonlyMap<string, Served>
  readonly admit: ReturnType<typeof door.make>
  /** In bytes. */
  readonly longestBody: number
  /** What is said to whoever asks for something else than the service. */
  readonly notHere: Reply
}

export const make = (options: Options) => {
  const { admit, arrive, longestBody, notHere, operations, turnAway, upcoming } = options

  const outcomeOf = (
    request: Request,
    arrival: Arrival,
    operation: Served | Reply
  ): Effect.Effect<Outcome<Reply>, HttpServerError.RequestError> =>
    Effect.gen(function* () {
      const refused = (reply: Reply, visitor: Visitor) =>
        Effect.as(turnAway(arrival, visitor, reply, 0), { fault: noFault, answer: reply })
      if (!("read" in operation)) return yield* refused(operation, door.stranger(request))
      const bytes = yield* body.read(request, longestBody)
      if (Option.isNone(bytes)) {
        return yield* refused(tooLarge(longestBody), door.stranger(request))
      }
      while (true) {
        const fault = yield* upcoming(operation.name)
        const skew = skewOf(fault)
        const clock = yield* Clock.currentTimeMillis
        const [visitor, refusal] = yield* admit(request, bytes.value, clock + skew)
        if (refusal !== undefined) {
          // a fault is used up by whom it befalls: not by a signature that no clock makes a good one
          const [, refusalByTrueClock] =
            skew === 0 ? [visitor, refusal] : yield* admit(request, bytes.value, clock)
          if (refusalByTrueClock !== undefined) {
            return yield* refused(refusalByTrueClock, visitor)
          }
          if (yield* turnAway(arrival, visitor, refusal, skew)) return { fault, answer: refusal }
          continue
        }
        const call = operation.read(bytes.value)
        if (Either.isLeft(call)) return yield* refused(call.left, visitor)
        const outcome = yield* call.right(arrival, visitor, skew)
        if (outcome !== undefined) return outcome
      }
    })

  return (request: Request): Effect.Effect<Response> => {
    const operation = isForService(request)
      ? (operations.get(operationNameOf(request.headers["x-amz-target"]) ?? "") ?? unknown)
      : notHere
    const name = "read" in operation ? operation.name : undefined
    return Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      const arrival = yield* arrive(name)
      const answerWith = ({ answer, fault }: Outcome<Reply>) =>
        Effect.gen(function* () {
          const sent = isCut(fault) ? undefined : answer
          const ended = yield* Clock.currentTimeMillis
          yield* callLine.write(arrival, { answer: sent, fault }, ended - began)
          return sent === undefined
            ? yield* Effect.as(line.cut(request), nobodyListens)
            : yield* respond(sent, arrival, fault)
        })
      return yield* outcomeOf(request, arrival, operation).pipe(
        Effect.tap(({ fault }) => delayOf(fault)),
        Effect.interruptible,
        Effect.flatMap(answerWith),
        Effect.catchTag("RequestError", () => Effect.succeed(nobodyListens)),
        Effect.catchAllCause((cause) =>
          Effect.flatMap(hasHungUp, (isGone) =>
            isGone
              ? Effect.succeed(nobodyListens)
              : Effect.flatMap(breakage.replyTo(cause), (answer) =>
                  answerWith({ answer, fault: noFault })
                )
          )
        )
      )
    })
  }
}

const isForService = (request: Request): boolean =>
  request.method === "POST" && pathOf(request) === "/"

const isCut = ({ fault }: Fault): boolean => fault === "cutBefore" || fault === "cutAfter"

const delayOf = (fault: Fault): Effect.Effect<void> =>
  fault.fault === "latency" ? Effect.sleep(fault.duration) : Effect.void

const noFault: Fault = { fault: "none" }

export const respond = (
  reply: Reply,
  arrival: Arrival,
  fault: Fault = noFault
): Effect.Effect<Response> =>
  Effect.map(Clock.currentTimeMillis, (clock) => responseOf(reply, arrival, fault, clock))

const unknown = refuse({
  code: "UnknownOperationException",
  message: "The X-Amz-Target names no operation of AWS Marketplace Metering."
})
