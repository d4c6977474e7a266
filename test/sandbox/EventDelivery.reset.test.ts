/** Deliveries that are under way while the state is replaced. */
import type { ServerResponse } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, TestClock } from "effect"
import { MeteringSandbox, SandboxServer, type Scenario } from "../../src/sandbox/index.js"
import { eventually } from "./http.js"
import { makeReceiver, status } from "./receiver.js"
import { analytics, setTime } from "./support.js"

const sandbox = MeteringSandbox.MeteringSandbox

const scenarioOf = (url: string): Scenario.Options => ({
  targets: [{ type: "apiDestination", name: "app", url, headerValue: Redacted.make("secret") }]
})

/** A purchase without a license: one event to the target. */
const buy = (customerAWSAccountId: string) =>
  Effect.flatMap(sandbox, ({ marketplace }) =>
    marketplace.buy({ customerAWSAccountId, productCode: analytics, licenseArn: null })
  )

const deliveries = Effect.gen(function* () {
  const { events } = yield* (yield* sandbox).events.list()
  return events.flatMap(({ deliveries }) => deliveries)
})

const delivered = eventually(
  deliveries,
  (all) => all.length > 0 && all.every(({ state }) => state === "delivered")
)

const accountIn = (body: string): unknown => JSON.parse(body).detail.acceptor.accountId

/** A receiver that does not respond to the first request before `release`. */
const makeSlowReceiver = Effect.gen(function* () {
  const held: Array<ServerResponse> = []
  const receiver = yield* makeReceiver((response) => {
    held.push(response)
  })
  const release = Effect.sync(() => {
    for (const response of held) response.end()
  })
  return { ...receiver, release }
})

/** A sandbox with the server that delivers its events. */
const served = (layer: ReturnType<typeof MeteringSandbox.layer>) =>
  Layer.provideMerge(SandboxServer.layerNode(), layer)

describe("a delivery that is in flight", () => {
  it.effect("does not count for an event after a reset", () =>
    Effect.gen(function* () {
      yield* setTime("2026-11-24T10:30:00Z")
      const receiver = yield* makeSlowReceiver
      yield* Effect.gen(function* () {
        yield* buy("111122223333")
        assert.strictEqual(accountIn((yield* receiver.next).body), "111122223333")
        yield* (yield* sandbox).control.reset
        yield* buy("444455556666")
        yield* receiver.release
        const [delivery] = yield* delivered
        assert.lengthOf(delivery?.attempts ?? [], 1)
        assert.strictEqual(yield* receiver.requests.size, 1)
        assert.strictEqual(accountIn((yield* receiver.next).body), "444455556666")
      }).pipe(Effect.provide(served(MeteringSandbox.layer(scenarioOf(receiver.url)))))
    }).pipe(Effect.scoped)
  )

  it.effect("does not count for an event of a state that is loaded", () =>
    Effect.gen(function* () {
      yield* setTime("2026-11-24T10:30:00Z")
      const receiver = yield* makeSlowReceiver
      const layer = MeteringSandbox.layer(scenarioOf(receiver.url))
      // no server delivers here
      const saved = yield* Effect.zipRight(
        buy("444455556666"),
        Effect.flatMap(sandbox, ({ control }) => control.save)
      ).pipe(Effect.provide(Layer.fresh(layer)))
      yield* Effect.gen(function* () {
        yield* buy("111122223333")
        yield* receiver.next
        yield* (yield* sandbox).control.load(saved)
        yield* receiver.release
        yield* delivered
        assert.strictEqual(yield* receiver.requests.size, 1)
        assert.strictEqual(accountIn((yield* receiver.next).body), "444455556666")
      }).pipe(Effect.provide(served(layer)))
    }).pipe(Effect.scoped)
  )
})

describe("a delivery that waits for its next attempt", () => {
  it.effect("holds back no event after a reset", () =>
    Effect.gen(function* () {
      yield* setTime("2026-11-24T10:30:00Z")
      const receiver = yield* makeReceiver(status(500), status(500))
      yield* Effect.gen(function* () {
        yield* buy("111122223333")
        yield* receiver.next
        yield* eventually(TestClock.sleeps(), (sleeps) => sleeps.length > 0)
        yield* TestClock.adjust("1 second")
        yield* eventually(deliveries, ([delivery]) => delivery?.attempts.length === 2)
        yield* (yield* sandbox).control.reset
        yield* buy("444455556666")
        const [delivery] = yield* delivered
        assert.lengthOf(delivery?.attempts ?? [], 1)
      }).pipe(Effect.provide(served(MeteringSandbox.layer(scenarioOf(receiver.url)))))
    }).pipe(Effect.scoped)
  )
})
