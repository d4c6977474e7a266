/**
 * The client of AWS Marketplace Metering: four operations behind one tag with several implementations.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AwsCredentials } from "./AwsCredentials.js"
import * as BatchMeterUsage from "./BatchMeterUsage.js"
import { makeHttpTransport } from "./internal/client/httpTransport.js"
import { makeClient } from "./internal/client/makeClient.js"
import { operations } from "./internal/operations.js"
import { metering } from "./internal/protocol/serviceModel.js"
import { requestOf } from "./internal/schema/construct.js"
import { MeteringConfig } from "./MeteringConfig.js"
import * as MeterUsage from "./MeterUsage.js"
import type { Rule } from "./Preflight.js"
import * as RegisterUsage from "./RegisterUsage.js"
import * as ResolveCustomer from "./ResolveCustomer.js"
import type { Transport } from "./Transport.js"

/**
 * The four operations: `meterUsage` with its `meterUsageDryRun`, `batchMeterUsage`, `registerUsage`, `resolveCustomer`.
 *
 * Each takes a request or its fields. The request is made once, when the function is called, so running the returned effect
 * again is a retry of the same request. The operations are declared as methods, whose parameters are bivariant, so that a
 * mock may accept only plain fields.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Reports usage of one dimension from inside the buyer's account. */
  meterUsage(
    request: MeterUsage.Input | MeterUsage.MeterUsageRequest
  ): Effect.Effect<MeterUsage.MeterUsageResponse, MeterUsage.MeterUsageError>
  /** Checks that the caller may report this usage, without metering it. */
  meterUsageDryRun(
    request: MeterUsage.RequestInput
  ): Effect.Effect<MeterUsage.DryRunResponse, MeterUsage.MeterUsageError>
  /** Reports up to 25 usage records of one product. */
  batchMeterUsage(
    request: BatchMeterUsage.Input
  ): Effect.Effect<BatchMeterUsage.BatchMeterUsageResponse, BatchMeterUsage.BatchMeterUsageError>
  /** Checks that the buyer of a paid container is entitled to run it. */
  registerUsage(
    request: RegisterUsage.Input
  ): Effect.Effect<RegisterUsage.RegisterUsageResponse, RegisterUsage.RegisterUsageError>
  /** Identifies a buyer by the registration token of the sign-up. */
  resolveCustomer(
    request: ResolveCustomer.Input
  ): Effect.Effect<ResolveCustomer.ResolveCustomerResponse, ResolveCustomer.ResolveCustomerError>
  /** The Region that is called, if it is known. The service does not deduplicate usage across Regions. */
  readonly region?: string | undefined
}

/**
 * The client of AWS Marketplace Metering.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient } from "effect-marketplace-metering"
 *
 * const program = Effect.flatMap(MeteringClient.MeteringClient, (client) =>
 *   client.batchMeterUsage({ usageRecords: [] })
 * )
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class MeteringClient extends Context.Tag("effect-marketplace-metering/MeteringClient")<
  MeteringClient,
  Service
>() {}

/**
 * Options of `make`.
 *
 * - `skipRules`: preflight rules to skip. Defaults to none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly skipRules?: ReadonlyArray<Rule> | undefined
}

/**
 * Makes a client from a transport, as `HttpClient.make` does from a function. `Transport` has an example.
 *
 * The client completes, validates and encodes each request, checks its size, gets credentials, and decodes the
 * response. Expired credentials are refreshed and a wrong clock is corrected, once per call. Each call has a span and is
 * counted and timed in `MeteringMetrics`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (transport: Transport, options?: Options): Service =>
  makeClient(operations, transport, options)

/**
 * The client over HTTP, with any `HttpClient`.
 *
 * Each call is one attempt. The client recovers from two errors, once per call: it refreshes credentials that the service
 * reports as expired, and it corrects a clock that is off by 4 minutes or more by the `Date` of the response. Other retries
 * are up to the app: see `MeteringRetry`.
 *
 * Provide an `HttpClient` that does not retry. Retries below this layer hide all attempts but the last: if the first
 * response is lost and the second connection fails, the call fails with `delivery: "notSent"`, although the usage may
 * have been metered.
 *
 * A response of more than 4 MiB is an `UnexpectedResponseError`. The rest of it is not read.
 *
 * Redirects are not followed, because they would send the signed request to another host. With `FetchHttpClient`, each call
 * sets a `RequestInit` for that. Provide other `RequestInit` options to the calls, not to the layer.
 *
 * Without `node:crypto`, requests are signed with Web Crypto. Browsers offer it only on pages from HTTPS or localhost. On
 * other pages, every call dies with a defect.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Layer } from "effect"
 * import { MeteringClient, MeteringConfig } from "effect-marketplace-metering"
 * import { layerDefaultChain } from "effect-marketplace-metering/node"
 *
 * const MeteringLive = MeteringClient.layer.pipe(
 *   Layer.provide([
 *     MeteringConfig.layer({ region: "us-east-1" }),
 *     layerDefaultChain,
 *     FetchHttpClient.layer
 *   ])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  MeteringClient,
  never,
  MeteringConfig | AwsCredentials | HttpClient.HttpClient
> = Layer.effect(
  MeteringClient,
  Effect.map(
    Effect.all([MeteringConfig, AwsCredentials, HttpClient.HttpClient]),
    ([config, credentials, client]) =>
      make(makeHttpTransport(metering, config, credentials, client), config)
  )
)

/**
 * Reports usage of one dimension from inside the buyer's account.
 *
 * @example
 * ```ts
 * import { type DateTime, Effect } from "effect"
 * import { MeteringClient } from "effect-marketplace-metering"
 *
 * // store `usedAt` with the usage: a retry with another time is another charge
 * const program = (usedAt: DateTime.Utc) =>
 *   MeteringClient.meterUsage({
 *     productCode: "4v9hm1u3i5p7l3c0",
 *     timestamp: usedAt,
 *     usageDimension: "hosts",
 *     usageQuantity: 3
 *   }).pipe(Effect.map(({ meteringRecordId }) => meteringRecordId))
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category operations
 */
export const meterUsage = (
  request: MeterUsage.Input | MeterUsage.MeterUsageRequest
): Effect.Effect<MeterUsage.MeterUsageResponse, MeterUsage.MeterUsageError, MeteringClient> => {
  const prepared = requestOf(MeterUsage.operation, request)
  return Effect.flatMap(MeteringClient, (client) => client.meterUsage(prepared))
}

/**
 * Checks that the caller may report this usage, without metering it. Fails with `AccessDeniedError` without permission.
 *
 * @example
 * ```ts
 * import { type DateTime, Effect } from "effect"
 * import { MeteringClient } from "effect-marketplace-metering"
 *
 * const program = (usedAt: DateTime.Utc) =>
 *   MeteringClient.meterUsageDryRun({
 *     productCode: "4v9hm1u3i5p7l3c0",
 *     timestamp: usedAt,
 *     usageDimension: "hosts",
 *     usageQuantity: 3
 *   }).pipe(
 *     Effect.as("allowed"),
 *     Effect.catchTag("AccessDeniedError", () => Effect.succeed("denied"))
 *   )
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category operations
 */
export const meterUsageDryRun = (
  request: MeterUsage.RequestInput
): Effect.Effect<MeterUsage.DryRunResponse, MeterUsage.MeterUsageError, MeteringClient> => {
  const prepared = requestOf(MeterUsage.dryRunOperation, request)
  return Effect.flatMap(MeteringClient, (client) => client.meterUsageDryRun(prepared))
}

/**
 * Reports up to 25 usage records of one product.
 *
 * A successful call can have failed records: check the `status` of each in `results`. Send `unprocessedRecords` and
 * `missingRecords` again.
 *
 * @example
 * ```ts
 * import { type DateTime, Effect } from "effect"
 * import { MeteringClient, UsageRecord } from "effect-marketplace-metering"
 *
 * // store `usedAt` with the usage: a retry with another time is another charge
 * const program = (usedAt: DateTime.Utc) =>
 *   MeteringClient.batchMeterUsage({
 *     usageRecords: [
 *       UsageRecord.make({
 *         timestamp: usedAt,
 *         dimension: "api-calls",
 *         quantity: 42,
 *         customerAWSAccountId: "111122223333",
 *         licenseArn: "arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef"
 *       })
 *     ]
 *   }).pipe(Effect.map(({ results }) => results.filter((result) => result.status !== "Success")))
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category operations
 */
export const batchMeterUsage = (
  request: BatchMeterUsage.Input
): Effect.Effect<
  BatchMeterUsage.BatchMeterUsageResponse,
  BatchMeterUsage.BatchMeterUsageError,
  MeteringClient
> => {
  const prepared = requestOf(BatchMeterUsage.operation, request)
  return Effect.flatMap(MeteringClient, (client) => client.batchMeterUsage(prepared))
}

/**
 * Checks that the buyer of a paid container is entitled to run it. Verify the response with `Entitlement.verify`.
 *
 * @example
 * ```ts
 * import { MeteringClient } from "effect-marketplace-metering"
 *
 * const program = MeteringClient.registerUsage({
 *   productCode: "4v9hm1u3i5p7l3c0",
 *   publicKeyVersion: 1,
 *   nonce: "instance-7"
 * })
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category operations
 */
export const registerUsage = (
  request: RegisterUsage.Input
): Effect.Effect<
  RegisterUsage.RegisterUsageResponse,
  RegisterUsage.RegisterUsageError,
  MeteringClient
> => {
  const prepared = requestOf(RegisterUsage.operation, request)
  return Effect.flatMap(MeteringClient, (client) => client.registerUsage(prepared))
}

/**
 * Identifies a buyer by the registration token of the sign-up.
 *
 * @example
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { MeteringClient } from "effect-marketplace-metering"
 *
 * const signUp = (token: string) =>
 *   MeteringClient.resolveCustomer({ registrationToken: Redacted.make(token) }).pipe(
 *     Effect.catchTag("ExpiredTokenException", () => Effect.fail("please start again from AWS Marketplace"))
 *   )
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_ResolveCustomer.html
 * @since 0.1.0
 * @category operations
 */
export const resolveCustomer = (
  request: ResolveCustomer.Input
): Effect.Effect<
  ResolveCustomer.ResolveCustomerResponse,
  ResolveCustomer.ResolveCustomerError,
  MeteringClient
> => {
  const prepared = requestOf(ResolveCustomer.operation, request)
  return Effect.flatMap(MeteringClient, (client) => client.resolveCustomer(prepared))
}
