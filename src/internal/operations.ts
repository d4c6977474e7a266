/**
 * The registry of operations. An operation is a module with its descriptor and an entry here. Its name is one of
 * `OperationName`, since errors carry it.
 */
import * as BatchMeterUsage from "../BatchMeterUsage.js"
import { OperationName } from "../MeteringError.js"
import * as MeterUsage from "../MeterUsage.js"
import type { Any as AnyOperation } from "../Operation.js"
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

/** One operation for each name, the first of those with it in the registry. */
export const operationsByName = (registry: Readonly<Record<string, AnyOperation>>) =>
  Object.fromEntries(
    Object.values(registry)
      .reverse()
      .map((operation) => [operation.name, operation])
    // the registry has one for each name
  ) as Readonly<Record<OperationName, AnyOperation>>

/** A record with one value for each name. */
export const forEachName = <A>(valueOf: (name: OperationName) => A) =>
  Object.fromEntries(OperationName.literals.map((name) => [name, valueOf(name)])) as Readonly<
    Record<OperationName, A>
  >
