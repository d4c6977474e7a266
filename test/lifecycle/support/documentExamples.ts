/** Events as AWS's documents show them, field by field, with accounts of documentation. */

const envelope = {
  version: "0",
  id: "12345678-1234-1234-1234-123456789012",
  source: "aws.agreement-marketplace",
  account: "111122223333",
  time: "2024-08-30T21:36:03Z",
  region: "us-east-1",
  resources: ["arn:aws:aws-marketplace::aws:agreement:agmt-1234567890abcdefghijklmno"]
}

const request = {
  requestId: "3d4c9f9b-b809-4f5e-9fac-a9ae98b05cbb",
  catalog: "AWSMarketplace"
}

const id = "agmt-1234567890abcdefghijklmno"

const times = {
  acceptanceTime: "2024-06-26T21:36:03Z",
  startTime: "2024-08-30T21:36:03Z",
  endTime: "2025-05-30T21:36:03Z"
}

const parties = {
  acceptor: { accountId: "444455556666" },
  proposer: { accountId: "111122223333" }
}

const offer = { id: "offer-1234567890123" }
const product = { id: "prod-1234567890123", title: "Product Title" }
const resold = { resaleAuthorization: { id: "resaleauthz-1234567890123" } }
const named = { ...parties, proposer: { name: "Seller Account Name", accountId: "111122223333" } }

const created = {
  ...request,
  agreement: { id, intent: "NEW", status: "ACTIVE", ...times },
  ...resold,
  ...parties,
  offer
}

const amended = { ...created, agreement: { ...created.agreement, intent: "AMEND" } }

const ended = {
  ...request,
  agreement: { id, status: "CANCELLED" },
  ...resold,
  ...parties,
  offer
}

const license = {
  ...request,
  agreement: { id },
  product: { code: "4v9hm1u3i5p7l3c0", id: "prod-1234567890123" },
  // printed without arn:
  license: {
    arn: "aws:license-manager:us-east-1:123456789012:l-0123456789abcdef0123456789abcdex"
  },
  ...parties,
  offer
}

const example = (detailType: string, detail: object) => ({
  ...envelope,
  "detail-type": detailType,
  detail
})

/** Events of an agreement or a license, with the tag of each. */
export const eventBridgeExamples = [
  ["AgreementCreated", example("Purchase Agreement Created - Proposer", created)],
  [
    "AgreementCreated",
    example("Purchase Agreement Created - Proposer", {
      ...request,
      agreement: {
        id: "agmt-abcdefghijklmno1234567890",
        intent: "RENEW",
        status: "ACTIVE",
        ...times,
        previousAgreementId: id
      },
      product,
      ...named,
      offer
    })
  ],
  ["AgreementCreated", example("Purchase Agreement Created - Manufacturer", created)],
  [
    "AgreementAmended",
    example("Purchase Agreement Amended - Proposer", {
      ...amended,
      agreement: { ...amended.agreement, autoRenewalEnabled: true },
      renewalSummary: { lockoutStartTime: "2025-04-30T21:36:03Z", disabledBy: null },
      product
    })
  ],
  ["AgreementAmended", example("Purchase Agreement Amended - Manufacturer", amended)],
  ["AgreementEnded", example("Purchase Agreement Ended - Proposer", ended)],
  ["AgreementEnded", example("Purchase Agreement Ended - Manufacturer", ended)],
  ["LicenseUpdated", example("License Updated - Manufacturer", license)],
  ["LicenseDeprovisioned", example("License Deprovisioned - Manufacturer", license)]
] as const

const advisory = { ...request, agreement: { id }, product: { id: product.id }, ...parties, offer }

const renewal = {
  ...request,
  agreement: { id, startTime: times.startTime, endTime: times.endTime }
}

const cancellation = (statusCode: string) => ({
  ...request,
  agreement: {
    id,
    acceptorId: "444455556666",
    productId: product.id,
    offerId: offer.id
  },
  agreementCancellationRequest: {
    id: "acr-1234567890",
    reasonCode: "INCORRECT_TERMS_ACCEPTED",
    reasonMessage: "",
    statusCode,
    statusMessage: "",
    createdAt: "2025-01-01T13:12:22Z",
    updatedAt: "2025-01-01T13:12:22Z"
  }
})

const adjustment = {
  ...request,
  agreement: { id },
  billingAdjustmentRequest: {
    id: "ba-1234567890",
    adjustmentAmount: "-100.00",
    currencyCode: "USD",
    adjustmentReasonCode: "INCORRECT_TERMS_ACCEPTED"
  },
  invoice: { originalInvoiceId: "2028746221" }
}

/** Events that only inform. */
export const noticeExamples = [
  example("Purchase Agreement Advisory Issued - Manufacturer", {
    ...advisory,
    advisory: { issuedAt: "2026-07-02T14:28:00Z" }
  }),
  example("Purchase Agreement Advisory Resolved - Manufacturer", {
    ...advisory,
    advisory: { resolvedAt: "2026-08-02T11:13:05Z" }
  }),
  example("Purchase Agreement Ending - Proposer", {
    ...renewal,
    agreement: {
      ...renewal.agreement,
      status: "ACTIVE",
      daysBeforeEndTime: 180,
      autoRenewalEnabled: true
    },
    renewalSummary: { lockoutStartTime: "2026-12-01T00:00:00Z", disabledBy: null },
    product,
    ...named,
    offer
  }),
  example("Purchase Agreement Renewal Terms Finalized - Proposer", {
    ...renewal,
    renewalSummary: {
      tcv: "105000.00",
      currency: "USD",
      termsFinalizedTime: "2026-11-01T00:00:00Z",
      lockoutReached: false,
      lockoutStartTime: "2026-12-01T00:00:00Z"
    },
    product,
    ...named
  }),
  example("Purchase Agreement Renewal Upcoming - Proposer", {
    ...renewal,
    renewalSummary: { lockoutReached: true, tcv: "105000.00", currency: "USD" },
    product,
    ...named
  }),
  ...(
    [
      ["Pending Approval", "PENDING_APPROVAL"],
      ["Approved", "APPROVED"],
      ["Rejected", "REJECTED"],
      ["Cancelled", "CANCELLED"],
      ["Validation Failed", "VALIDATION_FAILED"]
    ] as const
  ).map(([name, statusCode]) => ({
    ...example(`Agreement Cancellation Request ${name} - Proposer`, cancellation(statusCode)),
    resources: []
  })),
  ...["Completed", "Failed"].map((name) => ({
    ...example(`Purchase Agreement Billing Adjustment ${name} - Proposer`, adjustment),
    resources: []
  }))
]

/** Events as they were seen, which differ from the documents: no offer in an end, milliseconds, a license ARN as in calls. */
export const capturedExamples = [
  [
    "AgreementCreated",
    example("Purchase Agreement Created - Proposer", {
      offer,
      catalog: "AWSMarketplace",
      ...parties,
      agreement: {
        id,
        intent: "NEW",
        status: "ACTIVE",
        endTime: "9999-01-01T00:00:00Z",
        startTime: "2026-08-20T14:23:11.013Z",
        acceptanceTime: "2026-08-20T14:23:11.013Z"
      },
      requestId: request.requestId,
      resaleAuthorization: { id: null }
    })
  ],
  [
    "AgreementEnded",
    example("Purchase Agreement Ended - Proposer", {
      ...request,
      ...parties,
      agreement: { id, status: "CANCELLED" },
      resaleAuthorization: { id: null }
    })
  ],
  [
    "LicenseUpdated",
    example("License Updated - Manufacturer", {
      ...license,
      license: {
        arn: "arn:aws:license-manager::123456789012:license:l-0123456789abcdef0123456789abcdef"
      }
    })
  ]
] as const

/** The messages of SNS, with the tag of each. */
export const snsExamples = [
  [
    "EntitlementUpdated",
    {
      action: "entitlement-updated",
      "customer-identifier": "X01EXAMPLEX",
      "product-code": "n0123EXAMPLEXXXXXXXXXXXX"
    }
  ],
  ...(
    [
      ["SubscribeSuccess", "subscribe-success"],
      ["SubscribeFail", "subscribe-fail"],
      ["UnsubscribePending", "unsubscribe-pending"],
      ["UnsubscribeSuccess", "unsubscribe-success"]
    ] as const
  ).map(
    ([tag, action]) =>
      [
        tag,
        {
          action,
          "customer-identifier": "X01EXAMPLEX",
          "product-code": "n0123EXAMPLEXXXXXXXXXXXX",
          "offer-identifier": "offer-abcexample123",
          isFreeTrialTermPresent: "true"
        }
      ] as const
  )
] as const
