import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { MeteringClient } from "../../src/MeteringClient.js"
import { MeteringSandbox } from "../../src/sandbox/index.js"
import { acme, acmeLicense, analytics, at, batch, container, record, setTime } from "./support.js"

const now = "2026-11-24T10:30:00Z"
const recent = at("2026-11-24T10:05:00Z")

const sandbox = MeteringSandbox.MeteringSandbox

describe("the log", () => {
  it.effect("contains every call in its wire format, without the registration token", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const {
        marketplace: { mintToken },
        report: { log }
      } = yield* sandbox
      const token = yield* mintToken()
      const client = yield* MeteringClient
      yield* client.resolveCustomer({ registrationToken: token })
      yield* Effect.ignore(batch([record(recent)], "unknown"))
      yield* Effect.ignore(batch([record(recent)]))
      const calls = yield* log
      assert.deepStrictEqual(calls[0], {
        requestId: "sandbox-000000000001",
        at: at(now),
        operation: "ResolveCustomer",
        signature: "inMemory",
        fault: "none",
        request: { RegistrationToken: "<redacted>" },
        status: 200,
        response: {
          CustomerIdentifier: "cust-acme",
          CustomerAWSAccountId: acme,
          ProductCode: analytics,
          LicenseArn: acmeLicense
        }
      })
      assert.notInclude(JSON.stringify(calls), Redacted.value(token))
      assert.deepStrictEqual(calls[1], {
        requestId: "sandbox-000000000002",
        at: at(now),
        operation: "BatchMeterUsage",
        signature: "inMemory",
        fault: "none",
        request: {
          UsageRecords: [
            {
              Timestamp: recent.epochMillis / 1000,
              Dimension: "api-calls",
              Quantity: 1,
              CustomerAWSAccountId: acme
            }
          ],
          ProductCode: "unknown"
        },
        status: 400,
        response: {
          __type: "com.amazonaws.marketplacemetering#InvalidProductCodeException",
          message: "Product code unknown is not one of your products."
        }
      })
      assert.notProperty(calls[2], "status")
      assert.notProperty(calls[2], "response")
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          faults: { script: [{ fault: "none", times: 2 }, { fault: "cutBefore" }] }
        })
      )
    )
  )

  it.effect("keeps the last 1000 calls", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { log } = (yield* sandbox).report
      yield* Effect.replicateEffect(batch([]), 1001)
      const calls = yield* log
      assert.lengthOf(calls, 1000)
      assert.strictEqual(calls[0]?.requestId, "sandbox-000000000002")
      assert.strictEqual(calls[999]?.requestId, "sandbox-000000001001")
    }).pipe(Effect.provide(MeteringSandbox.layer()))
  )

  it.effect("keeps the last 16 MiB, also of calls in memory", () =>
    Effect.gen(function* () {
      const { log } = (yield* sandbox).report
      const client = yield* MeteringClient
      const productCode = "x".repeat(1_000_000)
      yield* Effect.replicateEffect(
        Effect.ignore(client.registerUsage({ productCode, publicKeyVersion: 1 })),
        20
      )
      assert.lengthOf(yield* log, 16)
    }).pipe(Effect.provide(MeteringSandbox.layer({ skipRules: ["productCode", "requestSize"] })))
  )

  it.effect("omits the signature of RegisterUsage", () =>
    Effect.gen(function* () {
      const { log } = (yield* sandbox).report
      const client = yield* MeteringClient
      const { signature = "" } = yield* client.registerUsage({
        productCode: container,
        publicKeyVersion: 1
      })
      assert.isAbove(signature.length, 100)
      assert.deepStrictEqual((yield* log)[0]?.response, {})
    }).pipe(Effect.provide(MeteringSandbox.layer()))
  )
})
