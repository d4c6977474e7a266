/** Values that are made once: interrupting the first request must not cancel them for others. */
import { HttpServerError, HttpServerRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { MeteringClient } from "../../src/MeteringClient.js"
import { MeteringSandbox, SandboxServer } from "../../src/sandbox/index.js"
import { container } from "./support.js"

/** Starts an effect and disconnects before it ends. */
const abort = <A, E, R>(effect: Effect.Effect<A, E, R>, turns: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* Effect.repeatN(Effect.yieldNow(), turns)
    return yield* Fiber.interruptAs(fiber, HttpServerError.clientAbortFiberId)
  })

const register = Effect.flatMap(MeteringClient, (client) =>
  client.registerUsage({ productCode: container, publicKeyVersion: 1 })
)

const publicKey = Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ report }) => report.publicKey)

// the key is generated and then stored: the first request may end at either step
for (const turns of [0, 1, 10, 100]) {
  describe(`a client that disconnects after ${turns} turns does not cancel`, () => {
    it.effect("RegisterUsage", () =>
      Effect.gen(function* () {
        assert.isTrue(Exit.isInterrupted(yield* abort(register, turns)))
        assert.isDefined((yield* register).signature)
      }).pipe(Effect.provide(MeteringSandbox.layer()))
    )

    it.effect("the public key", () =>
      Effect.gen(function* () {
        assert.isTrue(Exit.isInterrupted(yield* abort(publicKey, turns)))
        assert.include(yield* publicKey, "PUBLIC KEY")
      }).pipe(Effect.provide(MeteringSandbox.layer()))
    )

    it.effect("the public key of a loaded private key", () =>
      Effect.gen(function* () {
        const pem = yield* publicKey
        const { save } = (yield* MeteringSandbox.MeteringSandbox).control
        const saved = yield* save
        yield* Effect.gen(function* () {
          yield* Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ control }) =>
            control.load(saved)
          )
          assert.isTrue(Exit.isInterrupted(yield* abort(publicKey, turns)))
          assert.strictEqual(yield* publicKey, pem)
        }).pipe(Effect.provide(MeteringSandbox.layer()))
      }).pipe(Effect.provide(MeteringSandbox.layer()))
    )
  })
}

it.effect("a client that disconnects does not cancel the loading of the control API", () =>
  Effect.gen(function* () {
    const app = yield* SandboxServer.make()
    const request: HttpServerRequest.HttpServerRequest = Object.create(
      HttpServerRequest.fromWeb(new Request("http://localhost/_sandbox/billed")),
      { originalUrl: { value: "/_sandbox/billed" }, headers: { value: { host: "localhost" } } }
    )
    const billed = app.pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, request),
      Effect.scoped
    )
    assert.isTrue(Exit.isInterrupted(yield* abort(billed, 1)))
    assert.strictEqual((yield* billed).status, 200)
  }).pipe(Effect.provide(MeteringSandbox.layer()))
)
