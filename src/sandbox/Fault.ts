/**
 * What can go wrong between a client and the service, to be met on purpose: in an order that is written down,
 * or by chance that a seed decides.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { OperationName } from "../MeteringError.js"
import { NonEmptyText, PositiveInt, Span } from "./internal/fields.js"

/**
 * What befalls one call.
 *
 * - `none`: nothing; a place in a script
 * - `throttling`: `ThrottlingException`, with `Retry-After` where `retryAfter` says how long
 * - `internalError`: `InternalServiceErrorException`; nothing is stored
 * - `unavailable`: HTTP 503 with a page of HTML, as from a load balancer; nothing is stored
 * - `refusal`: the error of this `code`, such as `DisabledApiException`; nothing is stored
 * - `expiredCredentials`: the caller is told that its AWS credentials have expired
 * - `latency`: the call is carried out, and its answer is held back for so long
 * - `slowBody`: the call is carried out, and the body of its answer drips over so long
 * - `cutBefore`: the connection is cut, and nothing is stored
 * - `cutAfter`: the connection is cut after the usage was stored: the answer is lost
 * - `unprocessed`: this `share` of the records of BatchMeterUsage (rounded up; all, when left out) comes back
 *   in `UnprocessedRecords`, and is not stored
 * - `clockSkew`: the service's clock is `ahead` or `behind` by so much, in the check of the signature and in
 *   the `Date` of the answer. A client that corrects its clock by the answer calls again, so a script has to
 *   say it twice (`times: 2`) for the correction to hold. In memory, where nothing is signed, five minutes and
 *   more are a `ClockSkewError`.
 *
 * @example
 * ```ts
 * import type { Fault } from "effect-marketplace-metering/sandbox"
 *
 * const lost: Fault.Fault = { fault: "cutAfter" }
 * const half: Fault.Fault = { fault: "unprocessed", share: 0.5 }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export type Fault =
  | { readonly fault: "none" }
  | { readonly fault: "throttling"; readonly retryAfter?: typeof Span.Type | undefined }
  | { readonly fault: "internalError" }
  | { readonly fault: "unavailable" }
  | { readonly fault: "refusal"; readonly code: string; readonly message?: string | undefined }
  | { readonly fault: "expiredCredentials" }
  | { readonly fault: "latency"; readonly duration: typeof Span.Type }
  | { readonly fault: "slowBody"; readonly duration: typeof Span.Type }
  | { readonly fault: "cutBefore" }
  | { readonly fault: "cutAfter" }
  | { readonly fault: "unprocessed"; readonly share?: number | undefined }
  | {
      readonly fault: "clockSkew"
      readonly ahead?: typeof Span.Type | undefined
      readonly behind?: typeof Span.Type | undefined
    }

const Share = Schema.Number.pipe(
  Schema.between(0, 1, { message: () => "Expected a number from 0 to 1" })
).annotations({ identifier: "Share", description: "a number from 0 to 1" })

/** Every kind of fault, with these fields more. */
const faultWith = <Fields extends Schema.Struct.Fields>(fields: Fields) => {
  const kind = <Name extends Fault["fault"]>(name: Name) => ({
    fault: Schema.Literal(name),
    ...fields
  })
  return Schema.Union(
    Schema.Struct(kind("none")),
    Schema.Struct({ ...kind("throttling"), retryAfter: Schema.optional(Span) }),
    Schema.Struct(kind("internalError")),
    Schema.Struct(kind("unavailable")),
    Schema.Struct({
      ...kind("refusal"),
      code: NonEmptyText,
      message: Schema.optional(Schema.String)
    }),
    Schema.Struct(kind("expiredCredentials")),
    Schema.Struct({ ...kind("latency"), duration: Span }),
    Schema.Struct({ ...kind("slowBody"), duration: Span }),
    Schema.Struct(kind("cutBefore")),
    Schema.Struct(kind("cutAfter")),
    Schema.Struct({ ...kind("unprocessed"), share: Schema.optional(Share) }),
    Schema.Struct({
      ...kind("clockSkew"),
      ahead: Schema.optional(Span),
      behind: Schema.optional(Span)
    })
  )
}

/**
 * One step of a script: a fault, for the next call of this `operation` (of any, when left out), so many
 * `times` (once, when left out).
 *
 * @since 0.1.0
 * @category models
 */
export const Step = faultWith({
  operation: Schema.optional(OperationName),
  times: Schema.optional(PositiveInt)
})

/**
 * @since 0.1.0
 * @category models
 */
export type Step = typeof Step.Type

/**
 * A fault that befalls a call of this `operation` (of any, when left out) with this `probability`.
 *
 * @since 0.1.0
 * @category models
 */
export const Chance = faultWith({
  operation: Schema.optional(OperationName),
  probability: Share
})

/**
 * @since 0.1.0
 * @category models
 */
export type Chance = typeof Chance.Type

/**
 * A script, chances, or both. A call takes the first step of the script that is for its operation; only where
 * there is none are the chances drawn, one after the other, until one hits. One fault at most befalls a call.
 * The same `seed` (0, when left out) and the same calls in the same order bring the same faults.
 *
 * @example
 * ```ts
 * import type { Fault } from "effect-marketplace-metering/sandbox"
 *
 * // the first answer is lost, the second call goes well, and then every tenth is throttled
 * const faults: Fault.Faults = {
 *   script: [{ fault: "cutAfter" }, { fault: "none" }],
 *   chances: [{ fault: "throttling", probability: 0.1 }],
 *   seed: 7
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const Faults = Schema.Struct({
  script: Schema.optional(Schema.Array(Step)),
  chances: Schema.optional(Schema.Array(Chance)),
  seed: Schema.optional(Schema.Int)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Faults extends Schema.Schema.Type<typeof Faults> {}
