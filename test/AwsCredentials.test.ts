import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { AwsCredentials, MeteringError } from "effect-marketplace-metering"
import { describeError, sanitizeMessage } from "../src/internal/credentials/credentialProvider.js"

const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
const token = "IQoJb3JpZ2luX2VjEXAMPLETOKEN//////////wEaCXVzLWVhc3QtMSJHMEUCIQ=="

const error = (reason: string) => new MeteringError.CredentialsError({ tried: ["test"], reason })

/** A source of key1, key2, ...; the test decides when each completes or fails. */
const makeSource = (options: { readonly lifetime?: Duration.DurationInput } = {}) => {
  const state = {
    runs: 0,
    interrupted: 0,
    broken: undefined as string | undefined,
    gate: undefined as Deferred.Deferred<void> | undefined
  }
  const source = Effect.gen(function* () {
    state.runs += 1
    const run = state.runs
    if (state.gate !== undefined) yield* Deferred.await(state.gate)
    if (state.broken !== undefined) return yield* error(state.broken)
    const now = yield* DateTime.now
    return {
      accessKeyId: `key${run}`,
      secretAccessKey: Redacted.make(`${secret}${run}`),
      ...(options.lifetime === undefined
        ? {}
        : { expiration: DateTime.addDuration(now, options.lifetime) })
    }
  }).pipe(
    Effect.onInterrupt(() =>
      Effect.sync(() => {
        state.interrupted += 1
      })
    )
  )
  return { state, source }
}

const key = Effect.map((credentials: AwsCredentials.Credentials) => credentials.accessKeyId)

/** Lets every other fiber run until it waits for something. */
const yieldToFibers = Effect.yieldNow().pipe(Effect.repeatN(20))

/** Runs it in a fiber that is interrupted at its n-th step, counted by the scheduler. */
const interruptedAfter = <A, E>(n: number, effect: Effect.Effect<A, E>) => {
  let steps = 0
  let id: FiberId.FiberId | undefined
  return Effect.withScheduler(effect, {
    scheduleTask: (task, priority) => Scheduler.defaultScheduler.scheduleTask(task, priority),
    shouldYield: (fiber) => {
      id ??= fiber.id()
      if (fiber.id() !== id || ++steps !== n) return false
      fiber.unsafeInterruptAsFork(id)
      return 0
    }
  }).pipe(Effect.fork, Effect.flatMap(Fiber.await))
}

const hundred = Array.from({ length: 100 }, (_, i) => i)

describe("AwsCredentials.make", () => {
  it.scoped("asks the source only when it is asked, once for a hundred waiting fibers", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource({ lifetime: "1 hour" })
      state.gate = yield* Deferred.make<void>()
      const { get } = yield* AwsCredentials.make(source)
      yield* yieldToFibers
      assert.strictEqual(state.runs, 0)

      const fibers = yield* Effect.forEach(hundred, () => Effect.fork(key(get)))
      yield* yieldToFibers
      assert.strictEqual(state.runs, 1)
      yield* Deferred.succeed(state.gate, undefined)
      const keys = yield* Fiber.join(Fiber.all(fibers))
      assert.deepStrictEqual(new Set(keys), new Set(["key1"]))

      assert.strictEqual(yield* key(get), "key1")
      assert.strictEqual(state.runs, 1)
    })
  )

  it.scoped("goes on when waiters are interrupted, also the one that started it", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource()
      state.gate = yield* Deferred.make<void>()
      const { get } = yield* AwsCredentials.make(source)
      const first = yield* Effect.fork(get)
      yield* yieldToFibers
      const others = yield* Effect.forEach(hundred, () => Effect.fork(key(get)))
      yield* yieldToFibers
      yield* Fiber.interrupt(first)
      yield* Effect.forEach(others.slice(0, 60), Fiber.interrupt)
      yield* Deferred.succeed(state.gate, undefined)
      const keys = yield* Fiber.join(Fiber.all(others.slice(60)))
      assert.deepStrictEqual(new Set(keys), new Set(["key1"]))
      assert.strictEqual(keys.length, 40)
      assert.deepStrictEqual([state.runs, state.interrupted], [1, 0])
    })
  )

  it.scoped("ends with its last waiter, and the next one starts a new flight", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource()
      state.gate = yield* Deferred.make<void>()
      const { get } = yield* AwsCredentials.make(source)
      const fibers = yield* Effect.forEach(hundred, () => Effect.fork(get))
      yield* yieldToFibers
      yield* Effect.forEach(fibers, Fiber.interrupt)
      yield* yieldToFibers
      assert.deepStrictEqual([state.runs, state.interrupted], [1, 1])

      state.gate = undefined
      assert.strictEqual(yield* key(get), "key2")
      assert.strictEqual(yield* key(get), "key2")
    })
  )

  it.scoped("lets one come in whose predecessors have all just left", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource()
      state.gate = yield* Deferred.make<void>()
      const { get } = yield* AwsCredentials.make(source)
      const first = yield* Effect.fork(get)
      yield* yieldToFibers
      // both run at once: the flight ends while the second waiter joins
      yield* Fiber.interruptFork(first)
      const second = yield* Effect.fork(key(get))
      yield* yieldToFibers
      yield* Deferred.succeed(state.gate, undefined)
      assert.strictEqual(yield* Fiber.join(second), "key1")
    })
  )

  it.effect.prop(
    "completes all waiters for any order of arrivals, interruptions and failures",
    {
      steps: FastCheck.array(
        FastCheck.record({
          action: FastCheck.constantFrom("get", "refresh", "interrupt", "land", "break", "pass"),
          pick: FastCheck.nat(9),
          yields: FastCheck.nat(3)
        }),
        { maxLength: 40 }
      )
    },
    ({ steps }) =>
      Effect.gen(function* () {
        const { source, state } = makeSource({ lifetime: "1 hour" })
        const close = Effect.map(Deferred.make<void>(), (gate) => {
          state.gate = gate
        })
        const open = Effect.suspend(() =>
          state.gate === undefined ? Effect.void : Deferred.succeed(state.gate, undefined)
        )
        yield* close
        const { get, refresh } = yield* AwsCredentials.make(source)
        const rejected = { accessKeyId: "key1", secretAccessKey: Redacted.make(`${secret}1`) }
        const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
        for (const { action, pick, yields } of steps) {
          const fiber = fibers[pick]
          if (action === "get") fibers.push(yield* Effect.fork(get))
          if (action === "refresh") fibers.push(yield* Effect.fork(refresh(rejected)))
          if (action === "interrupt" && fiber) yield* Fiber.interruptFork(fiber)
          if (action === "break") state.broken = state.broken === undefined ? "down" : undefined
          if (action === "land") yield* Effect.zipRight(open, close)
          yield* Effect.yieldNow().pipe(Effect.repeatN(yields))
        }
        yield* open
        state.gate = undefined
        state.broken = undefined
        for (const fiber of fibers) {
          const exit = yield* Fiber.await(fiber)
          const isReported =
            Exit.isSuccess(exit) || Exit.isInterrupted(exit) || Cause.isFailType(exit.cause)
          assert.isTrue(isReported, String(exit))
        }
        assert.isAtMost(state.runs, steps.length)
        const { runs } = state
        const last = yield* get
        assert.include([runs, runs + 1], state.runs)
        assert.strictEqual(yield* get, last)
      }).pipe(Effect.scoped),
    { fastCheck: { numRuns: 300 } }
  )

  it.scoped("keeps no failure", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource()
      state.broken = "down"
      const { get } = yield* AwsCredentials.make(source)
      const fibers = yield* Effect.forEach(hundred, () => Effect.fork(Effect.flip(get)))
      const reasons = (yield* Fiber.join(Fiber.all(fibers))).map(({ reason }) => reason)
      assert.deepStrictEqual(new Set(reasons), new Set(["down"]))
      assert.strictEqual(state.runs, 1)

      assert.strictEqual((yield* Effect.flip(get)).reason, "down")
      state.broken = undefined
      assert.strictEqual(yield* key(get), "key3")
    })
  )

  it.scoped("does not cache a failure while its waiters are resumed", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource()
      state.broken = "down"
      const { get } = yield* AwsCredentials.make(source)
      const again = Effect.catchAll(get, () => {
        state.broken = undefined
        return get
      })
      const fibers = yield* Effect.forEach(hundred, () => Effect.fork(key(again)))
      assert.deepStrictEqual(new Set(yield* Fiber.join(Fiber.all(fibers))), new Set(["key2"]))
    })
  )

  it.scoped("is the caller's defect when the source has one, and asks again", () =>
    Effect.gen(function* () {
      let runs = 0
      const { get } = yield* AwsCredentials.make(
        Effect.suspend(() => {
          runs += 1
          return runs === 1 ? Effect.die("bug") : makeSource().source
        })
      )
      const exit = yield* Effect.exit(get)
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      assert.strictEqual(yield* key(get), "key1")
    })
  )

  it.scoped("renews in the background from five minutes before the end on", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource({ lifetime: "1 hour" })
      const { get } = yield* AwsCredentials.make(source)
      yield* get
      yield* TestClock.adjust("54 minutes")
      assert.strictEqual(yield* key(get), "key1")
      yield* yieldToFibers
      assert.strictEqual(state.runs, 1)

      yield* TestClock.adjust("61 seconds")
      state.gate = yield* Deferred.make<void>()
      assert.strictEqual(yield* key(get), "key1", "the old ones serve while new ones are had")
      yield* yieldToFibers
      assert.strictEqual(state.runs, 2)
      yield* Effect.forEach(hundred, () => key(get))
      yield* yieldToFibers
      assert.strictEqual(state.runs, 2, "one renewal however many ask")
      yield* Deferred.succeed(state.gate, undefined)
      yield* yieldToFibers
      assert.strictEqual(yield* key(get), "key2")
      assert.strictEqual(state.runs, 2)
    })
  )

  it.scoped("refreshes in the background even if the first caller is interrupted at any step", () =>
    Effect.gen(function* () {
      const services = yield* Effect.forEach(Array.from({ length: 40 }), () =>
        Effect.gen(function* () {
          const { source, state } = makeSource({ lifetime: "1 hour" })
          const { get } = yield* AwsCredentials.make(source)
          yield* get
          return { get, state }
        })
      )
      yield* TestClock.adjust("57 minutes")
      for (const [steps, { get, state }] of services.entries()) {
        yield* Effect.exit(interruptedAfter(steps, get))
        yield* yieldToFibers
        yield* get
        yield* yieldToFibers
        assert.strictEqual(state.runs, 2, `interrupted after ${steps} steps`)
      }
    })
  )

  it.scoped("logs one warning for a failed refresh with many waiting callers", () => {
    const warnings: Array<string> = []
    const log = Logger.make(({ message }) => {
      warnings.push(String(message))
    })
    return Effect.gen(function* () {
      const { source, state } = makeSource({ lifetime: "1 hour" })
      const { get } = yield* AwsCredentials.make(source)
      yield* get
      yield* TestClock.adjust("56 minutes")
      state.gate = yield* Deferred.make<void>()
      state.broken = "sealed"
      yield* Effect.forEach(hundred, () => key(get))
      yield* yieldToFibers
      yield* Deferred.succeed(state.gate, undefined)
      yield* yieldToFibers
      assert.deepStrictEqual(warnings, [
        "The AWS credentials expire soon and cannot be refreshed: sealed"
      ])
      yield* TestClock.adjust("11 seconds")
      yield* key(get)
      yield* yieldToFibers
      assert.lengthOf(warnings, 2, "the next attempt is reported again")
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, log)))
  })

  it.scoped("rejects malformed credentials from the source", () =>
    Effect.gen(function* () {
      const good = { accessKeyId: "AKID", secretAccessKey: Redacted.make(secret) }
      const cases: ReadonlyArray<readonly [AwsCredentials.Credentials, string]> = [
        [{ ...good, accessKeyId: "AKID\n" }, "accessKeyId"],
        [{ ...good, secretAccessKey: Redacted.make(`${secret}\n`) }, "secretAccessKey"],
        [{ ...good, sessionToken: Redacted.make(`${token}\r\n`) }, "sessionToken"],
        [{ ...good, sessionToken: Redacted.make(`${token}ü`) }, "sessionToken"]
      ]
      for (const [credentials, field] of cases) {
        const { get } = yield* AwsCredentials.make(Effect.succeed(credentials))
        const failure = yield* Effect.flip(get)
        assert.strictEqual(
          failure.reason,
          `${field} holds a line break or another character that no header can carry`
        )
        assert.notInclude(inspect(failure, { depth: null }) + JSON.stringify(failure), secret)
        const layered = yield* Effect.flip(
          Effect.flatMap(AwsCredentials.AwsCredentials, ({ get }) => get).pipe(
            Effect.provide(AwsCredentials.layer(Effect.succeed(credentials)))
          )
        )
        assert.strictEqual(layered.reason, failure.reason)
      }
    })
  )

  it.scoped("waits for the renewal in the last minute", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource({ lifetime: "1 hour" })
      const { get } = yield* AwsCredentials.make(source)
      yield* get
      yield* TestClock.adjust(Duration.seconds(59 * 60 + 30))
      state.gate = yield* Deferred.make<void>()
      const fibers = yield* Effect.forEach(hundred, () => Effect.fork(key(get)))
      yield* yieldToFibers
      assert.isNull(yield* Fiber.poll(fibers[0] ?? assert.fail()).pipe(Effect.map(optionToNull)))
      yield* Deferred.succeed(state.gate, undefined)
      const keys = yield* Fiber.join(Fiber.all(fibers))
      assert.deepStrictEqual(new Set(keys), new Set(["key2"]))
      assert.strictEqual(state.runs, 2)
    })
  )

  it.scoped(
    "serves the old ones until they expire when a renewal fails, and tries at most every 10 s",
    () => {
      const warnings: Array<string> = []
      const log = Logger.make(({ logLevel, message }) => {
        warnings.push(`${logLevel.label} ${message}`)
      })
      return Effect.gen(function* () {
        const { source, state } = makeSource({ lifetime: "1 hour" })
        const { get } = yield* AwsCredentials.make(source)
        yield* get
        state.broken = "down"
        yield* TestClock.adjust("56 minutes")
        assert.strictEqual(yield* key(get), "key1")
        yield* yieldToFibers
        assert.strictEqual(state.runs, 2)
        assert.deepStrictEqual(warnings, [
          "WARN The AWS credentials expire soon and cannot be refreshed: down"
        ])

        yield* Effect.forEach(hundred, () => key(get))
        yield* yieldToFibers
        assert.strictEqual(state.runs, 2, "a source that fails is left alone for a while")
        yield* TestClock.adjust("10 seconds")
        yield* get
        yield* yieldToFibers
        assert.strictEqual(state.runs, 3)

        yield* TestClock.adjust("200 seconds")
        assert.strictEqual(
          yield* key(get),
          "key1",
          "the last minute: waits, and takes the old ones"
        )
        assert.strictEqual(state.runs, 4)

        yield* TestClock.adjust("30 seconds")
        assert.strictEqual((yield* Effect.flip(get)).reason, "down")
        assert.strictEqual((yield* Effect.flip(get)).reason, "down")
        assert.strictEqual(state.runs, 6, "expired: every caller may try")
        state.broken = undefined
        assert.strictEqual(yield* key(get), "key7")
      }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, log)))
    }
  )

  it.scoped("fails if the cached credentials expire during a failing refresh", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource({ lifetime: "1 hour" })
      const { get } = yield* AwsCredentials.make(source)
      yield* get
      yield* TestClock.adjust(Duration.seconds(59 * 60 + 50))
      state.gate = yield* Deferred.make<void>()
      state.broken = "down"
      const fiber = yield* Effect.fork(Effect.flip(get))
      yield* yieldToFibers
      yield* TestClock.adjust("10 seconds")
      yield* Deferred.succeed(state.gate, undefined)
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "down")
    })
  )

  it.scoped("asks a source that returns soon-expiring credentials at most every 10 s", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource({ lifetime: "3 minutes" })
      const { get } = yield* AwsCredentials.make(source)
      yield* Effect.forEach(hundred, () => Effect.zipRight(get, yieldToFibers))
      assert.strictEqual(state.runs, 1)
      yield* TestClock.adjust("10 seconds")
      yield* Effect.forEach(hundred, () => Effect.zipRight(get, yieldToFibers))
      assert.strictEqual(state.runs, 2)
    })
  )

  it.scoped("returns credentials that are expired by the local clock, which may be wrong", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource({ lifetime: "-1 minute" as Duration.DurationInput })
      const expired = Effect.map(source, (credentials) => ({
        ...credentials,
        expiration: DateTime.unsafeMake(-60_000)
      }))
      const { get } = yield* AwsCredentials.make(expired)
      assert.strictEqual(yield* key(get), "key1")
      assert.strictEqual(yield* key(get), "key2")
      assert.strictEqual(state.runs, 2)
    })
  )

  it.scoped("does not refresh credentials without an expiration in the background", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource()
      const { get } = yield* AwsCredentials.make(source)
      yield* get
      yield* TestClock.adjust("3650 days")
      assert.strictEqual(yield* key(get), "key1")
      yield* yieldToFibers
      assert.strictEqual(state.runs, 1)
    })
  )

  it.scoped("refreshes rejected credentials once for all callers", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource({ lifetime: "1 hour" })
      const { get, refresh } = yield* AwsCredentials.make(source)
      const rejected = yield* get
      state.gate = yield* Deferred.make<void>()
      const fibers = yield* Effect.forEach(hundred, () => Effect.fork(key(refresh(rejected))))
      yield* yieldToFibers
      yield* Deferred.succeed(state.gate, undefined)
      assert.deepStrictEqual(new Set(yield* Fiber.join(Fiber.all(fibers))), new Set(["key2"]))
      assert.strictEqual(state.runs, 2)

      // an equal value, from a caller that comes late
      const late = { ...rejected, secretAccessKey: Redacted.make(`${secret}1`) }
      assert.strictEqual(yield* key(refresh(late)), "key2")
      assert.strictEqual(state.runs, 2)
      assert.strictEqual(yield* key(get), "key2")
      assert.strictEqual(yield* key(refresh(yield* get)), "key3")
    })
  )

  it.scoped("distinguishes credentials that differ only in the session token", () =>
    Effect.gen(function* () {
      let runs = 0
      const { get, refresh } = yield* AwsCredentials.make(
        Effect.sync(() => {
          runs += 1
          return {
            accessKeyId: "key",
            secretAccessKey: Redacted.make(secret),
            sessionToken: Redacted.make(`${token}${runs}`)
          }
        })
      )
      const first = yield* get
      const second = yield* refresh(first)
      assert.isFalse(Equal.equals(first.sessionToken, second.sessionToken))
      assert.strictEqual(yield* refresh(first), second)
      assert.strictEqual(runs, 2)
    })
  )

  it.scoped("joins a renewal that is under way, and fails as it does", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource({ lifetime: "1 hour" })
      const { get, refresh } = yield* AwsCredentials.make(source)
      const rejected = yield* get
      yield* TestClock.adjust("57 minutes")
      state.gate = yield* Deferred.make<void>()
      yield* get
      yield* yieldToFibers
      const fiber = yield* Effect.fork(Effect.flip(refresh(rejected)))
      yield* yieldToFibers
      state.broken = "down"
      yield* Deferred.succeed(state.gate, undefined)
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "down")
      assert.strictEqual(state.runs, 2)
      assert.strictEqual(yield* key(get), "key1")
    })
  )

  it.effect(
    "interrupts the background refresh when its scope closes, and still returns credentials",
    () =>
      Effect.gen(function* () {
        const { source, state } = makeSource({ lifetime: "1 hour" })
        const scope = yield* Scope.make()
        const { get } = yield* Scope.extend(AwsCredentials.make(source), scope)
        yield* get
        state.gate = yield* Deferred.make<void>()
        yield* TestClock.adjust("57 minutes")
        yield* get
        yield* yieldToFibers
        assert.deepStrictEqual([state.runs, state.interrupted], [2, 0])
        yield* Scope.close(scope, Exit.void)
        yield* yieldToFibers
        assert.deepStrictEqual([state.runs, state.interrupted], [2, 1])

        state.gate = undefined
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* key(get), "key1")
        yield* yieldToFibers
        assert.strictEqual(state.runs, 2, "no more renewals in the background")
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(yield* key(get), "key3")
      })
  )

  it.scoped("provides the source with the context that make runs in", () =>
    Effect.gen(function* () {
      const needy = Effect.flatMap(AwsCredentials.AwsCredentials, ({ get }) => get)
      const { get } = yield* AwsCredentials.make(needy).pipe(
        Effect.provide(
          AwsCredentials.layerStatic({ accessKeyId: "inner", secretAccessKey: secret })
        )
      )
      assert.strictEqual(yield* key(get), "inner")
    })
  )
})

const optionToNull = (option: { readonly _tag: string }) => (option._tag === "None" ? null : option)

/** The credentials of a layer's service, or the error of the layer. */
const using = <A, E, L>(
  layer: Layer.Layer<AwsCredentials.AwsCredentials, L>,
  f: (service: AwsCredentials.Service) => Effect.Effect<A, E>
) => Effect.provide(Effect.flatMap(AwsCredentials.AwsCredentials, f), layer)

const get = <L>(layer: Layer.Layer<AwsCredentials.AwsCredentials, L>) =>
  using(layer, (service) => service.get)

describe("AwsCredentials.layer", () => {
  it.effect("keeps what an effect gives", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource()
      const keys = yield* using(AwsCredentials.layer(source), ({ get }) =>
        Effect.all([key(get), key(get)])
      )
      assert.deepStrictEqual([keys, state.runs], [["key1", "key1"], 1])
    })
  )
})

describe("AwsCredentials.layerStatic", () => {
  it.effect("gives the same credentials, rejected or not", () =>
    using(
      AwsCredentials.layerStatic({
        accessKeyId: "AKID",
        secretAccessKey: Redacted.make(secret),
        sessionToken: token
      }),
      ({ get, refresh }) =>
        Effect.gen(function* () {
          const credentials = yield* get
          assert.strictEqual(Redacted.value(credentials.secretAccessKey), secret)
          assert.strictEqual(
            credentials.sessionToken && Redacted.value(credentials.sessionToken),
            token
          )
          assert.isFalse("expiration" in credentials)
          assert.strictEqual(yield* refresh(credentials), credentials)
        })
    )
  )

  it.effect("names the field that is malformed, and no value", () =>
    Effect.gen(function* () {
      const good = { accessKeyId: "AKID", secretAccessKey: secret, sessionToken: token }
      const broken = "holds a line break or another character that no header can carry"
      const cases: ReadonlyArray<readonly [object, string]> = [
        [{ accessKeyId: "" }, "accessKeyId is missing"],
        [{ accessKeyId: undefined }, "accessKeyId is missing"],
        [{ accessKeyId: 42 }, "accessKeyId is not a text"],
        [{ accessKeyId: `${secret}\n` }, `accessKeyId ${broken}`],
        [{ secretAccessKey: Redacted.make("") }, "secretAccessKey is missing"],
        [{ secretAccessKey: Redacted.make(7) }, "secretAccessKey is not a text"],
        [{ secretAccessKey: `${secret}\r\n` }, `secretAccessKey ${broken}`],
        [{ secretAccessKey: Redacted.make(`${secret}\t`) }, `secretAccessKey ${broken}`],
        [{ secretAccessKey: [secret] }, "secretAccessKey is not a text"],
        [{ sessionToken: `${token}\u0000` }, `sessionToken ${broken}`],
        [{ sessionToken: `${token}é` }, `sessionToken ${broken}`],
        [{ sessionToken: { token } }, "sessionToken is not a text"]
      ]
      for (const [change, reason] of cases) {
        const layer = AwsCredentials.layerStatic({ ...good, ...change })
        const failure = yield* Effect.flip(get(layer))
        assert.strictEqual(failure._tag, "CredentialsError")
        assert.strictEqual(failure.reason, reason)
        assert.strictEqual(
          failure.message,
          `No AWS credentials from the given credentials: ${reason}. Nothing was sent.`
        )
      }
    })
  )

  it.effect("takes an empty session token for none, and trims nothing", () =>
    Effect.gen(function* () {
      const credentials = yield* get(
        AwsCredentials.layerStatic({
          accessKeyId: " AKID ",
          secretAccessKey: `${secret} `,
          sessionToken: ""
        })
      )
      assert.strictEqual(credentials.accessKeyId, " AKID ")
      assert.strictEqual(Redacted.value(credentials.secretAccessKey), `${secret} `)
      assert.isUndefined(credentials.sessionToken)
    })
  )
})

const provide = (entries: Record<string, string>) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(entries))))

/** A provider over values that change: `fromMap` copies them. */
const live = (values: ReadonlyMap<string, string>) =>
  ConfigProvider.make({
    load: (config) => ConfigProvider.fromMap(new Map(values)).load(config),
    flattened: ConfigProvider.fromMap(new Map()).flattened
  })

describe("AwsCredentials.layerConfig", () => {
  it.effect("reads names of one's own, and tolerates a key that is undefined", () =>
    Effect.gen(function* () {
      const config = {
        accessKeyId: Config.string("ID"),
        secretAccessKey: Config.redacted("SECRET"),
        sessionToken: undefined
      }
      // @ts-expect-error exactOptionalPropertyTypes rejects it, JavaScript does not
      const layer = AwsCredentials.layerConfig(config)
      const credentials = yield* get(Layer.provide(layer, provide({ ID: "AKID", SECRET: secret })))
      assert.strictEqual(credentials.accessKeyId, "AKID")
      assert.strictEqual(Redacted.value(credentials.secretAccessKey), secret)
    })
  )

  it.effect("takes one Config for all", () =>
    Effect.gen(function* () {
      const layer = AwsCredentials.layerConfig(
        Config.map(Config.string("PAIR"), (pair) => {
          const [accessKeyId = "", secretAccessKey = ""] = pair.split(":")
          return { accessKeyId, secretAccessKey }
        })
      )
      const credentials = yield* get(Layer.provide(layer, provide({ PAIR: `AKID:${secret}` })))
      assert.strictEqual(Redacted.value(credentials.secretAccessKey), secret)
    })
  )

  it.effect("fails at the start, naming what is missing", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(
        get(Layer.provide(AwsCredentials.layerEnv, provide({ AWS_SECRET_ACCESS_KEY: secret })))
      )
      assert.include(String(failure), "AWS_ACCESS_KEY_ID")
      assert.notInclude(inspect(failure, { depth: null }), secret)
    })
  )

  it.effect("reads again on refresh, from the ConfigProvider that it was built with", () => {
    const values = new Map([
      ["AWS_ACCESS_KEY_ID", "old"],
      ["AWS_SECRET_ACCESS_KEY", secret],
      ["AWS_SESSION_TOKEN", ""]
    ])
    const layer = Layer.provide(AwsCredentials.layerEnv, Layer.setConfigProvider(live(values)))
    return using(layer, ({ get, refresh }) =>
      Effect.gen(function* () {
        const old = yield* get
        assert.isUndefined(old.sessionToken)
        values.set("AWS_ACCESS_KEY_ID", "new").set("AWS_SESSION_TOKEN", token)
        assert.strictEqual(yield* get, old)
        const fresh = yield* refresh(old)
        assert.strictEqual(fresh.accessKeyId, "new")
        assert.strictEqual(fresh.sessionToken && Redacted.value(fresh.sessionToken), token)

        values.delete("AWS_ACCESS_KEY_ID")
        values.delete("AWS_SECRET_ACCESS_KEY")
        const failure = yield* Effect.flip(refresh(fresh))
        assert.deepStrictEqual(
          [failure.tried, failure.reason],
          [["the configuration"], "cannot read AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"]
        )
      })
    )
  })

  it.effect("does not describe values that cannot be read again", () => {
    const values = new Map([["PAIR", `AKID:${secret}`]])
    const layer = AwsCredentials.layerConfig(
      Config.mapAttempt(Config.string("PAIR"), (pair) => {
        const [accessKeyId = "", secretAccessKey = ""] = pair.split(":")
        if (secretAccessKey === "") throw new Error(`no colon in ${pair}`)
        return { accessKeyId, secretAccessKey }
      })
    )
    return using(Layer.provide(layer, Layer.setConfigProvider(live(values))), ({ get, refresh }) =>
      Effect.gen(function* () {
        const old = yield* get
        values.set("PAIR", secret)
        const failure = yield* Effect.flip(refresh(old))
        assert.strictEqual(failure.reason, "cannot read PAIR")
        assert.notInclude(inspect(failure, { depth: null }), secret)
      })
    )
  })

  it.effect("rejects a value with a line break, without showing it", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(
        get(
          Layer.provide(
            AwsCredentials.layerEnv,
            provide({ AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: `${secret}\n` })
          )
        )
      )
      assert.include(String(failure), "secretAccessKey holds a line break")
      assert.notInclude(inspect(failure, { depth: null }), secret)
    })
  )
})

describe("AwsCredentials.layerProvider", () => {
  it.effect("asks the provider for new ones, and only when it is asked", () => {
    const calls: Array<unknown> = []
    const layer = AwsCredentials.layerProvider(async (options) => {
      calls.push(options)
      return {
        accessKeyId: `key${calls.length}`,
        secretAccessKey: secret,
        sessionToken: token,
        expiration: new Date(3_600_000)
      }
    })
    return using(layer, ({ get, refresh }) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(calls, [])
        const credentials = yield* get
        assert.strictEqual(credentials.accessKeyId, "key1")
        assert.strictEqual(credentials.expiration?.epochMillis, 3_600_000)
        assert.strictEqual(Redacted.value(credentials.secretAccessKey), secret)
        assert.strictEqual(yield* key(get), "key1")
        assert.strictEqual(yield* key(refresh(credentials)), "key2")
        assert.deepStrictEqual(calls, [{ forceRefresh: true }, { forceRefresh: true }])
      })
    )
  })

  it.effect("takes an expiration as a Date, a text or a DateTime", () =>
    Effect.gen(function* () {
      for (const expiration of [
        new Date(7_200_000),
        "1970-01-01T02:00:00Z",
        "1970-01-01T03:00:00+01:00",
        DateTime.unsafeMakeZoned(7_200_000, { timeZone: "Europe/Berlin" })
      ]) {
        const layer = AwsCredentials.layerProvider(async () => ({
          accessKeyId: "AKID",
          secretAccessKey: secret,
          // those who come from JavaScript
          expiration: expiration as Date
        }))
        const credentials = yield* get(layer)
        assert.isTrue(credentials.expiration && DateTime.isUtc(credentials.expiration))
        assert.strictEqual(credentials.expiration?.epochMillis, 7_200_000)
      }
    })
  )

  it.effect("names what is malformed", () =>
    Effect.gen(function* () {
      const good = { accessKeyId: "AKID", secretAccessKey: secret, sessionToken: token }
      const cases: ReadonlyArray<readonly [unknown, string]> = [
        [undefined, "the credentials are not an object"],
        [null, "the credentials are not an object"],
        [secret, "the credentials are not an object"],
        [{}, "accessKeyId is missing"],
        [{ accessKeyId: "AKID" }, "secretAccessKey is missing"],
        [{ ...good, expiration: new Date(Number.NaN) }, "expiration is not a time"],
        [{ ...good, expiration: secret }, "expiration is not a time"],
        [{ ...good, expiration: 1_700_000_000 }, "expiration is not a time"],
        [{ ...good, expiration: { secret } }, "expiration is not a time"]
      ]
      for (const [identity, reason] of cases) {
        const failure = yield* Effect.flip(
          get(AwsCredentials.layerProvider(async () => identity as AwsCredentials.Options))
        )
        assert.deepStrictEqual([failure.tried, failure.reason], [["the given provider"], reason])
        assert.notInclude(inspect(failure, { depth: null }) + JSON.stringify(failure), secret)
      }
    })
  )

  it.effect("keeps name and first line of its error, also of one that is thrown", () =>
    Effect.gen(function* () {
      class CredentialsProviderError extends Error {
        override readonly name = "CredentialsProviderError"
      }
      const thrown = AwsCredentials.layerProvider(() => {
        throw new CredentialsProviderError("The SSO session has expired.\nIt was here.")
      })
      const rejected = AwsCredentials.layerProvider(() => Promise.reject("sealed"))
      const nothing = AwsCredentials.layerProvider(() => Promise.reject(undefined))
      assert.deepStrictEqual(
        [
          (yield* Effect.flip(get(thrown))).reason,
          (yield* Effect.flip(get(rejected))).reason,
          (yield* Effect.flip(get(nothing))).reason
        ],
        [
          "CredentialsProviderError: The SSO session has expired",
          "sealed",
          "failed without an error"
        ]
      )
    })
  )

  it.effect("can be interrupted while it never completes, and fails after a minute", () => {
    let calls = 0
    const layer = AwsCredentials.layerProvider(() => {
      calls += 1
      return new Promise(() => {})
    })
    return using(layer, ({ get }) =>
      Effect.gen(function* () {
        const impatient = yield* Effect.fork(Effect.timeoutOption(get, "5 seconds"))
        yield* yieldToFibers
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(impatient))._tag, "None")

        const patient = yield* Effect.fork(Effect.flip(get))
        yield* yieldToFibers
        assert.strictEqual(calls, 2, "the first one has no waiters any more")
        yield* TestClock.adjust("59 seconds")
        assert.isNull(optionToNull(yield* Fiber.poll(patient)))
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual((yield* Fiber.join(patient)).reason, "no response within 1 minute")
      })
    )
  })
})

describe("secrets", () => {
  const shown = (value: unknown) =>
    [
      JSON.stringify(value),
      String(value),
      inspect(value, { depth: null, showHidden: true, getters: true })
    ].join("\n")

  it.effect("are in no credentials and no service as they are shown", () =>
    Effect.gen(function* () {
      const options = { accessKeyId: "AKID", secretAccessKey: secret, sessionToken: token }
      for (const layer of [
        AwsCredentials.layerStatic(options),
        AwsCredentials.layerProvider(async () => options),
        Layer.provide(
          AwsCredentials.layerEnv,
          provide({
            AWS_ACCESS_KEY_ID: "AKID",
            AWS_SECRET_ACCESS_KEY: secret,
            AWS_SESSION_TOKEN: token
          })
        )
      ]) {
        yield* using<void, unknown, unknown>(layer, (service) =>
          Effect.gen(function* () {
            const credentials = yield* service.get
            const text = [
              shown(credentials),
              shown(service),
              shown(service.get),
              shown(service.refresh(credentials)),
              shown(yield* Effect.exit(service.get))
            ].join("\n")
            assert.include(text, "AKID")
            assert.notInclude(text, secret.slice(0, 12))
            assert.notInclude(text, token.slice(0, 12))
          })
        )
      }
    })
  )

  it("are removed from error texts, and the helpful part is left", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      [`Command failed: /usr/bin/vault --token ${secret}\nstderr ${secret}`, "Command failed"],
      [`SyntaxError: Unexpected token 'A', "${secret}" is not valid JSON`, "SyntaxError"],
      [
        `Unexpected token 'A', "${secret}"... is not valid JSON`,
        "Unexpected token …... is not valid JSON"
      ],
      [`No credentials in {"SecretAccessKey":"abc def"}`, "No credentials in …"],
      [`secretAccessKey=hunter2 is wrong`, "secretAccessKey= … is wrong"],
      [`Password: hunter2`, "Password: …"],
      [
        "http://user:hunter2@169.254.170.2/v2/credentials/1b2c?x=hunter2 is not a valid URL",
        "169.254.170.2 is not a valid URL"
      ],
      [`bad token ${token} given`, "bad token … given"],
      [
        "Could not resolve credentials using profile: [seller-prod] in configuration/credentials file(s).",
        "Could not resolve credentials using profile: [seller-prod] in configuration/credentials file(s)"
      ],
      [
        "User: arn:aws:sts::111122223333:assumed-role/seller/i-0123456789abcdef0 is not authorized to perform: sts:AssumeRoleWithWebIdentity",
        "User: arn:aws:sts::111122223333:assumed-role/seller/i-0123456789abcdef0 is not authorized to perform: sts:AssumeRoleWithWebIdentity"
      ],
      [
        "Unable to find environment variable credentials AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "Unable to find environment variable credentials AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
      ],
      [
        "The SSO session token associated with profile=seller-2 was not found or is invalid. To refresh this SSO session run 'aws sso login' with the corresponding profile.",
        "The SSO session token associated with profile=seller-2 was not found or is invalid. To refresh this SSO session run 'aws sso login' with the corresponding profile"
      ],
      [
        "ENOENT: no such file or directory, open '/home/seller/.aws/sso/cache/3f1d9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f.json'",
        "ENOENT: no such file or directory, open '/home/seller/.aws/sso/cache/…'"
      ],
      [
        "cannot read /home/seller/.aws/credentials: EACCES",
        "cannot read /home/seller/.aws/credentials: EACCES"
      ],
      [
        "cannot read /home/seller/.aws/credentials: hunter2pass",
        "cannot read /home/seller/.aws/credentials: …"
      ],
      [
        "/home/seller/.aws/credentials: EACCES, secret: hunter2pass",
        "/home/seller/.aws/credentials: EACCES, secret: …"
      ],
      ["vault kv/secret: hunter2pass", "vault kv/secret: …"],
      ["no 'role_arn' in 'hunter2' or 'seller'", "no 'role_arn' in …"],
      [`it is "half 'of" it's`, "it is …s"],
      [`open '/${secret}'`, "open …"],
      ["", ""]
    ]
    for (const [said, kept] of cases) assert.strictEqual(sanitizeMessage(said), kept)
    assert.isBelow(sanitizeMessage("word ".repeat(1000)).length, 310)
    assert.notInclude(sanitizeMessage(`${"word ".repeat(58)}${secret}`), secret.slice(0, 4))
    assert.strictEqual(
      describeError(Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })),
      "AggregateError: ECONNREFUSED"
    )
    assert.strictEqual(describeError(new SyntaxError(`Unexpected ${secret}`)), "SyntaxError")
    assert.strictEqual(describeError({ name: secret, message: 42 }), "Error")
  })

  it("are found wherever they stand", () => {
    const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    const character = FastCheck.constantFrom(...base64)
    const secrets = FastCheck.string({ unit: character, minLength: 40, maxLength: 400 })
    const words = FastCheck.string({ unit: FastCheck.constantFrom(..."ab :='\"{}[]()<>,;\n?&@.-") })
    FastCheck.assert(
      FastCheck.property(words, secrets, words, (before, hidden, after) => {
        const kept = sanitizeMessage(`${before}${hidden}${after}`)
        for (let i = 0; i + 8 <= hidden.length; i += 1) {
          assert.notInclude(kept, hidden.slice(i, i + 8))
        }
      }),
      { numRuns: 2000 }
    )
  })

  it("cost no time to look for", () => {
    for (const text of [
      "a".repeat(1e6),
      "Ab".repeat(5e5),
      "key".repeat(3e5),
      `"`.repeat(1e6),
      "/".repeat(1e6)
    ]) {
      const started = process.hrtime.bigint()
      sanitizeMessage(text)
      assert.isBelow(Number(process.hrtime.bigint() - started) / 1e6, 200)
    }
  })
})
