/** Canned responses, and their outcomes with the official SDK and with our client. */
import { allOperations, type MeteringOperationName, operations } from "../support/operations.js"
import type { CannedResponse, Summary } from "./harness.js"

/** One answer. Where both come to the same, it is said once; where they do not, why is said as well. */
export type ResponseCase = {
  readonly name: string
  readonly operation: MeteringOperationName
  readonly fields: object
  readonly response: CannedResponse
  /** The tag of our error, if it is not the exception's name. */
  readonly tag?: string
  /** Members that our error or answer has beside those of the summary. */
  readonly otherFields?: object
} & (
  | { readonly both: Summary }
  | { readonly differs: string; readonly ours: Summary; readonly sdk: Summary }
)

interface Options {
  readonly operation?: MeteringOperationName
  readonly fields?: object
  readonly tag?: string
  readonly otherFields?: object
}

// ---------------------------------------------------------------------------------------------------
// answers
// ---------------------------------------------------------------------------------------------------

const requestId = "1f2e3d4c-0000-4000-8000-00000000c0de"
const namespace = "com.amazonaws.marketplacemetering"
const uri = "http://internal.amazon.com/coral/com.amazon.coral.validate/"
const rateExceeded = "Rate exceeded"

const response = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): CannedResponse => ({
  status,
  headers: {
    "content-type": "application/x-amz-json-1.1",
    "x-amzn-requestid": requestId,
    ...headers
  },
  body: typeof body === "string" ? body : JSON.stringify(body)
})

const ok = (body: unknown, headers?: Readonly<Record<string, string>>) =>
  response(200, body, headers)

const html = (status: number) =>
  response(status, `<html><head><title>${status}</title></head><body>Sorry</body></html>`, {
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

const throttled = failed("ThrottlingException", rateExceeded)

/** The error of ours for responses that are not the service's. */
const unexpectedResponse = (status: number) => failed("UnexpectedResponseError", undefined, status)

const success = (members: object): Summary => ({ ok: members })

// ---------------------------------------------------------------------------------------------------
// rows
// ---------------------------------------------------------------------------------------------------

const makeCase = (
  name: string,
  response: CannedResponse,
  { operation = "BatchMeterUsage", ...options }: Options
) => ({
  name,
  operation,
  fields: operations[operation].fields,
  response,
  ...options
})

const same = (
  name: string,
  response: CannedResponse,
  both: Summary,
  options: Options = {}
): ResponseCase => ({
  ...makeCase(name, response, options),
  both
})

const differs = (
  name: string,
  response: CannedResponse,
  outcomes: { readonly differs: string; readonly ours: Summary; readonly sdk: Summary },
  options: Options = {}
): ResponseCase => ({ ...makeCase(name, response, options), ...outcomes })

/** A success without what the call was made for. */
const incompleteSuccess = (
  name: string,
  operation: MeteringOperationName,
  response: CannedResponse
): ResponseCase => {
  const json: unknown = response.body === "" ? {} : JSON.parse(response.body)
  return differs(
    name,
    response,
    {
      differs: "without what was asked for there is no success; the SDK asks for nothing",
      ours: unexpectedResponse(response.status),
      sdk: success(json ?? {})
    },
    { operation, otherFields: { isRetryable: true } }
  )
}

/** Where the code of an exception is found. */
const codes: ReadonlyArray<ResponseCase> = [
  same(
    "a namespaced __type",
    response(400, { __type: `${namespace}#ThrottlingException`, message: rateExceeded }),
    throttled
  ),
  same(
    "a bare __type",
    response(400, { __type: "ThrottlingException", message: rateExceeded }),
    throttled
  ),
  same(
    "a __type with a URI",
    response(400, { __type: `ThrottlingException:${uri}`, message: rateExceeded }),
    throttled
  ),
  same(
    "a namespaced __type with a URI",
    response(400, { __type: `${namespace}#ThrottlingException:${uri}`, message: rateExceeded }),
    throttled
  ),
  same(
    "a __type with a comma",
    response(400, { __type: `ThrottlingException,${uri}`, message: rateExceeded }),
    throttled
  ),
  same(
    "another namespace",
    response(400, {
      __type: "com.amazon.coral.availability#ThrottlingException",
      message: rateExceeded
    }),
    throttled
  ),
  same("code", response(400, { code: "ThrottlingException", message: rateExceeded }), throttled),
  same("Code", response(400, { Code: "ThrottlingException", message: rateExceeded }), throttled),
  same(
    "CODE, namespaced and with a URI",
    response(400, { CODE: `${namespace}#ThrottlingException:${uri}`, message: rateExceeded }),
    throttled
  ),
  same(
    "a number for a code",
    response(400, { code: 17, message: rateExceeded }),
    failed("17", rateExceeded),
    {
      tag: "UnknownServiceError"
    }
  ),
  same(
    "x-amzn-errortype, and an empty body",
    response(500, "", { "x-amzn-errortype": "InternalServiceErrorException" }),
    failed("InternalServiceErrorException", undefined, 500)
  ),
  same(
    "x-amzn-errortype with a URI",
    response(400, "", { "x-amzn-errortype": `ThrottlingException:${uri}` }),
    failed("ThrottlingException")
  ),
  same(
    "x-amzn-errortype with namespace and URI",
    response(400, {}, { "x-amzn-errortype": `${namespace}#ThrottlingException:${uri}` }),
    failed("ThrottlingException")
  ),
  same(
    "__type, code and header that disagree",
    response(
      400,
      { __type: "ThrottlingException", code: "Other", message: rateExceeded },
      { "x-amzn-errortype": "Another" }
    ),
    throttled
  ),
  same(
    "code and header that disagree",
    response(
      400,
      { code: "ThrottlingException", message: rateExceeded },
      { "x-amzn-errortype": "Another" }
    ),
    throttled
  ),
  same(
    "a __type further down",
    response(400, {
      __type: "ThrottlingException",
      message: rateExceeded,
      details: [{ __type: "Other" }]
    }),
    throttled
  ),
  differs(
    "an empty __type, and a code",
    response(400, { __type: "", code: "ThrottlingException", message: rateExceeded }),
    {
      differs: "the SDK stops at the empty name; ours goes on to where there is one",
      ours: throttled,
      sdk: { status: 400, error: "" }
    }
  ),
  differs(
    "a __type of null, and a code",
    response(400, { __type: null, code: "ThrottlingException", message: rateExceeded }),
    {
      differs: "null is absent; the SDK breaks on it with an error of its own",
      ours: throttled,
      sdk: { error: "TypeError" }
    }
  ),
  differs(
    "a __type with a blank before it",
    response(400, { __type: " ThrottlingException", message: rateExceeded }),
    {
      differs: "a blank is no part of a name",
      ours: throttled,
      sdk: failed(" ThrottlingException", rateExceeded)
    }
  ),
  differs(
    "a __type that is an object",
    response(400, { __type: { name: "ThrottlingException" }, message: rateExceeded }),
    {
      differs:
        "the SDK breaks on it with an error of its own; ours says that this is not the service",
      ours: unexpectedResponse(400),
      sdk: { error: "TypeError" }
    }
  )
]

/** Messages of the service, by the member that has them. */
const messages: ReadonlyArray<ResponseCase> = [
  same(
    "Message",
    response(400, { __type: "ThrottlingException", Message: rateExceeded }),
    throttled
  ),
  same(
    "message and Message",
    response(400, { __type: "ThrottlingException", message: rateExceeded, Message: "other" }),
    throttled
  ),
  same(
    "a message of null, and Message",
    response(400, { __type: "ThrottlingException", message: null, Message: rateExceeded }),
    throttled
  ),
  same(
    "a message of null",
    response(400, { __type: "ThrottlingException", message: null }),
    failed("ThrottlingException")
  ),
  same(
    "no message",
    response(400, { __type: "ThrottlingException" }),
    failed("ThrottlingException")
  ),
  same(
    "an empty message",
    response(400, { __type: "ThrottlingException", message: "" }),
    failed("ThrottlingException")
  ),
  same(
    "a message with line ends and quotes",
    response(400, { __type: "ThrottlingException", message: 'a\n"b"\u0000é😀' }),
    failed("ThrottlingException", 'a\n"b"\u0000é😀')
  ),
  differs(
    "a message that is a number",
    response(400, { __type: "ThrottlingException", message: 42 }),
    {
      differs: "an error's text is text",
      ours: failed("ThrottlingException"),
      sdk: failed("ThrottlingException", 42)
    }
  ),
  differs(
    "a message that is an object",
    response(400, { __type: "ThrottlingException", message: { text: rateExceeded } }),
    {
      differs: "an error's text is text",
      ours: failed("ThrottlingException"),
      sdk: failed("ThrottlingException", { text: rateExceeded })
    }
  ),
  differs(
    "what should have been signed",
    response(400, {
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
const modelled: ReadonlyArray<ResponseCase> = allOperations.flatMap(({ exceptions, name }) =>
  exceptions.map((exception) => {
    const status =
      exception === "InternalServiceErrorException"
        ? 500
        : exception === "IdempotencyConflictException"
          ? 409
          : 400
    return same(
      `${name}: ${exception}`,
      response(status, { __type: `${namespace}#${exception}`, message: "said" }),
      failed(exception, "said", status),
      { operation: name }
    )
  })
)

/** Errors common to AWS services. */
const common: ReadonlyArray<ResponseCase> = [
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
    same(code, response(400, { __type: code, message: "said" }), failed(code, "said"), { tag })
  ),
  same(
    "a signature that has expired",
    response(403, {
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
    response(400, { __type: "InvalidTokenException", message: "said" }),
    failed("InvalidTokenException", "said"),
    { tag: "UnknownServiceError" }
  ),
  same(
    "a registration token that has expired",
    response(400, {
      __type: `${namespace}#ExpiredTokenException`,
      message: "The submitted registration token has expired"
    }),
    failed("ExpiredTokenException", "The submitted registration token has expired"),
    { operation: "ResolveCustomer" }
  ),
  same(
    "an AWS session that has expired, any operation",
    response(400, { __type: "ExpiredTokenException", message: "said" }),
    failed("ExpiredTokenException", "said"),
    { tag: "CredentialsExpiredError" }
  ),
  same(
    "an AWS session that has expired, ResolveCustomer, by its namespace",
    response(400, { __type: "com.amazon.coral.service#ExpiredTokenException", message: "said" }),
    failed("ExpiredTokenException", "said"),
    { operation: "ResolveCustomer", tag: "CredentialsExpiredError" }
  ),
  same(
    "an AWS session that has expired, ResolveCustomer, by its text",
    response(400, {
      __type: "ExpiredTokenException",
      message: "The security token included in the request is expired"
    }),
    failed("ExpiredTokenException", "The security token included in the request is expired"),
    { operation: "ResolveCustomer", tag: "CredentialsExpiredError" }
  ),
  same(
    "Retry-After in seconds",
    response(400, { __type: "ThrottlingException", message: rateExceeded }, { "retry-after": "3" }),
    throttled,
    { otherFields: { retryAfterMillis: 3000 } }
  ),
  same(
    "x-amz-retry-after in milliseconds",
    response(
      500,
      { __type: "InternalServiceErrorException" },
      { "x-amz-retry-after": "1500", "retry-after": "3" }
    ),
    failed("InternalServiceErrorException", undefined, 500),
    { otherFields: { retryAfterMillis: 1500 } }
  ),
  same(
    "a client's exception with 500",
    response(500, { __type: "ThrottlingException", message: rateExceeded }),
    failed("ThrottlingException", rateExceeded, 500)
  ),
  same(
    "a server's exception with 400",
    response(400, { __type: "InternalServiceErrorException" }),
    failed("InternalServiceErrorException")
  ),
  same(
    "the id in x-amzn-request-id",
    {
      ...response(400, { __type: "ThrottlingException" }),
      headers: { "x-amzn-request-id": "other-id" }
    },
    { ...failed("ThrottlingException"), requestId: "other-id" }
  ),
  same(
    "the id in x-amz-request-id",
    {
      ...response(400, { __type: "ThrottlingException" }),
      headers: { "x-amz-request-id": "other-id" }
    },
    { ...failed("ThrottlingException"), requestId: "other-id" }
  ),
  same(
    "no id",
    { ...response(400, { __type: "ThrottlingException" }), headers: {} },
    { ...failed("ThrottlingException"), requestId: undefined }
  ),
  differs(
    "an id as long as a token",
    response(400, { __type: "ThrottlingException" }, { "x-amzn-requestid": "x".repeat(500) }),
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
  ours: unexpectedResponse(status),
  sdk: failed("Unknown", undefined, status)
})

const unparsable = (status: number) => ({
  differs:
    "the SDK throws a SyntaxError; ours says that this is not the service, with status and content type",
  ours: unexpectedResponse(status),
  sdk: { error: "SyntaxError", status }
})

/** Errors from other servers. */
const unrecognizedErrors: ReadonlyArray<ResponseCase> = [
  differs("400 and an empty body", response(400, ""), unknown(400)),
  differs("500 and an empty object", response(500, {}), unknown(500), {
    otherFields: { isRetryable: true }
  }),
  differs("400 and a message without a code", response(400, { message: "said" }), {
    ...unknown(400),
    sdk: failed("Unknown", "said")
  }),
  differs("400 and null", response(400, "null"), unknown(400)),
  differs("400 and a number", response(400, "17"), unknown(400)),
  differs("400 and a string", response(400, '"ThrottlingException"'), unknown(400)),
  differs("400 and a list", response(400, [{ __type: "ThrottlingException" }]), unknown(400)),
  differs("429 and an empty body", response(429, ""), unknown(429), {
    otherFields: { isRetryable: true, isThrottling: true }
  }),
  differs("503 and an empty body", response(503, ""), unknown(503), {
    otherFields: { isRetryable: true, isThrottling: false }
  }),
  differs("403 and HTML", html(403), unparsable(403), {
    otherFields: { contentType: "text/html", isRetryable: false }
  }),
  differs("404 and HTML", html(404), unparsable(404)),
  differs("502 and HTML", html(502), unparsable(502), { otherFields: { isRetryable: true } }),
  differs(
    "503 and text",
    response(503, "upstream connect error", { "content-type": "text/plain" }),
    unparsable(503)
  ),
  differs(
    "400 and JSON that is cut off",
    response(400, '{"__type":"ThrottlingExc'),
    unparsable(400)
  ),
  differs("400 and blanks", response(400, " \n"), unparsable(400)),
  differs(
    "an exception behind a byte order mark",
    response(400, '\ufeff{"__type":"ThrottlingException","message":"Rate exceeded"}'),
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
    response(301, "", { location: "https://login.example.com/" }),
    unknown(301)
  ),
  differs("302 and HTML", html(302), unparsable(302)),
  differs("304", response(304, ""), unknown(304)),
  differs(
    "307 to somewhere else",
    response(307, "", { location: "https://login.example.com/" }),
    unknown(307)
  ),
  same(
    "308 with an exception",
    response(308, { __type: "ThrottlingException", message: rateExceeded }),
    failed("ThrottlingException", rateExceeded, 308)
  )
]

const time = 1763987696.789
const date = new Date(1763987696789)
const echoedRecord = { Timestamp: time, Dimension: "d", Quantity: 3, CustomerIdentifier: "c" }
const decodedRecord = { ...echoedRecord, Timestamp: date }
const successResult = { UsageRecord: echoedRecord, MeteringRecordId: "m", Status: "Success" }
const decodedResult = { ...successResult, UsageRecord: decodedRecord }

/** Valid and nearly valid responses of the service. */
const successes: ReadonlyArray<ResponseCase> = [
  ...allOperations.map(({ wireResponse: answer, name }) => {
    // times are dates in the SDK
    const withDates = JSON.parse(JSON.stringify(answer), (key, value) =>
      /Timestamp$/.test(key) ? new Date(value * 1000) : value
    )
    return same(
      `${name}: an answer`,
      ok(answer),
      success(
        Object.fromEntries(
          Object.entries(withDates).filter(
            ([, value]) => !(Array.isArray(value) && value.length === 0)
          )
        )
      ),
      { operation: name }
    )
  }),
  same("an empty body", ok(""), success({})),
  incompleteSuccess("an empty object", "ResolveCustomer", ok({})),
  incompleteSuccess("null", "ResolveCustomer", ok("null")),
  incompleteSuccess("a product without a buyer", "ResolveCustomer", ok({ ProductCode: "p" })),
  incompleteSuccess("an empty object for a signature", "RegisterUsage", ok({})),
  incompleteSuccess("an empty object for a receipt", "MeterUsage", ok({})),
  differs(
    "another's JSON for a receipt",
    ok({ error: "upstream" }),
    {
      differs: "without a receipt there is no success; the SDK leaves out what it does not know",
      ours: unexpectedResponse(200),
      sdk: success({})
    },
    { operation: "MeterUsage" }
  ),
  incompleteSuccess("an empty text for a receipt", "MeterUsage", ok({ MeteringRecordId: "" })),
  incompleteSuccess(
    "a __type that is no exception",
    "MeterUsage",
    ok({ __type: "MeterUsageResult" })
  ),
  ...allOperations.map(({ name }) =>
    differs(
      `${name}: an exception with 200`,
      ok({ __type: `${namespace}#ThrottlingException`, message: rateExceeded }),
      {
        differs: "an exception is one whatever its status; the SDK takes it for an empty success",
        ours: failed("ThrottlingException", rateExceeded, 200),
        sdk: success({ __type: `${namespace}#ThrottlingException`, message: rateExceeded })
      },
      { operation: name, otherFields: { isThrottling: true } }
    )
  ),
  same("201", response(201, { MeteringRecordId: "m" }), success({ MeteringRecordId: "m" }), {
    operation: "MeterUsage",
    otherFields: { statusCode: 201 }
  }),
  incompleteSuccess("204", "MeterUsage", response(204, "")),
  same(
    "another content type",
    ok({ MeteringRecordId: "m" }, { "content-type": "text/plain" }),
    success({ MeteringRecordId: "m" }),
    { operation: "MeterUsage" }
  ),
  same(
    "x-amzn-errortype on a success",
    ok({ MeteringRecordId: "m" }, { "x-amzn-errortype": "Odd" }),
    success({ MeteringRecordId: "m" }),
    { operation: "MeterUsage" }
  ),
  same(
    "unknown members",
    ok({ Results: [{ ...successResult, Novel: 1 }], Novel: { a: [] } }),
    success({ Results: [decodedResult] })
  ),
  same(
    "an unknown status",
    ok({ Results: [{ ...successResult, Status: "OnHold" }] }),
    success({ Results: [{ ...decodedResult, Status: "OnHold" }] })
  ),
  same(
    "missing members",
    ok({ Results: [{ Status: "Success" }, {}] }),
    success({ Results: [{ Status: "Success" }, {}] })
  ),
  same(
    "members that are null",
    ok({
      Results: [{ UsageRecord: null, MeteringRecordId: null, Status: "Success" }],
      UnprocessedRecords: null
    }),
    success({ Results: [{ Status: "Success" }] })
  ),
  same(
    "all records unprocessed",
    ok({ Results: [], UnprocessedRecords: [echoedRecord] }),
    success({ UnprocessedRecords: [decodedRecord] })
  ),
  same(
    "allocations and tags",
    ok({
      UnprocessedRecords: [
        {
          ...echoedRecord,
          UsageAllocations: [{ AllocatedUsageQuantity: 3, Tags: [{ Key: "k", Value: "" }] }]
        }
      ]
    }),
    success({
      UnprocessedRecords: [
        {
          ...decodedRecord,
          UsageAllocations: [{ AllocatedUsageQuantity: 3, Tags: [{ Key: "k", Value: "" }] }]
        }
      ]
    })
  ),
  same(
    "whole seconds",
    ok({ UnprocessedRecords: [{ ...echoedRecord, Timestamp: 1763987696 }] }),
    success({ UnprocessedRecords: [{ ...decodedRecord, Timestamp: new Date(1763987696000) }] })
  ),
  same(
    "seconds as text",
    ok({ Signature: "s", PublicKeyRotationTimestamp: "1763987696.789" }),
    success({ Signature: "s", PublicKeyRotationTimestamp: date }),
    { operation: "RegisterUsage" }
  ),
  same(
    "a time before the epoch",
    ok({ Signature: "s", PublicKeyRotationTimestamp: -1.5 }),
    success({ Signature: "s", PublicKeyRotationTimestamp: new Date(-1500) }),
    { operation: "RegisterUsage" }
  ),
  same(
    "a rotation time of null",
    ok({ Signature: "s", PublicKeyRotationTimestamp: null }),
    success({ Signature: "s" }),
    { operation: "RegisterUsage" }
  ),
  same(
    "a quantity beyond the limit",
    ok({ UnprocessedRecords: [{ ...echoedRecord, Quantity: 2 ** 40 }] }),
    success({ UnprocessedRecords: [{ ...decodedRecord, Quantity: 2 ** 40 }] })
  ),
  same(
    "a record without an identity",
    ok({
      Results: [{ ...successResult, UsageRecord: { Timestamp: time, Dimension: "d", Quantity: 3 } }]
    }),
    success({
      Results: [{ ...decodedResult, UsageRecord: { Timestamp: date, Dimension: "d", Quantity: 3 } }]
    })
  ),
  same(
    "both identities",
    ok({ UnprocessedRecords: [{ ...echoedRecord, CustomerAWSAccountId: "1" }] }),
    success({ UnprocessedRecords: [{ ...decodedRecord, CustomerAWSAccountId: "1" }] })
  ),
  differs(
    "a success with a __type",
    ok({ __type: "MeterUsageResult", MeteringRecordId: "m" }),
    {
      differs: "the SDK keeps unknown members",
      ours: success({ MeteringRecordId: "m" }),
      sdk: success({ __type: "MeterUsageResult", MeteringRecordId: "m" })
    },
    { operation: "MeterUsage" }
  )
]

const dryRun = { ...operations.MeterUsage.fields, dryRun: true }
const dryRunMessage = "Request would have succeeded, but DryRun flag is set."

/** Responses from which our client reads more, or for which it fails. */
const edgeCases: ReadonlyArray<ResponseCase> = [
  differs("blanks", ok(" \r\n"), {
    differs: "as good as empty; the SDK throws a SyntaxError",
    ours: success({}),
    sdk: { error: "SyntaxError" }
  }),
  differs("HTML with 200", html(200), unparsable(200), { otherFields: { isRetryable: true } }),
  differs("JSON that is cut off, with 200", ok('{"Results":[{"Status":"Succ'), unparsable(200), {
    otherFields: { isRetryable: true }
  }),
  differs("a list", ok([]), {
    differs: "not an answer; the SDK takes it for an empty success",
    ours: unexpectedResponse(200),
    sdk: success({})
  }),
  differs("a string", ok('"ok"'), {
    differs: "not an answer; the SDK takes its letters for members",
    ours: unexpectedResponse(200),
    sdk: success({ 0: "o", 1: "k" })
  }),
  differs("a number", ok("17"), {
    differs: "not an answer; the SDK takes it for an empty success",
    ours: unexpectedResponse(200),
    sdk: success({})
  }),
  differs("true", ok("true"), {
    differs: "not an answer; the SDK takes it for an empty success",
    ours: unexpectedResponse(200),
    sdk: success({})
  }),
  differs(
    "a number for an id",
    ok({ MeteringRecordId: 7 }),
    {
      differs: "text is text",
      ours: success({ MeteringRecordId: "7" }),
      sdk: success({ MeteringRecordId: 7 })
    },
    { operation: "MeterUsage" }
  ),
  differs("a status that is false", ok({ Results: [{ ...successResult, Status: false }] }), {
    differs: "no status is not a status",
    ours: success({ Results: [{ UsageRecord: decodedRecord, MeteringRecordId: "m" }] }),
    sdk: success({ Results: [{ ...decodedResult, Status: false }] })
  }),
  differs("an object for a list", ok({ Results: { 0: successResult } }), {
    differs: "a list is a list",
    ours: success({}),
    sdk: success({ Results: { 0: successResult } })
  }),
  differs("a string for a list", ok({ Results: "none" }), {
    differs: "a list is a list",
    ours: success({}),
    sdk: success({ Results: "none" })
  }),
  differs(
    "null among the results",
    ok({ Results: [null, successResult] }),
    {
      differs: "a result is a result; what is none is kept aside, as JSON",
      ours: success({ Results: [decodedResult] }),
      sdk: success({ Results: [null, decodedResult] })
    },
    { otherFields: { unreadable: [null] } }
  ),
  differs(
    "text among the unprocessed records",
    ok({ UnprocessedRecords: ["?", echoedRecord] }),
    {
      differs: "a record is a record; what is none is kept aside, as JSON",
      ours: success({ UnprocessedRecords: [decodedRecord] }),
      sdk: success({ UnprocessedRecords: ["?", decodedRecord] })
    },
    { otherFields: { unreadable: ["?"] } }
  ),
  differs(
    "an unprocessed record without a dimension",
    ok({ UnprocessedRecords: [{ Timestamp: time }, echoedRecord] }),
    {
      differs: "nothing that lacks what a record must have is called one; it is kept aside",
      ours: success({ UnprocessedRecords: [decodedRecord] }),
      sdk: success({ UnprocessedRecords: [{ Timestamp: date }, decodedRecord] })
    },
    { otherFields: { unreadable: [{ Timestamp: time }] } }
  ),
  differs(
    "one odd timestamp among the results",
    ok({
      Results: [
        { ...successResult, UsageRecord: { ...echoedRecord, Timestamp: "soon" } },
        successResult
      ]
    }),
    {
      differs:
        "the SDK throws the whole answer away; ours keeps every status and leaves out one echo",
      ours: success({ Results: [{ MeteringRecordId: "m", Status: "Success" }, decodedResult] }),
      sdk: { error: "TypeError" }
    }
  ),
  differs(
    "a timestamp that is an object",
    ok({ Results: [{ ...successResult, UsageRecord: { ...echoedRecord, Timestamp: {} } }] }),
    {
      differs: "the SDK throws the whole answer away; ours keeps the status",
      ours: success({ Results: [{ MeteringRecordId: "m", Status: "Success" }] }),
      sdk: { error: "TypeError" }
    }
  ),
  differs(
    "a timestamp as an ISO text",
    ok({
      Results: [
        { ...successResult, UsageRecord: { ...echoedRecord, Timestamp: date.toISOString() } }
      ]
    }),
    {
      differs: "a time is a time; the SDK throws",
      ours: success({ Results: [decodedResult] }),
      sdk: { error: "TypeError" }
    }
  ),
  differs(
    "a time that no calendar has",
    ok({ Signature: "s", PublicKeyRotationTimestamp: 1e18 }),
    {
      differs: "the SDK makes an Invalid Date of it",
      ours: success({ Signature: "s" }),
      sdk: success({ Signature: "s", PublicKeyRotationTimestamp: new Date(Number.NaN) })
    },
    { operation: "RegisterUsage" }
  ),
  differs("a record that is a text", ok({ Results: [{ ...successResult, UsageRecord: "?" }] }), {
    differs: "a record is a record",
    ours: success({ Results: [{ MeteringRecordId: "m", Status: "Success" }] }),
    sdk: success({ Results: [{ ...successResult, UsageRecord: "?" }] })
  }),
  differs("a quantity as text", ok({ UnprocessedRecords: [{ ...echoedRecord, Quantity: "3" }] }), {
    differs: "a quantity is a number",
    ours: success({ UnprocessedRecords: [decodedRecord] }),
    sdk: success({ UnprocessedRecords: [{ ...decodedRecord, Quantity: "3" }] })
  }),
  differs("no quantity", ok({ UnprocessedRecords: [{ ...echoedRecord, Quantity: null }] }), {
    differs: "the service's default is said",
    ours: success({ UnprocessedRecords: [{ ...decodedRecord, Quantity: 0 }] }),
    sdk: success({
      UnprocessedRecords: [{ Timestamp: date, Dimension: "d", CustomerIdentifier: "c" }]
    })
  }),
  differs(
    "an empty identity",
    ok({ CustomerIdentifier: "", CustomerAWSAccountId: "111122223333", ProductCode: "p" }),
    {
      differs: "an empty identity is none",
      ours: success({ CustomerAWSAccountId: "111122223333", ProductCode: "p" }),
      sdk: success({
        CustomerIdentifier: "",
        CustomerAWSAccountId: "111122223333",
        ProductCode: "p"
      })
    },
    { operation: "ResolveCustomer" }
  ),
  differs("an empty status", ok({ Results: [{ ...successResult, Status: "" }] }), {
    differs: "no status is not a status",
    ours: success({ Results: [{ UsageRecord: decodedRecord, MeteringRecordId: "m" }] }),
    sdk: success({ Results: [{ ...decodedResult, Status: "" }] })
  }),
  differs(
    "an answer behind a byte order mark",
    ok('\ufeff{"MeteringRecordId":"m"}'),
    {
      differs: "the mark is no part of a text; the SDK throws a SyntaxError",
      ours: success({ MeteringRecordId: "m" }),
      sdk: { error: "SyntaxError" }
    },
    { operation: "MeterUsage" }
  ),
  differs(
    "DryRunOperation for a dry run",
    response(412, { __type: "DryRunOperation", message: dryRunMessage }),
    {
      differs: "a dry run that is permitted is no failure",
      ours: success({ DryRun: true }),
      sdk: failed("DryRunOperation", dryRunMessage, 412)
    },
    { operation: "MeterUsage", fields: dryRun, otherFields: { statusCode: 412 } }
  ),
  differs(
    "200 and DryRunOperation for an id",
    ok({ MeteringRecordId: "DryRunOperation" }),
    {
      differs: "a dry run never looks like a metered record",
      ours: success({ DryRun: true }),
      sdk: success({ MeteringRecordId: "DryRunOperation" })
    },
    { operation: "MeterUsage", fields: dryRun }
  ),
  same(
    "DryRunOperation for a call that was none",
    response(412, { __type: "DryRunOperation", message: dryRunMessage }),
    failed("DryRunOperation", dryRunMessage, 412),
    { operation: "MeterUsage", tag: "UnknownServiceError" }
  ),
  same(
    "a dry run that is not permitted",
    response(400, { __type: "UnauthorizedException", message: "said" }),
    failed("UnauthorizedException", "said"),
    { operation: "MeterUsage", fields: dryRun, tag: "AccessDeniedError" }
  )
]

/** Every answer, by what it is about. */
export const responseCases: Readonly<Record<string, ReadonlyArray<ResponseCase>>> = {
  codes,
  messages,
  modelled,
  common,
  unrecognizedErrors,
  successes,
  oddities: edgeCases
}
