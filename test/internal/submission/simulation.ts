/**
 * A sandbox with every kind of customer and fault, behind a slow network that adds faults of its own: it changes
 * responses in ways that the sandbox never does.
 */
import { Clock, DateTime, Duration, Effect, FastCheck } from "effect"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import { MeteringClient, type Service } from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import type * as Preflight from "effect-marketplace-metering/Preflight"
import type { Fault, Report } from "effect-marketplace-metering/sandbox"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import { decoder } from "../../../src/internal/schema/decodeResponse.js"
import { shapeOf } from "../../../src/internal/schema/shape.js"
import type { Catalog, RawCall, WireRecord, WireRequest } from "./oracle.js"

const operation = "BatchMeterUsage"
const endpoint = "https://metering.example"

// ---------------------------------------------------------------------------------------------------
// catalog
// ---------------------------------------------------------------------------------------------------

const licenseArnOf = (digit: string) =>
  `arn:aws:license-manager::111122223333:license:l-${digit.repeat(32)}`

/** Customers in every state. Times are relative to `start`. */
export const catalogAt = (start: DateTime.Utc, rejectsUnknownCustomers = false): Catalog => {
  const now = start.epochMillis
  return {
    products: { p1: ["calls", "seats"], p2: ["calls"] },
    customers: [
      {
        names: ["111122223333", "cust-1"],
        agreements: [{ product: "p1", licenseArn: licenseArnOf("1") }, { product: "p2" }]
      },
      {
        names: ["444455556666", "cust-2"],
        agreements: [{ product: "p1" }, { product: "p2", licenseArn: licenseArnOf("2") }]
      },
      // its agreement ends during the submission
      {
        names: [expiringAccount],
        agreements: [{ product: "p1", licenseArn: licenseArnOf("3"), until: now + 60_000 }]
      },
      { names: ["666677778888"], isSuspended: true, agreements: [{ product: "p1" }] },
      { names: ["777788889999"], agreements: [] }
    ],
    rejectsUnknownCustomers
  }
}

export const expiringAccount = "555566667777"

export const scenarioOf = ({ customers, products, rejectsUnknownCustomers }: Catalog) => ({
  products: Object.entries(products).map(([code, dimensions]) => ({ code, dimensions })),
  customers: customers.map(({ agreements, isSuspended = false, names: [account, identifier] }) => ({
    customerAWSAccountId: account,
    customerIdentifier: identifier,
    suspended: isSuspended,
    agreements: agreements.map(({ licenseArn, product, until }) => ({
      productCode: product,
      licenseArn,
      endsAt: until === undefined ? undefined : DateTime.unsafeMake(until)
    }))
  })),
  rules: {
    unknownCustomer: rejectsUnknownCustomers
      ? ("InvalidCustomerIdentifierException" as const)
      : ("CustomerNotSubscribed" as const)
  }
})

// ---------------------------------------------------------------------------------------------------
// records
// ---------------------------------------------------------------------------------------------------

const weighted = <A>(common: ReadonlyArray<A>, rare: ReadonlyArray<A>, weight = 30) =>
  FastCheck.oneof(
    { weight, arbitrary: FastCheck.constantFrom(...common) },
    { weight: 1, arbitrary: FastCheck.constantFrom(...rare) }
  )

interface CustomerIdentity {
  readonly customerAWSAccountId?: string
  readonly customerIdentifier?: string
  readonly licenseArn?: string
}

const usualIdentities: ReadonlyArray<CustomerIdentity> = [
  { customerAWSAccountId: "111122223333" },
  { customerAWSAccountId: "444455556666" },
  { customerAWSAccountId: expiringAccount },
  { customerIdentifier: "cust-1" },
  { customerAWSAccountId: "111122223333", licenseArn: licenseArnOf("1") },
  { customerIdentifier: "cust-2", licenseArn: licenseArnOf("2") }
]

const unusualIdentities: ReadonlyArray<CustomerIdentity> = [
  { customerAWSAccountId: "666677778888" },
  { customerAWSAccountId: "777788889999" },
  { customerAWSAccountId: "999999999999" },
  { customerIdentifier: "cust-9" },
  {},
  { customerAWSAccountId: "111122223333", customerIdentifier: "cust-1" },
  // the license of another customer, an unknown one, one that ends
  { customerAWSAccountId: "111122223333", licenseArn: licenseArnOf("2") },
  { customerAWSAccountId: "111122223333", licenseArn: licenseArnOf("9") },
  { customerAWSAccountId: expiringAccount, licenseArn: licenseArnOf("3") }
]

/** Few values per field, so that keys collide, and a few invalid ones. */
export const itemAt = (start: DateTime.Utc) =>
  FastCheck.record({
    minutesAgo: weighted([1, 10, 58, 70, 100, 400, 1_000, 1_438], [1_440, 3_000, -3, -3_000]),
    dimension: weighted(["calls", "calls", "seats"], ["unheard-of", "Calls", ""]),
    quantity: weighted([0, 1, 2, 3], [-1, 1.5, 2_147_483_648]),
    identity: weighted(usualIdentities, unusualIdentities, 10),
    productCode: weighted(["p1", "p1", "p2"], ["p3"], 60),
    allocationDelta: weighted([undefined, undefined, undefined, 0], [1], 60)
  }).map(({ allocationDelta, dimension, identity, minutesAgo, productCode, quantity }) => ({
    productCode,
    record: {
      timestamp: DateTime.subtract(start, { minutes: minutesAgo }),
      dimension,
      quantity,
      ...(allocationDelta !== undefined && {
        usageAllocations: [{ allocatedUsageQuantity: quantity + allocationDelta }] as const
      }),
      ...identity
    } as UsageRecord.Input
  }))

export type Item = ReturnType<typeof itemAt> extends FastCheck.Arbitrary<infer A> ? A : never

/** Rules that the client skips, so that the service has to reject what breaks them. */
export const serverCheckedRules: ReadonlyArray<Preflight.Rule> = [
  "quantity",
  "dimension",
  "oneCustomerIdentity",
  "allocationSum"
]

// ---------------------------------------------------------------------------------------------------
// faults
// ---------------------------------------------------------------------------------------------------

/** Faults after which records may or may not be stored. */
const uncertainFaults: ReadonlySet<string> = new Set([
  "cutAfter",
  "cutBefore",
  "internalError",
  "unavailable",
  "internalErrorAfterProcessing",
  "timeout",
  "missingResults",
  "unreadable",
  // resolved by a call for each record alone, which may be rejected
  "extraIdentities",
  "missingQuantities"
])

const transientFaults: ReadonlyArray<Fault.Fault> = [
  { fault: "throttling" },
  { fault: "throttling", retryAfter: "3 seconds" },
  { fault: "cutAfter" },
  { fault: "cutBefore" },
  { fault: "internalError" },
  { fault: "unavailable" },
  { fault: "unprocessed" },
  { fault: "unprocessed", share: 0.4 },
  { fault: "latency", duration: "2 seconds" },
  { fault: "slowBody", duration: "700 millis" }
]

/** Faults that end the submission of a product, or of all. */
const terminalFaults: ReadonlyArray<Fault.Fault> = [
  { fault: "rejection", code: "DisabledApiException" },
  { fault: "rejection", code: "UnheardOfException" },
  { fault: "expiredCredentials" },
  { fault: "clockSkew", ahead: "10 minutes" }
]

/**
 * Faults of the network, beyond those of the sandbox.
 *
 * - `notDelivered`: no connection
 * - `internalErrorAfterProcessing`, `timeout`: the call is processed, then fails
 * - `missingResults`: every third result is missing
 * - `reordered`: results are in reverse order, with one for a record that was not sent
 * - `extraIdentities`: echoes have both identities of the customer
 * - `missingQuantities`: echoes lack the quantity, and have only the account if there is one
 * - `unreadable`: no result can be read, and one has no record
 */
const responseFaultKinds = [
  "none",
  "notDelivered",
  "internalErrorAfterProcessing",
  "timeout",
  "missingResults",
  "reordered",
  "extraIdentities",
  "missingQuantities",
  "unreadable"
] as const
type ResponseFault = (typeof responseFaultKinds)[number]

/** Random faults of the sandbox, and the faults of the first responses. */
export const conditions = FastCheck.record({
  seed: FastCheck.nat(),
  chances: FastCheck.array(
    FastCheck.oneof(
      {
        weight: 12,
        arbitrary: FastCheck.tuple(
          FastCheck.constantFrom(...transientFaults),
          FastCheck.constantFrom(0.05, 0.15, 0.3)
        )
      },
      {
        weight: 1,
        arbitrary: FastCheck.tuple(
          FastCheck.constantFrom(...terminalFaults),
          FastCheck.constantFrom(0.01, 0.05)
        )
      }
    ).map(([fault, probability]): Fault.RandomFault => ({ ...fault, probability })),
    { maxLength: 6, size: "max" }
  ),
  responseFaults: FastCheck.array(FastCheck.constantFrom(...responseFaultKinds), {
    maxLength: 20,
    size: "max"
  }),
  /** The error of a call with licenses of two products. */
  multiProductCode: FastCheck.constantFrom(
    "InvalidLicenseException",
    "InvalidProductCodeException",
    "InvalidUsageDimensionException",
    "ValidationException",
    "UnheardOfException"
  ),
  rejectsUnknownCustomers: FastCheck.boolean(),
  isPatient: FastCheck.boolean(),
  skipsClientRules: FastCheck.boolean()
})

export type Conditions = typeof conditions extends FastCheck.Arbitrary<infer A> ? A : never

/** Every response arrives, and has a result for each record. */
export const withCertainResponses = ({
  chances,
  responseFaults,
  ...conditions
}: Conditions): Conditions => ({
  ...conditions,
  chances: chances.filter(({ fault }) => !uncertainFaults.has(fault)),
  responseFaults: responseFaults.filter((responseFault) => !uncertainFaults.has(responseFault))
})

// ---------------------------------------------------------------------------------------------------
// the network
// ---------------------------------------------------------------------------------------------------

export interface SentRequest {
  readonly at: number
  readonly request: WireRequest
}

export interface Simulation {
  readonly catalog: Catalog
  readonly sandbox: MeteringSandbox.Service
  /** The calls of the submission, in order. */
  readonly sent: ReadonlyArray<SentRequest>
  /** Removes all faults from now on. */
  readonly clearFaults: Effect.Effect<void>
}

/** Runs a program in a simulation that starts now. */
export const simulate = <A, E>(
  {
    chances,
    skipsClientRules,
    multiProductCode,
    responseFaults,
    rejectsUnknownCustomers,
    seed
  }: Conditions,
  use: (simulation: Simulation) => Effect.Effect<A, E, MeteringClient>
): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const catalog = catalogAt(yield* DateTime.now, rejectsUnknownCustomers)
    const sent: Array<SentRequest> = []
    const pendingFaults = [...responseFaults]
    const program = Effect.gen(function* () {
      const client = yield* MeteringClient
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const clearFaults = Effect.suspend(() => {
        pendingFaults.length = 0
        return sandbox.control.setFaults({})
      })
      return yield* use({ catalog, sandbox, sent, clearFaults }).pipe(
        Effect.provideService(
          MeteringClient,
          faultyClient(client, catalog, pendingFaults, sent, multiProductErrorOf(multiProductCode))
        )
      )
    })
    return yield* Effect.provide(
      program,
      MeteringSandbox.layer({
        ...scenarioOf(catalog),
        faults: { chances, seed },
        skipRules: skipsClientRules ? serverCheckedRules : []
      })
    )
  })

const faultyClient = (
  client: Service,
  catalog: Catalog,
  pendingFaults: Array<ResponseFault>,
  sent: Array<SentRequest>,
  multiProductError: BatchMeterUsage.BatchMeterUsageError
): Service => ({
  ...client,
  batchMeterUsage: (input) =>
    Effect.gen(function* () {
      const responseFault = pendingFaults.shift() ?? "none"
      sent.push({ at: yield* Clock.currentTimeMillis, request: wireRequestOf(input) })
      if (responseFault === "notDelivered") {
        return yield* new MeteringError.ConnectionError({
          operation,
          endpoint,
          reason: "ECONNREFUSED",
          delivery: "notSent"
        })
      }
      yield* Effect.sleep("100 millis")
      if (hasSeveralProducts(catalog, wireRequestOf(input)))
        return yield* Effect.fail(multiProductError)
      const result = yield* Effect.either(client.batchMeterUsage(input))
      yield* Effect.sleep("50 millis")
      const response = yield* result
      switch (responseFault) {
        case "internalErrorAfterProcessing":
          return yield* new MeteringError.InternalServiceErrorException({ operation })
        case "timeout":
          yield* Effect.sleep(timeout)
          return yield* new MeteringError.RequestTimeoutError({ operation, endpoint, timeout })
        case "unreadable":
          return new BatchMeterUsage.BatchMeterUsageResponse(
            { ...response, results: [unattributedResult], unreadable: response.results },
            true
          )
        default:
          return new BatchMeterUsage.BatchMeterUsageResponse(
            { ...response, results: alterResults(response.results, responseFault, catalog) },
            true
          )
      }
    })
})

const timeout = Duration.seconds(30)

/** True if the licenses of a call are of more than one product. */
const hasSeveralProducts = ({ customers }: Catalog, { UsageRecords }: WireRequest): boolean => {
  const products = UsageRecords.flatMap(({ LicenseArn }) =>
    customers.flatMap(({ agreements }) =>
      agreements.flatMap(({ licenseArn, product }) =>
        licenseArn !== undefined && licenseArn === LicenseArn ? [product] : []
      )
    )
  )
  return new Set(products).size > 1
}

const multiProductErrorOf = (
  code: Conditions["multiProductCode"]
): BatchMeterUsage.BatchMeterUsageError => {
  switch (code) {
    case "InvalidLicenseException":
      return new MeteringError.InvalidLicenseException({ operation })
    case "InvalidProductCodeException":
      return new MeteringError.InvalidProductCodeException({ operation })
    case "InvalidUsageDimensionException":
      return new MeteringError.InvalidUsageDimensionException({ operation })
    default:
      return new MeteringError.UnknownServiceError({ operation, code, statusCode: 400 })
  }
}

/** A result without an echo. */
const unattributedResult = new UsageRecord.UsageRecordResult(
  { status: "Success", meteringRecordId: "unrelated" },
  true
)

const alterResults = (
  results: ReadonlyArray<UsageRecord.UsageRecordResult>,
  responseFault: ResponseFault,
  catalog: Catalog
) => {
  switch (responseFault) {
    case "missingResults":
      return results.filter((_, index) => index % 3 !== 1)
    case "reordered":
      return [unrelatedResult, ...results.slice().reverse()]
    case "missingQuantities":
      return results.map((result) => withoutQuantity(withFullIdentity(result, catalog)))
    case "extraIdentities":
      return results.map((result) => withFullIdentity(result, catalog))
    default:
      return results
  }
}

const withFullIdentity = (result: UsageRecord.UsageRecordResult, { customers }: Catalog) => {
  const { customerAWSAccountId, customerIdentifier } = result.usageRecord ?? {}
  const names = customers.find(({ names }) =>
    names.some((name) => name === customerAWSAccountId || name === customerIdentifier)
  )?.names
  if (names === undefined || result.usageRecord === undefined) return result
  const [account, identifier] = names
  const usageRecord = new UsageRecord.UsageRecord(
    {
      ...result.usageRecord,
      customerAWSAccountId: account,
      ...(identifier !== undefined && { customerIdentifier: identifier })
    },
    true
  )
  return new UsageRecord.UsageRecordResult({ ...result, usageRecord }, true)
}

const withoutQuantity = (result: UsageRecord.UsageRecordResult) => {
  if (result.usageRecord === undefined) return result
  const { CustomerIdentifier, Quantity: _, ...wire } = wireOf(result.usageRecord)
  const echo = readRecord(
    wire.CustomerAWSAccountId === undefined ? { ...wire, CustomerIdentifier } : wire,
    []
  )
  return new UsageRecord.UsageRecordResult(
    { ...result, usageRecord: echo as UsageRecord.UsageRecord },
    true
  )
}

const readRecord = decoder(shapeOf(UsageRecord.UsageRecord))

const unrelatedResult = new UsageRecord.UsageRecordResult(
  {
    usageRecord: UsageRecord.make({
      timestamp: DateTime.unsafeMake(0),
      dimension: "unrelated",
      quantity: 1,
      customerAWSAccountId: "0"
    }),
    status: "Success",
    meteringRecordId: "unrelated"
  },
  true
)

// ---------------------------------------------------------------------------------------------------
// the wire
// ---------------------------------------------------------------------------------------------------

export const wireOf = (record: UsageRecord.Input): WireRecord => ({
  Timestamp: record.timestamp.epochMillis / 1000,
  Dimension: record.dimension,
  Quantity: record.quantity ?? 0,
  ...(record.customerIdentifier !== undefined && {
    CustomerIdentifier: record.customerIdentifier
  }),
  ...(record.customerAWSAccountId !== undefined && {
    CustomerAWSAccountId: record.customerAWSAccountId
  }),
  ...(record.licenseArn !== undefined && { LicenseArn: record.licenseArn }),
  ...(record.usageAllocations !== undefined && {
    UsageAllocations: record.usageAllocations.map(({ allocatedUsageQuantity }) => ({
      AllocatedUsageQuantity: allocatedUsageQuantity ?? 0
    }))
  })
})

const wireRequestOf = ({ productCode, usageRecords }: BatchMeterUsage.Input): WireRequest => ({
  ...(productCode !== undefined && { ProductCode: productCode }),
  UsageRecords: usageRecords.map(wireOf)
})

/** The request with sorted members, for comparison. */
export const canonical = ({ ProductCode, UsageRecords }: WireRequest): string =>
  JSON.stringify([
    ProductCode,
    UsageRecords.map((record) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
  ])

/** Faults that apply before the service processes a call. */
const unprocessedFaults: ReadonlySet<string> = new Set([
  "throttling",
  "rejection",
  "internalError",
  "unavailable",
  "expiredCredentials",
  "clockSkew",
  "cutBefore"
])

/** The calls that arrived at the sandbox. */
export const rawCalls = (log: ReadonlyArray<Report.Call>): ReadonlyArray<RawCall> =>
  log.flatMap(({ at, fault, request, response }) => {
    if (request === undefined) return []
    const { UsageRecords } = request as WireRequest
    const { UnprocessedRecords = [] } = (response ?? {}) as {
      readonly UnprocessedRecords?: ReadonlyArray<WireRecord>
    }
    const unprocessedJson = new Set(UnprocessedRecords.map((record) => JSON.stringify(record)))
    return {
      at: at.epochMillis,
      body: JSON.stringify(request),
      isProcessed: !unprocessedFaults.has(fault),
      unprocessed: UsageRecords.flatMap((record, index) =>
        unprocessedJson.has(JSON.stringify(record)) ? [index] : []
      )
    }
  })
