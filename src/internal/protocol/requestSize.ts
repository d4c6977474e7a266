/** The one rule that only the encoded request can break. */
import { InvalidInputError, type OperationName } from "../../MeteringError.js"

/** The service takes less than a megabyte; where exactly it stops is not documented. */
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
