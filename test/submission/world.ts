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
import { reader } from "../../src/internal/codec.js"
import { of } from "../../src/internal/shape.js"
import type { Market, RawCall, WireRecord, WireRequest } from "./oracle.js"

const operation = "BatchMeterUsage"
const endpoint = "https://metering.example"

// ---------------------------------------------------------------------------------------------------
// who sells what to whom
// ---------------------------------------------------------------------------------------------------

const licence = (digit: string) =>
  `arn:aws:license-manager::111122223333:license:l-${digit.repeat(32)}`

/** Customers in every state, as they are from a time on. */
export const marketAt = (start: DateTime.Utc, refusesStrangers = false): Market => {
  const now = start.epochMillis
  return {
    products: { p1: ["calls", "seats"], p2: ["calls"] },
    customers: [
      {
        names: ["111122223333", "cust-1"],
        agreements: [{ product: "p1", licence: licence("1") }, { product: "p2" }]
      },
      {
        names: ["444455556666", "cust-2"],
        agreements: [{ product: "p1" }, { product: "p2", licence: licence("2") }]
      },
      // its agreement ends while its usage is submitted
      {
        names: [leaving],
        agreements: [{ product: "p1", licence: licence("3"), until: now + 60_000 }]
      },
      { names: ["666677778888"], isSuspended: true, agreements: [{ product: "p1" }] },
      { names: ["777788889999"], agreements: [] }
    ],
    refusesStrangers
  }
}

export const leaving = "555566667777"

export const scenarioOf = ({ customers, products, refusesStrangers }: Market) => ({
  products: Object.entries(products).map(([code, dimensions]) => ({ code, dimensions })),
  customers: customers.map(({ agreements, isSuspended = false, names: [account, identifier] }) => ({
    customerAWSAccountId: account,
    customerIdentifier: identifier,
    suspended: isSuspended,
    agreements: agreements.map(({ licence, product, until }) => ({
      productCode: product,
      licenseArn: licence,
      endsAt: until === undefined ? undefined : DateTime.unsafeMake(until)
    }))
  })),
  rules: {
    unknownCustomer: refusesStrangers
      ? ("InvalidCustomerIdentifierException" as const)
      : ("CustomerNotSubscribed" as const)
  }
})

// ---------------------------------------------------------------------------------------------------
// what is submitted
// ---------------------------------------------------------------------------------------------------

const often = <A>(usual: ReadonlyArray<A>, odd: ReadonlyArray<A>, weight = 30) =>
  FastCheck.oneof(
    { weight, arbitrary: FastCheck.constantFrom(...usual) },
    { weight: 1, arbitrary: FastCheck.constantFrom(...odd) }
  )

interface Who {
  readonly customerAWSAccountId?: string
  readonly customerIdentifier?: string
  readonly licenseArn?: string
}

const usual: ReadonlyArray<Who> = [
  { customerAWSAccountId: "111122223333" },
  { customerAWSAccountId: "444455556666" },
  { customerAWSAccountId: leaving },
  { customerIdentifier: "cust-1" },
  { customerAWSAccountId: "111122223333", licenseArn: licence("1") },
  { customerIdentifier: "cust-2", licenseArn: licence("2") }
]

const odd: ReadonlyArray<Who> = [
  { customerAWSAccountId: "666677778888" },
  { customerAWSAccountId: "777788889999" },
  { customerAWSAccountId: "999999999999" },
  { customerIdentifier: "cust-9" },
  {},
  { customerAWSAccountId: "111122223333", customerIdentifier: "cust-1" },
  // another's licence, one of nobody, one that ends
  { customerAWSAccountId: "111122223333", licenseArn: licence("2") },
  { customerAWSAccountId: "111122223333", licenseArn: licence("9") },
  { customerAWSAccountId: leaving, licenseArn: licence("3") }
]

/** Few values each, so that records meet; some of which no service takes. */
export const itemAt = (start: DateTime.Utc) =>
  FastCheck.record({
    minutesAgo: often([1, 10, 58, 70, 100, 400, 1_000, 1_438], [1_440, 3_000, -3, -3_000]),
    dimension: often(["calls", "calls", "seats"], ["unheard-of", "Calls", ""]),
    quantity: often([0, 1, 2, 3], [-1, 1.5, 2_147_483_648]),
    who: often(usual, odd, 10),
    productCode: often(["p1", "p1", "p2"], ["p3"], 60),
    allocated: often([undefined, undefined, undefined, 0], [1], 60)
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
export const trusting: ReadonlyArray<Preflight.Rule> = [
  "quantity",
  "dimension",
  "oneCustomerIdentity",
  "allocationSum"
]

// ---------------------------------------------------------------------------------------------------
// what goes wrong
// ---------------------------------------------------------------------------------------------------

/** After which of them nobody can tell whether records were stored. */
const doubtful: ReadonlySet<string> = new Set([
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

const passing: ReadonlyArray<Fault.Fault> = [
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
const final: ReadonlyArray<Fault.Fault> = [
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
const oddities = [
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
type Oddity = (typeof oddities)[number]

/** Faults of the sandbox by their chances, and oddities of the first answers. */
export const weather = FastCheck.record({
  seed: FastCheck.nat(),
  chances: FastCheck.array(
    FastCheck.oneof(
      {
        weight: 12,
        arbitrary: FastCheck.tuple(
          FastCheck.constantFrom(...passing),
          FastCheck.constantFrom(0.05, 0.15, 0.3)
        )
      },
      {
        weight: 1,
        arbitrary: FastCheck.tuple(
          FastCheck.constantFrom(...final),
          FastCheck.constantFrom(0.01, 0.05)
        )
      }
    ).map(([fault, probability]): Fault.Chance => ({ ...fault, probability })),
    { maxLength: 6, size: "max" }
  ),
  oddities: FastCheck.array(FastCheck.constantFrom(...oddities), { maxLength: 20, size: "max" }),
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

export type Weather = typeof weather extends FastCheck.Arbitrary<infer A> ? A : never

/** Every answer comes, and tells of all records. */
export const clear = ({ chances, oddities, ...weather }: Weather): Weather => ({
  ...weather,
  chances: chances.filter(({ fault }) => !doubtful.has(fault)),
  oddities: oddities.filter((oddity) => !doubtful.has(oddity))
})

// ---------------------------------------------------------------------------------------------------
// the network
// ---------------------------------------------------------------------------------------------------

/** A call as the submission made it. */
export interface Sent {
  readonly at: number
  readonly request: WireRequest
}

export interface World {
  readonly market: Market
  readonly sandbox: MeteringSandbox.Service
  /** What the submission has sent, in this order. */
  readonly sent: ReadonlyArray<Sent>
  /** Nothing goes wrong from now on. */
  readonly clearUp: Effect.Effect<void>
}

/** Gives a program a world that begins now. */
export const inWorld = <A, E>(
  { chances, isTrusting, mixed, oddities, refusesStrangers, seed }: Weather,
  use: (world: World) => Effect.Effect<A, E, MeteringClient>
): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const market = marketAt(yield* DateTime.now, refusesStrangers)
    const sent: Array<Sent> = []
    const odd = [...oddities]
    const program = Effect.gen(function* () {
      const client = yield* MeteringClient
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const clearUp = Effect.suspend(() => {
        odd.length = 0
        return sandbox.setFaults({})
      })
      return yield* use({ market, sandbox, sent, clearUp }).pipe(
        Effect.provideService(MeteringClient, network(client, market, odd, sent, mixedError(mixed)))
      )
    })
    return yield* Effect.provide(
      program,
      MeteringSandbox.layer({
        ...scenarioOf(market),
        faults: { chances, seed },
        except: isTrusting ? trusting : []
      })
    )
  })

const network = (
  client: Service,
  market: Market,
  odd: Array<Oddity>,
  sent: Array<Sent>,
  mixed: BatchMeterUsage.BatchMeterUsageError
): Service => ({
  ...client,
  batchMeterUsage: (input) =>
    Effect.gen(function* () {
      const oddity = odd.shift() ?? "none"
      sent.push({ at: yield* Clock.currentTimeMillis, request: wireRequestOf(input) })
      if (oddity === "undelivered") {
        return yield* new MeteringError.ConnectionError({
          operation,
          endpoint,
          reason: "ECONNREFUSED",
          delivery: "notSent"
        })
      }
      yield* Effect.sleep("100 millis")
      if (isMixed(market, wireRequestOf(input))) return yield* Effect.fail(mixed)
      const answer = yield* Effect.either(client.batchMeterUsage(input))
      yield* Effect.sleep("50 millis")
      const response = yield* answer
      switch (oddity) {
        case "failed":
          return yield* new MeteringError.InternalServiceErrorException({ operation })
        case "late":
          yield* Effect.sleep(timeout)
          return yield* new MeteringError.RequestTimeoutError({ operation, endpoint, timeout })
        case "garbled":
          return new BatchMeterUsage.BatchMeterUsageResponse(
            { ...response, results: [whose], unreadable: response.results },
            true
          )
        default:
          return new BatchMeterUsage.BatchMeterUsageResponse(
            { ...response, results: told(response.results, oddity, market) },
            true
          )
      }
    })
})

const timeout = Duration.seconds(30)

/** Whether the licenses of a call are of two products. */
const isMixed = ({ customers }: Market, { UsageRecords }: WireRequest): boolean => {
  const products = UsageRecords.flatMap(({ LicenseArn }) =>
    customers.flatMap(({ agreements }) =>
      agreements.flatMap(({ licence, product }) =>
        licence !== undefined && licence === LicenseArn ? [product] : []
      )
    )
  )
  return new Set(products).size > 1
}

const mixedError = (code: Weather["mixed"]): BatchMeterUsage.BatchMeterUsageError => {
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
const whose = new UsageRecord.UsageRecordResult(
  { status: "Success", meteringRecordId: "nobody's" },
  true
)

const told = (
  results: ReadonlyArray<UsageRecord.UsageRecordResult>,
  oddity: Oddity,
  market: Market
) => {
  switch (oddity) {
    case "silent":
      return results.filter((_, place) => place % 3 !== 1)
    case "shuffled":
      return [stranger, ...results.slice().reverse()]
    case "terse":
      return results.map((result) => inShort(inFull(result, market)))
    case "wordy":
      return results.map((result) => inFull(result, market))
    default:
      return results
  }
}

const inFull = (result: UsageRecord.UsageRecordResult, { customers }: Market) => {
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

const inShort = (result: UsageRecord.UsageRecordResult) => {
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

const readRecord = reader(of(UsageRecord.UsageRecord))

const stranger = new UsageRecord.UsageRecordResult(
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
const unseen: ReadonlySet<string> = new Set([
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
  log.flatMap(({ answer, at, fault, request }) => {
    if (request === undefined) return []
    const { UsageRecords } = request as WireRequest
    const { UnprocessedRecords = [] } = (answer ?? {}) as {
      readonly UnprocessedRecords?: ReadonlyArray<WireRecord>
    }
    const left = new Set(UnprocessedRecords.map((record) => JSON.stringify(record)))
    return {
      at: at.epochMillis,
      body: JSON.stringify(request),
      isLookedAt: !unseen.has(fault),
      unprocessed: UsageRecords.flatMap((record, place) =>
        left.has(JSON.stringify(record)) ? [place] : []
      )
    }
  })
