/** The same request gives the same bytes' worth on the wire as the official SDK's, and the same signature. */
import { assert, describe, it } from "@effect/vitest"
import { SignatureV4 } from "@smithy/signature-v4"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import { makeSigner } from "../../src/internal/sigv4/sign.js"
import { validFields } from "../support/arbitraries.js"
import { credentials, secrets } from "../support/client.js"
import {
  allOperations,
  licenseArn,
  minimalResponse,
  type OperationCase,
  operations,
  record
} from "../support/operations.js"
import {
  type CapturedRequest,
  callSdk,
  overHttp,
  overSdk,
  overSdkWithMiddleware,
  sdkClient
} from "./harness.js"

const region = "us-east-1"
const service = "aws-marketplace"
const { accessKeyId } = credentials

/** The requests of both for the same fields. */
const capture = (operation: OperationCase, fields: object, now = 0) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(now)
    const http = overHttp(emptyResponse)
    yield* Effect.provide(operation.call(fields), http.layer)
    const sdk = sdkClient(() => emptyResponse)
    yield* Effect.promise(() => callSdk(sdk.client, operation.name, fields))
    return { ours: only(http.sent), theirs: only(sdk.sent) }
  })

const emptyResponse = { status: 200, headers: {}, body: JSON.stringify(minimalResponse) }

const only = (sent: ReadonlyArray<CapturedRequest>): CapturedRequest => {
  assert.lengthOf(sent, 1)
  // there is exactly one
  return sent[0] as CapturedRequest
}

const signedHeaders = ({ headers }: CapturedRequest): ReadonlyArray<string> =>
  /SignedHeaders=([^,]+)/.exec(headers.authorization ?? "")?.[1]?.split(";") ?? []

/** Headers that a signer adds. */
const added: ReadonlySet<string> = new Set(["host", "x-amz-date", "x-amz-security-token"])

/** The headers that a signer is given. */
const toSign = (request: CapturedRequest): Record<string, string> =>
  Object.fromEntries(
    signedHeaders(request)
      .filter((name) => !added.has(name))
      .map((name) => [name, request.headers[name] ?? ""])
  )

const signingTime = ({ headers }: CapturedRequest): number =>
  Date.parse(
    (headers["x-amz-date"] ?? "").replace(
      /^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/,
      "$1-$2-$3:$4:$5"
    )
  )

const byOurSigner = (request: CapturedRequest): string => {
  const sign = makeSigner({
    method: request.method,
    url: `https://${request.host}${request.path}`,
    region,
    service
  })
  const signed = sign({
    headers: toSign(request),
    body: request.body,
    credentials: { accessKeyId, ...secrets },
    now: signingTime(request)
  })
  return Effect.runSync(signed).authorization
}

const bySdkSigner = (request: CapturedRequest) =>
  Effect.promise(async () => {
    const signer = new SignatureV4({
      applyChecksum: false,
      credentials: { accessKeyId, ...secrets },
      region,
      service,
      sha256: sdkClient(() => emptyResponse).client.config.sha256
    })
    const { headers } = await signer.sign(
      {
        method: request.method,
        protocol: "https:",
        hostname: request.host,
        path: request.path,
        headers: { host: request.host, ...toSign(request) },
        body: request.body
      },
      { signingDate: new Date(signingTime(request)) }
    )
    return headers.authorization
  })

/** Any second of a year that a signature can name. */
const seconds = FastCheck.integer({ min: 0, max: 4_102_444_799 }).map((seconds) => seconds * 1000)

const assertSame = ({
  ours,
  theirs
}: {
  readonly ours: CapturedRequest
  readonly theirs: CapturedRequest
}) => {
  assert.deepStrictEqual(JSON.parse(ours.body), JSON.parse(theirs.body))
  assert.strictEqual(ours.method, theirs.method)
  assert.strictEqual(ours.host, theirs.host)
  assert.strictEqual(ours.path, theirs.path)
  for (const name of ["content-type", "x-amz-target", "x-amz-security-token"]) {
    assert.strictEqual(ours.headers[name], theirs.headers[name], name)
  }
}

for (const operation of allOperations) {
  describe(operation.name, () => {
    it.effect.prop(
      "same method, host, path, target, content type, and body as JSON",
      [validFields[operation.name]],
      ([fields]) => Effect.map(capture(operation, fields), assertSame),
      { fastCheck: { numRuns: 60 }, timeout: 30_000 }
    )

    it.effect.prop(
      "our signer makes the SDK's signature from the SDK's headers",
      [validFields[operation.name]],
      ([fields]) =>
        Effect.map(capture(operation, fields), ({ theirs }) => {
          assert.include(signedHeaders(theirs), "amz-sdk-invocation-id")
          assert.strictEqual(byOurSigner(theirs), theirs.headers.authorization)
        }),
      { fastCheck: { numRuns: 30 }, timeout: 30_000 }
    )

    it.effect.prop(
      "the SDK's signer makes our signature from our headers",
      [validFields[operation.name], seconds],
      ([fields, now]) =>
        Effect.gen(function* () {
          const { ours } = yield* capture(operation, fields, now)
          assert.deepStrictEqual(signedHeaders(ours), [
            "content-type",
            "host",
            "x-amz-date",
            "x-amz-security-token",
            "x-amz-target"
          ])
          assert.strictEqual(signingTime(ours), now)
          assert.strictEqual(yield* bySdkSigner(ours), ours.headers.authorization)
        }),
      { fastCheck: { numRuns: 30 }, timeout: 30_000 }
    )

    it.effect.prop(
      "our client over the SDK sends what the SDK sends",
      [validFields[operation.name]],
      ([fields]) =>
        Effect.gen(function* () {
          const { theirs } = yield* capture(operation, fields)
          for (const { layer, sent } of [
            overSdk(emptyResponse),
            overSdkWithMiddleware(emptyResponse)
          ]) {
            yield* Effect.provide(operation.call(fields), layer)
            const ours = only(sent)
            assert.strictEqual(ours.body, theirs.body)
            assertSame({ ours, theirs })
            assert.deepStrictEqual(signedHeaders(ours), signedHeaders(theirs))
            assert.strictEqual(byOurSigner(ours), ours.headers.authorization)
          }
        }),
      { fastCheck: { numRuns: 30 }, timeout: 30_000 }
    )
  })
}

describe("text", () => {
  it.effect.prop(
    "of any UTF-16, lone surrogates too, is the same JSON",
    [FastCheck.string16bits({ minLength: 1, maxLength: 60 })],
    ([text]) =>
      Effect.map(
        capture(operations.BatchMeterUsage, {
          usageRecords: [
            { ...record, customerAWSAccountId: undefined, customerIdentifier: text, licenseArn }
          ]
        }),
        assertSame
      ),
    { timeout: 30_000 }
  )
})

describe("defaults", () => {
  it.effect("a request without dryRun says that it is none, where the SDK says nothing", () =>
    Effect.map(
      capture(operations.MeterUsage, { ...operations.MeterUsage.fields, clientToken: "token" }),
      ({ ours, theirs }) => {
        assert.notProperty(JSON.parse(theirs.body), "DryRun")
        assert.deepStrictEqual(JSON.parse(ours.body), { ...JSON.parse(theirs.body), DryRun: false })
      }
    )
  )

  it.effect("a request without a client token gets one from both, ours with the request", () =>
    Effect.gen(function* () {
      const { ours, theirs } = yield* capture(operations.MeterUsage, operations.MeterUsage.fields)
      const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
      assert.match(JSON.parse(ours.body).ClientToken, uuid)
      assert.match(JSON.parse(theirs.body).ClientToken, uuid)
    })
  )
})
