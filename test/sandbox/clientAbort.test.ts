/** Whoever asks first for what is made once may hang up: it is made for the others all the same. */
import { HttpServerError, HttpServerRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { MeteringClient } from "../../src/MeteringClient.js"
import { MeteringSandbox, SandboxServer } from "../../src/sandbox/index.js"
import { container } from "./support.js"

/** Begins it, and hangs up before it has come to its end. */
const abort = <A, E, R>(begun: Effect.Effect<A, E, R>, turns: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(begun)
    yield* Effect.repeatN(Effect.yieldNow(), turns)
    return yield* Fiber.interruptAs(fiber, HttpServerError.clientAbortFiberId)
  })

const register = Effect.flatMap(MeteringClient, (client) =>
  client.registerUsage({ productCode: container, publicKeyVersion: 1 })
)

const publicKey = Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ report }) => report.publicKey)

// a pair is generated and then taken up: the first may go at either step
for (const turns of [0, 1, 10, 100]) {
  describe(`after ${turns} turns`, () => {
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

    it.effect("the public key of a private key that there is", () =>
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

it.effect("the control, which is loaded when it is asked for", () =>
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
