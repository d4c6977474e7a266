/**
 * Faults to inject between a client and the sandbox, by a script or at random.
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
  PositiveInt,
  Share
} from "./internal/scenario/scenarioFields.js"

/**
 * The fault of one call.
 *
 * - `none`: no fault, so that a script can skip a call
 * - `throttling`: `ThrottlingException`. `retryAfter` adds a `Retry-After` header. Defaults to none.
 * - `internalError`: `InternalServiceErrorException`. Nothing is stored.
 * - `unavailable`: HTTP 503 with an HTML page, as from a load balancer. Nothing is stored.
 * - `rejection`: the error with this `code`, such as `DisabledApiException`, and `message`. Nothing is stored.
 * - `expiredCredentials`: `ExpiredTokenException`. Nothing is stored.
 * - `latency`: the call is processed and its response is delayed for `duration`
 * - `slowBody`: the call is processed and the body of its response is sent slowly, over `duration`
 * - `cutBefore`: the connection is cut. Nothing is stored.
 * - `cutAfter`: the usage is stored, then the connection is cut and the response is lost
 * - `unprocessed`: a `share` of the records of BatchMeterUsage, rounded up, is returned in `UnprocessedRecords` and not
 *   stored. Defaults to all records.
 * - `clockSkew`: the service's clock is `ahead` or `behind`, for signatures and the `Date` header. A client that
 *   corrects its clock sends the request again, so a script needs `times: 2`. In memory, where calls are not signed, a skew
 *   of more than 5 minutes fails with `ClockSkewError`.
 *
 * Delays are limited to 1 day, and clock skew to 366 days.
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
  | { readonly fault: "rejection"; readonly code: string; readonly message?: string | undefined }
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

/** Makes the schema of all faults, with additional fields. */
const faultWith = <Fields extends Schema.Struct.Fields>(fields: Fields) => {
  const kind = <Name extends Fault["fault"]>(name: Name, description: string) => ({
    fault: field(Schema.Literal(name), description),
    operation: optionalField(OperationName, "The operation of the call. Defaults to any."),
    ...fields
  })
  return Schema.Union(
    Schema.Struct(kind("none", "No fault, to leave out a call in a script.")),
    Schema.Struct({
      ...kind("throttling", "ThrottlingException."),
      retryAfter: optionalField(
        DelayInput,
        "The time in the Retry-After header. Defaults to no header."
      )
    }),
    Schema.Struct(
      kind("internalError", "InternalServiceErrorException, HTTP 500. Nothing is stored.")
    ),
    Schema.Struct(kind("unavailable", "HTTP 503 with an HTML page. Nothing is stored.")),
    Schema.Struct({
      ...kind("rejection", "The error with this code. Nothing is stored."),
      code: field(NonEmptyText, "The error code, such as DisabledApiException."),
      message: optionalField(Schema.String, "The error message.")
    }),
    Schema.Struct(kind("expiredCredentials", "ExpiredTokenException. Nothing is stored.")),
    Schema.Struct({
      ...kind("latency", "The call is processed and its response is delayed."),
      duration: field(DelayInput, "The delay, at most 1 day.")
    }),
    Schema.Struct({
      ...kind("slowBody", "The call is processed and its response is sent slowly."),
      duration: field(DelayInput, "The time to send the response, at most 1 day.")
    }),
    Schema.Struct(kind("cutBefore", "The connection is cut. Nothing is stored.")),
    Schema.Struct(
      kind("cutAfter", "The usage is stored, then the connection is cut and the response is lost.")
    ),
    Schema.Struct({
      ...kind(
        "unprocessed",
        "Records of BatchMeterUsage are returned as unprocessed and not stored."
      ),
      share: optionalField(Share, "The share of unprocessed records, rounded up. Defaults to all.")
    }),
    Schema.Struct({
      ...kind("clockSkew", "The service's clock is ahead or behind."),
      ahead: optionalField(ClockSkewInput, "The time that the clock is ahead, at most 366 days."),
      behind: optionalField(ClockSkewInput, "The time that the clock is behind, at most 366 days.")
    })
  )
}

/**
 * A fault for the next calls.
 *
 * - `operation`: the operation of the calls. Defaults to any.
 * - `times`: the number of calls. Defaults to 1.
 *
 * @since 0.1.0
 * @category models
 */
export const ScriptedFault = faultWith({
  times: optionalField(PositiveInt, "The number of calls. Defaults to 1.")
})

/**
 * @since 0.1.0
 * @category models
 */
export type ScriptedFault = typeof ScriptedFault.Type

/**
 * A fault for randomly chosen calls.
 *
 * - `operation`: the operation of the calls. Defaults to any.
 * - `probability`: the probability for each call, from 0 to 1
 *
 * @since 0.1.0
 * @category models
 */
export const RandomFault = faultWith({
  probability: field(Share, "The probability for each call, from 0 to 1.")
})

/**
 * @since 0.1.0
 * @category models
 */
export type RandomFault = typeof RandomFault.Type

/**
 * The faults of a sandbox. Each call gets one fault at most.
 *
 * - `script`: faults in order. A call takes the first one for its operation. Defaults to none.
 * - `chances`: random faults for calls that get no fault from the script. They are drawn in order until one applies. Defaults
 *   to none.
 * - `seed`: the seed of `chances`. The same calls in the same order get the same faults. Defaults to 0.
 *
 * @example
 * ```ts
 * import type { Fault } from "effect-marketplace-metering/sandbox"
 *
 * // the first response is lost, the second call succeeds, then one call in ten is throttled
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
    "The faults of the next calls. A call takes the first one for its operation."
  ),
  chances: optionalField(
    Schema.Array(RandomFault),
    "Faults for calls without one in the script, drawn in order until one applies."
  ),
  seed: optionalField(Schema.Int, "The seed of chances. Defaults to 0.")
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Faults extends Schema.Schema.Type<typeof Faults> {}
