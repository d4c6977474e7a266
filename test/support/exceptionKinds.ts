import type * as MeteringError from "effect-marketplace-metering/MeteringError"

/** The effect of a retry. */
export type RetryKind = "final" | "transient" | "throttling"

/** Every exception of the service's model. */
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
