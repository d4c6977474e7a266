/** The preflight rule that is checked on the encoded request. */
import { InvalidInputError, type OperationName } from "../../MeteringError.js"

/** Maximum size of a request, in bytes, exclusive. AWS documents "less than 1 MB" and not the exact limit. */
export const requestSizeLimit = 1_000_000

export const requestTooLarge = (operation: OperationName, bytes: number) =>
  new InvalidInputError(
    {
      operation,
      violations: [
        {
          field: "request",
          rule: "requestSize",
          expected: `less than ${requestSizeLimit} bytes`,
          value: bytes
        }
      ]
    },
    true
  )
