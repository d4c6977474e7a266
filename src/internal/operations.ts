/** The registry: each method of the client and the operation that it calls. */
import * as BatchMeterUsage from "../BatchMeterUsage.js"
import * as MeterUsage from "../MeterUsage.js"
import * as RegisterUsage from "../RegisterUsage.js"
import * as ResolveCustomer from "../ResolveCustomer.js"

export const operations = {
  meterUsage: MeterUsage.operation,
  meterUsageDryRun: MeterUsage.dryRunOperation,
  batchMeterUsage: BatchMeterUsage.operation,
  registerUsage: RegisterUsage.operation,
  resolveCustomer: ResolveCustomer.operation
}
