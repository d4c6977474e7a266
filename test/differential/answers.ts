/** Canned answers, and what the official SDK and our client make of each. */
import type * as MeteringError from "effect-marketplace-metering/MeteringError"
import { allOperations, operations } from "../support/operations.js"
import type { Canned, Summary } from "./harness.js"

/** One answer. Where both come to the same, it is said once; where they do not, why is said as well. */
export type Row = {
  readonly name: string
  readonly operation: MeteringError.OperationName
  readonly fields: object
  readonly answer: Canned
  /** What ours fails with, where that is not the exception's own name. */
  readonly tag?: string
  /** Members that our error or answer has beside those of the summary. */
  readonly besides?: object
} & (
  | { readonly both: Summary }
  | { readonly differs: string; readonly ours: Summary; readonly sdk: Summary }
)

interface Options {
  readonly operation?: MeteringError.OperationName
  readonly fields?: object
  readonly tag?: string
  readonly besides?: object
}

// ---------------------------------------------------------------------------------------------------
// answers
// ---------------------------------------------------------------------------------------------------

const requestId = "1f2e3d4c-0000-4000-8000-00000000c0de"
const namespace = "com.amazonaws.marketplacemetering"
const uri = "http://internal.amazon.com/coral/com.amazon.coral.validate/"
const slow = "Rate exceeded"

const answer = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): Canned => ({
  status,
  headers: {
    "content-type": "application/x-amz-json-1.1",
    "x-amzn-requestid": requestId,
    ...headers
  },
  body: typeof body === "string" ? body : JSON.stringify(body)
})

const ok = (body: unknown, headers?: Readonly<Record<string, string>>) => answer(200, body, headers)

const html = (status: number) =>
  answer(status, `<html><head><title>${status}</title></head><body>Sorry</body></html>`, {
    "content-type": "text/html"
  })

// ---------------------------------------------------------------------------------------------------
// what comes of them
// ---------------------------------------------------------------------------------------------------

const failed = (error: string, message?: unknown, status = 400): Summary => ({
  error,
  message,
  status,
  requestId
})

const throttled = failed("ThrottlingException", slow)

/** What ours says to all that is not the service's. */
const notTheServices = (status: number) => failed("UnexpectedResponseError", undefined, status)

const answered = (members: object): Summary => ({ ok: members })

// ---------------------------------------------------------------------------------------------------
// rows
// ---------------------------------------------------------------------------------------------------

const row = (
  name: string,
  answer: Canned,
  { operation = "BatchMeterUsage", ...options }: Options
) => ({
  name,
  operation,
  fields: operations[operation].fields,
  answer,
  ...options
})

const same = (name: string, answer: Canned, both: Summary, options: Options = {}): Row => ({
  ...row(name, answer, options),
  both
})

const differs = (
  name: string,
  answer: Canned,
  outcomes: { readonly differs: string; readonly ours: Summary; readonly sdk: Summary },
  options: Options = {}
): Row => ({ ...row(name, answer, options), ...outcomes })

/** A success without what the call was made for. */
const lacking = (name: string, operation: MeteringError.OperationName, answer: Canned): Row => {
  const json: unknown = answer.body === "" ? {} : JSON.parse(answer.body)
  return differs(
    name,
    answer,
    {
      differs: "without what was asked for there is no success; the SDK asks for nothing",
      ours: notTheServices(answer.status),
      sdk: answered(json ?? {})
    },
    { operation, besides: { isRetryable: true } }
  )
}

/** Where the code of an exception is found. */
const codes: ReadonlyArray<Row> = [
  same(
    "a namespaced __type",
    answer(400, { __type: `${namespace}#ThrottlingException`, message: slow }),
    throttled
  ),
  same("a bare __type", answer(400, { __type: "ThrottlingException", message: slow }), throttled),
  same(
    "a __type with a URI",
    answer(400, { __type: `ThrottlingException:${uri}`, message: slow }),
    throttled
  ),
  same(
    "a namespaced __type with a URI",
    answer(400, { __type: `${namespace}#ThrottlingException:${uri}`, message: slow }),
    throttled
  ),
  same(
    "a __type with a comma",
    answer(400, { __type: `ThrottlingException,${uri}`, message: slow }),
    throttled
  ),
  same(
    "another namespace",
    answer(400, { __type: "com.amazon.coral.availability#ThrottlingException", message: slow }),
    throttled
  ),
  same("code", answer(400, { code: "ThrottlingException", message: slow }), throttled),
  same("Code", answer(400, { Code: "ThrottlingException", message: slow }), throttled),
  same(
    "CODE, namespaced and with a URI",
    answer(400, { CODE: `${namespace}#ThrottlingException:${uri}`, message: slow }),
    throttled
  ),
  same("a number for a code", answer(400, { code: 17, message: slow }), failed("17", slow), {
    tag: "UnknownServiceError"
  }),
  same(
    "x-amzn-errortype, and an empty body",
    answer(500, "", { "x-amzn-errortype": "InternalServiceErrorException" }),
    failed("InternalServiceErrorException", undefined, 500)
  ),
  same(
    "x-amzn-errortype with a URI",
    answer(400, "", { "x-amzn-errortype": `ThrottlingException:${uri}` }),
    failed("ThrottlingException")
  ),
  same(
    "x-amzn-errortype with namespace and URI",
    answer(400, {}, { "x-amzn-errortype": `${namespace}#ThrottlingException:${uri}` }),
    failed("ThrottlingException")
  ),
  same(
    "__type, code and header that disagree",
    answer(
      400,
      { __type: "ThrottlingException", code: "Other", message: slow },
      { "x-amzn-errortype": "Another" }
    ),
    throttled
  ),
  same(
    "code and header that disagree",
    answer(400, { code: "ThrottlingException", message: slow }, { "x-amzn-errortype": "Another" }),
    throttled
  ),
  same(
    "a __type further down",
    answer(400, { __type: "ThrottlingException", message: slow, details: [{ __type: "Other" }] }),
    throttled
  ),
  differs(
    "an empty __type, and a code",
    answer(400, { __type: "", code: "ThrottlingException", message: slow }),
    {
      differs: "the SDK stops at the empty name; ours goes on to where there is one",
      ours: throttled,
      sdk: { status: 400, error: "" }
    }
  ),
  differs(
    "a __type of null, and a code",
    answer(400, { __type: null, code: "ThrottlingException", message: slow }),
    {
      differs: "null is absent; the SDK breaks on it with an error of its own",
      ours: throttled,
      sdk: { error: "TypeError" }
    }
  ),
  differs(
    "a __type with a blank before it",
    answer(400, { __type: " ThrottlingException", message: slow }),
    {
      differs: "a blank is no part of a name",
      ours: throttled,
      sdk: failed(" ThrottlingException", slow)
    }
  ),
  differs(
    "a __type that is an object",
    answer(400, { __type: { name: "ThrottlingException" }, message: slow }),
    {
      differs:
        "the SDK breaks on it with an error of its own; ours says that this is not the service",
      ours: notTheServices(400),
      sdk: { error: "TypeError" }
    }
  )
]

/** What the service says, and in which member. */
const messages: ReadonlyArray<Row> = [
  same("Message", answer(400, { __type: "ThrottlingException", Message: slow }), throttled),
  same(
    "message and Message",
    answer(400, { __type: "ThrottlingException", message: slow, Message: "other" }),
    throttled
  ),
  same(
    "a message of null, and Message",
    answer(400, { __type: "ThrottlingException", message: null, Message: slow }),
    throttled
  ),
  same(
    "a message of null",
    answer(400, { __type: "ThrottlingException", message: null }),
    failed("ThrottlingException")
  ),
  same("no message", answer(400, { __type: "ThrottlingException" }), failed("ThrottlingException")),
  same(
    "an empty message",
    answer(400, { __type: "ThrottlingException", message: "" }),
    failed("ThrottlingException")
  ),
  same(
    "a message with line ends and quotes",
    answer(400, { __type: "ThrottlingException", message: 'a\n"b"\u0000é😀' }),
    failed("ThrottlingException", 'a\n"b"\u0000é😀')
  ),
  differs(
    "a message that is a number",
    answer(400, { __type: "ThrottlingException", message: 42 }),
    {
      differs: "an error's text is text",
      ours: failed("ThrottlingException"),
      sdk: failed("ThrottlingException", 42)
    }
  ),
  differs(
    "a message that is an object",
    answer(400, { __type: "ThrottlingException", message: { text: slow } }),
    {
      differs: "an error's text is text",
      ours: failed("ThrottlingException"),
      sdk: failed("ThrottlingException", { text: slow })
    }
  ),
  differs(
    "what should have been signed",
    answer(400, {
      __type: "InvalidSignatureException",
      message:
        "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:IQoJb3JpZ2luX2VjEDExample'"
    }),
    {
      differs: "nothing that was signed is repeated in an error",
      ours: failed(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided."
      ),
      sdk: failed(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:IQoJb3JpZ2luX2VjEDExample'"
      )
    },
    { tag: "CredentialsRejectedError" }
  )
]

/** Every exception of every operation. */
const modelled: ReadonlyArray<Row> = allOperations.flatMap(({ exceptions, name }) =>
  exceptions.map((exception) => {
    const status =
      exception === "InternalServiceErrorException"
        ? 500
        : exception === "IdempotencyConflictException"
          ? 409
          : 400
    return same(
      `${name}: ${exception}`,
      answer(status, { __type: `${namespace}#${exception}`, message: "said" }),
      failed(exception, "said", status),
      { operation: name }
    )
  })
)

/** What any AWS service may say. */
const common: ReadonlyArray<Row> = [
  ...(
    [
      ["AccessDeniedException", "AccessDeniedError"],
      ["UnauthorizedException", "AccessDeniedError"],
      ["UnrecognizedClientException", "CredentialsRejectedError"],
      ["InvalidSignatureException", "CredentialsRejectedError"],
      ["IncompleteSignature", "CredentialsRejectedError"],
      ["MissingAuthenticationToken", "CredentialsRejectedError"],
      ["RequestExpired", "ClockSkewError"],
      ["RequestTimeTooSkewed", "ClockSkewError"],
      ["SerializationException", "UnknownServiceError"],
      ["ValidationException", "UnknownServiceError"],
      ["UnknownOperationException", "UnknownServiceError"],
      ["CustomerNotSubscribedException", "UnknownServiceError"]
    ] as const
  ).map(([code, tag]) =>
    same(code, answer(400, { __type: code, message: "said" }), failed(code, "said"), { tag })
  ),
  same(
    "a signature that has expired",
    answer(403, {
      __type: "InvalidSignatureException",
      message: "Signature expired: 20261124T101530Z is now earlier than"
    }),
    failed(
      "InvalidSignatureException",
      "Signature expired: 20261124T101530Z is now earlier than",
      403
    ),
    { tag: "ClockSkewError" }
  ),
  same(
    "an exception of another operation",
    answer(400, { __type: "InvalidTokenException", message: "said" }),
    failed("InvalidTokenException", "said"),
    { tag: "UnknownServiceError" }
  ),
  same(
    "a registration token that has expired",
    answer(400, {
      __type: `${namespace}#ExpiredTokenException`,
      message: "The submitted registration token has expired"
    }),
    failed("ExpiredTokenException", "The submitted registration token has expired"),
    { operation: "ResolveCustomer" }
  ),
  same(
    "an AWS session that has expired, any operation",
    answer(400, { __type: "ExpiredTokenException", message: "said" }),
    failed("ExpiredTokenException", "said"),
    { tag: "CredentialsExpiredError" }
  ),
  same(
    "an AWS session that has expired, ResolveCustomer, by its namespace",
    answer(400, { __type: "com.amazon.coral.service#ExpiredTokenException", message: "said" }),
    failed("ExpiredTokenException", "said"),
    { operation: "ResolveCustomer", tag: "CredentialsExpiredError" }
  ),
  same(
    "an AWS session that has expired, ResolveCustomer, by its text",
    answer(400, {
      __type: "ExpiredTokenException",
      message: "The security token included in the request is expired"
    }),
    failed("ExpiredTokenException", "The security token included in the request is expired"),
    { operation: "ResolveCustomer", tag: "CredentialsExpiredError" }
  ),
  same(
    "Retry-After in seconds",
    answer(400, { __type: "ThrottlingException", message: slow }, { "retry-after": "3" }),
    throttled,
    { besides: { retryAfterMillis: 3000 } }
  ),
  same(
    "x-amz-retry-after in milliseconds",
    answer(
      500,
      { __type: "InternalServiceErrorException" },
      { "x-amz-retry-after": "1500", "retry-after": "3" }
    ),
    failed("InternalServiceErrorException", undefined, 500),
    { besides: { retryAfterMillis: 1500 } }
  ),
  same(
    "a client's exception with 500",
    answer(500, { __type: "ThrottlingException", message: slow }),
    failed("ThrottlingException", slow, 500)
  ),
  same(
    "a server's exception with 400",
    answer(400, { __type: "InternalServiceErrorException" }),
    failed("InternalServiceErrorException")
  ),
  same(
    "the id in x-amzn-request-id",
    {
      ...answer(400, { __type: "ThrottlingException" }),
      headers: { "x-amzn-request-id": "other-id" }
    },
    { ...failed("ThrottlingException"), requestId: "other-id" }
  ),
  same(
    "the id in x-amz-request-id",
    {
      ...answer(400, { __type: "ThrottlingException" }),
      headers: { "x-amz-request-id": "other-id" }
    },
    { ...failed("ThrottlingException"), requestId: "other-id" }
  ),
  same(
    "no id",
    { ...answer(400, { __type: "ThrottlingException" }), headers: {} },
    { ...failed("ThrottlingException"), requestId: undefined }
  ),
  differs(
    "an id as long as a token",
    answer(400, { __type: "ThrottlingException" }, { "x-amzn-requestid": "x".repeat(500) }),
    {
      differs: "no id of AWS is so long: it is something else, and is not repeated",
      ours: { ...failed("ThrottlingException"), requestId: undefined },
      sdk: { ...failed("ThrottlingException"), requestId: "x".repeat(500) }
    }
  )
]

const unknown = (status: number) => ({
  differs:
    'the SDK calls it "Unknown", as if the service had; ours says that this is not the service',
  ours: notTheServices(status),
  sdk: failed("Unknown", undefined, status)
})

const unparsable = (status: number) => ({
  differs:
    "the SDK throws a SyntaxError; ours says that this is not the service, with status and content type",
  ours: notTheServices(status),
  sdk: { error: "SyntaxError", status }
})

/** Errors that are none of the service's. */
const strangers: ReadonlyArray<Row> = [
  differs("400 and an empty body", answer(400, ""), unknown(400)),
  differs("500 and an empty object", answer(500, {}), unknown(500), {
    besides: { isRetryable: true }
  }),
  differs("400 and a message without a code", answer(400, { message: "said" }), {
    ...unknown(400),
    sdk: failed("Unknown", "said")
  }),
  differs("400 and null", answer(400, "null"), unknown(400)),
  differs("400 and a number", answer(400, "17"), unknown(400)),
  differs("400 and a string", answer(400, '"ThrottlingException"'), unknown(400)),
  differs("400 and a list", answer(400, [{ __type: "ThrottlingException" }]), unknown(400)),
  differs("429 and an empty body", answer(429, ""), unknown(429), {
    besides: { isRetryable: true, isThrottling: true }
  }),
  differs("503 and an empty body", answer(503, ""), unknown(503), {
    besides: { isRetryable: true, isThrottling: false }
  }),
  differs("403 and HTML", html(403), unparsable(403), {
    besides: { contentType: "text/html", isRetryable: false }
  }),
  differs("404 and HTML", html(404), unparsable(404)),
  differs("502 and HTML", html(502), unparsable(502), { besides: { isRetryable: true } }),
  differs(
    "503 and text",
    answer(503, "upstream connect error", { "content-type": "text/plain" }),
    unparsable(503)
  ),
  differs("400 and JSON that is cut off", answer(400, '{"__type":"ThrottlingExc'), unparsable(400)),
  differs("400 and blanks", answer(400, " \n"), unparsable(400)),
  differs(
    "an exception behind a byte order mark",
    answer(400, '\ufeff{"__type":"ThrottlingException","message":"Rate exceeded"}'),
    {
      differs: "the mark is no part of a text; the SDK throws a SyntaxError",
      ours: throttled,
      sdk: { error: "SyntaxError", status: 400 }
    }
  ),
  differs(
    "HTML, with the code in the header",
    {
      ...html(500),
      headers: { ...html(500).headers, "x-amzn-errortype": "InternalServiceErrorException" }
    },
    {
      differs: "the header names the exception; the SDK throws a SyntaxError over the body",
      ours: failed("InternalServiceErrorException", undefined, 500),
      sdk: { error: "SyntaxError", status: 500 }
    }
  ),
  differs(
    "301 to somewhere else",
    answer(301, "", { location: "https://login.example.com/" }),
    unknown(301)
  ),
  differs("302 and HTML", html(302), unparsable(302)),
  differs("304", answer(304, ""), unknown(304)),
  differs(
    "307 to somewhere else",
    answer(307, "", { location: "https://login.example.com/" }),
    unknown(307)
  ),
  same(
    "308 with an exception",
    answer(308, { __type: "ThrottlingException", message: slow }),
    failed("ThrottlingException", slow, 308)
  )
]

const time = 1763987696.789
const date = new Date(1763987696789)
const echo = { Timestamp: time, Dimension: "d", Quantity: 3, CustomerIdentifier: "c" }
const read = { ...echo, Timestamp: date }
const done = { UsageRecord: echo, MeteringRecordId: "m", Status: "Success" }
const doneRead = { ...done, UsageRecord: read }

/** Answers of the service that are as they should be, or nearly. */
const successes: ReadonlyArray<Row> = [
  ...allOperations.map(({ answer, name }) => {
    // times are dates in the SDK
    const withDates = JSON.parse(JSON.stringify(answer), (key, value) =>
      /Timestamp$/.test(key) ? new Date(value * 1000) : value
    )
    return same(
      `${name}: an answer`,
      ok(answer),
      answered(
        Object.fromEntries(
          Object.entries(withDates).filter(
            ([, value]) => !(Array.isArray(value) && value.length === 0)
          )
        )
      ),
      { operation: name }
    )
  }),
  same("an empty body", ok(""), answered({})),
  lacking("an empty object", "ResolveCustomer", ok({})),
  lacking("null", "ResolveCustomer", ok("null")),
  lacking("a product without a buyer", "ResolveCustomer", ok({ ProductCode: "p" })),
  lacking("an empty object for a signature", "RegisterUsage", ok({})),
  lacking("an empty object for a receipt", "MeterUsage", ok({})),
  differs(
    "another's JSON for a receipt",
    ok({ error: "upstream" }),
    {
      differs: "without a receipt there is no success; the SDK leaves out what it does not know",
      ours: notTheServices(200),
      sdk: answered({})
    },
    { operation: "MeterUsage" }
  ),
  lacking("an empty text for a receipt", "MeterUsage", ok({ MeteringRecordId: "" })),
  lacking("a __type that is no exception", "MeterUsage", ok({ __type: "MeterUsageResult" })),
  ...allOperations.map(({ name }) =>
    differs(
      `${name}: an exception with 200`,
      ok({ __type: `${namespace}#ThrottlingException`, message: slow }),
      {
        differs: "an exception is one whatever its status; the SDK takes it for an empty success",
        ours: failed("ThrottlingException", slow, 200),
        sdk: answered({ __type: `${namespace}#ThrottlingException`, message: slow })
      },
      { operation: name, besides: { isThrottling: true } }
    )
  ),
  same("201", answer(201, { MeteringRecordId: "m" }), answered({ MeteringRecordId: "m" }), {
    operation: "MeterUsage",
    besides: { statusCode: 201 }
  }),
  lacking("204", "MeterUsage", answer(204, "")),
  same(
    "another content type",
    ok({ MeteringRecordId: "m" }, { "content-type": "text/plain" }),
    answered({ MeteringRecordId: "m" }),
    { operation: "MeterUsage" }
  ),
  same(
    "x-amzn-errortype on a success",
    ok({ MeteringRecordId: "m" }, { "x-amzn-errortype": "Odd" }),
    answered({ MeteringRecordId: "m" }),
    { operation: "MeterUsage" }
  ),
  same(
    "unknown members",
    ok({ Results: [{ ...done, Novel: 1 }], Novel: { a: [] } }),
    answered({ Results: [doneRead] })
  ),
  same(
    "an unknown status",
    ok({ Results: [{ ...done, Status: "OnHold" }] }),
    answered({ Results: [{ ...doneRead, Status: "OnHold" }] })
  ),
  same(
    "missing members",
    ok({ Results: [{ Status: "Success" }, {}] }),
    answered({ Results: [{ Status: "Success" }, {}] })
  ),
  same(
    "members that are null",
    ok({
      Results: [{ UsageRecord: null, MeteringRecordId: null, Status: "Success" }],
      UnprocessedRecords: null
    }),
    answered({ Results: [{ Status: "Success" }] })
  ),
  same(
    "all records unprocessed",
    ok({ Results: [], UnprocessedRecords: [echo] }),
    answered({ UnprocessedRecords: [read] })
  ),
  same(
    "allocations and tags",
    ok({
      UnprocessedRecords: [
        {
          ...echo,
          UsageAllocations: [{ AllocatedUsageQuantity: 3, Tags: [{ Key: "k", Value: "" }] }]
        }
      ]
    }),
    answered({
      UnprocessedRecords: [
        {
          ...read,
          UsageAllocations: [{ AllocatedUsageQuantity: 3, Tags: [{ Key: "k", Value: "" }] }]
        }
      ]
    })
  ),
  same(
    "whole seconds",
    ok({ UnprocessedRecords: [{ ...echo, Timestamp: 1763987696 }] }),
    answered({ UnprocessedRecords: [{ ...read, Timestamp: new Date(1763987696000) }] })
  ),
  same(
    "seconds as text",
    ok({ Signature: "s", PublicKeyRotationTimestamp: "1763987696.789" }),
    answered({ Signature: "s", PublicKeyRotationTimestamp: date }),
    { operation: "RegisterUsage" }
  ),
  same(
    "a time before the epoch",
    ok({ Signature: "s", PublicKeyRotationTimestamp: -1.5 }),
    answered({ Signature: "s", PublicKeyRotationTimestamp: new Date(-1500) }),
    { operation: "RegisterUsage" }
  ),
  same(
    "a rotation time of null",
    ok({ Signature: "s", PublicKeyRotationTimestamp: null }),
    answered({ Signature: "s" }),
    { operation: "RegisterUsage" }
  ),
  same(
    "a quantity beyond the limit",
    ok({ UnprocessedRecords: [{ ...echo, Quantity: 2 ** 40 }] }),
    answered({ UnprocessedRecords: [{ ...read, Quantity: 2 ** 40 }] })
  ),
  same(
    "a record without an identity",
    ok({ Results: [{ ...done, UsageRecord: { Timestamp: time, Dimension: "d", Quantity: 3 } }] }),
    answered({
      Results: [{ ...doneRead, UsageRecord: { Timestamp: date, Dimension: "d", Quantity: 3 } }]
    })
  ),
  same(
    "both identities",
    ok({ UnprocessedRecords: [{ ...echo, CustomerAWSAccountId: "1" }] }),
    answered({ UnprocessedRecords: [{ ...read, CustomerAWSAccountId: "1" }] })
  ),
  differs(
    "a success with a __type",
    ok({ __type: "MeterUsageResult", MeteringRecordId: "m" }),
    {
      differs: "the SDK keeps members that nobody asked for",
      ours: answered({ MeteringRecordId: "m" }),
      sdk: answered({ __type: "MeterUsageResult", MeteringRecordId: "m" })
    },
    { operation: "MeterUsage" }
  )
]

const dryRun = { ...operations.MeterUsage.fields, dryRun: true }
const wouldHave = "Request would have succeeded, but DryRun flag is set."

/** Where a caller of ours gets more out of an answer, or is told that there is none. */
const oddities: ReadonlyArray<Row> = [
  differs("blanks", ok(" \r\n"), {
    differs: "as good as empty; the SDK throws a SyntaxError",
    ours: answered({}),
    sdk: { error: "SyntaxError" }
  }),
  differs("HTML with 200", html(200), unparsable(200), { besides: { isRetryable: true } }),
  differs("JSON that is cut off, with 200", ok('{"Results":[{"Status":"Succ'), unparsable(200), {
    besides: { isRetryable: true }
  }),
  differs("a list", ok([]), {
    differs: "not an answer; the SDK takes it for an empty success",
    ours: notTheServices(200),
    sdk: answered({})
  }),
  differs("a string", ok('"ok"'), {
    differs: "not an answer; the SDK takes its letters for members",
    ours: notTheServices(200),
    sdk: answered({ 0: "o", 1: "k" })
  }),
  differs("a number", ok("17"), {
    differs: "not an answer; the SDK takes it for an empty success",
    ours: notTheServices(200),
    sdk: answered({})
  }),
  differs("true", ok("true"), {
    differs: "not an answer; the SDK takes it for an empty success",
    ours: notTheServices(200),
    sdk: answered({})
  }),
  differs(
    "a number for an id",
    ok({ MeteringRecordId: 7 }),
    {
      differs: "text is text",
      ours: answered({ MeteringRecordId: "7" }),
      sdk: answered({ MeteringRecordId: 7 })
    },
    { operation: "MeterUsage" }
  ),
  differs("a status that is false", ok({ Results: [{ ...done, Status: false }] }), {
    differs: "no status is not a status",
    ours: answered({ Results: [{ UsageRecord: read, MeteringRecordId: "m" }] }),
    sdk: answered({ Results: [{ ...doneRead, Status: false }] })
  }),
  differs("an object for a list", ok({ Results: { 0: done } }), {
    differs: "a list is a list",
    ours: answered({}),
    sdk: answered({ Results: { 0: done } })
  }),
  differs("a string for a list", ok({ Results: "none" }), {
    differs: "a list is a list",
    ours: answered({}),
    sdk: answered({ Results: "none" })
  }),
  differs(
    "null among the results",
    ok({ Results: [null, done] }),
    {
      differs: "a result is a result; what is none is kept aside, as JSON",
      ours: answered({ Results: [doneRead] }),
      sdk: answered({ Results: [null, doneRead] })
    },
    { besides: { unreadable: [null] } }
  ),
  differs(
    "text among the unprocessed records",
    ok({ UnprocessedRecords: ["?", echo] }),
    {
      differs: "a record is a record; what is none is kept aside, as JSON",
      ours: answered({ UnprocessedRecords: [read] }),
      sdk: answered({ UnprocessedRecords: ["?", read] })
    },
    { besides: { unreadable: ["?"] } }
  ),
  differs(
    "an unprocessed record without a dimension",
    ok({ UnprocessedRecords: [{ Timestamp: time }, echo] }),
    {
      differs: "nothing that lacks what a record must have is called one; it is kept aside",
      ours: answered({ UnprocessedRecords: [read] }),
      sdk: answered({ UnprocessedRecords: [{ Timestamp: date }, read] })
    },
    { besides: { unreadable: [{ Timestamp: time }] } }
  ),
  differs(
    "one odd timestamp among the results",
    ok({ Results: [{ ...done, UsageRecord: { ...echo, Timestamp: "soon" } }, done] }),
    {
      differs:
        "the SDK throws the whole answer away; ours keeps every status and leaves out one echo",
      ours: answered({ Results: [{ MeteringRecordId: "m", Status: "Success" }, doneRead] }),
      sdk: { error: "TypeError" }
    }
  ),
  differs(
    "a timestamp that is an object",
    ok({ Results: [{ ...done, UsageRecord: { ...echo, Timestamp: {} } }] }),
    {
      differs: "the SDK throws the whole answer away; ours keeps the status",
      ours: answered({ Results: [{ MeteringRecordId: "m", Status: "Success" }] }),
      sdk: { error: "TypeError" }
    }
  ),
  differs(
    "a timestamp as an ISO text",
    ok({ Results: [{ ...done, UsageRecord: { ...echo, Timestamp: date.toISOString() } }] }),
    {
      differs: "a time is a time; the SDK throws",
      ours: answered({ Results: [doneRead] }),
      sdk: { error: "TypeError" }
    }
  ),
  differs(
    "a time that no calendar has",
    ok({ Signature: "s", PublicKeyRotationTimestamp: 1e18 }),
    {
      differs: "the SDK makes an Invalid Date of it",
      ours: answered({ Signature: "s" }),
      sdk: answered({ Signature: "s", PublicKeyRotationTimestamp: new Date(Number.NaN) })
    },
    { operation: "RegisterUsage" }
  ),
  differs("a record that is a text", ok({ Results: [{ ...done, UsageRecord: "?" }] }), {
    differs: "a record is a record",
    ours: answered({ Results: [{ MeteringRecordId: "m", Status: "Success" }] }),
    sdk: answered({ Results: [{ ...done, UsageRecord: "?" }] })
  }),
  differs("a quantity as text", ok({ UnprocessedRecords: [{ ...echo, Quantity: "3" }] }), {
    differs: "a quantity is a number",
    ours: answered({ UnprocessedRecords: [read] }),
    sdk: answered({ UnprocessedRecords: [{ ...read, Quantity: "3" }] })
  }),
  differs("no quantity", ok({ UnprocessedRecords: [{ ...echo, Quantity: null }] }), {
    differs: "the service's default is said",
    ours: answered({ UnprocessedRecords: [{ ...read, Quantity: 0 }] }),
    sdk: answered({
      UnprocessedRecords: [{ Timestamp: date, Dimension: "d", CustomerIdentifier: "c" }]
    })
  }),
  differs(
    "an empty identity",
    ok({ CustomerIdentifier: "", CustomerAWSAccountId: "111122223333", ProductCode: "p" }),
    {
      differs: "an empty identity is none",
      ours: answered({ CustomerAWSAccountId: "111122223333", ProductCode: "p" }),
      sdk: answered({
        CustomerIdentifier: "",
        CustomerAWSAccountId: "111122223333",
        ProductCode: "p"
      })
    },
    { operation: "ResolveCustomer" }
  ),
  differs("an empty status", ok({ Results: [{ ...done, Status: "" }] }), {
    differs: "no status is not a status",
    ours: answered({ Results: [{ UsageRecord: read, MeteringRecordId: "m" }] }),
    sdk: answered({ Results: [{ ...doneRead, Status: "" }] })
  }),
  differs(
    "an answer behind a byte order mark",
    ok('\ufeff{"MeteringRecordId":"m"}'),
    {
      differs: "the mark is no part of a text; the SDK throws a SyntaxError",
      ours: answered({ MeteringRecordId: "m" }),
      sdk: { error: "SyntaxError" }
    },
    { operation: "MeterUsage" }
  ),
  differs(
    "DryRunOperation for a dry run",
    answer(412, { __type: "DryRunOperation", message: wouldHave }),
    {
      differs: "a dry run that is permitted is no failure",
      ours: answered({ DryRun: true }),
      sdk: failed("DryRunOperation", wouldHave, 412)
    },
    { operation: "MeterUsage", fields: dryRun, besides: { statusCode: 412 } }
  ),
  differs(
    "200 and DryRunOperation for an id",
    ok({ MeteringRecordId: "DryRunOperation" }),
    {
      differs: "a dry run never looks like a metered record",
      ours: answered({ DryRun: true }),
      sdk: answered({ MeteringRecordId: "DryRunOperation" })
    },
    { operation: "MeterUsage", fields: dryRun }
  ),
  same(
    "DryRunOperation for a call that was none",
    answer(412, { __type: "DryRunOperation", message: wouldHave }),
    failed("DryRunOperation", wouldHave, 412),
    { operation: "MeterUsage", tag: "UnknownServiceError" }
  ),
  same(
    "a dry run that is not permitted",
    answer(400, { __type: "UnauthorizedException", message: "said" }),
    failed("UnauthorizedException", "said"),
    { operation: "MeterUsage", fields: dryRun, tag: "AccessDeniedError" }
  )
]

/** Every answer, by what it is about. */
export const rows: Readonly<Record<string, ReadonlyArray<Row>>> = {
  codes,
  messages,
  modelled,
  common,
  strangers,
  successes,
  oddities
}
