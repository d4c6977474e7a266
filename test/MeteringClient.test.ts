import { FetchHttpClient } from "@effect/platform"
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type * as AwsCredentials from "effect-marketplace-metering/AwsCredentials"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as MeterUsage from "effect-marketplace-metering/MeterUsage"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import { verifySignature } from "../src/sandbox/internal/protocol/verifySignature.js"
import {
  clientLayer,
  configLayer,
  credentials,
  credentialsLayer,
  freshCredentials,
  secrets
} from "./support/client.js"
import {
  allOperations,
  batchMeterUsage,
  meterUsage,
  operations,
  productCode,
  record,
  registrationToken,
  timestamp
} from "./support/operations.js"
import {
  exceptionResponse,
  failingConnection,
  type SentRequest,
  type Stub,
  stubHttp
} from "./support/stubHttp.js"

/** Returns the credentials that signed a request, if they are among these. */
const signerOf = ({ body, headers }: SentRequest, now: number) => {
  const verified = Effect.runSync(
    verifySignature(
      {
        method: "POST",
        url: "/",
        headers: { host: "metering.marketplace.us-east-1.amazonaws.com", ...headers },
        body
      },
      {
        credentials: (id) => keys.get(id),
        service: "aws-marketplace",
        regions: ["us-east-1"],
        now
      }
    )
  )
  return verified._tag === "Verified" ? verified.accessKeyId : verified.message
}

const keys = new Map([
  ["AKIDEXAMPLE", secrets],
  [
    "AKIDFRESH",
    {
      secretAccessKey: "fReShKEY/K7MDENG+bPxRfiCYEXAMPLEfReShKEY",
      sessionToken: "fReShSessionToken+/0123456789abcdefghijklmnopqrstuvwxyz=="
    }
  ]
])

const now = timestamp.epochMillis

const httpDate = (millis: number) => new Date(millis).toUTCString()

/** Required members of a response, by their wire names. */
const missing: Readonly<Record<string, string>> = {
  MeterUsage: "MeteringRecordId",
  RegisterUsage: "Signature",
  ResolveCustomer: "CustomerAWSAccountId or CustomerIdentifier"
}

describe.each(allOperations)(
  "$name over HTTP",
  ({ wireResponse: answer, call, fields, makeEither, name, response }) => {
    it.effect("is one signed POST in AWS JSON 1.1", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const http = stubHttp({ body: answer })
        yield* Effect.provide(call(), clientLayer(http.layer))
        assert.lengthOf(http.sent, 1)
        const [sent] = http.sent
        assert(sent !== undefined)
        assert.strictEqual(sent.url, "https://metering.marketplace.us-east-1.amazonaws.com/")
        assert.deepInclude(sent.headers, {
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": `AWSMPMeteringService.${name}`,
          "x-amz-date": "20261124T101530Z",
          "x-amz-security-token": secrets.sessionToken
        })
        assert.strictEqual(signerOf(sent, now), "AKIDEXAMPLE")
      })
    )

    it.effect("returns an instance, its request id and its status", () =>
      Effect.gen(function* () {
        const http = stubHttp({ status: 202, body: answer, headers: { "x-amzn-requestid": "r-1" } })
        const answered = yield* Effect.provide(call(), clientLayer(http.layer))
        assert.isTrue(answered instanceof response)
        assert.deepInclude({ ...answered }, { requestId: "r-1", statusCode: 202 })
      })
    )

    it.effect.each([
      "",
      "{}",
      "null",
      " \n",
      '{"error":"upstream"}',
      '{"__type":"Result"}',
      '{"MeteringRecordId":" ","Signature":"\\t","CustomerIdentifier":" "}'
    ])("takes %j for no success, or shows which records it does not account for", (body) =>
      Effect.gen(function* () {
        const outcome = yield* Effect.either(
          Effect.provide(call(), clientLayer(stubHttp({ body }).layer))
        )
        const answered: object = Either.merge(outcome)
        assert.propertyVal(answered, "statusCode", 200)
        if (name === "BatchMeterUsage") {
          assert.instanceOf(answered, BatchMeterUsage.BatchMeterUsageResponse)
          assert.deepStrictEqual(answered.missingRecords, [UsageRecord.make(record)])
          return
        }
        assert.deepInclude(answered, {
          _tag: "UnexpectedResponseError",
          operation: name,
          missing: missing[name],
          bodyLength: body.length,
          isRetryable: true
        })
        assert.strictEqual(
          String(answered).includes("may have been metered"),
          name === "MeterUsage"
        )
      })
    )

    it.effect.each([200, 201, 299])("reads an exception in a body of status %d", (status) =>
      Effect.gen(function* () {
        const http = stubHttp(exceptionResponse("com.amazonaws#ThrottlingException", { status }))
        const error = yield* Effect.flip(Effect.provide(call(), clientLayer(http.layer)))
        assert.deepInclude(error, {
          _tag: "ThrottlingException",
          statusCode: status,
          serviceMessage: "said by the service"
        })
        const received = stubHttp({ status, body: { ...answer, __type: "ThrottlingException" } })
        const answered = yield* Effect.provide(call(), clientLayer(received.layer))
        assert.isTrue(answered instanceof response)
      })
    )

    it.effect("sends the same for a request as for its fields, as a function and as a method", () =>
      Effect.gen(function* () {
        const http = stubHttp({ body: answer })
        const made = yield* makeEither({
          ...fields,
          ...(name === "MeterUsage" && { clientToken: "mine" })
        })
        yield* Effect.gen(function* () {
          const client = yield* MeteringClient.MeteringClient
          const method = `${name.charAt(0).toLowerCase()}${name.slice(1)}` as "meterUsage"
          yield* call(made)
          yield* call({ ...made })
          yield* client[method](made as never)
          yield* client[method]({ ...made } as never)
        }).pipe(Effect.provide(clientLayer(http.layer)))
        assert.lengthOf(http.sent, 4)
        assert.lengthOf(new Set(http.sent.map(({ body }) => body)), 1)
      })
    )

    it.effect("fails for what is not a request at all, and sends nothing", () =>
      Effect.gen(function* () {
        const http = stubHttp({ body: answer })
        for (const input of [null, undefined, 7, "fields", [], () => fields]) {
          const error = yield* Effect.flip(
            Effect.provide(call((input as never) ?? null), clientLayer(http.layer))
          )
          assert.strictEqual(error._tag, "InvalidInputError")
          assert.propertyVal(error, "operation", name)
        }
        assert.lengthOf(http.sent, 0)
      })
    )

    it.effect("fails without credentials, says so of itself, and sends nothing", () =>
      Effect.gen(function* () {
        const http = stubHttp({ body: answer })
        const none = new MeteringError.CredentialsError({
          tried: ["environment"],
          reason: "none set"
        })
        const error = yield* Effect.flip(
          Effect.provide(
            call(),
            clientLayer(http.layer, { credentials: { get: Effect.fail(none) } })
          )
        )
        assert.deepInclude(
          { ...error },
          { _tag: "CredentialsError", operation: name, tried: ["environment"] }
        )
        assert.lengthOf(http.sent, 0)
      })
    )
  }
)

describe("a request is fixed when the function is called", () => {
  it.effect("each run of the effect sends the same client token and time", () =>
    Effect.gen(function* () {
      const http = stubHttp(exceptionResponse("InternalServiceErrorException", { status: 500 }), {})
      const call = MeteringClient.meterUsage({ ...meterUsage, timestamp: yield* DateTime.now })
      yield* Effect.flip(call).pipe(
        Effect.zipRight(TestClock.adjust("1 hour")),
        Effect.zipRight(call),
        Effect.provide(clientLayer(http.layer))
      )
      const [first, second] = http.sent
      assert.match(String(first?.json.ClientToken), /^[0-9a-f-]{36}$/)
      assert.strictEqual(first?.body, second?.body)
      assert.notStrictEqual(first?.headers["x-amz-date"], second?.headers["x-amz-date"])
    })
  )

  it.effect("each call has a client token of its own", () =>
    Effect.gen(function* () {
      const http = stubHttp({})
      yield* Effect.all([
        MeteringClient.meterUsage(meterUsage),
        MeteringClient.meterUsage(meterUsage)
      ]).pipe(Effect.provide(clientLayer(http.layer)))
      const [first, second] = http.sent
      assert.notStrictEqual(first?.json.ClientToken, second?.json.ClientToken)
    })
  )

  it.effect("later changes to the fields are not sent", () =>
    Effect.gen(function* () {
      const http = stubHttp({})
      const tags: [{ key: string; value: string }] = [{ key: "team", value: "search" }]
      const usageAllocations: [object] = [{ allocatedUsageQuantity: 42, tags }]
      const one = { ...record, usageAllocations }
      const fields = { productCode, usageRecords: [one] }
      const client = yield* Effect.provide(MeteringClient.MeteringClient, clientLayer(http.layer))
      const calls = [
        client.batchMeterUsage(fields as never),
        MeteringClient.batchMeterUsage(fields as never)
      ]
      fields.usageRecords.push(one)
      fields.productCode = "other"
      Object.assign(one, { dimension: "other" })
      Object.assign(tags, [{ key: "other", value: "" }])
      usageAllocations.pop()
      for (const call of calls) yield* Effect.provide(call, clientLayer(http.layer))
      for (const { json } of http.sent) {
        assert.deepStrictEqual(json, {
          UsageRecords: [
            {
              Timestamp: 1795515330.789,
              Dimension: "api-calls",
              Quantity: 42,
              CustomerAWSAccountId: "111122223333",
              UsageAllocations: [
                { AllocatedUsageQuantity: 42, Tags: [{ Key: "team", Value: "search" }] }
              ]
            }
          ],
          ProductCode: productCode
        })
      }
      assert.lengthOf(http.sent, 2)
    })
  )
})

describe("request validation", () => {
  it.effect(
    "fields that break a rule fail with record, field, rule and value, and nothing is sent",
    () =>
      Effect.gen(function* () {
        const http = stubHttp({})
        const error = yield* MeteringClient.batchMeterUsage({
          productCode,
          usageRecords: [UsageRecord.make(record), { ...record, quantity: -1 }]
        }).pipe(Effect.flip, Effect.provide(clientLayer(http.layer)))
        assert.strictEqual(error._tag, "InvalidInputError")
        assert.deepInclude(error._tag === "InvalidInputError" ? error.violations[0] : {}, {
          index: 1,
          field: "quantity",
          rule: "quantity",
          value: -1
        })
        assert.include(error.message, "BatchMeterUsage: Nothing was sent. record 1, quantity")
        assert.lengthOf(http.sent, 0)
      })
  )

  it.effect("an instance that was made unchecked is checked all the same", () =>
    Effect.gen(function* () {
      const http = stubHttp({})
      const unchecked = new UsageRecord.UsageRecord({ ...record, quantity: -1 }, true)
      for (const request of [
        { productCode, usageRecords: [unchecked] },
        new BatchMeterUsage.BatchMeterUsageRequest({ productCode, usageRecords: [unchecked] }, true)
      ]) {
        const error = yield* MeteringClient.batchMeterUsage(request).pipe(
          Effect.flip,
          Effect.provide(clientLayer(http.layer))
        )
        assert.strictEqual(error._tag, "InvalidInputError")
      }
      assert.lengthOf(http.sent, 0)
    })
  )

  it.effect("a request of a million bytes is too large, one byte less is not", () =>
    Effect.gen(function* () {
      const http = stubHttp({})
      const tags = (i: number) =>
        Array.from({ length: 5 }, (_, k) => ({
          key: `k${k}`,
          value: `${i}`.padEnd(k === 0 ? 256 : 1, "v")
        }))
      const allocations = Array.from({ length: 1800 }, (_, i) => ({
        allocatedUsageQuantity: 0,
        tags: tags(i)
      }))
      const request = (padding: number) => ({
        productCode: "p",
        usageRecords: [
          { ...record, quantity: 0, usageAllocations: allocations, customerAWSAccountId: "1" },
          {
            ...record,
            quantity: 0,
            usageAllocations: allocations.slice(0, 537),
            customerAWSAccountId: "1"
          },
          ...Array.from({ length: 10 }, (_, i) => ({
            ...record,
            customerAWSAccountId: "7".repeat(1 + Math.min(254, Math.max(0, padding - i * 254)))
          }))
        ]
      })
      const layer = clientLayer(http.layer)
      const send = (padding: number, at = layer) =>
        Effect.either(Effect.provide(MeteringClient.batchMeterUsage(request(padding) as never), at))
      yield* send(0)
      const room = 999_999 - new TextEncoder().encode(http.sent[0]?.body).length
      assert.isTrue(room >= 0 && room < 2540, `${room} bytes left`)
      yield* send(room)
      assert.strictEqual(http.sent[1]?.body.length, 999_999)
      const rejected = yield* send(room + 1)
      assert.lengthOf(http.sent, 2)
      assert.deepInclude(
        rejected._tag === "Left" && rejected.left._tag === "InvalidInputError"
          ? rejected.left.violations[0]
          : {},
        { field: "request", rule: "requestSize", value: 1_000_000 }
      )
      yield* send(room + 1, clientLayer(http.layer, { config: { skipRules: ["requestSize"] } }))
      assert.strictEqual(http.sent[2]?.body.length, 1_000_000)
    })
  )

  it.effect("a request's size is counted in bytes", () =>
    Effect.gen(function* () {
      const http = stubHttp({})
      const wide = { ...record, dimension: "\u{1F600}".repeat(40_000) }
      const error = yield* MeteringClient.batchMeterUsage({
        productCode,
        usageRecords: Array(7).fill(wide)
      }).pipe(
        Effect.flip,
        Effect.provide(clientLayer(http.layer, { config: { skipRules: ["dimension"] } }))
      )
      assert.strictEqual(error._tag, "InvalidInputError")
      assert.lengthOf(http.sent, 0)
    })
  )
})

describe("a dry run", () => {
  const dryRun = (reply: Stub, fields: object = { dryRun: true }) => {
    const http = stubHttp(reply)
    return Effect.map(
      Effect.either(
        Effect.provide(
          operations.MeterUsage.call({ ...meterUsage, ...fields }),
          clientLayer(http.layer)
        )
      ),
      (outcome) => ({ outcome, sent: http.sent })
    )
  }

  it.effect.each<readonly [string, Stub, number]>([
    [
      "a 200 with that word for a record id",
      { body: { MeteringRecordId: "DryRunOperation" } },
      200
    ],
    ["the error DryRunOperation", exceptionResponse("DryRunOperation"), 400],
    [
      "the error DryRunOperation with 412",
      exceptionResponse("com.amazonaws#DryRunOperation", { status: 412 }),
      412
    ]
  ])("is permitted by %s", ([, reply, statusCode]) =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* dryRun(reply)
      const answer = yield* outcome
      assert.instanceOf(answer, MeterUsage.DryRunResponse)
      assert.isTrue(MeterUsage.isDryRun(answer))
      assert.notProperty(answer, "meteringRecordId")
      assert.strictEqual(answer.statusCode, statusCode)
      assert.isTrue(sent[0]?.json.DryRun)
    })
  )

  it.effect.each(["", "{}", "null", '{"error":"upstream"}', '{"MeteringRecordId":" "}'])(
    "is not permitted by a 200 of %j, by which nothing may have been metered",
    (body) =>
      Effect.gen(function* () {
        const { outcome } = yield* dryRun({ body })
        const error = yield* Effect.flip(outcome)
        assert.deepInclude(error, {
          _tag: "UnexpectedResponseError",
          missing: "MeteringRecordId",
          dryRun: true,
          isRetryable: true
        })
        assert.include(error.message, "Sending the same request again is safe.")
        assert.notInclude(error.message, "metered;")
      })
  )

  it.effect("that is lost is not reported as perhaps metered", () =>
    Effect.gen(function* () {
      for (const [fields, isDryRun] of [
        [{ dryRun: true }, true],
        [{ dryRun: false }, false]
      ] as const) {
        const cut = yield* Effect.flip(
          (yield* dryRun(failingConnection("ECONNRESET"), fields)).outcome
        )
        assert.deepInclude(cut, { _tag: "ConnectionError", delivery: "unknown" })
        const late = yield* operations.MeterUsage.call({ ...meterUsage, ...fields }).pipe(
          Effect.provide(clientLayer(stubHttp(() => Effect.never).layer)),
          Effect.flip,
          Effect.fork,
          Effect.tap(() => TestClock.adjust("30 seconds")),
          Effect.flatMap(Fiber.join)
        )
        assert.strictEqual(late._tag, "RequestTimeoutError")
        for (const error of [cut, late]) {
          assert.strictEqual(error.message.includes("may have been metered"), !isDryRun)
          assert.include(error.message.toLowerCase(), "sending the same request again is safe.")
        }
      }
    })
  )

  it.effect("keeps the request id of either response", () =>
    Effect.gen(function* () {
      const headers = { "x-amzn-requestid": "r-1" }
      for (const reply of [{ headers }, exceptionResponse("DryRunOperation", { headers })]) {
        const { outcome } = yield* dryRun(reply)
        assert.propertyVal(yield* outcome, "requestId", "r-1")
      }
    })
  )

  it.effect("fails with AccessDeniedError if not permitted, and with the errors of any call", () =>
    Effect.gen(function* () {
      for (const [code, tag] of [
        ["UnauthorizedException", "AccessDeniedError"],
        ["ThrottlingException", "ThrottlingException"],
        ["InvalidProductCodeException", "InvalidProductCodeException"]
      ] as const) {
        const { outcome } = yield* dryRun(exceptionResponse(code))
        assert.strictEqual(outcome._tag === "Left" && outcome.left._tag, tag)
      }
    })
  )

  it.effect("is not recognized in the response to a call without dryRun", () =>
    Effect.gen(function* () {
      const rejected = yield* dryRun(exceptionResponse("DryRunOperation"), { dryRun: false })
      assert.strictEqual(
        rejected.outcome._tag === "Left" && rejected.outcome.left._tag,
        "UnknownServiceError"
      )
      for (const MeteringRecordId of ["DryRunOperation", " ", "\n"]) {
        const { outcome } = yield* dryRun({ body: { MeteringRecordId } }, {})
        const error = yield* Effect.flip(outcome)
        assert.deepInclude(error, {
          _tag: "UnexpectedResponseError",
          missing: "MeteringRecordId"
        })
        assert.include(error.message, "It may have been metered")
      }
      const metered = yield* dryRun({ body: { MeteringRecordId: "m" } }, {})
      const answer = yield* metered.outcome
      assert.instanceOf(answer, MeterUsage.MeterUsageResponse)
      assert.isFalse(MeterUsage.isDryRun(answer))
      assert.isFalse(metered.sent[0]?.json.DryRun)
    })
  )
})

describe("expired credentials", () => {
  const expired = exceptionResponse("com.amazon.coral.service#ExpiredTokenException", {
    message: "The security token included in the request is expired"
  })

  const calling = (refresh: AwsCredentials.Service["refresh"], ...replies: ReadonlyArray<Stub>) => {
    const http = stubHttp(...replies)
    const asked: Array<AwsCredentials.Credentials> = []
    return operations.BatchMeterUsage.call().pipe(
      Effect.provide(
        clientLayer(http.layer, {
          credentials: {
            refresh: (old) => {
              asked.push(old)
              return refresh(old)
            }
          }
        })
      ),
      Effect.either,
      Effect.map((outcome) => ({ outcome, asked, sent: http.sent }))
    )
  }

  it.effect("are refreshed, and the same request is signed with the fresh ones", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const { asked, outcome, sent } = yield* calling(
        () => Effect.succeed(freshCredentials),
        expired,
        {}
      )
      assert.strictEqual(outcome._tag, "Right")
      assert.deepStrictEqual(asked, [credentials])
      assert.deepStrictEqual(
        sent.map((one) => signerOf(one, now)),
        ["AKIDEXAMPLE", "AKIDFRESH"]
      )
      assert.strictEqual(sent[0]?.body, sent[1]?.body)
    })
  )

  it.effect("are refreshed once only", () =>
    Effect.gen(function* () {
      const { asked, outcome, sent } = yield* calling(
        () => Effect.succeed(freshCredentials),
        expired
      )
      assert.strictEqual(outcome._tag === "Left" && outcome.left._tag, "CredentialsExpiredError")
      assert.lengthOf(asked, 1)
      assert.lengthOf(sent, 2)
    })
  )

  it.effect("that come back as they were are not sent again", () =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* calling((old) => Effect.succeed({ ...old }), expired)
      assert.strictEqual(outcome._tag === "Left" && outcome.left._tag, "CredentialsExpiredError")
      assert.lengthOf(sent, 1)
    })
  )

  it.effect("with a new session token alone are other ones", () =>
    Effect.gen(function* () {
      const { sent } = yield* calling(
        (old) => Effect.succeed({ ...old, sessionToken: freshCredentials.sessionToken }),
        expired,
        {}
      )
      assert.lengthOf(sent, 2)
    })
  )

  it.effect("that cannot be refreshed are still expired, and the error says why", () =>
    Effect.gen(function* () {
      const error = new MeteringError.CredentialsError({ tried: ["sso"], reason: "signed out" })
      const { outcome, sent } = yield* calling(() => Effect.fail(error), expired)
      assert.deepInclude(outcome._tag === "Left" ? { ...outcome.left } : {}, {
        _tag: "CredentialsExpiredError",
        operation: "BatchMeterUsage",
        statusCode: 400,
        refreshError: "signed out"
      })
      assert.lengthOf(sent, 1)
    })
  )

  it.effect("are not refreshed for an expired registration token", () =>
    Effect.gen(function* () {
      const http = stubHttp(
        exceptionResponse("ExpiredTokenException", { message: "The token is expired." })
      )
      const error = yield* operations.ResolveCustomer.call().pipe(
        Effect.flip,
        Effect.provide(
          clientLayer(http.layer, {
            credentials: { refresh: () => Effect.die("asked for others") }
          })
        )
      )
      assert.strictEqual(error._tag, "ExpiredTokenException")
      assert.lengthOf(http.sent, 1)
    })
  )
})

describe("a clock that is off", () => {
  const minute = 60_000

  /** The service's time is so far ahead of this machine's. */
  const skewed = (code: string, ahead: number, message?: string): Stub =>
    exceptionResponse(code, {
      headers: { date: httpDate(now + ahead) },
      ...(message !== undefined && { message })
    })

  const calling = (...replies: ReadonlyArray<Stub>) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const http = stubHttp(...replies)
      const outcome = yield* Effect.either(
        Effect.provide(operations.MeterUsage.call(), clientLayer(http.layer))
      )
      return {
        outcome,
        sent: http.sent,
        dates: http.sent.map(({ headers }) => headers["x-amz-date"])
      }
    })

  it.effect.each<readonly [string, string | undefined]>([
    ["RequestExpired", undefined],
    ["RequestTimeTooSkewed", undefined],
    ["RequestInTheFuture", undefined],
    ["InvalidSignatureException", "Signature expired: 20261124T101530Z is now earlier than ..."],
    ["InvalidSignatureException", "Signature not yet current: ..."],
    ["InvalidSignatureException", "The request signature we calculated does not match"],
    ["SignatureDoesNotMatch", undefined],
    ["AuthFailure", undefined]
  ])("is corrected by the answer's date after %s (%s)", ([code, message]) =>
    Effect.gen(function* () {
      for (const ahead of [2 * 60 * minute, -2 * 60 * minute]) {
        const { dates, outcome, sent } = yield* calling(skewed(code, ahead, message), {})
        assert.strictEqual(outcome._tag, "Right")
        assert.deepStrictEqual(dates, [
          "20261124T101530Z",
          ahead > 0 ? "20261124T121530Z" : "20261124T081530Z"
        ])
        assert.strictEqual(sent[0]?.body, sent[1]?.body)
        assert.strictEqual(sent[1] && signerOf(sent[1], now + ahead), "AKIDEXAMPLE")
      }
    })
  )

  it.effect.each([
    "ThrottlingException",
    "InvalidProductCodeException",
    "AccessDeniedException",
    "UnrecognizedClientException",
    "IncompleteSignature",
    "BrandNewException"
  ])("is not what %s is caused by", (code) =>
    Effect.gen(function* () {
      const { sent } = yield* calling(skewed(code, 60 * minute), {})
      assert.lengthOf(sent, 1)
    })
  )

  it.effect("is corrected from four minutes on, either way", () =>
    Effect.gen(function* () {
      // `Date` has whole seconds
      const fraction = now % 1000
      for (const [ahead, attempts] of [
        [4 * minute - fraction - 1000, 1],
        [4 * minute - fraction + 1000, 2],
        [-4 * minute - fraction + 1000, 1],
        [-4 * minute - fraction, 2]
      ] as const) {
        const { sent } = yield* calling(skewed("RequestTimeTooSkewed", ahead), {})
        assert.lengthOf(sent, attempts, `${ahead} ms ahead`)
      }
    })
  )

  it.effect("is corrected only once, and then reported", () =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* calling(
        skewed("RequestTimeTooSkewed", 60 * minute),
        skewed("RequestTimeTooSkewed", 120 * minute)
      )
      assert.strictEqual(outcome._tag === "Left" && outcome.left._tag, "ClockSkewError")
      assert.lengthOf(sent, 2)
    })
  )

  it.effect("is not corrected by more than a day, for this call or a later one", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      for (const ahead of [25 * 60 * minute, -25 * 60 * minute]) {
        const http = stubHttp(skewed("RequestTimeTooSkewed", ahead), {})
        yield* Effect.gen(function* () {
          const error = yield* Effect.flip(operations.BatchMeterUsage.call())
          assert.strictEqual(error._tag, "ClockSkewError")
          yield* operations.BatchMeterUsage.call()
        }).pipe(Effect.provide(clientLayer(http.layer)))
        assert.deepStrictEqual(
          http.sent.map(({ headers }) => headers["x-amz-date"]),
          Array(2).fill("20261124T101530Z")
        )
      }
    })
  )

  it.effect("is reported at once if the response has no valid date", () =>
    Effect.gen(function* () {
      for (const headers of [
        {},
        { date: "yesterday" },
        { date: "Sat, 13 Sep 275760 00:00:00 GMT" }
      ] as ReadonlyArray<Record<string, string>>) {
        const { outcome, sent } = yield* calling(
          exceptionResponse("RequestTimeTooSkewed", { headers })
        )
        assert.strictEqual(outcome._tag === "Left" && outcome.left._tag, "ClockSkewError")
        assert.lengthOf(sent, 1)
      }
    })
  )

  it.effect("stays corrected for later calls of every operation", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const http = stubHttp(skewed("RequestTimeTooSkewed", 120 * minute), {})
      yield* Effect.forEach(allOperations, ({ call }) => call()).pipe(
        Effect.provide(clientLayer(http.layer))
      )
      assert.deepStrictEqual(
        http.sent.map(({ headers }) => headers["x-amz-date"]),
        ["20261124T101530Z", ...Array(4).fill("20261124T121530Z")]
      )
    })
  )

  it.effect("is corrected for each of several calls that were under way", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const http = stubHttp((sent) =>
        Effect.as(
          Effect.yieldNow(),
          sent.headers["x-amz-date"] === "20261124T121530Z"
            ? {}
            : exceptionResponse("RequestTimeTooSkewed", {
                headers: { date: httpDate(now + 120 * minute) }
              })
        )
      )
      yield* Effect.forEach(allOperations, ({ call }) => call(), { concurrency: "unbounded" }).pipe(
        Effect.provide(clientLayer(http.layer))
      )
      assert.lengthOf(http.sent, 8)
    })
  )

  it.effect("and expired credentials are both recovered in one call", () =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* calling(
        skewed("RequestTimeTooSkewed", 120 * minute),
        exceptionResponse("ExpiredTokenException"),
        {}
      )
      assert.strictEqual(outcome._tag, "Right")
      assert.deepStrictEqual(
        sent.map((one) => signerOf(one, one === sent[0] ? now : now + 120 * minute)),
        ["AKIDEXAMPLE", "AKIDEXAMPLE", "AKIDFRESH"]
      )
    })
  )
})

describe("time", () => {
  it.effect("out is a RequestTimeoutError, and the request is interrupted", () =>
    Effect.gen(function* () {
      let interrupted = false
      const http = stubHttp(() =>
        Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => (interrupted = true))))
      )
      const call = yield* operations.BatchMeterUsage.call().pipe(
        Effect.flip,
        Effect.provide(
          clientLayer(http.layer, { config: { requestTimeout: Duration.seconds(3) } })
        ),
        Effect.fork
      )
      yield* TestClock.adjust(Duration.millis(2999))
      assert.isTrue(Option.isNone(yield* Fiber.poll(call)))
      yield* TestClock.adjust(Duration.millis(1))
      const error = yield* Fiber.join(call)
      assert.deepInclude(
        { ...error },
        {
          _tag: "RequestTimeoutError",
          operation: "BatchMeterUsage",
          endpoint: "https://metering.marketplace.us-east-1.amazonaws.com",
          timeout: Duration.seconds(3)
        }
      )
      assert.isTrue(error.isRetryable)
      assert.isTrue(interrupted)
      assert.lengthOf(http.sent, 1)
    })
  )

  it.effect("is that of each attempt, not of the call", () =>
    Effect.gen(function* () {
      const slowly = (reply: object) => () => Effect.as(Effect.sleep("2 seconds"), reply)
      const http = stubHttp(slowly(exceptionResponse("ExpiredTokenException")), slowly({}))
      const call = yield* operations.BatchMeterUsage.call().pipe(
        Effect.provide(
          clientLayer(http.layer, { config: { requestTimeout: Duration.seconds(3) } })
        ),
        Effect.fork
      )
      yield* TestClock.adjust("4 seconds")
      yield* Fiber.join(call)
      assert.strictEqual(yield* Clock.currentTimeMillis, 4000)
    })
  )
})

describe("connections that fail", () => {
  it.effect.each([
    "ERR_INVALID_CHAR",
    "ERR_INVALID_HTTP_TOKEN",
    "ERR_UNESCAPED_CHARACTERS",
    "UND_ERR_INVALID_ARG"
  ])("by a request that is not begun, %s: nothing was sent, and it is final", (code) =>
    Effect.gen(function* () {
      const http = stubHttp(failingConnection(code))
      const error = yield* Effect.flip(
        Effect.provide(operations.BatchMeterUsage.call(), clientLayer(http.layer))
      )
      assert.deepInclude({ ...error }, { reason: code, delivery: "notSent" })
      assert.isFalse(error.isRetryable)
    })
  )

  it.effect.each([
    ["ECONNREFUSED", "notSent"],
    ["ENOTFOUND", "notSent"],
    ["EAI_AGAIN", "notSent"],
    ["EHOSTUNREACH", "unknown"],
    ["ENETUNREACH", "unknown"],
    ["UND_ERR_CONNECT_TIMEOUT", "notSent"],
    ["EPROTO", "notSent"],
    ["OUT_OF_MEM", "notSent"],
    ["ECONNRESET", "unknown"],
    ["EPIPE", "unknown"],
    ["ETIMEDOUT", "unknown"],
    ["UND_ERR_SOCKET", "unknown"],
    ["UND_ERR_ABORTED", "unknown"],
    // by their names alone, these may have come after the request had left
    ["ERR_SSL_WRONG_VERSION_NUMBER", "unknown"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "unknown"],
    ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "unknown"],
    ["ERR_SSL_UNEXPECTED_EOF_WHILE_READING", "unknown"],
    ["WHAT_ELSE", "unknown"]
  ] as const)("by %s: delivery %s", ([code, delivery]) =>
    Effect.gen(function* () {
      for (const operation of allOperations) {
        const http = stubHttp(failingConnection(code))
        const error = yield* Effect.flip(Effect.provide(operation.call(), clientLayer(http.layer)))
        assert.deepInclude(
          { ...error },
          {
            _tag: "ConnectionError",
            operation: operation.name,
            reason: code,
            delivery,
            endpoint: "https://metering.marketplace.us-east-1.amazonaws.com"
          }
        )
        assert.isTrue(error.isRetryable)
        assert.lengthOf(http.sent, 1)
      }
    })
  )

  // all of https://nodejs.org/api/tls.html#x509-certificate-error-codes but OUT_OF_MEM, and those that Node adds
  it.effect.each(
    `UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_CRL UNABLE_TO_DECRYPT_CERT_SIGNATURE
    UNABLE_TO_DECRYPT_CRL_SIGNATURE UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY CERT_SIGNATURE_FAILURE
    CRL_SIGNATURE_FAILURE CERT_NOT_YET_VALID CERT_HAS_EXPIRED CRL_NOT_YET_VALID CRL_HAS_EXPIRED
    ERROR_IN_CERT_NOT_BEFORE_FIELD ERROR_IN_CERT_NOT_AFTER_FIELD ERROR_IN_CRL_LAST_UPDATE_FIELD
    ERROR_IN_CRL_NEXT_UPDATE_FIELD DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_CHAIN_TOO_LONG CERT_REVOKED
    INVALID_CA PATH_LENGTH_EXCEEDED INVALID_PURPOSE CERT_UNTRUSTED CERT_REJECTED HOSTNAME_MISMATCH
    UNSPECIFIED ERR_TLS_CERT_ALTNAME_INVALID`.split(/\s+/)
  )("by a certificate, %s: nothing was sent, and it is final", (code) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.provide(
          operations.MeterUsage.call(),
          clientLayer(stubHttp(failingConnection(code)).layer)
        )
      )
      assert.deepInclude({ ...error }, { reason: code, delivery: "notSent" })
      assert.isFalse(error.isRetryable)
    })
  )

  it.effect.each([
    ["connect", "notSent"],
    ["getaddrinfo", "notSent"],
    ["read", "unknown"],
    ["write", "unknown"]
  ] as const)("by a host that is out of reach on %s: delivery %s", ([syscall, delivery]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.provide(
          operations.MeterUsage.call(),
          clientLayer(stubHttp(failingConnection("EHOSTUNREACH", syscall)).layer)
        )
      )
      assert.deepInclude(
        { ...error },
        { _tag: "ConnectionError", delivery, reason: "EHOSTUNREACH" }
      )
    })
  )
})

describe("other HttpClients", () => {
  it.effect("one that fails by status is read all the same", () =>
    Effect.gen(function* () {
      const http = stubHttp(
        exceptionResponse("ThrottlingException"),
        { status: 503, body: "<html>" },
        {}
      )
      const layer = clientLayer(
        Layer.succeed(HttpClient.HttpClient, HttpClient.filterStatusOk(http.client))
      )
      const { call } = operations.BatchMeterUsage
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(call()))._tag, "ThrottlingException")
        assert.strictEqual((yield* Effect.flip(call()))._tag, "UnexpectedResponseError")
        yield* call()
      }).pipe(Effect.provide(layer))
    })
  )

  /** `fetch` as it would be called. */
  const fetching = (init: Layer.Layer<never>) => {
    const calls: Array<RequestInit | undefined> = []
    const fetch: typeof globalThis.fetch = async (_, init) => {
      calls.push(init)
      return new Response("{}")
    }
    return Effect.as(
      operations.BatchMeterUsage.call().pipe(
        Effect.provide(clientLayer(FetchHttpClient.layer)),
        Effect.provide(init),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      ),
      calls
    )
  }

  it.effect("fetch does not follow redirects", () =>
    Effect.gen(function* () {
      const [init] = yield* fetching(Layer.empty)
      assert.strictEqual(init?.redirect, "manual")
    })
  )

  it.effect("fetch keeps the app's options beside it", () =>
    Effect.gen(function* () {
      const [init] = yield* fetching(
        Layer.succeed(FetchHttpClient.RequestInit, {
          cache: "no-store"
        }) as unknown as Layer.Layer<never>
      )
      assert.strictEqual(init?.redirect, "manual")
      assert.strictEqual(init?.cache, "no-store")
    })
  )
})

describe("the layer", () => {
  it.effect.each(["http://127.0.0.1:8080/base/", "http://127.0.0.1:8080/base"])(
    "takes endpoint and Region from its configuration: %s",
    (endpoint) =>
      Effect.gen(function* () {
        const http = stubHttp({})
        yield* Effect.provide(
          operations.ResolveCustomer.call(),
          clientLayer(http.layer, {
            config: { region: "eu-west-1", endpoint }
          })
        )
        const [sent] = http.sent
        assert.strictEqual(sent?.url, "http://127.0.0.1:8080/base/")
        assert.include(sent?.headers.authorization, "/eu-west-1/aws-marketplace/aws4_request")
        assert.strictEqual(sent?.json.RegistrationToken, registrationToken)
      })
  )

  it.effect("asks for credentials at each call, and not before", () =>
    Effect.gen(function* () {
      let asked = 0
      const layer = clientLayer(stubHttp({}).layer, {
        credentials: {
          get: Effect.sync(() => {
            asked += 1
            return credentials
          })
        }
      })
      yield* Effect.gen(function* () {
        yield* MeteringClient.MeteringClient
        assert.strictEqual(asked, 0)
        yield* operations.BatchMeterUsage.call()
        yield* operations.BatchMeterUsage.call()
        assert.strictEqual(asked, 2)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("signs without a session token where there is none", () =>
    Effect.gen(function* () {
      const http = stubHttp({})
      const { sessionToken: _, ...longLived } = credentials
      yield* Effect.provide(
        MeteringClient.batchMeterUsage(batchMeterUsage),
        MeteringClient.layer.pipe(
          Layer.provide([
            configLayer(),
            credentialsLayer({ get: Effect.succeed(longLived) }),
            http.layer
          ])
        )
      )
      assert.notProperty(http.sent[0]?.headers, "x-amz-security-token")
      assert.notInclude(http.sent[0]?.headers.authorization, "x-amz-security-token")
    })
  )
})
