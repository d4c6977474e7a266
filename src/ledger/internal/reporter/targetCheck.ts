/** Keeps usage of a ledger for the service from a sandbox, and that of a ledger for a sandbox from the service. */
import * as Effect from "effect/Effect"
import type { Service as Client } from "../../../MeteringClient.js"
import { LedgerConfigError, type LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { Target } from "../model/rows.js"
import { requireLedger } from "../transactions/lease.js"
import { withLimit } from "./callLimit.js"

/** Every request id of a sandbox begins with this. */
const sandboxPrefix = "sandbox-"

interface TargetCheck {
  /** True if the endpoint is of the ledger's kind; false if it did not respond. Makes a call without records for it, once. */
  readonly confirm: Effect.Effect<boolean, LedgerConfigError | LedgerUnavailable>
  /** Looks at the request id of a later response. */
  readonly observe: (requestId: string | undefined) => Effect.Effect<void>
}

export const make = (store: Store, client: Client): TargetCheck => {
  let found: Target | undefined
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
      const endpoint = yield* find
      if (endpoint === undefined || endpoint === target) return endpoint === target
      found = undefined
      return yield* new LedgerConfigError({
        reason: "otherTarget",
        detail: `The ledger is for ${nameOf(target)}, and the client's endpoint is ${nameOf(endpoint)}`,
        cure:
          target === "service"
            ? "Give the client an endpoint of AWS, or use a ledger of its own for the sandbox."
            : "Give the client the endpoint of a sandbox, or use a ledger of its own for AWS."
      })
    }),
    observe: (requestId) =>
      Effect.sync(() => {
        // another endpoint responds than before: the next round looks again
        if (requestId !== undefined && kindOf(requestId) !== found) found = undefined
      })
  }
}

/** Every response of AWS and of a sandbox has an id. Without it, usage could go to a sandbox and count as billed. */
const unknownEndpoint = new LedgerConfigError({
  reason: "otherTarget",
  detail:
    "The response of the client's endpoint has no request id, so that it may be a sandbox or AWS",
  cure: "Let the proxy or the client pass on the header x-amzn-RequestId. Until then nothing is sent."
})

const kindOf = (requestId: string): Target =>
  requestId.startsWith(sandboxPrefix) ? "sandbox" : "service"

const nameOf = (target: Target) => (target === "service" ? "AWS" : "a sandbox")
