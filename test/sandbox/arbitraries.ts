/** Events of a sandbox: calls, actions of buyers, and time. Few values each, so that they collide. */
import { DateTime, Effect, FastCheck, Redacted } from "effect"
import type * as BatchMeterUsage from "../../src/BatchMeterUsage.js"
import { MeteringClient } from "../../src/MeteringClient.js"
import type * as MeterUsage from "../../src/MeterUsage.js"
import type { Marketplace, MeteringSandbox as Sandbox } from "../../src/sandbox/index.js"
import { type EventDelivery, type Fault, MeteringSandbox } from "../../src/sandbox/index.js"
import { Tag, UsageAllocation } from "../../src/UsageAllocation.js"
import { acme, acmeLicense, at, globexLicense, unknownAccount } from "./support.js"

const fc = FastCheck

const oneOf = <const A>(...values: ReadonlyArray<A>) => fc.constantFrom(...values)

export const agentProduct = "sandbox-agent"

/** A scenario with an AgentCore product, shortly before the month is closed. */
export const options = {
  products: [
    { code: "sandbox-analytics", dimensions: ["api-calls", "seats"] },
    { code: "sandbox-container", dimensions: ["pods", "seats"] },
    { code: agentProduct, dimensions: ["seats"], metering: "agentCore" }
  ],
  customers: [
    {
      customerAWSAccountId: acme,
      customerIdentifier: "cust-acme",
      agreements: [
        { productCode: "sandbox-analytics", licenseArn: acmeLicense },
        { productCode: "sandbox-container" },
        { productCode: agentProduct }
      ]
    },
    {
      customerAWSAccountId: "222233334444",
      customerIdentifier: "cust-globex",
      agreements: [{ productCode: "sandbox-analytics", licenseArn: globexLicense }]
    },
    { customerAWSAccountId: "333344445555", agreements: [] }
  ],
  now: at("2026-12-01T03:30:00Z")
} satisfies Sandbox.Options

const quantity = oneOf(0, 1, 2, 2_147_483_647)
const age = oneOf(-5, 0, 10, 29, 31, 95, 215, 359, 1439)
const identity = oneOf(
  { customerAWSAccountId: acme },
  { customerAWSAccountId: acme },
  { customerIdentifier: "cust-acme" },
  { customerIdentifier: "cust-globex" },
  { customerAWSAccountId: "333344445555" },
  { customerAWSAccountId: unknownAccount }
)
const allocations = oneOf(undefined, undefined, "one", "two")

const record = fc.record({
  minutesAgo: age,
  dimension: oneOf("api-calls", "seats"),
  quantity,
  identity,
  allocations
})

export const batchCall = fc.record({
  _tag: fc.constant("batch" as const),
  records: fc.array(record, { maxLength: 8 }),
  identifiedBy: oneOf("product", "product", "license", "unknown product", "container")
})

export type BatchCall = typeof batchCall extends FastCheck.Arbitrary<infer A> ? A : never

const meterCall = fc.record({
  _tag: fc.constant("meter" as const),
  productCode: oneOf("sandbox-container", agentProduct),
  minutesAgo: age,
  quantity,
  clientToken: oneOf("a", "b", "c"),
  dryRun: fc.boolean()
})

export const call = fc.oneof(batchCall, meterCall)

export type Call = typeof call extends FastCheck.Arbitrary<infer A> ? A : never

export const wait = fc.record({
  _tag: fc.constant("wait" as const),
  minutes: oneOf(1, 30, 150, 1400)
})

const selector = oneOf<Marketplace.AgreementSelector>(
  { customerAWSAccountId: acme },
  { customerIdentifier: "cust-globex" },
  { customerAWSAccountId: unknownAccount },
  { licenseArn: globexLicense },
  {}
)

const marketplaceEvent = fc.oneof(
  fc.record({ _tag: oneOf("mint", "cancel", "suspend", "resume"), selector }),
  fc.record({
    _tag: fc.constant("addCustomer" as const),
    customer: oneOf<Marketplace.NewCustomer>(
      { customerAWSAccountId: unknownAccount },
      { customerAWSAccountId: unknownAccount, customerIdentifier: "cust-new" },
      { customerAWSAccountId: acme, agreements: [{ productCode: "sandbox-container" }] }
    )
  }),
  fc.record({
    _tag: fc.constant("subscribe" as const),
    subscription: oneOf<Marketplace.Subscription>(
      { customerAWSAccountId: unknownAccount, productCode: "sandbox-analytics" },
      { customerAWSAccountId: acme, productCode: "sandbox-analytics", licenseArn: null },
      { customerAWSAccountId: acme, productCode: "nothing" }
    )
  }),
  fc.record({
    _tag: fc.constant("buy" as const),
    purchase: oneOf<Marketplace.Purchase>(
      { customerAWSAccountId: unknownAccount, productCode: "sandbox-analytics" },
      {
        customerAWSAccountId: "444455556666",
        customerIdentifier: "cust-bought",
        productCode: "sandbox-analytics",
        startsAt: at("2026-12-01T05:00:00Z"),
        endsAt: at("2026-12-01T09:00:00Z"),
        freeTrial: true
      },
      {
        customerAWSAccountId: acme,
        productCode: "sandbox-container",
        licenseArn: null,
        reseller: "121212121212",
        paymentFails: true
      }
    )
  }),
  fc.record({
    _tag: oneOf(
      "amend",
      "renew",
      "replace",
      "expire",
      "terminate",
      "issueAdvisory",
      "resolveAdvisory",
      "failPayment"
    ),
    selector
  }),
  fc.record({
    _tag: fc.constant("deliveryFaults" as const),
    faults: oneOf<EventDelivery.DeliveryFaults>(
      {},
      { duplicate: 0.3, drop: 0.2, reorder: 0.5, seed: 3 },
      { delay: { share: 0.5, duration: "40 minutes" }, afterLanding: true }
    )
  }),
  fc.record({ _tag: fc.constant("resolve" as const), token: fc.nat({ max: 3 }) }),
  fc.record({
    _tag: fc.constant("faults" as const),
    faults: oneOf<Fault.Faults>(
      {},
      { script: [{ fault: "none", times: 2 }, { fault: "cutAfter" }] },
      {
        script: [{ fault: "unprocessed", share: 0.3, operation: "BatchMeterUsage" }],
        chances: [
          { fault: "throttling", probability: 0.3, retryAfter: "2 seconds" },
          { fault: "cutBefore", probability: 0.3 },
          { fault: "unprocessed", share: 0.5, probability: 0.5 }
        ],
        seed: 5
      }
    )
  }),
  fc.constant({ _tag: "reset" as const })
)

/** All events, mostly calls. */
export const event = fc.oneof({ weight: 3, arbitrary: call }, wait, marketplaceEvent)

export type Event = typeof event extends FastCheck.Arbitrary<infer A> ? A : never

const allocationsOf = (quantity: number, kind: "one" | "two" | undefined) =>
  kind === undefined
    ? {}
    : {
        usageAllocations: [
          new UsageAllocation(
            {
              allocatedUsageQuantity: quantity,
              tags: [
                new Tag({ key: "team", value: kind }),
                // an unchecked value that is not an instance
                { key: "more", value: "" }
              ]
            },
            true
          )
        ] as const
      }

const productOf = { product: "sandbox-analytics", container: "sandbox-container" } as const

export const inputOf = (
  { records, identifiedBy }: BatchCall,
  now: DateTime.Utc
): BatchMeterUsage.Input => ({
  ...(identifiedBy !== "license" && {
    productCode: identifiedBy === "unknown product" ? "unknown" : productOf[identifiedBy]
  }),
  usageRecords: records.map(({ allocations, dimension, identity, minutesAgo, quantity }) => ({
    timestamp: DateTime.subtract(now, { minutes: minutesAgo }),
    dimension: identifiedBy === "container" ? "seats" : dimension,
    quantity,
    ...allocationsOf(quantity, allocations),
    ...(identifiedBy === "license"
      ? { customerAWSAccountId: acme, licenseArn: acmeLicense }
      : identity)
  }))
})

/** Sends a call. Returns its response, or the tag of the error. */
export const send = (call: Call, now: DateTime.Utc) =>
  Effect.flatMap(
    MeteringClient,
    (client): Effect.Effect<unknown> =>
      call._tag === "batch"
        ? Effect.match(client.batchMeterUsage(inputOf(call, now)), {
            onFailure: ({ _tag }) => _tag,
            onSuccess: ({ results, unprocessedRecords }) => ({ results, unprocessedRecords })
          })
        : Effect.match(
            (call.dryRun ? client.meterUsageDryRun : client.meterUsage)({
              productCode: call.productCode,
              timestamp: DateTime.subtract(now, { minutes: call.minutesAgo }),
              usageDimension: "seats",
              usageQuantity: call.quantity,
              clientToken: call.clientToken
            }),
            {
              onFailure: ({ _tag }) => _tag,
              onSuccess: (response: MeterUsage.MeterUsageResponse | MeterUsage.DryRunResponse) =>
                "dryRun" in response ? "dry run" : { meteringRecordId: response.meteringRecordId }
            }
          )
  )

/** Applies an event and returns its outcome. */
export const applyEvent = (
  event: Event
): Effect.Effect<unknown, never, MeteringClient | MeteringSandbox.MeteringSandbox> =>
  Effect.gen(function* () {
    const sandbox = yield* MeteringSandbox.MeteringSandbox
    const client = yield* MeteringClient
    const outcomeOf = <A>(effect: Effect.Effect<A, { readonly message: string }>) =>
      Effect.match(effect, {
        onFailure: ({ message }): unknown => message,
        onSuccess: (value): unknown => (Redacted.isRedacted(value) ? Redacted.value(value) : value)
      })
    switch (event._tag) {
      case "batch":
      case "meter":
        return yield* send(event, yield* sandbox.control.now)
      case "wait":
        return yield* outcomeOf(sandbox.control.advance(`${event.minutes} minutes`))
      case "mint":
        return yield* outcomeOf(sandbox.marketplace.mintToken(event.selector))
      case "cancel":
      case "suspend":
      case "resume":
        return yield* outcomeOf(sandbox.marketplace[event._tag](event.selector))
      case "addCustomer":
        return yield* outcomeOf(sandbox.marketplace.addCustomer(event.customer))
      case "subscribe":
        return yield* outcomeOf(sandbox.marketplace.subscribe(event.subscription))
      case "buy":
        return yield* outcomeOf(sandbox.marketplace.buy(event.purchase))
      case "amend":
      case "renew":
      case "replace":
      case "expire":
      case "terminate":
      case "issueAdvisory":
      case "resolveAdvisory":
      case "failPayment":
        return yield* outcomeOf(sandbox.marketplace[event._tag](event.selector))
      case "deliveryFaults":
        return yield* outcomeOf(sandbox.events.setDeliveryFaults(event.faults))
      case "resolve": {
        const token = yield* outcomeOf(sandbox.marketplace.mintToken())
        const made = event.token === 0 ? "made-up" : String(token)
        return yield* outcomeOf(client.resolveCustomer({ registrationToken: Redacted.make(made) }))
      }
      case "faults":
        return yield* outcomeOf(sandbox.control.setFaults(event.faults))
      case "reset":
        return yield* outcomeOf(sandbox.control.reset)
    }
  })

/** The whole observable state except the log. */
export const observableState = Effect.gen(function* () {
  const {
    control: { now },
    events: { deliveryFaults, list, scheduled },
    marketplace: { agreements, customers },
    report: { billed, callCounts: calls, records }
  } = yield* MeteringSandbox.MeteringSandbox
  return yield* Effect.all({
    agreements,
    billed,
    calls,
    customers,
    deliveryFaults,
    events: list(),
    now,
    records,
    scheduled: scheduled()
  })
})
