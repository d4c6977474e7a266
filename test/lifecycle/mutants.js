/**
 * Mutants of receiving events. Each would lose an event, assign it to another agreement or seller's part, or accept one that AWS
 * has not sent. One of the tests has to fail.
 */
import { suiteOf } from "../support/mutation.js"

const decode = "test/lifecycle/MarketplaceEvent.decode.test.ts"
const fields = "test/lifecycle/MarketplaceEvent.fields.test.ts"
const verify = "test/lifecycle/SnsMessage.verify.test.ts"
const certificate = "test/lifecycle/SnsMessage.certificate.test.ts"
const confirm = "test/lifecycle/SnsMessage.confirm.test.ts"
const endpoint = "test/lifecycle/SnsEndpoint.test.ts"
const trust = "test/lifecycle/Trust.test.ts"

/** Name, tests, and edits: file below `src/lifecycle`, text, replacement. */
export const lifecycle = suiteOf("lifecycle", [
  // decoding
  [
    "every event of EventBridge read as the proposer's",
    decode,
    ["internal/decodeBody.ts", "{ _tag, role }] as const", '{ _tag, role: "Proposer" }] as const']
  ],
  [
    "the second record of a batch dropped",
    decode,
    ["internal/envelopes.ts", "records.map((record, i)", "records.slice(0, 1).map((record, i)"]
  ],
  [
    "the text of a batch read as one unknown event",
    decode,
    [
      "internal/envelopes.ts",
      "Array.isArray(object.Records)\n",
      'Array.isArray(object.Records) && typeof input !== "string"\n'
    ]
  ],
  [
    "an unreadable record that hides the others",
    decode,
    [
      "internal/envelopes.ts",
      "openRecords(object.Records, start)",
      `((results: ReadonlyArray<Result>) =>
        results.some(Either.isLeft) ? results.filter(Either.isLeft) : results)(
        openRecords(object.Records, start)
      )`
    ]
  ],
  [
    "the time and id of the outer notification",
    decode,
    ["internal/envelopes.ts", "...context,\n          ...ids,", "...ids,\n          ...context,"]
  ],
  [
    "a failure reported of a record that the queue does not know",
    decode,
    [
      "internal/envelopes.ts",
      "...(context.messageId !== undefined && { messageId: context.messageId }),",
      ""
    ]
  ],
  [
    "an event with a field that replaces its id",
    decode,
    [
      "internal/decodeBody.ts",
      "{ ...(isJsonObject(detail) ? detail : {}), ...envelope, ...kind }",
      "{ ...envelope, ...kind, ...(isJsonObject(detail) ? detail : {}) }"
    ]
  ],
  [
    "an end lost by an invalid optional field",
    fields,
    ["internal/fields.ts", ".annotations({ decodingFallback: () => Either.right(null) })", ""]
  ],
  [
    "a free trial in every subscription",
    fields,
    [
      "internal/fields.ts",
      'decode: (value) => String(value).toLowerCase() === "true"',
      "decode: (value) => Boolean(value)"
    ]
  ],
  [
    "30 February read as 2 March",
    fields,
    ["internal/fields.ts", "zonedTimePattern.test(text) && isDate(text.slice(0, 10))", "true"]
  ],
  [
    "a license compared by the text of its ARN",
    decode,
    ["../internal/license.ts", "licenseKey(a) === licenseKey(b)", "a === b"]
  ],
  // trust
  [
    "a topic that is not allowed",
    verify,
    ["SnsMessage.ts", "if (!topicArns.has(message.TopicArn)) {", "if (topicArns.size === 0) {"]
  ],
  [
    "a signature that is not checked",
    verify,
    [
      "SnsMessage.ts",
      "return isSigned(message, certificate)",
      "return isSigned(message, certificate) || message.Signature.length > 0"
    ]
  ],
  [
    "a signature without the subject",
    verify,
    ["internal/sns/message.ts", '"MessageId", "Subject", "Timestamp"', '"MessageId", "Timestamp"']
  ],
  [
    "a message of yesterday, sent again",
    verify,
    ["SnsMessage.ts", "if (age > maxAge + clockTolerance) {", "if (age > 2 * 86_400_000) {"]
  ],
  [
    "a certificate of any host",
    verify,
    [
      "internal/sns/urls.ts",
      "certificateUrl.test(url) || isOfSandbox(url, sandboxUrl)",
      'url.startsWith("https://") || isOfSandbox(url, sandboxUrl)'
    ]
  ],
  [
    "a certificate of another service of AWS",
    certificate,
    [
      "internal/sns/certificates.ts",
      "certificateNamesOf(url)?.some(isOf) ?? true",
      "isOf !== undefined"
    ]
  ],
  [
    "an expired certificate that is cached",
    certificate,
    [
      "internal/sns/certificates.ts",
      "certificate !== undefined && isValidAt(certificate, now)",
      "certificate !== undefined"
    ]
  ],
  [
    "a failed request for a certificate that is cached",
    certificate,
    ["internal/sns/certificates.ts", "if (flight.waiting === 0) flights.delete(url)", ""]
  ],
  [
    "a confirmation that is any action of SNS",
    confirm,
    ["internal/sns/urls.ts", 'isOnly("Action", "ConfirmSubscription") &&', ""]
  ],
  [
    "the evidence of one message used for another",
    verify,
    ["internal/trust.ts", "return input === this.#notification", "return input !== undefined"]
  ],
  [
    "a secret that begins like the one of the connection",
    trust,
    ["Trust.ts", "let difference = text.length ^ secret.length", "let difference = 0"],
    ["Trust.ts", "i < secret.length; i++", "i < text.length; i++"]
  ],
  [
    "an event acknowledged before it is stored",
    endpoint,
    [
      "SnsEndpoint.ts",
      'Effect.as(Effect.logError("The handler of an event failed", cause), respond(500))',
      'Effect.as(Effect.logError("The handler of an event failed", cause), ok)'
    ]
  ],
  [
    "a message that is never sent again after a failed request",
    endpoint,
    [
      "SnsEndpoint.ts",
      "onFailure: (error) => logAndRespond(error.isRetryable ? 503 : 403)(error),\n      onSuccess: (message)",
      "onFailure: (error) => logAndRespond(403)(error),\n      onSuccess: (message)"
    ]
  ]
])
