/**
 * The registry of operations. An operation is a module with its descriptor and an entry here. Its name is one of
 * `OperationName`, since errors carry it. The sandbox's behavior is in `sandbox/internal/operations/serviceOperations.ts`.
 */
import * as Record from "effect/Record"
import * as BatchMeterUsage from "../BatchMeterUsage.js"
import type { OperationName } from "../MeteringError.js"
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
export const operationsByName = (registry: Readonly<{ [method: string]: AnyOperation }>) => {
  const byName: { [Name in OperationName]?: AnyOperation } = {}
  for (const operation of Object.values(registry)) byName[operation.name] ??= operation
  // the registry has one for each name
  return byName as { readonly [Name in OperationName]: AnyOperation }
}

/** A record with one value for each name in the registry. */
export const forEachName = <A>(valueOf: (name: OperationName) => A) =>
  Record.map(operationsByName(operations), ({ name }) => valueOf(name))
