/**
 * Checks of the client over HTTP that need only JavaScript, fetch and the package. Each runtime runs them against one
 * sandbox on Node.js.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  AwsCredentials,
  Entitlement,
  MeteringClient,
  MeteringConfig,
  MeteringRetry,
  MeterUsage,
  UsageRecord
} from "effect-marketplace-metering"
import { EntitlementClient, EntitlementConfig } from "effect-marketplace-metering/entitlement"
import { type MeteringOperationName, operations } from "../support/operations.js"
import { control } from "./control.js"
import { expectLike } from "./expectLike.js"

/** URLs of the sandbox, of a stub server for other responses, and of a closed port. */
export interface Endpoints {
  readonly sandbox: string
  readonly stubServer: string
  readonly unreachable: string
}

/** The result of a check, with the `failure` if it failed. */
export interface Result {
  readonly check: string
  readonly failure?: string
}

/** Checks by their titles. */
export type Checks = Readonly<
  Record<string, (context: TestContext) => Effect.Effect<void, unknown>>
>

/** Runs the checks with this HTTP client in sequence. If the first fails, skips the others. */
export const runChecks = (
  checks: Checks,
  http: Layer.Layer<HttpClient.HttpClient>,
  endpoints: Endpoints
): Effect.Effect<ReadonlyArray<Result>> =>
  Effect.gen(function* () {
    const context = makeTestContext(http, endpoints)
    const results: Array<Result> = []
    for (const [check, run] of Object.entries(checks)) {
      const exit = yield* context.sandbox.reset.pipe(
        Effect.zipRight(Effect.suspend(() => run(context))),
        Effect.timeout("20 seconds"),
        Effect.exit
      )
      results.push(Exit.isSuccess(exit) ? { check } : { check, failure: Cause.pretty(exit.cause) })
      if (results.length === 1 && Exit.isFailure(exit)) break
    }
    return results
  })

const makeTestContext = (http: Layer.Layer<HttpClient.HttpClient>, endpoints: Endpoints) => ({
  endpoints,
  sandbox: control(endpoints.sandbox, endpoints.stubServer),
  /** Provides a client with these keys and this configuration. */
  withCredentials:
    (keys: AwsCredentials.Options, config: Partial<MeteringConfig.Options> = {}) =>
    <A, E>(calls: Effect.Effect<A, E, MeteringClient.MeteringClient>) =>
      Effect.provide(calls, clientOf(http, AwsCredentials.layerStatic(keys), endpoints, config)),
  /** Provides a client with this credential provider. */
  withProvider:
    (provider: AwsCredentials.Provider) =>
    <A, E>(calls: Effect.Effect<A, E, MeteringClient.MeteringClient>) =>
      Effect.provide(calls, clientOf(http, AwsCredentials.layerProvider(provider), endpoints, {})),
  /** Provides a client of the entitlement service. */
  withEntitlementClient: <A, E>(calls: Effect.Effect<A, E, EntitlementClient.EntitlementClient>) =>
    Effect.provide(
      calls,
      EntitlementClient.layer.pipe(
        Layer.provide([
          EntitlementConfig.layer({ endpoint: endpoints.sandbox }),
          AwsCredentials.layerStatic(keys),
          http
        ])
      )
    )
})

export type TestContext = ReturnType<typeof makeTestContext>

const clientOf = <E>(
  http: Layer.Layer<HttpClient.HttpClient>,
  credentials: Layer.Layer<AwsCredentials.AwsCredentials, E>,
  { sandbox }: Endpoints,
  config: Partial<MeteringConfig.Options>
) =>
  MeteringClient.layer.pipe(
    Layer.provide([
      MeteringConfig.layer({ region: "us-east-1", endpoint: sandbox, ...config }),
      credentials,
      http
    ])
  )

const keys = { accessKeyId: "sandbox", secretAccessKey: "sandbox" }

const session = {
  accessKeyId: "session",
  secretAccessKey: "session-secret",
  sessionToken: "session-token/+=0123456789"
}

const record = (fields: Partial<UsageRecord.Input> = {}) =>
  Effect.map(DateTime.now, (now) =>
    UsageRecord.make({
      // one hour for all records of a check
      timestamp: DateTime.startOf(now, "hour"),
      dimension: "requests",
      quantity: 7,
      customerAWSAccountId: "111122223333",
      ...fields
    })
  )

const batch = (...usageRecords: ReadonlyArray<UsageRecord.UsageRecord>) =>
  MeteringClient.batchMeterUsage({ productCode: "saas", usageRecords })

/** Reports one record with the quantity 7. */
export const reportOne = Effect.flatMap(record(), (record) => batch(record))

const makeMeterUsage = (fields: Partial<MeterUsage.Input> = {}) =>
  Effect.map(DateTime.now, (timestamp) =>
    MeterUsage.make({
      productCode: "container",
      timestamp,
      usageDimension: "nodes",
      usageQuantity: 3,
      ...fields
    })
  )

/** The standard schedule with short waits. */
const withoutDelay = MeteringRetry.whileRetryable.pipe(Schedule.zipLeft(Schedule.recurs(2)))

/** Retries after two faults, and is billed once. */
const survives =
  (fault: {
    readonly fault: "throttling" | "internalError" | "unavailable" | "cutBefore" | "cutAfter"
  }) =>
  ({ withCredentials, sandbox }: TestContext) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ ...fault, times: 2 })
      const { results } = yield* Effect.flatMap(record(), (record) =>
        Effect.retry(batch(record), withoutDelay)
      ).pipe(withCredentials(keys))
      expectLike(results, [{ status: "Success" }])
      expectLike(yield* sandbox.billed, [7])
      expectLike(
        (yield* sandbox.log).map(({ fault }) => fault),
        [fault.fault, fault.fault, "none"]
      )
    })

/** Decodes each exception of the operation's model to its class. */
const raisesAll =
  (name: MeteringOperationName) =>
  ({ withCredentials, sandbox }: TestContext) =>
    Effect.gen(function* () {
      const { call, exceptions: codes } = operations[name]
      yield* sandbox.setFaults(
        ...codes.map((code) => ({ fault: "rejection" as const, code, message: `said of ${code}` }))
      )
      const errors = yield* Effect.forEach(codes, () => Effect.flip(call())).pipe(
        withCredentials(keys)
      )
      expectLike(
        errors,
        codes.map((code) => ({
          _tag: code,
          operation: name,
          serviceMessage: `said of ${code}`,
          requestId: /^sandbox-/
        }))
      )
    })

/** Checks for each runtime with an HTTP client. */
export const checks: Checks = {
  // -------------------------------------------------------------------------------------------------
  // the operations
  // -------------------------------------------------------------------------------------------------

  "resolves a token repeatedly to the same customer": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const registrationToken = yield* sandbox.mintToken({ productCode: "saas" })
      const resolve = MeteringClient.resolveCustomer({ registrationToken })
      const [first, second] = yield* Effect.zip(resolve, resolve).pipe(withCredentials(keys))
      const known = {
        customerAWSAccountId: "111122223333",
        customerIdentifier: "cust-1",
        productCode: "saas",
        statusCode: 200,
        requestId: /^sandbox-/
      }
      expectLike([first, second], [known, known])
    }),

  "reads entitlements over several pages": ({ withEntitlementClient }) =>
    Effect.gen(function* () {
      const entitlements = yield* EntitlementClient.entitlements({
        productCode: "saas",
        filter: { customerAWSAccountId: ["111122223333"] },
        maxResults: 1
      }).pipe(Stream.runCollect, withEntitlementClient)
      expectLike(Chunk.toReadonlyArray(entitlements), [
        { dimension: "seats", value: { integerValue: 25 } },
        { dimension: "Anfragen/日本 ✓", value: { booleanValue: false } }
      ])
    }),

  "fails with InvalidTokenException for an unknown token": ({ withCredentials }) =>
    Effect.gen(function* () {
      const registrationToken = Redacted.make("unknown")
      const error = yield* MeteringClient.resolveCustomer({ registrationToken }).pipe(
        withCredentials(keys),
        Effect.flip
      )
      expectLike(error, {
        _tag: "InvalidTokenException",
        operation: "ResolveCustomer",
        statusCode: 400,
        requestId: /^sandbox-/,
        isRetryable: false
      })
    }),

  "bills a record once, and a repeat has the same id": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const sent = yield* record()
      const [first, second] = yield* Effect.zip(batch(sent), batch(sent)).pipe(
        withCredentials(keys)
      )
      const echo = first.results[0]?.usageRecord
      expectLike(first, { results: [{ status: "Success", meteringRecordId: /./ }], unreadable: [] })
      expectLike(second.results[0]?.meteringRecordId, first.results[0]?.meteringRecordId)
      expectLike([echo instanceof UsageRecord.UsageRecord, Equal.equals(echo, sent)], [true, true])
      expectLike(yield* sandbox.billed, [7])
    }),

  "returns the status of each record, in the order of the request": ({ withCredentials }) =>
    Effect.gen(function* () {
      const first = yield* record()
      const { results } = yield* Effect.zipRight(
        batch(first),
        batch(
          UsageRecord.make({ ...first, customerAWSAccountId: "222233334444" }),
          first,
          UsageRecord.make({ ...first, quantity: 8 }),
          UsageRecord.make({ ...first, dimension: "seats", quantity: 0 })
        )
      ).pipe(withCredentials(keys))
      expectLike(
        results.map(({ status }) => status),
        ["CustomerNotSubscribed", "Success", "DuplicateRecord", "Success"]
      )
    }),

  "sends allocations, tags, non-ASCII text and fractional seconds unchanged": ({
    withCredentials
  }) =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const sent = yield* record({
        timestamp: DateTime.subtract(now, { millis: (now.epochMillis % 1000) - 789 }),
        dimension: "Anfragen/日本 ✓",
        quantity: 10,
        usageAllocations: [
          { allocatedUsageQuantity: 6, tags: [{ key: "team", value: "search" }] },
          { allocatedUsageQuantity: 4 }
        ]
      })
      const echo = (yield* batch(sent).pipe(withCredentials(keys))).results[0]?.usageRecord
      expectLike(echo?.timestamp.epochMillis, sent.timestamp.epochMillis)
      expectLike(echo && Schema.equivalence(UsageRecord.UsageRecord)(echo, sent), true)
    }),

  "sends 25 records with thousands of allocations": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const usageAllocations = Arr.makeBy(200, (i) => ({
        allocatedUsageQuantity: 1,
        tags: Arr.of({ key: "tenant", value: `tenant-${i}` })
      }))
      const records = yield* Effect.forEach(Array.from({ length: 20 }).keys(), (hours) =>
        record({
          timestamp: DateTime.subtract(now, { hours }),
          quantity: 200,
          usageAllocations
        })
      )
      const { results } = yield* batch(...records).pipe(withCredentials(keys))
      expectLike(
        results,
        records.map(() => ({ status: "Success" }))
      )
      expectLike((yield* sandbox.billed).length, 20)
    }),

  "rejects a call with one invalid record, and bills nothing": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const good = yield* record()
      const unheardOf = yield* record({ dimension: "unheard-of" })
      const late = yield* record({ timestamp: DateTime.subtract(now, { hours: 25 }) })
      const errors = yield* Effect.all([
        Effect.flip(batch(good, unheardOf)),
        Effect.flip(batch(late))
      ]).pipe(withCredentials(keys))
      expectLike(errors, [
        { _tag: "InvalidUsageDimensionException" },
        { _tag: "TimestampOutOfBoundsException" }
      ])
      expectLike(yield* sandbox.billed, [])
    }),

  "reports violations of an invalid request, and sends nothing": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const good = yield* record()
      const error = yield* MeteringClient.batchMeterUsage({
        productCode: "saas",
        usageRecords: [good, { ...good, quantity: -1 }]
      }).pipe(withCredentials(keys), Effect.flip)
      expectLike(error, {
        _tag: "InvalidInputError",
        violations: [{ index: 1, field: "quantity", rule: "quantity", value: -1 }]
      })
      expectLike(yield* sandbox.calls, { BatchMeterUsage: 0 })
    }),

  "sends an invalid request if the rule is skipped": ({ withCredentials }) =>
    Effect.gen(function* () {
      const good = yield* record()
      const error = yield* batch(...Array.from({ length: 26 }, () => good)).pipe(
        withCredentials(keys, { skipRules: ["recordCount"] }),
        Effect.flip
      )
      expectLike(error, { statusCode: 400, requestId: /^sandbox-/ })
    }),

  "meters once over retries": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const request = yield* makeMeterUsage()
      const { clientToken } = request
      const once = MeteringClient.meterUsage(request)
      const otherQuantity = yield* makeMeterUsage({ usageQuantity: 4 })
      const sameToken = yield* makeMeterUsage({ usageQuantity: 5, clientToken })
      const [first, second, ...errors] = yield* Effect.all([
        once,
        once,
        Effect.flip(MeteringClient.meterUsage(otherQuantity)),
        Effect.flip(MeteringClient.meterUsage(sameToken))
      ]).pipe(withCredentials(keys))
      expectLike(clientToken, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
      expectLike(first, { meteringRecordId: /./, statusCode: 200 })
      expectLike(second, { meteringRecordId: Reflect.get(first, "meteringRecordId") })
      expectLike(errors, [
        { _tag: "DuplicateRequestException" },
        { _tag: "IdempotencyConflictException" }
      ])
      expectLike(yield* sandbox.billed, [3])
    }),

  "returns a DryRunResponse for a dry run, and meters nothing": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const answer = yield* MeteringClient.meterUsageDryRun(yield* makeMeterUsage()).pipe(
        withCredentials(keys)
      )
      expectLike([MeterUsage.isDryRun(answer), "meteringRecordId" in answer], [true, false])
      expectLike(yield* sandbox.billed, [])
    }),

  "registers with a verifiable response": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const request = { productCode: "container", publicKeyVersion: 1, nonce: "instance-7" }
      const { signature } = yield* MeteringClient.registerUsage(request).pipe(withCredentials(keys))
      const publicKey = yield* sandbox.publicKey
      expectLike(yield* Entitlement.verify(signature, { ...request, publicKey }), request)
      const forged = yield* Entitlement.verify(signature, {
        ...request,
        nonce: "instance-8",
        publicKey
      }).pipe(Effect.either)
      expectLike(Either.isLeft(forged), true)
      const error = yield* MeteringClient.registerUsage({ ...request, publicKeyVersion: 9 }).pipe(
        withCredentials(keys),
        Effect.flip
      )
      expectLike(error, { _tag: "InvalidPublicKeyVersionException" })
    }),

  "runs 20 calls concurrently": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const records = yield* Effect.forEach(Array.from({ length: 20 }).keys(), (i) =>
        record({ quantity: i, customerAWSAccountId: "222233334444" })
      )
      const answers = yield* Effect.forEach(records, (record) => batch(record), {
        concurrency: "unbounded"
      }).pipe(withCredentials(keys))
      expectLike(
        answers.map(({ results }) => results[0]?.usageRecord?.quantity),
        records.map(({ quantity }) => quantity)
      )
      expectLike(yield* sandbox.calls, { BatchMeterUsage: 20 })
    }),

  // -------------------------------------------------------------------------------------------------
  // errors of the service
  // -------------------------------------------------------------------------------------------------

  "decodes each exception of MeterUsage": raisesAll("MeterUsage"),
  "decodes each exception of BatchMeterUsage": raisesAll("BatchMeterUsage"),
  "decodes each exception of RegisterUsage": raisesAll("RegisterUsage"),
  "decodes each exception of ResolveCustomer": raisesAll("ResolveCustomer"),

  "returns UnknownServiceError for an unknown code": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "rejection", code: "BrandNewException" })
      expectLike(yield* reportOne.pipe(withCredentials(keys), Effect.flip), {
        _tag: "UnknownServiceError",
        code: "BrandNewException"
      })
    }),

  "has retryAfter on a throttled call": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "throttling", retryAfter: 2000 })
      expectLike(yield* reportOne.pipe(withCredentials(keys), Effect.flip), {
        _tag: "ThrottlingException",
        isRetryable: true,
        isThrottling: true,
        retryAfter: { value: { millis: 2000 } }
      })
    }),

  "waits for Retry-After": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "throttling", retryAfter: 1000 })
      const quick = MeteringRetry.backoff({ base: 1, throttledBase: 1 })
      const [took] = yield* Effect.timed(Effect.retry(reportOne, quick)).pipe(withCredentials(keys))
      expectLike(Duration.greaterThan(took, "990 millis"), true)
      expectLike(yield* sandbox.billed, [7])
    }),

  "recovers from throttling": survives({ fault: "throttling" }),
  "recovers from internal errors": survives({ fault: "internalError" }),
  "recovers from an HTML page of a load balancer": survives({ fault: "unavailable" }),

  "returns unprocessed records": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "unprocessed", share: 0.5 })
      const first = yield* record()
      const second = UsageRecord.make({ ...first, dimension: "seats" })
      const answer = yield* batch(first, second).pipe(withCredentials(keys))
      expectLike(answer, { results: [{ status: "Success" }], unprocessedRecords: [{}] })
      const again = yield* batch(...answer.unprocessedRecords).pipe(withCredentials(keys))
      expectLike(again, { results: [{ status: "Success" }], unprocessedRecords: [] })
    }),

  // -------------------------------------------------------------------------------------------------
  // credentials and clocks
  // -------------------------------------------------------------------------------------------------

  "signs with a session token": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* reportOne.pipe(withCredentials(session))
      expectLike(yield* sandbox.log, [{ accessKeyId: "session" }])
      expectLike(yield* sandbox.billed, [7])
    }),

  "fails with a wrong secret, and bills nothing": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      const error = yield* reportOne.pipe(
        withCredentials({ ...keys, secretAccessKey: "wrong" }),
        Effect.flip
      )
      expectLike(error, { _tag: "CredentialsRejectedError", code: "InvalidSignatureException" })
      expectLike(yield* sandbox.billed, [])
    }),

  "names the missing permission": ({ withCredentials }) =>
    Effect.gen(function* () {
      const error = yield* reportOne.pipe(
        withCredentials({ accessKeyId: "limited", secretAccessKey: "limited-secret" }),
        Effect.flip
      )
      expectLike(error, { _tag: "AccessDeniedError", message: /aws-marketplace:BatchMeterUsage/ })
    }),

  "refreshes expired credentials once and retries": ({ withProvider, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "expiredCredentials" })
      let asked = 0
      yield* reportOne.pipe(withProvider(async () => (asked++ === 0 ? keys : session)))
      expectLike(asked, 2)
      expectLike(yield* sandbox.log, [
        { accessKeyId: "sandbox", fault: "expiredCredentials" },
        { accessKeyId: "session", fault: "none" }
      ])
    }),

  "distinguishes expired credentials from an expired token": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "expiredCredentials", times: 2 })
      const registrationToken = yield* sandbox.mintToken({ productCode: "saas" })
      const error = yield* MeteringClient.resolveCustomer({ registrationToken }).pipe(
        withCredentials(keys),
        Effect.flip
      )
      expectLike(error, { _tag: "CredentialsExpiredError", operation: "ResolveCustomer" })
    }),

  "corrects a slow clock": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "clockSkew", ahead: 600_000, times: 2 })
      yield* reportOne.pipe(withCredentials(keys))
      expectLike(yield* sandbox.billed, [7])
      expectLike((yield* sandbox.log).length, 2)
    }),

  "corrects a fast clock": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "clockSkew", behind: 600_000, times: 2 })
      yield* reportOne.pipe(withCredentials(keys))
      expectLike(yield* sandbox.billed, [7])
    }),

  // -------------------------------------------------------------------------------------------------
  // the network
  // -------------------------------------------------------------------------------------------------

  "fails with ConnectionError for a closed port": ({ withCredentials, endpoints }) =>
    Effect.gen(function* () {
      const error = yield* reportOne.pipe(
        withCredentials(keys, { endpoint: endpoints.unreachable }),
        Effect.flip
      )
      expectLike(error, {
        _tag: "ConnectionError",
        endpoint: endpoints.unreachable,
        isRetryable: true
      })
    }),

  "reports notSent for a refused connection": ({ withCredentials, endpoints }) =>
    Effect.gen(function* () {
      const error = yield* reportOne.pipe(
        withCredentials(keys, { endpoint: endpoints.unreachable }),
        Effect.flip
      )
      expectLike(error, { delivery: "notSent" })
    }),

  "recovers from cut connections": survives({ fault: "cutBefore" }),
  "bills once if responses are lost": survives({ fault: "cutAfter" }),

  "reports unknown delivery for a cut connection": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "cutAfter" })
      const request = yield* record()
      const error = yield* batch(request).pipe(withCredentials(keys), Effect.flip)
      expectLike(error, { _tag: "ConnectionError", delivery: "unknown", isRetryable: true })
      expectLike(yield* sandbox.billed, [7])
      expectLike((yield* batch(request).pipe(withCredentials(keys))).results, [
        { status: "Success" }
      ])
      expectLike(yield* sandbox.billed, [7])
    }),

  "makes one attempt per call, also over a kept-alive connection": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "none" }, { fault: "cutAfter" })
      const error = yield* Effect.zipRight(reportOne, reportOne).pipe(
        withCredentials(keys),
        Effect.flip
      )
      expectLike(error, { _tag: "ConnectionError" })
      expectLike((yield* sandbox.log).length, 2)
    }),

  "times out a call without a response": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "latency", duration: 10_000 })
      const error = yield* reportOne.pipe(
        withCredentials(keys, { requestTimeout: "200 millis" }),
        Effect.flip
      )
      expectLike(error, { _tag: "RequestTimeoutError", isRetryable: true })
    }),

  "times out a call with a slow body": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "slowBody", duration: 10_000 })
      const error = yield* reportOne.pipe(
        withCredentials(keys, { requestTimeout: "300 millis" }),
        Effect.flip
      )
      expectLike(error, { _tag: "RequestTimeoutError" })
    }),

  "reads a slow body within the timeout": ({ withCredentials, sandbox }) =>
    Effect.gen(function* () {
      yield* sandbox.setFaults({ fault: "slowBody", duration: 300 })
      expectLike((yield* reportOne.pipe(withCredentials(keys))).results, [{ status: "Success" }])
    }),

  "fails with ConnectionError for a truncated response": ({ withCredentials, endpoints }) =>
    Effect.gen(function* () {
      const error = yield* reportOne.pipe(
        withCredentials(keys, { endpoint: `${endpoints.stubServer}/cut` }),
        Effect.flip
      )
      expectLike(error, { _tag: "ConnectionError", delivery: "unknown" })
    }),

  "aborts the request on interruption": ({ withCredentials, endpoints, sandbox }) =>
    Effect.gen(function* () {
      const before = yield* sandbox.stubRequests
      const until = (done: (seen: typeof before) => boolean) =>
        Effect.repeat(sandbox.stubRequests, { until: done, schedule: Schedule.spaced("20 millis") })
      const arrivals = (seen: typeof before) => seen.received["/hang/"] ?? 0
      const call = yield* reportOne.pipe(
        withCredentials(keys, { endpoint: `${endpoints.stubServer}/hang` }),
        Effect.fork
      )
      yield* until((seen) => arrivals(seen) > arrivals(before))
      yield* Fiber.interrupt(call)
      yield* Effect.timeout(
        until((seen) => seen.aborted > before.aborted),
        "5 seconds"
      )
    }),

  "follows no redirect": ({ withCredentials, endpoints, sandbox }) =>
    Effect.gen(function* () {
      const error = yield* reportOne.pipe(
        withCredentials(keys, { endpoint: `${endpoints.stubServer}/redirect` }),
        Effect.flip
      )
      expectLike(error, { _tag: "UnexpectedResponseError" })
      expectLike((yield* sandbox.stubRequests).received["/trap/"], undefined)
    }),

  "fails with UnexpectedResponseError for an HTML page": ({ withCredentials, endpoints }) =>
    Effect.gen(function* () {
      const error = yield* reportOne.pipe(
        withCredentials(keys, { endpoint: `${endpoints.stubServer}/page` }),
        Effect.flip
      )
      expectLike(error, {
        _tag: "UnexpectedResponseError",
        statusCode: 200,
        contentType: /^text\/html/
      })
    }),

  "shows no secret in any error": ({ withCredentials, endpoints: { unreachable, stubServer } }) =>
    Effect.gen(function* () {
      const secrets = {
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        sessionToken: "IQoJb3JpZ2luX2VjEDExampleSessionToken+/0123456789"
      }
      const token = "AbCdRegistrationToken0123456789/+EfGhIjKlMnOpQrStUvWxYz=="
      const endpoints = [
        unreachable,
        ...["echo", "cut", "redirect", "page"].map((at) => `${stubServer}/${at}`)
      ]
      for (const endpoint of endpoints) {
        const cause = yield* MeteringClient.resolveCustomer({
          registrationToken: Redacted.make(token)
        }).pipe(
          withCredentials({ accessKeyId: "AKIDEXAMPLE", ...secrets }, { endpoint }),
          Effect.sandbox,
          Effect.flip
        )
        const text = textsOf(cause).join("\n")
        const shown = [...Object.values(secrets), token].filter((secret) =>
          text.includes(secret.slice(0, 16))
        )
        // the signature is the only number of this length
        expectLike(
          { endpoint, shown, signature: /[\da-f]{64}/.test(text) },
          {
            endpoint,
            shown: [],
            signature: false
          }
        )
      }
    })
}

/** All texts that a log of the error can contain. */
const textsOf = (cause: Cause.Cause<object>): ReadonlyArray<string> => [
  Cause.pretty(cause, { renderErrorCause: true }),
  JSON.stringify(cause),
  ...Chunk.toReadonlyArray(Cause.failures(cause)).flatMap((error) => [
    String(error),
    JSON.stringify(error),
    Inspectable.toStringUnknown(error),
    JSON.stringify(Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name))),
    error instanceof Error ? (error.stack ?? "") : ""
  ])
]
