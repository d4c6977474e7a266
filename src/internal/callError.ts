/** Builders of error classes, and the members that all errors of a call share. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * The operations of AWS Marketplace Metering, and `GetEntitlements` of the Marketplace Entitlement Service.
 *
 * @since 0.1.0
 * @category models
 */
export const OperationName = Schema.Literal(
  "MeterUsage",
  "BatchMeterUsage",
  "RegisterUsage",
  "ResolveCustomer",
  "GetEntitlements"
)

/**
 * @since 0.1.0
 * @category models
 */
export type OperationName = typeof OperationName.Type

/**
 * The retry properties of every error of a call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retryable {
  /** True if the same request may succeed later. */
  readonly isRetryable: boolean
  /** True if the service asked for fewer calls. */
  readonly isThrottling: boolean
}

/**
 * The members that every error of a call can have. Without a response of the service they are absent. `serviceMessage` is
 * the service's message, without anything that was signed, and `retryAfter` the time that it asked to wait.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallError extends Retryable {
  /** The cause and what to do about it, with the service's message, HTTP status and request id. */
  readonly message: string
  /** The operation that was called. */
  readonly operation?: OperationName | undefined
  /** The HTTP status of the response. */
  readonly statusCode?: number | undefined
  /** The request id, by which AWS can find the call. */
  readonly requestId?: string | undefined
  readonly serviceMessage?: string | undefined
  readonly retryAfter?: Duration.Duration | undefined
}

/**
 * An exception of a service's model. It always has the `operation`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceException extends CallError {
  readonly _tag: string
  readonly operation: OperationName
}

/** A smaller `Schema.DurationFromMillis`. */
export const DurationFromMillis = (): Schema.Schema<Duration.Duration, number> =>
  Schema.transform(
    Schema.Number.pipe(Schema.filter((millis) => millis >= 0)),
    Schema.declare(Duration.isDuration, {
      arbitrary: () => (fc) => fc.nat().map(Duration.millis),
      pretty: () => String
    }),
    { strict: true, decode: Duration.millis, encode: Duration.toMillis }
  )

export type Kind = "final" | "transient" | "throttling"

export const errorFields = () => ({
  operation: OperationName,
  statusCode: Schema.optional(Schema.Number),
  requestId: Schema.optional(Schema.String),
  /** The service's message, without anything that was signed. */
  serviceMessage: Schema.optional(Schema.String),
  /** The time that the service asked to wait. */
  retryAfter: Schema.optional(DurationFromMillis())
})

type ErrorFields = ReturnType<typeof errorFields>

type MessageParts = {
  readonly [K in keyof ErrorFields]?: Schema.Struct.Type<ErrorFields>[K] | undefined
}

/** A class of `Schema.TaggedError` with a retry class and a message. */
type ErrorClass<Self, Tag extends string, F extends Schema.Struct.Fields> = Schema.Class<
  Self,
  { readonly _tag: Schema.tag<Tag> } & F,
  Schema.Struct.Encoded<{ readonly _tag: Schema.tag<Tag> } & F>,
  Schema.Struct.Context<F>,
  Schema.Struct.Constructor<F>,
  CallError,
  Cause.YieldableError
> & { readonly _tag: Tag }

/**
 * Makes an error class lazily, at its first use. The schemas of all 30 errors would take a third of the time that the client
 * adds to a program's start, and most programs use few of them.
 */
export const define =
  <Self>() =>
  <const Tag extends string, F extends Schema.Struct.Fields>(
    tag: Tag,
    fields: () => F | Schema.Struct<F>,
    advise: (self: Schema.Struct.Type<F>) => string,
    kind: (self: Schema.Struct.Type<F>) => Kind = () => "final"
  ): ErrorClass<Self, Tag, F> => {
    type Fields = Schema.Struct.Type<F>
    class Placeholder extends Data.Error {
      static readonly _tag = tag
    }
    let made: ErrorConstructor | undefined
    const load = () => {
      if (made === undefined) {
        made = class extends (
          (Schema.TaggedError<never>(`effect-marketplace-metering/${tag}`)(
            tag,
            fields()
          ) as unknown as ErrorConstructor)
        ) {
          override get message() {
            return formatMessage(this as MessageParts, advise(this as unknown as Fields))
          }
          get isRetryable() {
            return kind(this as unknown as Fields) !== "final"
          }
          get isThrottling() {
            return kind(this as unknown as Fields) === "throttling"
          }
        }
        Object.setPrototypeOf(Placeholder.prototype, made.prototype)
      }
      return made
    }
    // the cast is needed because the type of the proxy does not show that it constructs `made`, with its getters
    return new Proxy(Placeholder, {
      construct: (_, args, target) => Reflect.construct(load(), args, target),
      get: (own, key, self) => Reflect.get(Object.hasOwn(own, key) ? own : load(), key, self),
      has: (_, key) => key in load()
    }) as never
  }

type ErrorConstructor = new (...args: never) => Cause.YieldableError

/** Formats a message: "BatchMeterUsage: <advice> The service says: <message> (HTTP 400, request 1a2b)". */
const formatMessage = (
  { operation, requestId, serviceMessage, statusCode }: MessageParts,
  advice: string
): string => {
  const where = [statusCode && `HTTP ${statusCode}`, requestId && `request ${requestId}`]
    .filter(Boolean)
    .join(", ")
  return [
    operation && `${operation}:`,
    advice,
    serviceMessage && `The service says: ${serviceMessage}`,
    where && `(${where})`
  ]
    .filter(Boolean)
    .join(" ")
}

export const exception =
  <Self>() =>
  <const Tag extends string>(
    tag: Tag,
    advice: string,
    kind: Kind = "final"
  ): ErrorClass<Self, Tag, ErrorFields> =>
    define<Self>()(
      tag,
      errorFields,
      () => advice,
      () => kind
    )
