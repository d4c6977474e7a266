/**
 * @since 0.1.0
 */
export * as Accessors from "./Accessors.js"
export * as AwsCredentials from "./AwsCredentials.js"
export * as BatchMeterUsage from "./BatchMeterUsage.js"
export * as MeteringClient from "./MeteringClient.js"
export * as MeteringConfig from "./MeteringConfig.js"
export * as MeteringError from "./MeteringError.js"
export * as MeteringMetrics from "./MeteringMetrics.js"
export * as MeteringRetry from "./MeteringRetry.js"
export * as MeterUsage from "./MeterUsage.js"
export * as Operation from "./Operation.js"
export * as Optic from "./Optic.js"
export * as Preflight from "./Preflight.js"
export * as RegisterUsage from "./RegisterUsage.js"
export * as ResolveCustomer from "./ResolveCustomer.js"
export * as UsageAllocation from "./UsageAllocation.js"
export * as UsageRecord from "./UsageRecord.js"
