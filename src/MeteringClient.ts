/**
 * The client of AWS Marketplace Metering: four operations, behind one tag with several implementations.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as BatchMeterUsage from "./BatchMeterUsage.js"
import { instantiate } from "./internal/make.js"
import * as MeterUsage from "./MeterUsage.js"
import * as RegisterUsage from "./RegisterUsage.js"
import * as ResolveCustomer from "./ResolveCustomer.js"

/**
 * The four operations. Each takes a request or the fields of one. Fields become a request once, when the
 * function is called: running the returned effect again is a retry of the same request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly meterUsage: <const Request extends MeterUsage.Input>(
    request: Request
  ) => Effect.Effect<MeterUsage.Answer<Request>, MeterUsage.MeterUsageError>
  readonly batchMeterUsage: (
    request: BatchMeterUsage.Input
  ) => Effect.Effect<
    BatchMeterUsage.BatchMeterUsageResponse,
    BatchMeterUsage.BatchMeterUsageError
  >
  readonly registerUsage: (
    request: RegisterUsage.Input
  ) => Effect.Effect<RegisterUsage.RegisterUsageResponse, RegisterUsage.RegisterUsageError>
  readonly resolveCustomer: (
    request: ResolveCustomer.Input
  ) => Effect.Effect<
    ResolveCustomer.ResolveCustomerResponse,
    ResolveCustomer.ResolveCustomerError
  >
}

/**
 * The client of AWS Marketplace Metering.
 *
 * @since 0.1.0
 * @category tags
 */
export class MeteringClient extends Context.Tag("effect-marketplace-metering/MeteringClient")<
  MeteringClient,
  Service
>() {}
