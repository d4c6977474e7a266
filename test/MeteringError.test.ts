import { assert, describe, it, vi } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Pretty from "effect/Pretty"
import * as Schema from "effect/Schema"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import type { ExceptionClass } from "effect-marketplace-metering/Operation"
import { clientLayer, credentials } from "./support/client.js"
import { exceptionKinds, type RetryKind } from "./support/exceptionKinds.js"
import {
  allOperations,
  type MeteringOperationName,
  type OperationCase,
  operations
} from "./support/operations.js"
import { exceptionResponse, type Stub, type StubResponse, stubHttp } from "./support/stubHttp.js"

const classes: ReadonlyMap<string, unknown> = new Map(Object.entries(MeteringError))

const classOf = (tag: string) => classes.get(tag) as ExceptionClass<MeteringError.ModelledException>

/** The error of a call when the service always responds so. */
const failure = (operation: OperationCase, ...replies: ReadonlyArray<Stub>) =>
  Effect.provide(
    Effect.flip(operation.call()),
    // the same credentials again: nothing that could be tried once more
    clientLayer(stubHttp(...replies).layer, {
      credentials: { refresh: () => Effect.succeed(credentials) }
    })
  )

/** Of every error, what the service said included. */
const assertReadable = (error: MeteringError.MeteringError, operation: string) => {
  assert.isTrue(error.message.startsWith(`${operation}: `), error.message)
  assert.match(error.message, /^\w+: [A-Z].{20,}/)
  assert.notMatch(error.message, /undefined|\[object|null|NaN/)
}

const assertKind = (error: MeteringError.MeteringError, kind: RetryKind) =>
  assert.deepStrictEqual(
    { isRetryable: error.isRetryable, isThrottling: error.isThrottling },
    { isRetryable: kind !== "final", isThrottling: kind === "throttling" },
    error.message
  )

const every = Object.entries(exceptionKinds).flatMap(([tag, kind]) =>
  allOperations.map((operation) => ({ tag, kind, operation, name: operation.name }))
)

describe("a modelled exception", () => {
  it("is one of 19", () => {
    assert.lengthOf(Object.keys(exceptionKinds), 19)
    assert.sameMembers(
      [...new Set(allOperations.flatMap(({ exceptions }) => exceptions))],
      Object.keys(exceptionKinds)
    )
  })

  // what a service's exception of this name means where the operation does not have it
  const elsewhere = (tag: string) =>
    tag === "ExpiredTokenException" ? "CredentialsExpiredError" : "UnknownServiceError"

  it.effect.each(every)("$tag of $name", ({ kind, operation, tag }) =>
    Effect.gen(function* () {
      for (const code of [
        tag,
        `com.amazonaws.marketplacemetering#${tag}`,
        `${tag}:http://internal/`
      ]) {
        const error = yield* failure(operation, exceptionResponse(code))
        const { _tag } = error
        if (operation.exceptions.includes(tag)) {
          assert.strictEqual(_tag as string, tag)
          assert.instanceOf(error, classOf(tag))
        } else {
          assert.strictEqual(_tag, elsewhere(tag))
          assert.propertyVal(error, "code", tag)
        }
        assertKind(error, kind)
        assert.deepInclude(
          { ...error },
          {
            operation: operation.name,
            statusCode: 400,
            requestId: "1f2e3d4c-0000-4000-8000-00000000c0de",
            serviceMessage: "said by the service"
          }
        )
        assertReadable(error, operation.name)
        assert.include(error.message, "The service says: said by the service")
        assert.include(error.message, "(HTTP 400, request 1f2e3d4c-0000-4000-8000-00000000c0de)")
        assert.instanceOf(error, Error)
      }
    })
  )

  it("has advice of its own", () => {
    const messages = Object.keys(exceptionKinds).map(
      (tag) => new (classOf(tag))({ operation: "MeterUsage" }).message
    )
    assert.lengthOf(new Set(messages), 19)
  })
})

describe("the schema of every error", () => {
  const schemas = [...classes].filter(([, schema]) => Schema.isSchema(schema)) as Array<
    [string, Schema.Schema<object, unknown>]
  >

  it.each(schemas)("%s makes one at random, writes, reads and shows it", (_, schema) => {
    const [encode, decode] = [Schema.encodeSync(schema), Schema.decodeUnknownSync(schema)]
    const show = Pretty.make(schema)
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(schema), (value) => {
        assert.strictEqual(show(decode(encode(value))), show(value))
      }),
      { numRuns: 20 }
    )
  })
})

describe("the class of an error, before there is an instance", () => {
  const unused = Effect.promise(() => {
    vi.resetModules()
    return import("effect-marketplace-metering/MeteringError")
  })

  it.effect("has the name, the schema and the parents of its instances", () =>
    Effect.gen(function* () {
      const { ClockSkewError, ThrottlingException } = yield* unused
      assert.strictEqual(ThrottlingException._tag, "ThrottlingException")
      assert.strictEqual(ThrottlingException.name, "ThrottlingException")
      assert.instanceOf(ThrottlingException.prototype, Error)
      assert.notInstanceOf(new Error(), ThrottlingException)
      assert.strictEqual(
        ThrottlingException.identifier,
        "effect-marketplace-metering/ThrottlingException"
      )
      assert.isTrue(Schema.isSchema(ClockSkewError))
      assert.hasAllKeys(ClockSkewError.fields, [
        ...["_tag", "code", "operation", "statusCode", "requestId"],
        ...["serviceMessage", "retryAfter"]
      ])
    })
  )

  it.effect("decodes, encodes and makes", () =>
    Effect.gen(function* () {
      const { ClockSkewError, CredentialsRejectedError, MeteringConfigError } = yield* unused
      const fields = { operation: "MeterUsage", code: "RequestExpired" } as const
      const decoded = Schema.decodeSync(ClockSkewError)({ _tag: "ClockSkewError", ...fields })
      assert.instanceOf(decoded, ClockSkewError)
      assert.deepStrictEqual(
        Schema.encodeSync(CredentialsRejectedError)(new CredentialsRejectedError(fields)),
        { _tag: "CredentialsRejectedError", ...fields }
      )
      assert.throws(() => MeteringConfigError.make({ reason: 7 as never }), /reason/)
      assert.strictEqual(MeteringConfigError.make({ reason: "no" }).message, "no")
    })
  )

  it.effect("can be extended", () =>
    Effect.gen(function* () {
      const { ThrottlingException } = yield* unused
      class Slowed extends ThrottlingException.extend<Slowed>("Slowed")({
        queue: Schema.String
      }) {}
      class Named extends ThrottlingException {
        readonly queue = "fast"
      }
      const fields = { operation: "MeterUsage" } as const
      for (const error of [new Slowed({ ...fields, queue: "slow" }), new Named(fields)]) {
        assert.instanceOf(error, ThrottlingException)
        assert.isTrue(error.isThrottling)
        assert.match(error.message, /^MeterUsage: Too many calls/)
      }
      assert.isTrue(Schema.is(Named)(new Named(fields)))
    })
  )
})

/** Responses that the model does not have, with the error class of each, for any operation. */
const unmodelled: ReadonlyArray<
  readonly [code: string, tag: MeteringError.CommonError["_tag"], kind: RetryKind, message?: string]
> = [
  ["DryRunOperation", "UnknownServiceError", "final"],
  ["UnauthorizedException", "AccessDeniedError", "final"],
  ["AccessDeniedException", "AccessDeniedError", "final"],
  ["UnrecognizedClientException", "CredentialsRejectedError", "final"],
  ["InvalidSignatureException", "CredentialsRejectedError", "final"],
  ["IncompleteSignature", "CredentialsRejectedError", "final"],
  ["MissingAuthenticationToken", "CredentialsRejectedError", "final"],
  ["SerializationException", "UnknownServiceError", "final"],
  ["ValidationException", "UnknownServiceError", "final"],
  ["UnknownOperationException", "UnknownServiceError", "final"],
  ["CustomerNotSubscribedException", "UnknownServiceError", "final"],
  ["RequestExpired", "ClockSkewError", "final"],
  ["RequestTimeTooSkewed", "ClockSkewError", "final"],
  ["RequestInTheFuture", "ClockSkewError", "final"],
  [
    "InvalidSignatureException",
    "ClockSkewError",
    "final",
    "Signature expired: 20261124T101530Z is now earlier than 20261124T111530Z (20261124T112030Z - 5 min.)"
  ],
  [
    "InvalidSignatureException",
    "ClockSkewError",
    "final",
    "Signature not yet current: 20261124T101530Z is still later than 20261124T091530Z"
  ],
  ["ExpiredToken", "CredentialsExpiredError", "final"],
  ["com.amazon.coral.service#ExpiredTokenException", "CredentialsExpiredError", "final"],
  [
    "ExpiredTokenException",
    "CredentialsExpiredError",
    "final",
    "The security token included in the request is expired"
  ],
  ["BrandNewException", "UnknownServiceError", "final"],
  // near to what throttles, and none of it
  ...[
    "AgreementLimitExceededException",
    "NotThrottlingException",
    "RequestLimitExceededException",
    "RequestSizeLimitExceeded",
    "SlowDownException",
    "ThrottlingPolicyException"
  ].map((code) => [code, "UnknownServiceError", "final"] as const),
  ["RequestTimeout", "UnknownServiceError", "transient"],
  ["RequestTimeoutException", "UnknownServiceError", "transient"],
  ["TimeoutError", "UnknownServiceError", "transient"],
  ...[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "TooManyRequestsException",
    "TransactionInProgressException"
  ].map((code) => [code, "UnknownServiceError", "throttling"] as const)
]

describe("a code that the model does not have", () => {
  it.effect.each(unmodelled)("%s is a %s (%s)", ([code, tag, kind, message]) =>
    Effect.gen(function* () {
      for (const operation of allOperations) {
        const error = yield* failure(
          operation,
          exceptionResponse(code, { ...(message !== undefined && { message }) })
        )
        assert.strictEqual(error._tag, tag)
        assert.propertyVal(error, "code", code.replace(/^.*#/, ""))
        assertKind(error, kind)
        assertReadable(error, operation.name)
        assert.include(error.message, message ?? "said by the service")
      }
    })
  )
})

describe("an ExpiredTokenException", () => {
  const coral = "com.amazon.coral.service#ExpiredTokenException"
  const own = "com.amazonaws.marketplacemetering#ExpiredTokenException"
  const session = "The security token included in the request is expired"

  it.effect.each<readonly [MeteringOperationName, string, string, string]>([
    ["ResolveCustomer", own, "The token is expired.", "ExpiredTokenException"],
    ["ResolveCustomer", "ExpiredTokenException", "The token is expired.", "ExpiredTokenException"],
    ["ResolveCustomer", "ExpiredTokenException", session, "CredentialsExpiredError"],
    ["ResolveCustomer", coral, "The token is expired.", "CredentialsExpiredError"],
    ["ResolveCustomer", coral, session, "CredentialsExpiredError"],
    ["MeterUsage", own, "The token is expired.", "CredentialsExpiredError"],
    ["BatchMeterUsage", "ExpiredTokenException", session, "CredentialsExpiredError"],
    ["RegisterUsage", coral, session, "CredentialsExpiredError"]
  ])("of %s as %s, %s: is a %s", ([name, code, message, tag]) =>
    Effect.gen(function* () {
      const error = yield* failure(operations[name], exceptionResponse(code, { message }))
      assert.strictEqual(error._tag as string, tag)
      assertKind(error, "final")
    })
  )
})

describe("the status of a response", () => {
  it.effect.each([
    [300, "final"],
    [301, "final"],
    [307, "final"],
    [400, "final"],
    [403, "final"],
    [404, "final"],
    [408, "final"],
    [429, "throttling"],
    [500, "transient"],
    [501, "final"],
    [502, "transient"],
    [503, "transient"],
    [504, "transient"]
  ] as const)("%d makes an unknown error %s", ([status, kind]) =>
    Effect.gen(function* () {
      for (const [tag, stub] of [
        ["UnknownServiceError", exceptionResponse("BrandNewException", { status })],
        [
          "UnexpectedResponseError",
          { status, body: "<html>a proxy</html>", headers: { "content-type": "text/html" } }
        ],
        ["UnexpectedResponseError", { status, body: "" }],
        ["UnexpectedResponseError", { status, body: "[1]" }]
      ] satisfies ReadonlyArray<readonly [string, StubResponse]>) {
        const error = yield* failure(operations.BatchMeterUsage, stub)
        assert.strictEqual(error._tag, tag)
        assert.propertyVal(error, "statusCode", status)
        assertKind(error, kind)
        assertReadable(error, "BatchMeterUsage")
      }
    })
  )

  it.effect.each([200, 202, 299])(
    "%d with what cannot be read leaves open what happened",
    (status) =>
      Effect.gen(function* () {
        for (const body of ["<html></html>", '{"Results":', "[]", "7", '"text"']) {
          const error = yield* failure(operations.BatchMeterUsage, { status, body })
          assert.deepInclude(
            { ...error },
            { _tag: "UnexpectedResponseError", statusCode: status, bodyLength: body.length }
          )
          assertKind(error, "transient")
        }
      })
  )

  it.effect("of a redirect that a browser hides is not taken for a success", () =>
    Effect.gen(function* () {
      const error = yield* failure(operations.MeterUsage, { status: 0 })
      assert.strictEqual(error._tag, "UnexpectedResponseError")
      assertKind(error, "final")
    })
  )

  it.effect("does not decide the class of a modelled exception", () =>
    Effect.gen(function* () {
      for (const status of [400, 409, 500, 503]) {
        const error = yield* failure(
          operations.MeterUsage,
          exceptionResponse("IdempotencyConflictException", { status })
        )
        assert.deepInclude(
          { ...error },
          { _tag: "IdempotencyConflictException", statusCode: status }
        )
      }
    })
  )
})

describe("the code of a response is read from", () => {
  const code = "ThrottlingException"

  it.effect.each<readonly [string, StubResponse]>([
    ["__type", { body: { __type: code, code: "Other" }, headers: { "x-amzn-errortype": "Other" } }],
    ["code", { body: { code }, headers: { "x-amzn-errortype": "Other" } }],
    ["Code", { body: { Code: code } }],
    ["CODE after an empty __type", { body: { __type: "", CODE: code } }],
    ["the header, with a body", { body: { message: "m" }, headers: { "x-amzn-errortype": code } }],
    ["the header alone", { body: "", headers: { "x-amzn-errortype": `${code}:http://internal/` } }],
    ["the header, beside HTML", { body: "<html>", headers: { "X-Amzn-ErrorType": `aws#${code}` } }],
    ["a name with a namespace and a URI", { body: { __type: `aws.x#${code}:http://a/#b` } }],
    ["a name with a list after it", { body: { __type: `${code},Other` } }]
  ])("%s", ([, stub]) =>
    Effect.gen(function* () {
      const error = yield* failure(operations.MeterUsage, { status: 400, ...stub })
      assert.strictEqual(error._tag, code)
    })
  )

  it.effect("anything else keeps its full name and message", () =>
    Effect.gen(function* () {
      const error = yield* failure(
        operations.MeterUsage,
        exceptionResponse("com.example#UnheardOfException", {
          message: "as long as it is"
        })
      )
      assert.deepInclude(
        { ...error },
        { code: "UnheardOfException", serviceMessage: "as long as it is" }
      )
    })
  )
})

describe("the service's words are read from", () => {
  const said = (body: object) =>
    Effect.map(
      failure(operations.MeterUsage, {
        status: 400,
        body: { __type: "ThrottlingException", ...body }
      }),
      (error) => ("serviceMessage" in error ? error.serviceMessage : undefined)
    )

  it.effect.each([
    [{ message: "a" }, "a"],
    [{ Message: "a" }, "a"],
    [{ message: "a", Message: "b" }, "a"],
    [{ message: null, Message: "b" }, "b"],
    [{ message: "" }, undefined],
    [{ message: null }, undefined],
    [{ message: { a: 1 } }, undefined],
    [{}, undefined]
  ] as const)("%j: %s", ([body, expected]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* said(body), expected)
    })
  )
})

describe("the request id", () => {
  it.effect.each<readonly [Record<string, string>, string | undefined]>([
    [{ "x-amzn-requestid": "a" }, "a"],
    [{ "x-amzn-RequestId": "a", "x-amz-request-id": "b" }, "a"],
    [{ "x-amzn-request-id": "a" }, "a"],
    [{ "x-amz-request-id": "a" }, "a"],
    [{ "x-amzn-requestid": "a".repeat(60) }, "a".repeat(60)],
    [{ "x-amzn-requestid": "a".repeat(61) }, undefined],
    [{}, undefined]
  ])("of %j is %s", ([headers, requestId]) =>
    Effect.gen(function* () {
      for (const body of ["<html>", { __type: "ThrottlingException" }]) {
        const error = yield* failure(operations.MeterUsage, { status: 400, headers, body })
        assert.strictEqual("requestId" in error ? error.requestId : undefined, requestId)
      }
    })
  )
})

describe("a hint to wait", () => {
  it.effect.each<readonly [Record<string, string>, number | undefined]>([
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "0.5" }, 500],
    [{ "x-amz-retry-after": "1500" }, 1500],
    [{ "x-amz-retry-after": "1500", "retry-after": "7" }, 1500],
    [{ "x-amz-retry-after": "soon", "retry-after": "7" }, 7000],
    [
      { "retry-after": "Tue, 24 Nov 2026 10:15:40 GMT", date: "Tue, 24 Nov 2026 10:15:30 GMT" },
      10_000
    ],
    [{ "retry-after": "-1" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined]
  ])("%j is %s ms", ([headers, millis]) =>
    Effect.gen(function* () {
      for (const stub of [
        exceptionResponse("ThrottlingException", { headers }),
        exceptionResponse("SlowDown", { headers }),
        { status: 503, body: "<html>", headers }
      ]) {
        const error = yield* failure(operations.MeterUsage, stub)
        const hint = "retryAfter" in error ? error.retryAfter : undefined
        assert.deepStrictEqual(hint && Duration.toMillis(hint), millis)
      }
    })
  )
})

describe("errors without a response", () => {
  it("say what happened", () => {
    const timeout = new MeteringError.RequestTimeoutError({
      operation: "MeterUsage",
      endpoint: "https://example.com",
      timeout: Duration.seconds(90)
    })
    assert.strictEqual(
      timeout.message,
      "MeterUsage: No response from https://example.com within 1m 30s. It may have been metered; sending the same request again is safe."
    )
    assertKind(timeout, "transient")
    const connection = new MeteringError.ConnectionError({
      operation: "MeterUsage",
      endpoint: "https://example.com",
      reason: "ECONNRESET",
      delivery: "unknown"
    })
    assert.strictEqual(
      connection.message,
      "MeterUsage: No response from https://example.com: ECONNRESET. It may have been metered; sending the same request again is safe."
    )
    assertKind(connection, "transient")
    const noCredentials = new MeteringError.CredentialsError({
      operation: "MeterUsage",
      tried: ["environment", "profile"],
      reason: "nothing there"
    })
    assert.strictEqual(
      noCredentials.message,
      "MeterUsage: No AWS credentials from environment, profile: nothing there. Nothing was sent."
    )
    assertKind(noCredentials, "final")
    const invalid = new MeteringError.InvalidInputError({
      violations: [
        { field: "dimension", rule: "dimension", expected: "1 to 255 characters", value: "" }
      ]
    })
    assert.strictEqual(
      invalid.message,
      'Nothing was sent. dimension: expected 1 to 255 characters, got "" [dimension]'
    )
    assertKind(invalid, "final")
    assert.strictEqual(
      new MeteringError.MeteringConfigError({ reason: "no Region" }).message,
      "no Region"
    )
  })

  it("list three violations and count the others", () => {
    const violation = { field: "f", rule: "nonce", expected: "e" } as const
    const error = new MeteringError.InvalidInputError({
      violations: [violation, violation, violation, violation, violation]
    })
    assert.match(error.message, /(f: expected e \[nonce\]; ){3}and 2 more$/)
  })
})

describe("what became of a request", () => {
  const certain = (tag: string) =>
    tag === "InternalServiceErrorException" ? "unknown" : "rejected"

  for (const operation of allOperations) {
    it.effect(`${operation.name}: is unknown wherever the service may have done it`, () =>
      Effect.gen(function* () {
        const replies: ReadonlyArray<readonly [StubResponse, MeteringError.Delivery]> = [
          ...operation.exceptions.map((tag) => [exceptionResponse(tag), certain(tag)] as const),
          [exceptionResponse("AccessDeniedException"), "rejected"],
          [exceptionResponse("UnrecognizedClientException"), "rejected"],
          [exceptionResponse("com.amazon.coral.service#ExpiredTokenException"), "rejected"],
          [exceptionResponse("ValidationException"), "rejected"],
          [exceptionResponse("SlowDown", { status: 503 }), "rejected"],
          [exceptionResponse("Anything", { status: 429 }), "rejected"],
          [exceptionResponse("Anything", { status: 408 }), "unknown"],
          [exceptionResponse("RequestTimeout"), "unknown"],
          ...[500, 501, 502, 503, 504, 505, 520, 599].map(
            (status) => [exceptionResponse("Anything", { status }), "unknown"] as const
          ),
          [{ status: 301, body: "" }, "rejected"],
          [{ status: 403, body: "<html>" }, "rejected"],
          [{ status: 408, body: "<html>" }, "unknown"],
          [{ status: 503, body: "<html>" }, "unknown"],
          [{ status: 200, body: "<html>" }, "unknown"]
        ]
        for (const [stub, expected] of replies) {
          const error = yield* failure(operation, stub)
          assert.strictEqual(MeteringError.deliveryOf(error), expected, error.message)
        }
      })
    )
  }

  it("is not sent where nothing has left this machine", () => {
    const operation = "MeterUsage"
    const endpoint = "https://example.com"
    const connection = (delivery: "notSent" | "unknown") =>
      new MeteringError.ConnectionError({ operation, endpoint, reason: "R", delivery })
    assert.deepStrictEqual(
      [
        new MeteringError.InvalidInputError({
          violations: [{ field: "f", rule: "nonce", expected: "e" }]
        }),
        new MeteringError.CredentialsError({ operation, tried: [], reason: "r" }),
        new MeteringError.MeteringConfigError({ reason: "no Region" }),
        connection("notSent"),
        connection("unknown"),
        new MeteringError.RequestTimeoutError({ operation, endpoint, timeout: Duration.seconds(1) })
      ].map(MeteringError.deliveryOf),
      ["notSent", "notSent", "notSent", "notSent", "unknown", "unknown"]
    )
  })
})

describe("words of megabytes", () => {
  // any of these takes hours where the time grows with the square of the length
  it.effect.each<readonly [string, string]>([
    ["white space", " "],
    ["beginnings of a JWT", "eyJ"],
    ["letters", "a"],
    ["commas", ","],
    ["hashes", "#"],
    ["quotes", '"']
  ])("of %s are cut at once", ([, text]) =>
    Effect.gen(function* () {
      // quotes take two characters each
      const long = text.repeat(1_500_000 / text.length)
      for (const code of ["ThrottlingException", `Odd${long}`, `${long}#OddException`]) {
        const stub = exceptionResponse(code, { message: `${long}x` })
        const error = yield* failure(operations.MeterUsage, stub)
        assert.isBelow(error.message.length, 3_000)
        assert.isBelow(JSON.stringify(error).length, 7_000)
      }
    })
  )
})
