/** The registry of metering operations. To add an operation, add a module with its `operation`, and an entry here. */
import * as BatchMeterUsage from "../BatchMeterUsage.js"
import * as MeterUsage from "../MeterUsage.js"
import * as RegisterUsage from "../RegisterUsage.js"
import * as ResolveCustomer from "../ResolveCustomer.js"

/** The methods of `MeteringClient` and the operation that each calls. */
export const operations = {
  meterUsage: MeterUsage.operation,
  meterUsageDryRun: MeterUsage.dryRunOperation,
  batchMeterUsage: BatchMeterUsage.operation,
  registerUsage: RegisterUsage.operation,
  resolveCustomer: ResolveCustomer.operation
}
