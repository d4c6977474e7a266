import type { OperationName } from "../../../MeteringError.js"

const operations: { readonly [Name in OperationName]: true } = {
  BatchMeterUsage: true,
  MeterUsage: true,
  RegisterUsage: true,
  ResolveCustomer: true,
  GetEntitlements: true
}

export const operationNames = Object.keys(operations)
