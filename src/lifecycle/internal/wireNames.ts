/** The names of events in messages of AWS. */

/** The actions of SNS, by tag. */
export const actions = {
  SubscribeSuccess: "subscribe-success",
  SubscribeFail: "subscribe-fail",
  UnsubscribePending: "unsubscribe-pending",
  UnsubscribeSuccess: "unsubscribe-success",
  EntitlementUpdated: "entitlement-updated"
} as const

/** The detail types of EventBridge, by tag and without the role. */
export const detailTypes = {
  AgreementCreated: "Purchase Agreement Created",
  AgreementAmended: "Purchase Agreement Amended",
  AgreementEnded: "Purchase Agreement Ended",
  LicenseUpdated: "License Updated",
  LicenseDeprovisioned: "License Deprovisioned"
} as const

export const eventSource = "aws.agreement-marketplace"
