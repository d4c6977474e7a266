import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, DateTime, Duration, Either, Equal, FastCheck, Redacted } from "effect"
import * as BatchMeterUsage from "../../../../src/BatchMeterUsage.js"
import * as awsJson from "../../../../src/internal/protocol/awsJson.js"
import * as MeteringError from "../../../../src/MeteringError.js"
import * as MeterUsage from "../../../../src/MeterUsage.js"
import type { Operation } from "../../../../src/Operation.js"
import * as RegisterUsage from "../../../../src/RegisterUsage.js"
import * as ResolveCustomer from "../../../../src/ResolveCustomer.js"
import type { HttpResponse } from "../../../../src/sandbox/internal/model/serviceResponse.js"
import * as server from "../../../../src/sandbox/internal/protocol/awsJsonServer.js"
import * as UsageRecord from "../../../../src/UsageRecord.js"

const bytes = (text: string) => new TextEncoder().encode(text)
const bodyOf = (response: HttpResponse) => JSON.parse(response.body)

const batch = server.operationCodec(BatchMeterUsage.operation)
const meter = server.operationCodec(MeterUsage.operation)
const resolve = server.operationCodec(ResolveCustomer.operation)
const register = server.operationCodec(RegisterUsage.operation)

describe("a request's body", () => {
  it("is decoded into an instance without applying rules", () => {
    const request = Either.getOrThrow(
      batch.decode(
        bytes(
          JSON.stringify({
            UsageRecords: [{ Timestamp: 1.5, Dimension: "", Quantity: -1.5, LicenseArn: null }, {}]
          })
        )
      )
    )
    assert.instanceOf(request, BatchMeterUsage.BatchMeterUsageRequest)
    assert.instanceOf(request.usageRecords[0], UsageRecord.UsageRecord)
    assert.deepStrictEqual(
      [{ ...request.usageRecords[0] }, { ...request.usageRecords[1] }],
      [{ timestamp: DateTime.unsafeMake(1500), dimension: "", quantity: -1.5 }, { quantity: 0 }]
    )
    assert.notProperty(request, "productCode")
  })

  it("gets no default client token", () => {
    const request = Either.getOrThrow(meter.decode(bytes('{"ProductCode":"p"}')))
    assert.deepStrictEqual({ ...request }, { productCode: "p", usageQuantity: 0, dryRun: false })
  })

  it("redacts the registration token", () => {
    const request = Either.getOrThrow(resolve.decode(bytes('{"RegistrationToken":"abc"}')))
    assert.strictEqual(Redacted.value(request.registrationToken), "abc")
    assert.notInclude(JSON.stringify(request), "abc")
  })

  const odd: ReadonlyArray<readonly [string, string]> = [
    ["{", "The body is not a JSON object."],
    ["null", "The body is not a JSON object."],
    ["[]", "The body is not a JSON object."],
    ['"text"', "The body is not a JSON object."],
    ['{"UsageRecords":{}}', "UsageRecords: expected a list"],
    ['{"UsageRecords":[1]}', "UsageRecords[0]: expected an object"],
    ['{"UsageRecords":[null]}', "UsageRecords[0]: expected not null"],
    ['{"UsageRecords":[{"Dimension":1}]}', "UsageRecords[0].Dimension: expected a string"],
    ['{"UsageRecords":[{},{"Quantity":"1"}]}', "UsageRecords[1].Quantity: expected a number"],
    [
      '{"UsageRecords":[{"Timestamp":1e999}]}',
      "UsageRecords[0].Timestamp: expected a time that a calendar has"
    ],
    [
      '{"UsageRecords":[{"UsageAllocations":[{"Tags":[{"Key":[]}]}]}]}',
      "UsageRecords[0].UsageAllocations[0].Tags[0].Key: expected a string"
    ],
    ['{"ProductCode":{}}', "ProductCode: expected a string"]
  ]
  for (const [body, message] of odd) {
    it(`${body} is a SerializationException`, () => {
      const response = Either.getOrThrow(Either.flip(batch.decode(bytes(body))))
      assert.strictEqual(response.status, 400)
      assert.deepStrictEqual(bodyOf(response), {
        __type: "com.amazon.coral.service#SerializationException",
        message
      })
    })
  }

  it("rejects wrong types in all operations", () => {
    assert.isTrue(Either.isLeft(meter.decode(bytes('{"DryRun":"true"}'))))
    assert.isTrue(Either.isLeft(resolve.decode(bytes('{"RegistrationToken":5}'))))
    assert.isTrue(Either.isLeft(register.decode(bytes('{"PublicKeyVersion":"1"}'))))
  })

  const roundTrip = <Request extends object, Response, E extends MeteringError.ModelledException>(
    operation: Operation<Request, Response, E>
  ) =>
    it(`${operation.name}: the server decodes requests as the client encoded them`, () => {
      const encode = awsJson.requestEncoder(operation)
      const { decode } = server.operationCodec(operation)
      FastCheck.assert(
        FastCheck.property(Arbitrary.make(operation.request), (request) => {
          const decoded = Either.getOrThrow(decode(bytes(encode(request))))
          assert.strictEqual(encode(decoded), encode(request))
        }),
        { numRuns: 30 }
      )
    })
  roundTrip(RegisterUsage.operation)
  roundTrip(ResolveCustomer.operation)
})

describe("a response", () => {
  it("is 200 with its fields, without metadata", () => {
    const timestamp = DateTime.unsafeMake(1500)
    const usageRecord = UsageRecord.make({
      timestamp,
      dimension: "d",
      quantity: 1,
      customerIdentifier: "c"
    })
    const response = batch.encode(
      new BatchMeterUsage.BatchMeterUsageResponse({
        results: [new UsageRecord.UsageRecordResult({ usageRecord, status: "Success" })],
        unprocessedRecords: [usageRecord],
        unreadable: ["x"],
        requestId: "r-1",
        statusCode: 200
      })
    )
    const record = { Timestamp: 1.5, Dimension: "d", Quantity: 1, CustomerIdentifier: "c" }
    assert.deepStrictEqual([response.status, response.requestId], [200, "r-1"])
    assert.deepStrictEqual(bodyOf(response), {
      Results: [{ UsageRecord: record, Status: "Success" }],
      UnprocessedRecords: [record]
    })
  })

  it("of a dry run is the DryRunOperation error", () => {
    const response = meter.encode(new MeterUsage.DryRunResponse({ dryRun: true, requestId: "r-1" }))
    assert.deepStrictEqual([response.status, response.requestId], [400, "r-1"])
    assert.strictEqual(bodyOf(response).__type, "com.amazon.coral.service#DryRunOperation")
  })

  it("is decoded by the client to an equal response", () => {
    const original = new ResolveCustomer.ResolveCustomerResponse({
      customerAWSAccountId: "1",
      productCode: "p",
      requestId: "r-1",
      statusCode: 200
    })
    const { body, requestId, status } = resolve.encode(original)
    const back = awsJson.responseDecoder(ResolveCustomer.operation)(
      { status, body, headers: { "x-amzn-requestid": requestId } },
      (text) => text
    )
    assert.isTrue(Equal.equals(back, Either.right(original)))
  })
})

// ---------------------------------------------------------------------------------------------------
// errors
// ---------------------------------------------------------------------------------------------------

const violating = (...rules: ReadonlyArray<MeteringError.Violation["rule"]>) => {
  const [first, ...others] = rules.map((rule) => ({ field: "f", rule, expected: "other" }))
  return new MeteringError.InvalidInputError({
    violations: [first ?? { field: "f", rule: "type", expected: "other" }, ...others]
  })
}

describe("an error of the model", () => {
  const all = <Request extends object, Response, E extends MeteringError.ModelledException, A>(
    operation: Operation<Request, Response, E, A>
  ) => {
    for (const Exception of operation.exceptions) {
      it(`${operation.name}: ${Exception._tag} is decoded by the client to the same exception`, () => {
        const statusCode = Exception._tag === "InternalServiceErrorException" ? 500 : 400
        const error = new Exception({
          operation: operation.name,
          serviceMessage: "words",
          requestId: "r-1",
          // does not decide the status of the response
          statusCode: 409
        })
        const response = server.operationCodec(operation).encodeError(error)
        assert.strictEqual(response.status, statusCode)
        assert.deepStrictEqual(bodyOf(response), {
          __type: `com.amazonaws.marketplacemetering#${Exception._tag}`,
          message: "words"
        })
        const back = awsJson.responseDecoder(operation)(
          {
            status: response.status,
            body: response.body,
            headers: { ...response.headers, "x-amzn-requestid": response.requestId }
          },
          (text) => text
        )
        assert.isTrue(Either.isLeft(back) && back.left instanceof Exception)
        assert.deepInclude(Either.getOrThrow(Either.flip(back)), {
          operation: operation.name,
          requestId: "r-1",
          serviceMessage: "words"
        })
      })
    }
  }
  all(BatchMeterUsage.operation)
  all(MeterUsage.operation)
  all(RegisterUsage.operation)
  all(ResolveCustomer.operation)
})

describe("a validation error", () => {
  const cases: ReadonlyArray<
    readonly [
      rule: MeteringError.Violation["rule"],
      encode: (error: MeteringError.InvalidInputError) => HttpResponse,
      code: string
    ]
  > = [
    ["productCode", batch.encodeError, "InvalidProductCodeException"],
    ["productCodeOrLicense", batch.encodeError, "InvalidProductCodeException"],
    ["productCode", meter.encodeError, "InvalidProductCodeException"],
    ["productCode", register.encodeError, "InvalidProductCodeException"],
    ["dimension", batch.encodeError, "InvalidUsageDimensionException"],
    ["dimension", meter.encodeError, "InvalidUsageDimensionException"],
    ["tagCount", batch.encodeError, "InvalidTagException"],
    ["tagKey", meter.encodeError, "InvalidTagException"],
    ["tagValue", batch.encodeError, "InvalidTagException"],
    ["allocationCount", batch.encodeError, "InvalidUsageAllocationsException"],
    ["allocationSum", meter.encodeError, "InvalidUsageAllocationsException"],
    ["allocationTagSets", batch.encodeError, "InvalidUsageAllocationsException"],
    ["allocationTagKeys", batch.encodeError, "InvalidUsageAllocationsException"],
    ["customerIdentifier", batch.encodeError, "InvalidCustomerIdentifierException"],
    ["customerAWSAccountId", batch.encodeError, "InvalidCustomerIdentifierException"],
    ["oneCustomerIdentity", batch.encodeError, "InvalidCustomerIdentifierException"],
    ["licenseArn", batch.encodeError, "InvalidLicenseException"],
    ["publicKeyVersion", register.encodeError, "InvalidPublicKeyVersionException"],
    ["registrationToken", resolve.encodeError, "InvalidTokenException"],
    // not among the operation's exceptions, or without an exception
    ["licenseArn", meter.encodeError, "ValidationException"],
    ["recordCount", batch.encodeError, "ValidationException"],
    ["quantity", batch.encodeError, "ValidationException"],
    ["clientToken", meter.encodeError, "ValidationException"],
    ["nonce", register.encodeError, "ValidationException"],
    ["required", batch.encodeError, "ValidationException"],
    ["type", batch.encodeError, "ValidationException"]
  ]
  for (const [rule, encode, code] of cases) {
    it(`${rule} is ${code}`, () => {
      const response = encode(violating(rule, "dimension"))
      assert.strictEqual(response.status, 400)
      const namespace =
        code === "ValidationException"
          ? "com.amazon.coral.service"
          : "com.amazonaws.marketplacemetering"
      assert.strictEqual(bodyOf(response).__type, `${namespace}#${code}`)
    })
  }

  it("has the message of the service, without the value", () => {
    const error = Either.getOrThrow(
      Either.flip(
        BatchMeterUsage.makeEither({
          productCode: "p",
          usageRecords: [
            {
              timestamp: DateTime.unsafeMake(0),
              dimension: "d",
              quantity: -4711,
              customerIdentifier: "c"
            }
          ]
        })
      )
    )
    assert.strictEqual(
      bodyOf(batch.encodeError(error)).message,
      "1 validation error detected: Value at 'usageRecords.1.member.quantity' failed to satisfy constraint: Member must be a whole number from 0 to 2147483647"
    )
  })
})

describe("an error outside the model", () => {
  const operation = "BatchMeterUsage"
  const endpoint = "https://user:secret@example.com"
  const internal = {
    status: 500,
    type: "com.amazonaws.marketplacemetering#InternalServiceErrorException"
  }
  const coral = (code: string, status: number) => ({
    status,
    type: `com.amazon.coral.service#${code}`
  })
  const cases: ReadonlyArray<
    readonly [MeteringError.CommonError, { readonly status: number; readonly type: string }]
  > = [
    [
      new MeteringError.UnknownServiceError({ operation, code: "Odd", statusCode: 418 }),
      coral("Odd", 418)
    ],
    [new MeteringError.UnknownServiceError({ operation, code: "Odd" }), coral("Odd", 400)],
    [
      new MeteringError.UnknownServiceError({ operation, code: "Odd", statusCode: 302 }),
      coral("Odd", 400)
    ],
    [
      new MeteringError.CredentialsExpiredError({
        operation,
        code: "ExpiredTokenException",
        statusCode: 400
      }),
      coral("ExpiredTokenException", 400)
    ],
    [
      new MeteringError.CredentialsRejectedError({
        operation,
        code: "InvalidSignatureException",
        statusCode: 403
      }),
      coral("InvalidSignatureException", 403)
    ],
    [
      new MeteringError.AccessDeniedError({
        operation,
        code: "AccessDeniedException",
        statusCode: 400
      }),
      coral("AccessDeniedException", 400)
    ],
    [
      new MeteringError.ClockSkewError({ operation, code: "RequestExpired", statusCode: 400 }),
      coral("RequestExpired", 400)
    ],
    [
      new MeteringError.ConnectionError({
        operation,
        endpoint,
        reason: "ECONNREFUSED",
        delivery: "notSent"
      }),
      internal
    ],
    [
      new MeteringError.RequestTimeoutError({ operation, endpoint, timeout: Duration.seconds(1) }),
      internal
    ],
    [
      new MeteringError.CredentialsError({ operation, tried: ["secret place"], reason: "secret" }),
      internal
    ],
    [
      new MeteringError.UnexpectedResponseError({ operation, bodyLength: 3, statusCode: 200 }),
      internal
    ]
  ]
  for (const [error, { status, type }] of cases) {
    it(`${error._tag} is ${type} with ${status}`, () => {
      const response = batch.encodeError(error)
      assert.deepStrictEqual([response.status, bodyOf(response).__type], [status, type])
      assert.notInclude(response.body, "secret")
    })
  }
})

describe("retry-after", () => {
  const cases: ReadonlyArray<readonly [Duration.DurationInput, Record<string, string>]> = [
    ["2 seconds", { "retry-after": "2" }],
    ["1500 millis", { "retry-after": "2", "x-amz-retry-after": "1500" }],
    ["0 millis", { "retry-after": "0" }]
  ]
  for (const [wait, headers] of cases) {
    it(String(wait), () => {
      const response = batch.encodeError(
        new MeteringError.ThrottlingException({
          operation: "BatchMeterUsage",
          retryAfter: Duration.decode(wait)
        })
      )
      assert.deepStrictEqual(response.headers, headers)
    })
  }

  it("is absent by default", () => {
    const response = batch.encodeError(
      new MeteringError.ThrottlingException({ operation: "BatchMeterUsage" })
    )
    assert.deepStrictEqual(response.headers, {})
    assert.deepStrictEqual(bodyOf(response), {
      __type: "com.amazonaws.marketplacemetering#ThrottlingException"
    })
  })
})
