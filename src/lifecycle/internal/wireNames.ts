/** The names of events in AWS messages. */

/** Actions of SNS messages, by event tag. */
export const actions = {
  SubscribeSuccess: "subscribe-success",
  SubscribeFail: "subscribe-fail",
  UnsubscribePending: "unsubscribe-pending",
  UnsubscribeSuccess: "unsubscribe-success",
  EntitlementUpdated: "entitlement-updated"
} as const

/** EventBridge detail types without the role, by event tag. */
export const detailTypes = {
  AgreementCreated: "Purchase Agreement Created",
  AgreementAmended: "Purchase Agreement Amended",
  AgreementEnded: "Purchase Agreement Ended",
  LicenseUpdated: "License Updated",
  LicenseDeprovisioned: "License Deprovisioned"
} as const

export const eventSource = "aws.agreement-marketplace"
