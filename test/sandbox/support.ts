/** Names of the default scenario, and calls, for the tests of the sandbox. */
import { DateTime, Effect, TestClock } from "effect"
import type * as BatchMeterUsage from "../../src/BatchMeterUsage.js"
import { EntitlementClient } from "../../src/entitlement/EntitlementClient.js"
import type { InvalidParameterException } from "../../src/entitlement/EntitlementError.js"
import { MeteringClient } from "../../src/MeteringClient.js"
import type { MeteringError, OperationName } from "../../src/MeteringError.js"
import { MeteringSandbox, Scenario } from "../../src/sandbox/index.js"

export const at = (iso: string): DateTime.Utc => DateTime.unsafeMake(iso)

export const setTime = (iso: string) => TestClock.setTime(at(iso).epochMillis)

const [acmeCustomer, globexCustomer] = Scenario.defaultScenario.customers

export const analytics = "sandbox-analytics"
export const container = "sandbox-container"
export const acme = acmeCustomer.customerAWSAccountId
export const acmeLicense = acmeCustomer.agreements[0].licenseArn
export const globexLicense = globexCustomer.agreements[0].licenseArn
export const unknownAccount = "999999999999"

type Record = BatchMeterUsage.Input["usageRecords"][number]

/** A valid record of the default scenario, with changes. */
export const record = (timestamp: DateTime.Utc, change: Partial<Record> = {}): Record => ({
  timestamp,
  dimension: "api-calls",
  quantity: 1,
  ...("customerIdentifier" in change ? {} : { customerAWSAccountId: acme }),
  ...change
})

export const batch = (
  usageRecords: ReadonlyArray<Record>,
  productCode: string | null = analytics
) =>
  Effect.flatMap(MeteringClient, (client) =>
    client.batchMeterUsage({ usageRecords, ...(productCode !== null && { productCode }) })
  )

/** The status of each record, or the code or tag of the error. */
export const statusesOf = (usageRecords: ReadonlyArray<Record>, productCode?: string | null) =>
  batch(usageRecords, productCode).pipe(
    Effect.map(({ results }) => results.map(({ status }) => status)),
    Effect.catchAll((error) => Effect.succeed("code" in error ? error.code : error._tag))
  )

/** The billed usage, one line each. */
export const billed = Effect.flatMap(MeteringSandbox.MeteringSandbox, (sandbox) =>
  Effect.map(sandbox.report.billed, (all) =>
    all.map(
      ({ customerAWSAccountId, dimension, hour, productCode, quantity }) =>
        `${productCode} ${customerAWSAccountId} ${dimension} ${DateTime.formatIso(hour)} ${quantity}`
    )
  )
)

/** A successful call of each operation, at 2026-11-24T10:30Z. */
export const calls: {
  readonly [Name in OperationName]: Effect.Effect<
    unknown,
    MeteringError | InvalidParameterException,
    MeteringClient | EntitlementClient | MeteringSandbox.MeteringSandbox
  >
} = {
  MeterUsage: Effect.flatMap(MeteringClient, (client) =>
    client.meterUsage({
      productCode: container,
      timestamp: at("2026-11-24T10:05:00Z"),
      usageDimension: "pods",
      usageQuantity: 3
    })
  ),
  BatchMeterUsage: Effect.suspend(() => batch([record(at("2026-11-24T10:05:00Z"))])),
  RegisterUsage: Effect.flatMap(MeteringClient, (client) =>
    client.registerUsage({ productCode: container, publicKeyVersion: 1 })
  ),
  ResolveCustomer: Effect.flatMap(MeteringClient, (client) =>
    Effect.flatMap(
      Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ marketplace }) =>
        Effect.orDie(marketplace.mintToken())
      ),
      (registrationToken) => client.resolveCustomer({ registrationToken })
    )
  ),
  GetEntitlements: Effect.flatMap(EntitlementClient, (client) =>
    client.getEntitlements({ productCode: analytics })
  )
}

export const operations = [
  "MeterUsage",
  "BatchMeterUsage",
  "RegisterUsage",
  "ResolveCustomer",
  "GetEntitlements"
] as const
