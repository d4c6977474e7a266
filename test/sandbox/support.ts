/** What the tests of the sandbox share: a time, the default world's names, shorthands. */
import { DateTime, Effect, TestClock } from "effect"
import type * as BatchMeterUsage from "../../src/BatchMeterUsage.js"
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

/** A record of the default world, ready to be changed. */
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

/** Status of each record, or the tag of the error. */
export const statusesOf = (usageRecords: ReadonlyArray<Record>, productCode?: string | null) =>
  batch(usageRecords, productCode).pipe(
    Effect.map(({ results }) => results.map(({ status }) => status)),
    Effect.catchAll((error) => Effect.succeed("code" in error ? error.code : error._tag))
  )

/** What is billed, briefly. */
export const billed = Effect.flatMap(MeteringSandbox.MeteringSandbox, (sandbox) =>
  Effect.map(sandbox.report.billed, (all) =>
    all.map(
      ({ customerAWSAccountId, dimension, hour, productCode, quantity }) =>
        `${productCode} ${customerAWSAccountId} ${dimension} ${DateTime.formatIso(hour)} ${quantity}`
    )
  )
)

/** One call of each operation that succeeds by itself, on 24 November 2026 at 10:30. */
export const calls: {
  readonly [Name in OperationName]: Effect.Effect<
    unknown,
    MeteringError,
    MeteringClient | MeteringSandbox.MeteringSandbox
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
  )
}

export const operations = [
  "MeterUsage",
  "BatchMeterUsage",
  "RegisterUsage",
  "ResolveCustomer"
] as const
