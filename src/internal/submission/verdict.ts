/** What an error tells of the records that its call carried, and of others. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"

export interface Verdict {
  /**
   * What became of the records: they never left, they were answered and are certainly not stored, or nobody can
   * tell.
   */
  readonly delivery: "unsent" | "refused" | "doubtful"
  /**
   * What it is about: a passing state that the same call may find gone, one record of the call, the product, or
   * whoever calls and from where.
   */
  readonly about: "passing" | "record" | "product" | "caller"
}

type Table = {
  readonly [E in BatchMeterUsageError as E["_tag"]]: Verdict | ((error: E) => Verdict)
}

const ofRecord: Verdict = { delivery: "refused", about: "record" }
const ofProduct: Verdict = { delivery: "refused", about: "product" }
const ofCaller: Verdict = { delivery: "refused", about: "caller" }
const unknown: Verdict = { delivery: "doubtful", about: "passing" }

const table: Table = {
  // an error inside says nothing of what had been stored before it
  InternalServiceErrorException: unknown,
  ThrottlingException: { delivery: "refused", about: "passing" },

  // all records are looked at before the first is stored
  InvalidUsageDimensionException: ofRecord,
  InvalidTagException: ofRecord,
  InvalidUsageAllocationsException: ofRecord,
  InvalidCustomerIdentifierException: ofRecord,
  TimestampOutOfBoundsException: ofRecord,
  InvalidLicenseException: ofRecord,
  InvalidInputError: { delivery: "unsent", about: "record" },

  InvalidProductCodeException: ofProduct,
  DisabledApiException: ofProduct,
  AccessDeniedError: ofProduct,

  CredentialsError: { delivery: "unsent", about: "caller" },
  CredentialsExpiredError: ofCaller,
  CredentialsRejectedError: ofCaller,
  ClockSkewError: ofCaller,

  ConnectionError: ({ delivery, isRetryable }) => ({
    delivery: delivery === "notSent" ? "unsent" : "doubtful",
    about: isRetryable ? "passing" : "caller"
  }),
  RequestTimeoutError: unknown,
  UnexpectedResponseError: (error) => ({
    delivery: deliveryOf(error),
    about: error.isRetryable ? "passing" : "caller"
  }),
  UnknownServiceError: (error) => ({
    delivery: deliveryOf(error),
    about: error.isRetryable ? "passing" : codesOfRecords.has(error.code) ? "record" : "product"
  })
}

/** What the front door says of a request whose form it does not like. */
const codesOfRecords: ReadonlySet<string> = new Set([
  "CustomerNotSubscribedException",
  "SerializationException",
  "ValidationException"
])

/** An answer without a name: only a redirect, a throttle and a client's fault certainly stored nothing. */
const deliveryOf = ({
  isRetryable,
  isThrottling,
  statusCode = 0
}: {
  readonly isRetryable: boolean
  readonly isThrottling: boolean
  readonly statusCode?: number | undefined
}): Verdict["delivery"] =>
  isThrottling ||
  (!isRetryable && statusCode >= 300 && statusCode < 500 && statusCode !== requestTimeout)
    ? "refused"
    : "doubtful"

const requestTimeout = 408

export const verdictOf = (error: BatchMeterUsageError): Verdict => {
  const verdict = table[error._tag]
  // the entry under an error's own tag is about that error
  return typeof verdict === "function" ? verdict(error as never) : verdict
}
