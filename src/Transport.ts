/**
 * How a client sends: one attempt of a call, encoded and ready to be signed, against one response.
 *
 * `MeteringClient.make` does everything around it. The package has three transports: over HTTP, over the official
 * SDK and, for the sandbox, in memory.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Service as AwsCredentials, Credentials } from "./AwsCredentials.js"
import type { ConnectionError, CredentialsError, RequestTimeoutError } from "./MeteringError.js"
import type { Any as AnyOperation } from "./Operation.js"

/**
 * One attempt of a call. The request is valid and, in bytes, within the service's limit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt {
  /** The operation, by whose `name` errors say what was called. */
  readonly operation: AnyOperation
  /** The request, an instance of the operation's request class. */
  readonly request: object
  /** The same request as AWS JSON 1.1, in UTF-8. */
  readonly body: Uint8Array
  /** `content-type` and `x-amz-target`. The service requires both. */
  readonly headers: Readonly<Record<string, string>>
  /** The credentials to sign with. Absent for a transport without `credentials`. */
  readonly credentials?: Credentials | undefined
  /** How far the service's clock is ahead of this machine's, in milliseconds. A signature's time is the sum of both. */
  readonly clockOffset: number
}

/**
 * A response as it came, whatever its status.
 *
 * @since 0.1.0
 * @category models
 */
export interface Response {
  /** The HTTP status. 2xx is read as a success, anything else as an error of the service. */
  readonly status: number
  /** Header names are in lower case. `date` corrects the clock, `x-amzn-requestid` names the call. */
  readonly headers: { readonly [name: string]: string | undefined }
  /** The body, or an empty text where `isTooLong`. */
  readonly body: string
  /** True if the body is longer than the 4 MiB that are read of one. */
  readonly isTooLong?: boolean | undefined
  /**
   * For a transport that keeps the service's time itself: true if it has corrected its clock by 4 minutes or more since
   * this attempt was signed, so that another attempt can succeed. If absent, the client corrects `clockOffset` by `date`.
   */
  readonly isClockCorrected?: boolean | undefined
  /** Texts that no error and no span may repeat, such as the signature. Secrets of request and credentials need no mention. */
  readonly secrets?: ReadonlyArray<string> | undefined
}

/**
 * Sends attempts.
 *
 * `send` makes one attempt, ends it when it is interrupted, and follows no redirect. Any response is a success of
 * `send`, also one with an error's status. Without a response it fails, and a `ConnectionError` must say by its
 * `delivery` how far the request came:
 *
 * - `notSent`: certain that no byte has left. The caller may send other usage in its place.
 * - `unknown`: anything else. The usage may be billed, so the caller sends the same request again, or none.
 *
 * A request that was sent and is called `notSent` can be billed twice.
 *
 * @example
 * ```ts
 * import { HttpClient, HttpClientRequest } from "@effect/platform"
 * import { Effect, Layer } from "effect"
 * import { MeteringClient, MeteringError, type Transport } from "effect-marketplace-metering"
 *
 * const endpoint = "https://metering-gateway.internal/"
 *
 * // a gateway inside the network, which signs with credentials of its own
 * const gateway = (http: HttpClient.HttpClient): Transport.Transport => ({
 *   endpoint,
 *   send: ({ body, headers, operation }) =>
 *     HttpClientRequest.post(endpoint, { headers }).pipe(
 *       HttpClientRequest.bodyUint8Array(body, headers["content-type"]),
 *       http.execute,
 *       Effect.flatMap(({ headers, status, text }) =>
 *         Effect.map(text, (body) => ({ status, headers, body }))
 *       ),
 *       Effect.mapError(
 *         ({ reason }) =>
 *           new MeteringError.ConnectionError({
 *             operation: operation.name,
 *             endpoint,
 *             reason,
 *             delivery: reason === "InvalidUrl" ? "notSent" : "unknown"
 *           })
 *       )
 *     )
 * })
 *
 * const MeteringLive = Layer.effect(
 *   MeteringClient.MeteringClient,
 *   Effect.map(HttpClient.HttpClient, (http) => MeteringClient.make(gateway(http)))
 * )
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Transport {
  /** Makes one attempt. */
  readonly send: (
    attempt: Attempt
  ) => Effect.Effect<Response, ConnectionError | RequestTimeoutError | CredentialsError>
  /** The credentials that attempts are signed with. The client checks them, and refreshes those that the service calls expired. */
  readonly credentials?: AwsCredentials | undefined
  /**
   * Replaces credentials that only the transport knows, after the service has called those of the attempt with this
   * `response` expired. Returns false where there are no others; else the client makes one more attempt.
   */
  readonly refresh?: ((response: Response) => Effect.Effect<boolean, CredentialsError>) | undefined
  /** The URL of the service. With it each attempt has a span of its own, inside that of the call. */
  readonly endpoint?: string | URL | undefined
  /** The Region of the service, where it is known. It becomes the client's `region`. */
  readonly region?: string | undefined
}
