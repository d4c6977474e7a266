import type * as MeteringError from "effect-marketplace-metering/MeteringError"

/** Whether a retry can bring anything. */
export type RetryKind = "final" | "transient" | "throttling"

/** The service's model: every exception, and what its retry can bring. */
export const exceptionKinds: Record<MeteringError.ModelledException["_tag"], RetryKind> = {
  InternalServiceErrorException: "transient",
  ThrottlingException: "throttling",
  InvalidProductCodeException: "final",
  InvalidUsageDimensionException: "final",
  InvalidTagException: "final",
  InvalidUsageAllocationsException: "final",
  InvalidCustomerIdentifierException: "final",
  TimestampOutOfBoundsException: "final",
  DisabledApiException: "final",
  InvalidLicenseException: "final",
  InvalidEndpointRegionException: "final",
  DuplicateRequestException: "final",
  IdempotencyConflictException: "final",
  CustomerNotEntitledException: "final",
  InvalidRegionException: "final",
  InvalidPublicKeyVersionException: "final",
  PlatformNotSupportedException: "final",
  InvalidTokenException: "final",
  ExpiredTokenException: "final"
}
