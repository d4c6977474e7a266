/**
 * The transport of a client. Sends one attempt of a call, encoded and ready to be signed, and returns the response.
 *
 * `MeteringClient.make` adds everything else that a call needs. The package has three transports: over HTTP, over the
 * official SDK and, for the sandbox, in memory.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Service as AwsCredentials, Credentials } from "./AwsCredentials.js"
import type { ConnectionError, CredentialsError, RequestTimeoutError } from "./MeteringError.js"
import type { Any as AnyOperation } from "./Operation.js"

/**
 * One attempt of a call. The request is valid and within the service's size limit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt {
  /** The operation. Errors contain its `name`. */
  readonly operation: AnyOperation
  /** The request, an instance of the operation's request class. */
  readonly request: object
  /** The same request as AWS JSON 1.1, in UTF-8. */
  readonly body: Uint8Array
  /** `content-type` and `x-amz-target`. The service requires both. */
  readonly headers: Readonly<Record<string, string>>
  /** The credentials to sign with. Absent for a transport without `credentials`. */
  readonly credentials?: Credentials | undefined
  /**
   * Milliseconds by which the service's clock is ahead of this machine's. Sign with the time of this machine plus this
   * offset.
   */
  readonly clockOffset: number
}

/**
 * A response of any status, before it is decoded.
 *
 * @since 0.1.0
 * @category models
 */
export interface Response {
  /** The HTTP status. 2xx is read as a success, anything else as an error of the service. */
  readonly status: number
  /**
   * Headers by lower-case name. The client corrects its clock by `date`, and reports `x-amzn-requestid` as the request id.
   */
  readonly headers: { readonly [name: string]: string | undefined }
  /** The body. Empty if `isTooLong` is true. */
  readonly body: string
  /** True if the body is longer than 4 MiB, the maximum that is read. */
  readonly isTooLong?: boolean | undefined
  /**
   * For a transport that corrects its clock itself: true if it has corrected its clock by 4 minutes or more since this
   * attempt was signed, so that another attempt can succeed. If absent, the client corrects `clockOffset` by `date`.
   */
  readonly isClockCorrected?: boolean | undefined
  /**
   * Texts to redact in errors and spans, such as the signature. The client adds the secrets of the request and the
   * credentials.
   */
  readonly secrets?: ReadonlyArray<string> | undefined
}

/**
 * Sends attempts.
 *
 * `send` makes one attempt, aborts it when it is interrupted, and does not follow redirects. It succeeds with any response,
 * even one with an error status, and fails only without a response. The `delivery` of a `ConnectionError` must be:
 *
 * - `notSent` if certainly no byte of the request was sent. The caller may then send other usage in its place.
 * - `unknown` otherwise. The usage may be billed, so the caller may only send the same request again.
 *
 * Usage can be billed twice if `delivery` is `notSent` for a request that was sent.
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
  /**
   * The credentials that attempts are signed with. The client validates them, and refreshes them when the service reports
   * that they have expired.
   */
  readonly credentials?: AwsCredentials | undefined
  /**
   * Refreshes credentials that only the transport knows, after `response` reported that they have expired. Returns true if
   * they were replaced; the client then makes one more attempt.
   */
  readonly refresh?: ((response: Response) => Effect.Effect<boolean, CredentialsError>) | undefined
  /** The URL of the service. If it is present, each attempt has its own span inside the span of the call. */
  readonly endpoint?: string | URL | undefined
  /** The Region of the service, if it is known. It becomes the client's `region`. */
  readonly region?: string | undefined
}
