/** Events that are held back or cannot be delivered: how long they are kept, and when they are sent. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Redacted, Stream, TestClock } from "effect"
import { type EventDelivery, MeteringSandbox, type Scenario } from "../../src/sandbox/index.js"
import { acme, analytics, setTime } from "./support.js"

const now = "2026-11-24T10:30:00Z"

const sandbox = MeteringSandbox.MeteringSandbox

/** One customer with an agreement. No server delivers to the target, so its deliveries stay pending. */
const scenario = {
  products: [{ code: analytics, dimensions: ["api-calls"] }],
  customers: [
    {
      customerAWSAccountId: acme,
      agreements: [{ productCode: analytics, agreementId: "agmt-acme" }]
    }
  ]
} satisfies Scenario.Options

const target: EventDelivery.Target = {
  type: "apiDestination",
  name: "app",
  url: "http://127.0.0.1:9/",
  headerValue: Redacted.make("secret")
}

const selector = { agreementId: "agmt-acme" }

/** Causes an even number of events, of advisories. */
const notify = (count: number) =>
  Effect.gen(function* () {
    const { marketplace } = yield* sandbox
    for (let i = 0; i < count; i += 2) {
      yield* marketplace.issueAdvisory(selector)
      yield* marketplace.resolveAdvisory(selector)
    }
  })

const list = Effect.flatMap(sandbox, ({ events }) => events.list({ limit: 10_000 }))

const buy = (customerAWSAccountId = "777788889999", customerIdentifier?: string) =>
  Effect.flatMap(sandbox, ({ marketplace }) =>
    marketplace.buy({
      customerAWSAccountId,
      productCode: analytics,
      licenseArn: null,
      ...(customerIdentifier !== undefined && { customerIdentifier })
    })
  )

/** The ids of the events in the stream from now on. */
const sentIds = Effect.gen(function* () {
  const { events } = yield* sandbox
  const ids: Array<string> = []
  yield* Effect.forkScoped(
    Stream.runForEach(events.stream, (event) =>
      Effect.sync(() => {
        ids.push("id" in event ? String(event.id) : "")
      })
    )
  )
  yield* TestClock.adjust(0)
  return ids
})

describe("the list of events", () => {
  it.effect("keeps those with pending deliveries beyond the last 1000", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* notify(1100)
      const { events } = yield* list
      assert.lengthOf(events, 1100)
      assert.isTrue(events.every(({ deliveries }) => deliveries[0]?.state === "pending"))
    }).pipe(Effect.provide(MeteringSandbox.layer({ ...scenario, targets: [target] })))
  )

  it.effect("keeps the last 1000, although older ones have pending deliveries", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* notify(1100)
      // the target gets no messages of SNS
      yield* buy("777788889999", "cust-new")
      yield* notify(2)
      const names = (yield* list).events.map(({ name }) => name)
      assert.lengthOf(names, 1104)
      assert.deepStrictEqual(names.slice(-4, -2), [
        "Purchase Agreement Created - Proposer",
        "subscribe-success"
      ])
    }).pipe(Effect.provide(MeteringSandbox.layer({ ...scenario, targets: [target] })))
  )

  it.effect("keeps one that is held back beyond the last 1000, until it was sent", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { control, events } = yield* sandbox
      yield* events.setDeliveryFaults({ delay: { share: 1, duration: "1 day" } })
      yield* buy()
      yield* events.setDeliveryFaults({})
      yield* notify(1100)
      const kept = (yield* list).events
      assert.lengthOf(kept, 1001)
      assert.strictEqual(kept[0]?.name, "Purchase Agreement Created - Proposer")
      const ids = yield* sentIds
      yield* control.advance("1 day")
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(ids, [kept[0]?.eventId])
      yield* notify(2)
      const [oldest] = (yield* list).events
      assert.strictEqual(oldest?.name, "Purchase Agreement Advisory Issued - Manufacturer")
    }).pipe(Effect.scoped, Effect.provide(MeteringSandbox.layer(scenario)))
  )

  it.effect("has the same events after it was saved and loaded", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { control, events } = yield* sandbox
      yield* events.setDeliveryFaults({ afterLanding: true })
      yield* buy()
      yield* notify(1100)
      const before = yield* Effect.all([list, events.scheduled()])
      assert.lengthOf(before[0].events, 1101)
      yield* control.load(yield* control.save)
      assert.deepStrictEqual(yield* Effect.all([list, events.scheduled()]), before)
    }).pipe(Effect.provide(MeteringSandbox.layer({ ...scenario, targets: [target] })))
  )

  it.effect("drops the oldest of more than 5000 that could not be sent, with one warning", () => {
    const warnings: Array<string> = []
    const logger = Logger.make(({ message }) => {
      warnings.push(String(message))
    })
    return Effect.gen(function* () {
      yield* setTime(now)
      const { events } = yield* sandbox
      yield* events.setDeliveryFaults({ afterLanding: true })
      yield* buy()
      yield* buy("777788880000")
      yield* notify(4998)
      assert.lengthOf((yield* list).events, 5000)
      assert.deepStrictEqual(warnings, [])
      yield* notify(4)
      const kept = (yield* list).events
      assert.lengthOf(kept, 5000)
      assert.strictEqual(kept[0]?.name, "Purchase Agreement Advisory Issued - Manufacturer")
      assert.lengthOf((yield* events.scheduled({ limit: 5001 })).events, 5000)
      assert.lengthOf(warnings, 1)
      assert.match(warnings[0] ?? "", /^More than 5000 events are held back/)
    }).pipe(
      Effect.provide([
        MeteringSandbox.layer(scenario),
        Logger.replace(Logger.defaultLogger, logger)
      ])
    )
  })
})

describe("the deliveries of an event", () => {
  it.effect("are kept while they are pending", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { events } = yield* sandbox
      yield* notify(2)
      const [event] = (yield* list).events
      for (let i = 0; i < 100; i++) yield* events.resend({ eventId: event?.eventId ?? "" })
      assert.lengthOf((yield* list).events[0]?.deliveries ?? [], 202)
      assert.strictEqual((yield* events.targets)[0]?.pending, 102)
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({ ...scenario, targets: [target, { ...target, name: "other" }] })
      )
    )
  )
})

describe("turning afterLanding off", () => {
  it.effect("sends what it held back, in order, before later events", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { events } = yield* sandbox
      yield* events.setDeliveryFaults({ afterLanding: true })
      yield* buy()
      yield* buy("777788880000")
      yield* notify(2)
      const ids = yield* sentIds
      assert.lengthOf((yield* events.scheduled()).events, 4)
      yield* events.setDeliveryFaults({})
      assert.lengthOf((yield* events.scheduled()).events, 0)
      yield* notify(2)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(
        ids,
        (yield* list).events.map(({ eventId }) => eventId)
      )
      assert.lengthOf(ids, 6)
    }).pipe(Effect.scoped, Effect.provide(MeteringSandbox.layer(scenario)))
  )
})
