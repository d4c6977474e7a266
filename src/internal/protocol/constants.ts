/** The names of the service that a call needs. A bundle holds them alone, and not all the facts of `Operation`. */

export const serviceId = "Marketplace Metering"
export const signingName = "aws-marketplace"
export const targetPrefix = "AWSMPMeteringService"
