/**
 * The registry of the sandbox: the operations of both services. The name of each is one of `OperationName`, since errors
 * carry it. The behavior is in `operations/serviceOperations.ts`.
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

/** One operation for each name, the first of those with it in the registry. */
export const operationsByName = (registry: Readonly<{ [method: string]: AnyOperation }>) => {
  const byName: { [Name in OperationName]?: AnyOperation } = {}
  for (const operation of Object.values(registry)) byName[operation.name] ??= operation
  // the registry of the sandbox has one for each name
  return byName as { readonly [Name in OperationName]: AnyOperation }
}

/** A record with one value for each name in the registry. */
export const forEachName = <A>(valueOf: (name: OperationName) => A) =>
  Record.map(operationsByName(operations), ({ name }) => valueOf(name))
