/**
 * The client of the AWS Marketplace Entitlement Service: GetEntitlements behind one tag with several implementations.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import type * as Stream from "effect/Stream"
import { AwsCredentials } from "../AwsCredentials.js"
import { makeHttpTransport } from "../internal/client/httpTransport.js"
import { makeClient } from "../internal/client/makeClient.js"
import { requestOf } from "../internal/schema/construct.js"
import type { Options } from "../MeteringClient.js"
import * as MeteringRetry from "../MeteringRetry.js"
import type { Transport } from "../Transport.js"
import type { Entitlement } from "./Entitlement.js"
import { EntitlementConfig } from "./EntitlementConfig.js"
import type { PaginationError } from "./EntitlementError.js"
import * as GetEntitlements from "./GetEntitlements.js"
import { pagesOf } from "./internal/pages.js"
import { marketplaceEntitlement } from "./internal/serviceModel.js"

export type {
  /**
   * Options of `make`.
   *
   * @since 0.1.0
   * @category models
   */
  Options
}

/**
 * The operation of the service: `getEntitlements`. It takes a request or its fields.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Returns one page of the entitlements of a product. */
  getEntitlements(
    request: GetEntitlements.Input
  ): Effect.Effect<GetEntitlements.GetEntitlementsResponse, GetEntitlements.GetEntitlementsError>
}

/**
 * The client of the Marketplace Entitlement Service.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { EntitlementClient } from "effect-marketplace-metering/entitlement"
 *
 * const page = Effect.flatMap(EntitlementClient.EntitlementClient, (client) =>
 *   client.getEntitlements({ productCode: "sandbox-analytics" })
 * )
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class EntitlementClient extends Context.Tag(
  "effect-marketplace-metering/entitlement/EntitlementClient"
)<EntitlementClient, Service>() {}

/**
 * Makes a client from a transport, as `MeteringClient.make` does: it validates, signs, decodes, recovers, traces and
 * counts in the same way. Calls are counted and timed in `MeteringMetrics`, under `GetEntitlements`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (transport: Transport, options?: Options): Service =>
  makeClient({ getEntitlements: GetEntitlements.operation }, transport, options)

/**
 * The client over HTTP, with any `HttpClient`.
 *
 * Each call is one attempt. Expired credentials are refreshed once, and a clock that is off by 4 minutes or more is
 * corrected once. Other retries are up to the app: the schedules of `MeteringRetry` also work here.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Layer } from "effect"
 * import { EntitlementClient, EntitlementConfig } from "effect-marketplace-metering/entitlement"
 * import { layerDefaultChain } from "effect-marketplace-metering/node"
 *
 * const EntitlementLive = EntitlementClient.layer.pipe(
 *   Layer.provide([EntitlementConfig.layer(), layerDefaultChain, FetchHttpClient.layer])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  EntitlementClient,
  never,
  EntitlementConfig | AwsCredentials | HttpClient.HttpClient
> = Layer.effect(
  EntitlementClient,
  Effect.map(
    Effect.all([EntitlementConfig, AwsCredentials, HttpClient.HttpClient]),
    ([config, credentials, client]) =>
      make(makeHttpTransport(marketplaceEntitlement, config, credentials, client), config)
  )
)

/**
 * Returns one page of the entitlements of a product. `entitlements` reads all pages.
 *
 * @example
 * ```ts
 * import { EntitlementClient } from "effect-marketplace-metering/entitlement"
 *
 * const program = EntitlementClient.getEntitlements({
 *   productCode: "sandbox-analytics",
 *   filter: { customerAWSAccountId: ["111122223333"] },
 *   maxResults: 25
 * })
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_GetEntitlements.html
 * @since 0.1.0
 * @category operations
 */
export const getEntitlements = (
  request: GetEntitlements.Input
): Effect.Effect<
  GetEntitlements.GetEntitlementsResponse,
  GetEntitlements.GetEntitlementsError,
  EntitlementClient
> => {
  const prepared = requestOf(GetEntitlements.operation, request)
  return Effect.flatMap(EntitlementClient, (client) => client.getEntitlements(prepared))
}

/**
 * Options of `entitlements`.
 *
 * - `schedule`: the retry schedule of each page; its input is the error of the call. A page that fails is requested again,
 *   and no entitlement is emitted twice. Defaults to `MeteringRetry.standard`.
 *
 * @since 0.1.0
 * @category models
 */
export interface PagesOptions {
  readonly schedule?: Schedule.Schedule<unknown, GetEntitlements.GetEntitlementsError> | undefined
}

/**
 * Streams all entitlements that match the request, across all pages.
 *
 * Pages are requested on demand. An empty page that has a `nextToken` does not end the stream. The stream fails with a
 * `PaginationError` if the pages do not end: at a token that was already used, or after 10 000 empty pages in a row. AWS
 * allows 20 calls per second.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { Entitlement, EntitlementClient } from "effect-marketplace-metering/entitlement"
 *
 * const program = EntitlementClient.entitlements({
 *   productCode: "sandbox-analytics",
 *   filter: { customerAWSAccountId: ["111122223333"] }
 * }).pipe(
 *   Stream.map((entitlement) => [entitlement.dimension, Entitlement.valueOf(entitlement)] as const),
 *   Stream.runCollect
 * )
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_GetEntitlements.html
 * @since 0.1.0
 * @category operations
 */
export const entitlements = (
  request: GetEntitlements.Input,
  { schedule = MeteringRetry.standard }: PagesOptions = {}
): Stream.Stream<
  Entitlement,
  GetEntitlements.GetEntitlementsError | PaginationError,
  EntitlementClient
> =>
  pagesOf(requestOf(GetEntitlements.operation, request), (page) =>
    Effect.retry(getEntitlements(page), schedule)
  )
