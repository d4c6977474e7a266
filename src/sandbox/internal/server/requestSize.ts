/** How long a request is on the wire, also where it never gets there. */

import type { BatchMeterUsageRequest } from "../../../BatchMeterUsage.js"
import { requestEncoder } from "../../../internal/protocol/awsJson.js"

/** No request that is sound comes near so many bytes without allocations: 25 licences of 2048 characters do not. */
const maxSizeWithoutAllocations = 500_000

/** Compiles an operation's measure: the bytes of a request that has `limit` or more of them. */
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
    // no request has them but as this list: it has been checked
    (request.usageRecords as BatchMeterUsageRequest["usageRecords"]).some(
      ({ usageAllocations }) => usageAllocations !== undefined
    ))
