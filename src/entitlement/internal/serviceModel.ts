/** Names of the service, in a separate module because a configuration needs nothing else. */

/**
 * The AWS Marketplace Entitlement Service: its names, its API version, and the service name in signatures.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_Operations_AWS_Marketplace_Entitlement_Service.html
 * @since 0.1.0
 * @category constants
 */
export const marketplaceEntitlement = {
  abbreviation: "AWS Marketplace Entitlement Service",
  serviceId: "Marketplace Entitlement Service",
  apiVersion: "2017-01-11",
  endpointPrefix: "entitlement.marketplace",
  hyphenatedDomains:
    /(amazonaws\.(com\.cn|eu)|(?<!^(us-gov-\w+-\d+|aws-us-gov-global)\.)api\.aws|services\.com\.cn)$/,
  signingName: "aws-marketplace",
  targetPrefix: "AWSMPEntitlementService"
} as const

/** The only Region of the service in the partition `aws`. */
export const serviceRegion = "us-east-1"
