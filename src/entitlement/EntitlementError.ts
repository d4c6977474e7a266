/**
 * The errors that only calls of the Marketplace Entitlement Service have. The others are in `MeteringError`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { define, exception } from "../internal/callError.js"
import { OperationName } from "../MeteringError.js"

/**
 * A parameter of the request is not valid, such as a product code of another seller or a `nextToken` that the service
 * did not issue for this request.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_GetEntitlements.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidParameterException extends exception<InvalidParameterException>()(
  "InvalidParameterException",
  "A parameter is not valid; check the product code, and start without nextToken."
) {}

/**
 * The service's pages do not end, and reading them has stopped: a `nextToken` came back that was already used
 * (`repeatedToken`), or 10 000 pages in a row were empty (`emptyPages`).
 *
 * - `pages`: the number of pages that were read
 *
 * @since 0.1.0
 * @category errors
 */
export class PaginationError extends define<PaginationError>()(
  "PaginationError",
  () => ({
    operation: OperationName,
    reason: Schema.Literal("repeatedToken", "emptyPages"),
    pages: Schema.Number
  }),
  ({ pages, reason }) =>
    `The pages do not end: after ${pages} of them ${
      reason === "repeatedToken" ? "a nextToken came back" : "too many were empty"
    }. Look for a proxy that caches, or narrow the filter.`
) {}
