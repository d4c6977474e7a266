/** Checks that the client's endpoint (AWS or a sandbox) is the target of the ledger. */
import * as Effect from "effect/Effect"
import type { Service as Client } from "../../../MeteringClient.js"
import { LedgerConfigError, type LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { Target } from "../model/rows.js"
import { requireLedger } from "../transactions/lease.js"
import { withLimit } from "./callLimit.js"

/** The prefix of all request ids of a sandbox. */
const sandboxPrefix = "sandbox-"

interface TargetCheck {
  /**
   * Makes a call without records to find out the target of the endpoint, until one succeeds. Returns true if it is the ledger's target,
   * and false if the endpoint did not respond. Fails if it is the other target.
   */
  readonly confirm: Effect.Effect<boolean, LedgerConfigError | LedgerUnavailable>
  /**
   * Returns an error if a later response or error has a request id of the other target, or a response has no request id. The next
   * `confirm` then makes a call again.
   */
  readonly observe: (
    requestId: string | undefined,
    isResponse: boolean
  ) => Effect.Effect<LedgerConfigError | undefined>
}

export const make = (store: Store, client: Client): TargetCheck => {
  let found: Target | undefined
  let expected: Target | undefined
  const find = Effect.gen(function* () {
    if (found !== undefined) return found
    const [product] = yield* store.snapshot((tables) => tables.products)
    const requestId = yield* withLimit(
      client.batchMeterUsage({
        usageRecords: [],
        ...(product?.productCode !== undefined && { productCode: product.productCode })
      })
    ).pipe(
      Effect.flatMap(({ requestId }) =>
        requestId === undefined ? Effect.fail(unknownEndpoint) : Effect.succeed(requestId)
      ),
      Effect.catchAll((error) =>
        error._tag === "LedgerConfigError"
          ? error
          : error.requestId === undefined
            ? Effect.as(
                Effect.logWarning(`the service cannot be reached: ${error.message}`),
                undefined
              )
            : Effect.succeed(error.requestId)
      )
    )
    if (requestId !== undefined) found = kindOf(requestId)
    return found
  })
  return {
    confirm: Effect.gen(function* () {
      const { target } = yield* store.snapshot(requireLedger)
      expected = target
      const endpoint = yield* find
      if (endpoint === undefined || endpoint === target) return endpoint === target
      found = undefined
      return yield* otherTarget(target, endpoint)
    }),
    observe: (requestId, isResponse) =>
      Effect.sync(() => {
        if (expected === undefined || (requestId === undefined && !isResponse)) return undefined
        const endpoint = requestId === undefined ? undefined : kindOf(requestId)
        if (endpoint === expected) return undefined
        found = undefined
        return endpoint === undefined ? unknownEndpoint : otherTarget(expected, endpoint)
      })
  }
}

const otherTarget = (target: Target, endpoint: Target) =>
  new LedgerConfigError({
    reason: "otherTarget",
    detail: `The ledger is for ${nameOf(target)}, and the client's endpoint is ${nameOf(endpoint)}`,
    cure:
      target === "service"
        ? "Give the client an endpoint of AWS, or use a ledger of its own for the sandbox."
        : "Give the client the endpoint of a sandbox, or use a ledger of its own for AWS."
  })

/** Every response of AWS and of a sandbox has a request id. Without it, usage could be sent to a sandbox and count as billed. */
const unknownEndpoint = new LedgerConfigError({
  reason: "otherTarget",
  detail:
    "The response of the client's endpoint has no request id, so that it may be a sandbox or AWS",
  cure: "Let the proxy or the client pass on the header x-amzn-RequestId. Until then nothing is sent."
})

const kindOf = (requestId: string): Target =>
  requestId.startsWith(sandboxPrefix) ? "sandbox" : "service"

const nameOf = (target: Target) => (target === "service" ? "AWS" : "a sandbox")
