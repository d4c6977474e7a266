/**
 * An operation as a value. The client and the sandbox's server are both derived from it.
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { metering } from "./internal/protocol/serviceModel.js"
import type { CommonError, OperationName, ServiceException, Violation } from "./MeteringError.js"

/**
 * Names of a service, by which its requests are addressed and signed.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceModel {
  /** The name in spans. */
  readonly serviceId: string
  /** The beginning of the host name. */
  readonly endpointPrefix: string
  /** Matches the domains whose hosts have hyphens in `endpointPrefix`: `metering-marketplace.us-east-1.api.aws`. */
  readonly hyphenatedDomains: RegExp
  /** The name of the service in signatures. */
  readonly signingName: string
  /** The name of the service in the header `x-amz-target`. */
  readonly targetPrefix: string
}

/**
 * The class of one exception.
 *
 * @since 0.1.0
 * @category models
 */
export interface ExceptionClass<E extends ServiceException> {
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
 * A class of requests or responses: a schema whose values are its instances.
 *
 * @since 0.1.0
 * @category models
 */
// biome-ignore lint/suspicious/noExplicitAny: each class has its own encoded form
export interface SchemaClass<A> extends Schema.Schema<A, any> {
  new (fields: never, options?: Schema.MakeOptions): A
}

/**
 * One operation: its `service` and `name`, the classes of its `request` and its `response`, and the `exceptions` of its model.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation<Request, Response, E extends ServiceException, Result = Response> {
  readonly service: ServiceModel
  readonly name: OperationName
  readonly request: SchemaClass<Request>
  readonly response: SchemaClass<Response>
  readonly exceptions: ReadonlyArray<ExceptionClass<E>>
  /** Completes a request before it is sent. Always returns an equal result for the same request. */
  readonly prepare?: (request: Request) => Request
  /** Returns the violation of a rule that is not in the schema. A request with a violation is not sent. */
  readonly preflight?: (request: Request) => Violation | undefined
  /** Returns the name of a required field that the response lacks. Such a response is an `UnexpectedResponseError`. */
  readonly missing?: (response: Response) => string | undefined
  /** Makes the result of a call from its request and its response or error. Defaults to the outcome unchanged. */
  readonly mapResult?: (
    request: Request,
    outcome: Either.Either<Response, E | CommonError>
  ) => Either.Either<Result, E | CommonError>
}

/**
 * Any operation.
 *
 * @since 0.1.0
 * @category models
 */
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own types
export type Any = Operation<any, any, any, any>

/**
 * AWS Marketplace Metering: its names, its API version, and the service name in signatures.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_Operations_AWSMarketplace_Metering.html
 * @since 0.1.0
 * @category constants
 */
export const marketplaceMetering = {
  abbreviation: "AWSMarketplace Metering",
  apiVersion: "2016-01-14",
  ...metering
} as const
