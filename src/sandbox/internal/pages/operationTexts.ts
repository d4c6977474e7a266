/** The paths and button labels of the operations on agreements. */
import type { Operation } from "../../Marketplace.js"

interface OperationInfo {
  readonly path: string
  readonly label: string
  readonly success: string
  /** The label of the input for an end. Absent if the operation takes no end. */
  readonly end?: string
}

export const operationInfo: { readonly [Name in Operation]: OperationInfo } = {
  amend: {
    path: "amend",
    label: "Amend",
    success: "The agreement is amended.",
    end: "New end (UTC)"
  },
  renew: {
    path: "renew",
    label: "Renew",
    success: "The agreement is renewed by a new one.",
    end: "End of the new agreement (UTC)"
  },
  replace: {
    path: "replace",
    label: "Replace",
    success: "The agreement is replaced by a new one.",
    end: "End of the new agreement (UTC)"
  },
  cancel: {
    path: "cancel",
    label: "Cancel",
    success: "The agreement is canceled. Usage is accepted for one more hour."
  },
  expire: { path: "expire", label: "Expire", success: "The agreement has expired." },
  terminate: {
    path: "terminate",
    label: "Terminate",
    success: "The agreement is terminated. Usage is accepted for one more hour."
  },
  issueAdvisory: {
    path: "issue-advisory",
    label: "Issue an advisory",
    success: "The advisory is issued."
  },
  resolveAdvisory: {
    path: "resolve-advisory",
    label: "Resolve the advisory",
    success: "The advisory is resolved."
  },
  failPayment: {
    path: "fail-payment",
    label: "Fail the payment",
    success: "The payment has failed."
  }
}
