/** The transport of the in-memory client. Calls the operation handlers of the sandbox without HTTP and signatures. */
import * as Effect from "effect/Effect"
import { targetOf } from "../../../internal/protocol/awsJson.js"
import { ConnectionError } from "../../../MeteringError.js"
import type { Transport } from "../../../Transport.js"
import type { Fault } from "../../Fault.js"
import type { CallerIdentity } from "../model/callLog.js"
import { noFault } from "../model/faultScript.js"
import { operations } from "../model/operations.js"
import { unknownOperation } from "../model/serviceResponse.js"
import * as operationHandlers from "./operationHandlers.js"
import type { SandboxRuntime } from "./runtime.js"

/** The `endpoint` in errors, because a sandbox in memory has no URL. */
const endpoint = "sandbox"

const callerIdentity: CallerIdentity = { signature: "inMemory" }

export const makeTransport = (runtime: SandboxRuntime): Transport => {
  const handlers = operationHandlers.fromRuntime(operations, runtime)
  return {
    send: ({ operation, request }) =>
      Effect.gen(function* () {
        const handler = handlers.get(targetOf(operation))
        const incoming = yield* runtime.receive(handler?.name)
        const outcome =
          handler && (yield* handler.handle(request, incoming, callerIdentity, undefined))
        if (outcome === undefined) {
          yield* runtime.rejectCall(incoming, callerIdentity, unknownOperation, 0)
        }
        const { fault, response } = outcome ?? { fault: noFault, response: unknownOperation }
        const delay = delayOf(fault)
        if (delay !== undefined) yield* Effect.sleep(delay)
        if (response === undefined || fault.fault === "cutAfter") {
          return yield* new ConnectionError(
            { operation: operation.name, endpoint, reason: "ECONNRESET", delivery: "unknown" },
            true
          )
        }
        return {
          status: response.status,
          headers: { ...response.headers, "x-amzn-requestid": incoming.requestId },
          body: response.body
        }
      })
  }
}

/** Returns the delay of the response. */
const delayOf = (fault: Fault) =>
  fault.fault === "latency" || fault.fault === "slowBody" ? fault.duration : undefined
