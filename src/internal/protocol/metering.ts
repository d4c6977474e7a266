/** AWS Marketplace Metering as calls need it. Apart from `Operation.marketplaceMetering`, so that a bundle has only this. */

export const metering = {
  serviceId: "Marketplace Metering",
  endpointPrefix: "metering.marketplace",
  hyphenated: /(amazonaws\.eu|api\.aws|services\.com\.cn)$/,
  signingName: "aws-marketplace",
  targetPrefix: "AWSMPMeteringService"
} as const
