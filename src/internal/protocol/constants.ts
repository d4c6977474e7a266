/** Names of the service that a call needs. Apart from `Operation.marketplaceMetering`, so that a bundle has only these. */

export const serviceId = "Marketplace Metering"
export const signingName = "aws-marketplace"
export const targetPrefix = "AWSMPMeteringService"

/** The code of the error that reports a successful dry run. */
export const dryRunCode = "DryRunOperation"
