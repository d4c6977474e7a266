/** The names of AWS Marketplace Metering that calls need. A bundle of a client has no others. */

export const metering = {
  serviceId: "Marketplace Metering",
  endpointPrefix: "metering.marketplace",
  hyphenatedDomains: /(amazonaws\.eu|api\.aws|services\.com\.cn)$/,
  signingName: "aws-marketplace",
  targetPrefix: "AWSMPMeteringService"
} as const
