/**
 * An operation as a value. The client and the sandbox's server are both derived from it: whoever adds an
 * operation writes one of these.
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { serviceId, signingName, targetPrefix } from "./internal/protocol/constants.js"
import type { CommonError, ModelledException, OperationName } from "./MeteringError.js"

/**
 * The class of one exception.
 *
 * @since 0.1.0
 * @category models
 */
export interface ExceptionClass<E extends ModelledException> {
  /** The exception's AWS name. */
  readonly _tag: E["_tag"]
  new (
    fields: {
      readonly operation: OperationName
      readonly statusCode?: number | undefined
      readonly requestId?: string | undefined
      readonly serviceMessage?: string | undefined
      readonly retryAfter?: E["retryAfter"]
    },
    options?: Schema.MakeOptions
  ): E
}

/**
 * A class of the wire: a schema whose values are its instances.
 *
 * @since 0.1.0
 * @category models
 */
// biome-ignore lint/suspicious/noExplicitAny: what a class looks like on the wire is its own business
export interface SchemaClass<A> extends Schema.Schema<A, any> {
  new (fields: never, options?: Schema.MakeOptions): A
}

/**
 * One operation: its `name`, the classes of its `request` and its `response`, and the `exceptions` that it may raise.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation<Request, Response, E extends ModelledException, Answer = Response> {
  readonly name: OperationName
  readonly request: SchemaClass<Request>
  readonly response: SchemaClass<Response>
  readonly exceptions: ReadonlyArray<ExceptionClass<E>>
  /** Completes a request before it is sent; the same request always comes to the same. */
  readonly prepare?: (request: Request) => Request
  /** Names what a response lacks that the call was made for. Such a response is an `UnexpectedResponseError`. */
  readonly missing?: (response: Response) => string | undefined
  /** Says what the caller gets, where that depends on the request as well. */
  readonly mapResult?: (
    request: Request,
    outcome: Either.Either<Response, E | CommonError>
  ) => Either.Either<Answer, E | CommonError>
}

/**
 * Facts of the service: its names, its API version, what its requests are signed for.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_Operations_AWSMarketplace_Metering.html
 * @since 0.1.0
 * @category constants
 */
export const marketplaceMetering = {
  abbreviation: "AWSMarketplace Metering",
  serviceId,
  apiVersion: "2016-01-14",
  endpointPrefix: "metering.marketplace",
  signingName,
  targetPrefix
} as const
