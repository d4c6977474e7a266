/**
 * The operations of both services. The name of each operation is an `OperationName`, because errors contain it.
 * `operations/serviceOperations.ts` implements them.
 */
import * as Record from "effect/Record"
import * as GetEntitlements from "../../../entitlement/GetEntitlements.js"
import { operations as meteringOperations } from "../../../internal/operations.js"
import type { OperationName } from "../../../MeteringError.js"
import type { Any as AnyOperation } from "../../../Operation.js"

export const operations = {
  ...meteringOperations,
  getEntitlements: GetEntitlements.operation
}

/** Returns the operations of a registry by name. If several operations have the same name, returns the first. */
export const operationsByName = (registry: Readonly<{ [method: string]: AnyOperation }>) => {
  const byName: { [Name in OperationName]?: AnyOperation } = {}
  for (const operation of Object.values(registry)) byName[operation.name] ??= operation
  // the cast is safe for the registry of the sandbox, which has an operation for each name
  return byName as { readonly [Name in OperationName]: AnyOperation }
}

/** Makes a record with a value for each operation name. */
export const forEachName = <A>(valueOf: (name: OperationName) => A) =>
  Record.map(operationsByName(operations), ({ name }) => valueOf(name))
