import { assert, it } from "@effect/vitest"
import { Either, Redacted } from "effect"
import * as callLog from "../../../../src/sandbox/internal/model/callLog.js"

it("estimates the size of secrets in requests that have no body", () => {
  const registrationToken = Redacted.make("x".repeat(1_000_000))
  let log = callLog.empty
  for (let call = 1; call <= 20; call++) {
    log = callLog.append(log, {
      requestId: String(call),
      at: 0,
      operation: "ResolveCustomer",
      callerIdentity: { signature: "inMemory" },
      fault: "none",
      request: { registrationToken },
      response: Either.right({ fields: {} })
    })
  }
  assert.deepStrictEqual(
    callLog.toArray(log).map(({ requestId }) => requestId),
    Array.from({ length: 16 }, (_, index) => String(index + 5))
  )
})
