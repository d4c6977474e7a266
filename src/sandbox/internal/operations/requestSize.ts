import type { BatchMeterUsageRequest } from "../../../BatchMeterUsage.js"
import { requestEncoder } from "../../../internal/protocol/awsJson.js"

/** Bytes of the longest valid request without allocations, rounded up: 25 records with ARNs of 2048 characters. */
const maxSizeWithoutAllocations = 500_000

/** Compiles a function that gives the encoded size of a request, in bytes, if it is at least `limit`. */
export const oversizeBytes = <Request extends object>(
  operation: Parameters<typeof requestEncoder<Request>>[0]
): ((request: Request, limit: number) => number | undefined) => {
  const encode = requestEncoder(operation)
  const encoder = new TextEncoder()
  return (request, limit) => {
    if (limit > maxSizeWithoutAllocations && !hasAllocations(request)) return undefined
    const { length } = encoder.encode(encode(request))
    return length >= limit ? length : undefined
  }
}

const hasAllocations = (request: object): boolean =>
  "usageAllocations" in request ||
  ("usageRecords" in request &&
    // only BatchMeterUsage's request has this field
    (request.usageRecords as BatchMeterUsageRequest["usageRecords"]).some(
      ({ usageAllocations }) => usageAllocations !== undefined
    ))
