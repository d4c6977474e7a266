/**
 * The names of AWS Marketplace Metering that calls need. The others are in `Operation`, so that they are not in every
 * bundle.
 */

export const metering = {
  serviceId: "Marketplace Metering",
  endpointPrefix: "metering.marketplace",
  hyphenatedDomains: /(amazonaws\.eu|api\.aws|services\.com\.cn)$/,
  signingName: "aws-marketplace",
  targetPrefix: "AWSMPMeteringService"
} as const
