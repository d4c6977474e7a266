/**
 * Mutants of reading entitlements. Each would lose entitlements, return those of other customers, or call another service. One of
 * the tests has to fail.
 */
import { suiteOf } from "../support/mutation.js"

const client = "test/entitlement/EntitlementClient.test.ts"
const config = "test/entitlement/EntitlementConfig.test.ts"
const contract = "test/entitlement/contract.test.ts"
const value = "test/entitlement/Entitlement.test.ts"
const differential = "test/entitlement/differential.test.ts"

/** Name, tests, and edits: file below `src/entitlement`, text, replacement. */
export const entitlement = suiteOf("entitlement", [
  // pages
  [
    "the pages end at an empty one",
    client,
    [
      "internal/pages.ts",
      "if (nextToken === undefined || isBlank(nextToken))",
      "if (nextToken === undefined || isBlank(nextToken) || entitlements.length === 0)"
    ]
  ],
  [
    "only the first page",
    client,
    [
      "internal/pages.ts",
      "return [Chunk.unsafeFromArray(page.entitlements), next] as const",
      "return [Chunk.unsafeFromArray(page.entitlements), Option.none()] as const"
    ],
    [
      "internal/pages.ts",
      'import type * as Option from "effect/Option"',
      'import * as Option from "effect/Option"'
    ]
  ],
  [
    "the second page without the filter of the first",
    client,
    [
      "internal/pages.ts",
      "{ ...position.request, nextToken }",
      "{ productCode: position.request.productCode, nextToken }"
    ]
  ],
  [
    "the first page again and again",
    client,
    ["internal/pages.ts", "{ ...position.request, nextToken }", "{ ...position.request }"]
  ],
  [
    "a stream that begins at the first page, whatever its token",
    client,
    [
      "internal/pages.ts",
      "    request,\n    pages: 0",
      "    request: new GetEntitlementsRequest({ ...request, nextToken: undefined }, true),\n    pages: 0"
    ]
  ],
  [
    "pages that are read before they are needed",
    client,
    [
      "EntitlementClient.ts",
      "pagesOf(requestOf(GetEntitlements.operation, request), (page) =>\n    Effect.retry(getEntitlements(page), schedule)\n  )",
      "Stream.buffer(pagesOf(requestOf(GetEntitlements.operation, request), (page) =>\n    Effect.retry(getEntitlements(page), schedule)\n  ), { capacity: 100 })"
    ],
    [
      "EntitlementClient.ts",
      'import type * as Stream from "effect/Stream"',
      'import * as Stream from "effect/Stream"'
    ]
  ],
  [
    "a page that is not retried",
    client,
    [
      "EntitlementClient.ts",
      "Effect.retry(getEntitlements(page), schedule)",
      "getEntitlements(page)"
    ]
  ],
  // requests
  [
    "an identity of a customer under another key",
    differential,
    ["GetEntitlements.ts", '"CUSTOMER_IDENTIFIER"', '"CustomerIdentifier"']
  ],
  [
    "a filter for an account in lower case",
    differential,
    ["GetEntitlements.ts", '"CUSTOMER_AWS_ACCOUNT_ID"', '"customer_aws_account_id"']
  ],
  [
    "a filter for a license that is not sent",
    differential,
    ["GetEntitlements.ts", '"LICENSE_ARN"', '"LicenseArn"']
  ],
  [
    "two identities that exclude each other",
    contract,
    [
      "GetEntitlements.ts",
      "customerAWSAccountId === undefined || customerIdentifier === undefined",
      "customerAWSAccountId !== customerIdentifier"
    ]
  ],
  [
    "more results than a page has",
    client,
    ["GetEntitlements.ts", "n >= 1 && n <= 25", "n >= 1 && n <= 100"]
  ],
  // responses
  [
    "an entitlement to nothing read as absent",
    value,
    ["Entitlement.ts", "if (value?.integerValue !== undefined)", "if (value?.integerValue)"]
  ],
  [
    "a feature that was not bought read as absent",
    value,
    ["Entitlement.ts", "if (value?.booleanValue !== undefined)", "if (value?.booleanValue)"]
  ],
  [
    "an entitlement that never expires",
    differential,
    ["Entitlement.ts", '"ExpirationDate"', '"ExpiryDate"']
  ],
  [
    "an exception that is not known",
    contract,
    ["GetEntitlements.ts", "exceptions: [\n    InvalidParameterException,", "exceptions: ["]
  ],
  // service
  [
    "a call of another service",
    contract,
    [
      "internal/serviceModel.ts",
      'targetPrefix: "AWSMPEntitlementService"',
      'targetPrefix: "AWSMPMeteringService"'
    ]
  ],
  [
    "a signature for another service",
    differential,
    [
      "internal/serviceModel.ts",
      'signingName: "aws-marketplace"',
      'signingName: "entitlement.marketplace"'
    ]
  ],
  [
    "the Region of the program, where the service is not",
    config,
    [
      "EntitlementConfig.ts",
      "(!hasEndpoint && isWithoutService(region.value))",
      "(!hasEndpoint && region.value === serviceRegion)"
    ]
  ],
  [
    "the endpoint of the metering service",
    config,
    [
      "EntitlementConfig.ts",
      'environmentOf("AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE")',
      'environmentOf("AWS_ENDPOINT_URL_MARKETPLACE_METERING")'
    ]
  ]
])
