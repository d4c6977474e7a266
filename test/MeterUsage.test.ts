import { describe, expect, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Equal, Schema } from "effect"
import {
  MeteringClient,
  MeteringError,
  MeterUsage,
  ResolveCustomer
} from "effect-marketplace-metering"
import { clientLayer } from "./support/client.js"
import { stubHttp } from "./support/stubHttp.js"

const fields = {
  productCode: "p",
  timestamp: DateTime.unsafeMake("2026-11-24T10:15:00Z"),
  usageDimension: "d",
  usageQuantity: 1
}

const wire = { ProductCode: "p", Timestamp: 1, UsageDimension: "d", UsageQuantity: 1 }

describe("a client token", () => {
  it("is made with a request, however it is made, and is another one each time", () => {
    const tokens = [
      MeterUsage.make(fields),
      MeterUsage.make(fields),
      new MeterUsage.MeterUsageRequest(fields),
      MeterUsage.MeterUsageRequest.make(fields)
    ].map(({ clientToken }) => clientToken)
    for (const token of tokens) expect(token).toMatch(/^[\da-f-]{36}$/)
    expect(new Set(tokens).size).toBe(tokens.length)
    expect(MeterUsage.make({ ...fields, clientToken: "mine" }).clientToken).toBe("mine")
  })

  it.effect("is never made for a request that came without one", () =>
    Effect.gen(function* () {
      const decode = Schema.decodeUnknown(MeterUsage.MeterUsageRequest)
      expect(yield* decode(wire)).not.toHaveProperty("clientToken")
      const kept = yield* decode({ ...wire, ClientToken: "theirs" })
      expect(kept.clientToken).toBe("theirs")
      expect(yield* Schema.encode(MeterUsage.MeterUsageRequest)(kept)).toMatchObject({
        ClientToken: "theirs"
      })
    })
  )
})

describe("a request for a dry run", () => {
  it.effect("is not metered by `meterUsage`: nothing is sent, and the cure is named", () =>
    Effect.gen(function* () {
      const http = stubHttp({ body: { MeteringRecordId: "real" } })
      const error = yield* Effect.flip(
        Effect.provide(
          MeteringClient.meterUsage(MeterUsage.make({ ...fields, dryRun: true })),
          clientLayer(http.layer)
        )
      )
      expect(error).toMatchObject({
        _tag: "InvalidInputError",
        operation: "MeterUsage",
        violations: [{ field: "dryRun", value: true }]
      })
      expect(error.message).toContain("call meterUsageDryRun")
      expect(http.sent).toEqual([])
    })
  )
})

describe("a dry run that the service metered all the same", () => {
  it.effect("keeps the id, apart from where a record's id would be", () =>
    Effect.gen(function* () {
      const http = stubHttp({ body: { MeteringRecordId: "real" } })
      const answer = yield* Effect.provide(
        MeteringClient.meterUsageDryRun(fields),
        clientLayer(http.layer)
      )
      expect(answer).toBeInstanceOf(MeterUsage.DryRunResponse)
      expect(answer).not.toHaveProperty("meteringRecordId")
      expect(answer.unexpectedRecordId).toBe("real")
    })
  )
})

describe("Schema's own messages", () => {
  const token = "a-secret-registration-token"
  it("show no registration token", () => {
    for (const attempt of [
      () => Schema.decodeUnknownSync(ResolveCustomer.ResolveCustomerRequest)(token),
      () => Schema.encodeUnknownSync(ResolveCustomer.ResolveCustomerRequest)(token),
      () => Schema.validateSync(ResolveCustomer.ResolveCustomerRequest)(token),
      () => new ResolveCustomer.ResolveCustomerRequest({ registrationToken: token as never }),
      () =>
        Schema.decodeUnknownSync(ResolveCustomer.ResolveCustomerRequest)({
          RegistrationToken: [token]
        }),
      () =>
        Schema.encodeUnknownSync(ResolveCustomer.ResolveCustomerRequest)({
          registrationToken: token
        })
    ]) {
      expect(attempt).toThrow(
        /Expected an object with a redacted registration token|Expected a redacted text/
      )
      expect(attempt).not.toThrow(token)
    }
  })
})

describe("an error", () => {
  it.effect("survives JSON, its times included", () =>
    Effect.gen(function* () {
      const error = new MeteringError.ThrottlingException({
        operation: "MeterUsage",
        statusCode: 400,
        retryAfter: Duration.seconds(3)
      })
      const json = JSON.stringify(yield* Schema.encode(MeteringError.ThrottlingException)(error))
      const back = yield* Schema.decode(Schema.parseJson(MeteringError.ThrottlingException))(json)
      expect(back).toBeInstanceOf(MeteringError.ThrottlingException)
      expect(Equal.equals(back, error)).toBe(true)
    })
  )
})
