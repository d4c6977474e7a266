/**
 * What can go wrong between a client and the service, to be met on purpose: in an order that is written down,
 * or by chance that a seed decides.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { OperationName } from "../MeteringError.js"
import {
  ClockSkewInput,
  DelayInput,
  type DurationInput,
  field,
  NonEmptyText,
  optionalField,
  PositiveInt
} from "./internal/scenario/scenarioFields.js"

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
 *   say it twice (`times: 2`) for the correction to hold. In memory, where nothing is signed, more than five
 *   minutes are a `ClockSkewError`.
 *
 * A call waits at most 1 day, and a clock is off by at most 366 days.
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
  | { readonly fault: "throttling"; readonly retryAfter?: typeof DurationInput.Type | undefined }
  | { readonly fault: "internalError" }
  | { readonly fault: "unavailable" }
  | { readonly fault: "refusal"; readonly code: string; readonly message?: string | undefined }
  | { readonly fault: "expiredCredentials" }
  | { readonly fault: "latency"; readonly duration: typeof DurationInput.Type }
  | { readonly fault: "slowBody"; readonly duration: typeof DurationInput.Type }
  | { readonly fault: "cutBefore" }
  | { readonly fault: "cutAfter" }
  | { readonly fault: "unprocessed"; readonly share?: number | undefined }
  | {
      readonly fault: "clockSkew"
      readonly ahead?: typeof DurationInput.Type | undefined
      readonly behind?: typeof DurationInput.Type | undefined
    }

const Share = Schema.Number.pipe(
  Schema.between(0, 1, { message: () => "Expected a number from 0 to 1" })
).annotations({ identifier: "Share", title: "Share", description: "a number from 0 to 1" })

/** Every kind of fault, with these fields more. */
const faultWith = <Fields extends Schema.Struct.Fields>(fields: Fields) => {
  const kind = <Name extends Fault["fault"]>(name: Name, description: string) => ({
    fault: field(Schema.Literal(name), description),
    ...fields
  })
  return Schema.Union(
    Schema.Struct(kind("none", "Nothing goes wrong; a place in a script.")),
    Schema.Struct({
      ...kind("throttling", "ThrottlingException."),
      retryAfter: optionalField(DelayInput, "How long the answer asks to wait.")
    }),
    Schema.Struct(
      kind("internalError", "InternalServiceErrorException, HTTP 500; nothing is stored.")
    ),
    Schema.Struct(kind("unavailable", "HTTP 503 with a page of HTML; nothing is stored.")),
    Schema.Struct({
      ...kind("refusal", "The error of this code; nothing is stored."),
      code: field(NonEmptyText, "Code of the error, such as DisabledApiException."),
      message: optionalField(Schema.String, "What the error says.")
    }),
    Schema.Struct(
      kind("expiredCredentials", "The caller is told that its AWS credentials have expired.")
    ),
    Schema.Struct({
      ...kind("latency", "The call is carried out, and its answer is held back."),
      duration: field(DelayInput, "For so long, at most 1 day.")
    }),
    Schema.Struct({
      ...kind("slowBody", "The call is carried out, and the body of its answer drips."),
      duration: field(DelayInput, "Over so long, at most 1 day.")
    }),
    Schema.Struct(kind("cutBefore", "The connection is cut, and nothing is stored.")),
    Schema.Struct(
      kind("cutAfter", "The connection is cut after the usage was stored: the answer is lost.")
    ),
    Schema.Struct({
      ...kind(
        "unprocessed",
        "Records of BatchMeterUsage come back unprocessed, and are not stored."
      ),
      share: optionalField(Share, "So many of them, rounded up; all when left out.")
    }),
    Schema.Struct({
      ...kind("clockSkew", "The service's clock is off."),
      ahead: optionalField(ClockSkewInput, "It is ahead by so much, at most 366 days."),
      behind: optionalField(ClockSkewInput, "It is behind by so much, at most 366 days.")
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
export const ScriptedFault = faultWith({
  operation: optionalField(OperationName, "Only the calls of this operation; any when left out."),
  times: optionalField(PositiveInt, "For so many calls; one when left out.")
})

/**
 * @since 0.1.0
 * @category models
 */
export type ScriptedFault = typeof ScriptedFault.Type

/**
 * A fault that befalls a call of this `operation` (of any, when left out) with this `probability`.
 *
 * @since 0.1.0
 * @category models
 */
export const RandomFault = faultWith({
  operation: optionalField(OperationName, "Only the calls of this operation; any when left out."),
  probability: field(Share, "How likely it is for each of them.")
})

/**
 * @since 0.1.0
 * @category models
 */
export type RandomFault = typeof RandomFault.Type

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
  script: optionalField(
    Schema.Array(ScriptedFault),
    "What befalls the next calls, in this order for each operation."
  ),
  chances: optionalField(
    Schema.Array(RandomFault),
    "What may befall a call that the script says nothing of, one after the other until one hits."
  ),
  seed: optionalField(Schema.Int, "Decides the chances; 0 when left out.")
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Faults extends Schema.Schema.Type<typeof Faults> {}
