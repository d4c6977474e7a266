/** A transport of the user's own. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, TestClock } from "effect"
import { MeteringClient, MeteringError, type Transport } from "effect-marketplace-metering"
import { credentials, freshCredentials, secrets } from "./support/client.js"
import { batchMeterUsage, meterUsage, record, registrationToken } from "./support/operations.js"

type Reply = Partial<Transport.Response> | MeteringError.ConnectionError

/** A transport that returns these responses one after the other, and the attempts that it made. */
const transport = (replies: ReadonlyArray<Reply>, rest: Partial<Transport.Transport> = {}) => {
  const attempts: Array<Transport.Attempt> = []
  const client = MeteringClient.make({
    send: (attempt) =>
      Effect.suspend(() => {
        const reply = replies[attempts.length] ?? {}
        attempts.push(attempt)
        return reply instanceof MeteringError.ConnectionError
          ? Effect.fail(reply)
          : Effect.succeed({ status: 200, headers: {}, body: '{"MeteringRecordId":"m"}', ...reply })
      }),
    ...rest
  })
  return { attempts, client }
}

const failed = (code: string, message = "said", headers: Transport.Response["headers"] = {}) => ({
  status: 400,
  headers,
  body: JSON.stringify({ __type: code, message })
})

describe("a transport", () => {
  it.effect("gets the validated request, its bytes and its headers", () =>
    Effect.gen(function* () {
      const { attempts, client } = transport([{ headers: { "x-amzn-requestid": "r-1" } }])
      const response = yield* client.meterUsage(meterUsage)
      assert.deepInclude({ ...response }, { meteringRecordId: "m", requestId: "r-1" })
      const [attempt] = attempts
      assert.strictEqual(attempt?.operation.name, "MeterUsage")
      assert.deepInclude(JSON.parse(new TextDecoder().decode(attempt?.body)), {
        ProductCode: meterUsage.productCode,
        UsageQuantity: 3
      })
      assert.deepInclude({ ...attempt?.request }, { usageQuantity: 3 })
      assert.deepStrictEqual(attempt?.headers, {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AWSMPMeteringService.MeterUsage"
      })
      assert.isUndefined(attempt?.credentials)
      assert.strictEqual(attempt?.clockOffset, 0)
    })
  )

  it.effect("gets no request that is invalid or too large", () =>
    Effect.gen(function* () {
      const { attempts, client } = transport([])
      const usageAllocations = Array.from({ length: 250 }, (_, i) => ({
        allocatedUsageQuantity: 1,
        tags: [{ key: "team", value: `${i}-${"x".repeat(200)}` }]
      }))
      const large = yield* Effect.flip(
        client.batchMeterUsage({
          productCode: batchMeterUsage.productCode,
          usageRecords: Array.from({ length: 25 }, () => ({
            ...record,
            quantity: 250,
            usageAllocations
          }))
        })
      )
      assert.strictEqual(
        large._tag === "InvalidInputError" && large.violations[0].rule,
        "requestSize"
      )
      const invalid = yield* Effect.flip(client.meterUsage({ ...meterUsage, usageQuantity: -1 }))
      assert.strictEqual(invalid._tag, "InvalidInputError")
      assert.lengthOf(attempts, 0)
    })
  )

  it.effect("decides whether usage may be billed, and is not called again", () =>
    Effect.gen(function* () {
      for (const delivery of ["notSent", "unknown"] as const) {
        const error = new MeteringError.ConnectionError({
          operation: "MeterUsage",
          endpoint: "gateway",
          reason: "broken",
          delivery
        })
        const { attempts, client } = transport([error])
        const failure = yield* Effect.flip(client.meterUsage(meterUsage))
        assert.deepInclude(
          { ...failure },
          { _tag: "ConnectionError", endpoint: "gateway", delivery }
        )
        assert.lengthOf(attempts, 1)
      }
    })
  )

  it.effect("with a source of credentials gets fresh ones once after they have expired", () =>
    Effect.gen(function* () {
      const expired = failed("ExpiredTokenException")
      const { attempts, client } = transport([expired, expired], {
        credentials: {
          get: Effect.succeed(credentials),
          refresh: () => Effect.succeed(freshCredentials)
        }
      })
      const error = yield* Effect.flip(client.meterUsage(meterUsage))
      assert.strictEqual(error._tag, "CredentialsExpiredError")
      assert.deepStrictEqual(
        attempts.map(({ credentials }) => credentials),
        [credentials, freshCredentials]
      )
    })
  )

  it.effect("with credentials of its own refreshes them once, where there are others", () =>
    Effect.gen(function* () {
      for (const isFresh of [true, false]) {
        const expired = failed("ExpiredTokenException")
        const seen: Array<Transport.Response> = []
        const { attempts, client } = transport([expired], {
          refresh: (response) => Effect.sync(() => seen.push(response)).pipe(Effect.as(isFresh))
        })
        const { _tag } = yield* Effect.either(client.meterUsage(meterUsage))
        assert.strictEqual(_tag, isFresh ? "Right" : "Left")
        assert.lengthOf(attempts, isFresh ? 2 : 1)
        assert.deepStrictEqual(seen, [expired])
      }
    })
  )

  it.effect("learns by how much the clock is off from a response's Date, for all later calls", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_795_515_330_000)
      const date = new Date(1_795_515_330_000 + 600_000).toUTCString()
      const { attempts, client } = transport([failed("RequestExpired", "said", { date })])
      yield* client.meterUsage(meterUsage)
      yield* client.meterUsage(meterUsage)
      assert.deepStrictEqual(
        attempts.map(({ clockOffset }) => clockOffset),
        [0, 600_000, 600_000]
      )
    })
  )

  it.effect("has its secrets, the request's and those of the credentials kept out of errors", () =>
    Effect.gen(function* () {
      const signature = "0123456789abcdef0123456789abcdef"
      const message = `bad: ${signature} ${secrets.sessionToken} ${registrationToken}`
      const { client } = transport(
        [{ ...failed("InvalidTokenException", message), secrets: [signature] }],
        {
          credentials: { get: Effect.succeed(credentials), refresh: Effect.succeed }
        }
      )
      const error = yield* Effect.flip(
        client.resolveCustomer({ registrationToken: Redacted.make(registrationToken) })
      )
      const text = JSON.stringify(error)
      assert.include(text, "bad: <redacted>")
      for (const secret of [signature, secrets.sessionToken, registrationToken]) {
        assert.notInclude(text, secret)
      }
    })
  )
})
