/**
 * A sandbox in which everything can happen to a record, behind a network that takes its time; and what the sandbox
 * never does to an answer, done to it on the way.
 */
import { Clock, DateTime, Duration, Effect, FastCheck } from "effect"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import { MeteringClient, type Service } from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import type * as Preflight from "effect-marketplace-metering/Preflight"
import type { Fault, Report } from "effect-marketplace-metering/sandbox"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import { decoder } from "../../src/internal/schema/decodeResponse.js"
import { shapeOf } from "../../src/internal/schema/shape.js"
import type { Catalog, RawCall, WireRecord, WireRequest } from "./oracle.js"

const operation = "BatchMeterUsage"
const endpoint = "https://metering.example"

// ---------------------------------------------------------------------------------------------------
// who sells what to whom
// ---------------------------------------------------------------------------------------------------

const licenseArnOf = (digit: string) =>
  `arn:aws:license-manager::111122223333:license:l-${digit.repeat(32)}`

/** Customers in every state, as they are from a time on. */
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
      // its agreement ends while its usage is submitted
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
// what is submitted
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
  // another's licence, one of nobody, one that ends
  { customerAWSAccountId: "111122223333", licenseArn: licenseArnOf("2") },
  { customerAWSAccountId: "111122223333", licenseArn: licenseArnOf("9") },
  { customerAWSAccountId: expiringAccount, licenseArn: licenseArnOf("3") }
]

/** Few values each, so that records meet; some of which no service takes. */
export const itemAt = (start: DateTime.Utc) =>
  FastCheck.record({
    minutesAgo: weighted([1, 10, 58, 70, 100, 400, 1_000, 1_438], [1_440, 3_000, -3, -3_000]),
    dimension: weighted(["calls", "calls", "seats"], ["unheard-of", "Calls", ""]),
    quantity: weighted([0, 1, 2, 3], [-1, 1.5, 2_147_483_648]),
    who: weighted(usualIdentities, unusualIdentities, 10),
    productCode: weighted(["p1", "p1", "p2"], ["p3"], 60),
    allocated: weighted([undefined, undefined, undefined, 0], [1], 60)
  }).map(({ allocated, dimension, minutesAgo, productCode, quantity, who }) => ({
    productCode,
    record: {
      timestamp: DateTime.subtract(start, { minutes: minutesAgo }),
      dimension,
      quantity,
      ...(allocated !== undefined && {
        usageAllocations: [{ allocatedUsageQuantity: quantity + allocated }] as const
      }),
      ...who
    } as UsageRecord.Input
  }))

export type Item = ReturnType<typeof itemAt> extends FastCheck.Arbitrary<infer A> ? A : never

/** What this library would not send, so that the service has to refuse it. */
export const serverCheckedRules: ReadonlyArray<Preflight.Rule> = [
  "quantity",
  "dimension",
  "oneCustomerIdentity",
  "allocationSum"
]

// ---------------------------------------------------------------------------------------------------
// what goes wrong
// ---------------------------------------------------------------------------------------------------

/** After which of them nobody can tell whether records were stored. */
const uncertainFaults: ReadonlySet<string> = new Set([
  "cutAfter",
  "cutBefore",
  "internalError",
  "unavailable",
  "failed",
  "late",
  "silent",
  "garbled",
  // only until the records are asked for one by one, which may be refused
  "wordy",
  "terse"
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

/** They end a product, or everything. */
const terminalFaults: ReadonlyArray<Fault.Fault> = [
  { fault: "refusal", code: "DisabledApiException" },
  { fault: "refusal", code: "UnheardOfException" },
  { fault: "expiredCredentials" },
  { fault: "clockSkew", ahead: "10 minutes" }
]

/**
 * What befalls an answer of the sandbox, or the way to it, beyond the sandbox's own faults.
 *
 * - `undelivered`: no connection can be made
 * - `failed`, `late`: carried out, and then there is an internal error, or no answer in time
 * - `silent`: it leaves out every third result
 * - `shuffled`: results are in another order, with one that belongs to nobody
 * - `wordy`: echoes name the customer in every way
 * - `terse`: echoes lack the quantity, and name the customer by its account if they have one
 * - `garbled`: no result can be read but one of nobody knows what
 */
const responseFaults = [
  "none",
  "undelivered",
  "failed",
  "late",
  "silent",
  "shuffled",
  "wordy",
  "terse",
  "garbled"
] as const
type ResponseFault = (typeof responseFaults)[number]

/** Faults of the sandbox by their chances, and oddities of the first answers. */
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
  oddities: FastCheck.array(FastCheck.constantFrom(...responseFaults), {
    maxLength: 20,
    size: "max"
  }),
  /** What a call with licenses of two products is refused with. */
  mixed: FastCheck.constantFrom(
    "InvalidLicenseException",
    "InvalidProductCodeException",
    "InvalidUsageDimensionException",
    "ValidationException",
    "UnheardOfException"
  ),
  refusesStrangers: FastCheck.boolean(),
  isPatient: FastCheck.boolean(),
  isTrusting: FastCheck.boolean()
})

export type Conditions = typeof conditions extends FastCheck.Arbitrary<infer A> ? A : never

/** Every answer comes, and tells of all records. */
export const withCertainResponses = ({
  chances,
  oddities,
  ...conditions
}: Conditions): Conditions => ({
  ...conditions,
  chances: chances.filter(({ fault }) => !uncertainFaults.has(fault)),
  oddities: oddities.filter((responseFault) => !uncertainFaults.has(responseFault))
})

// ---------------------------------------------------------------------------------------------------
// the network
// ---------------------------------------------------------------------------------------------------

/** A call as the submission made it. */
export interface SentRequest {
  readonly at: number
  readonly request: WireRequest
}

export interface Simulation {
  readonly catalog: Catalog
  readonly sandbox: MeteringSandbox.Service
  /** What the submission has sent, in this order. */
  readonly sent: ReadonlyArray<SentRequest>
  /** Nothing goes wrong from now on. */
  readonly clearFaults: Effect.Effect<void>
}

/** Gives a program a world that begins now. */
export const simulate = <A, E>(
  { chances, isTrusting, mixed, oddities, refusesStrangers, seed }: Conditions,
  use: (simulation: Simulation) => Effect.Effect<A, E, MeteringClient>
): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const catalog = catalogAt(yield* DateTime.now, refusesStrangers)
    const sent: Array<SentRequest> = []
    const pendingFaults = [...oddities]
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
          faultyClient(client, catalog, pendingFaults, sent, multiProductErrorOf(mixed))
        )
      )
    })
    return yield* Effect.provide(
      program,
      MeteringSandbox.layer({
        ...scenarioOf(catalog),
        faults: { chances, seed },
        skipRules: isTrusting ? serverCheckedRules : []
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
      if (responseFault === "undelivered") {
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
        case "failed":
          return yield* new MeteringError.InternalServiceErrorException({ operation })
        case "late":
          yield* Effect.sleep(timeout)
          return yield* new MeteringError.RequestTimeoutError({ operation, endpoint, timeout })
        case "garbled":
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

/** Whether the licenses of a call are of two products. */
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

const multiProductErrorOf = (code: Conditions["mixed"]): BatchMeterUsage.BatchMeterUsageError => {
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

/** A result that says of no record that it is its own. */
const unattributedResult = new UsageRecord.UsageRecordResult(
  { status: "Success", meteringRecordId: "nobody's" },
  true
)

const alterResults = (
  results: ReadonlyArray<UsageRecord.UsageRecordResult>,
  responseFault: ResponseFault,
  catalog: Catalog
) => {
  switch (responseFault) {
    case "silent":
      return results.filter((_, index) => index % 3 !== 1)
    case "shuffled":
      return [unrelatedResult, ...results.slice().reverse()]
    case "terse":
      return results.map((result) => withoutQuantity(withFullIdentity(result, catalog)))
    case "wordy":
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
      dimension: "nobody's",
      quantity: 1,
      customerAWSAccountId: "0"
    }),
    status: "Success",
    meteringRecordId: "nobody's"
  },
  true
)

// ---------------------------------------------------------------------------------------------------
// the wire
// ---------------------------------------------------------------------------------------------------

/** A record as it is on the wire. */
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

/** With its members in one order. */
export const canonical = ({ ProductCode, UsageRecords }: WireRequest): string =>
  JSON.stringify([
    ProductCode,
    UsageRecords.map((record) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
  ])

/** The faults that befall a call before the service looks at it. */
const unprocessedFaults: ReadonlySet<string> = new Set([
  "throttling",
  "refusal",
  "internalError",
  "unavailable",
  "expiredCredentials",
  "clockSkew",
  "cutBefore"
])

/** What arrived, and the places of what came back unprocessed. */
export const rawCalls = (log: ReadonlyArray<Report.Call>): ReadonlyArray<RawCall> =>
  log.flatMap(({ answer: response, at, fault, request }) => {
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
