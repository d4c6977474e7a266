/** Reasons for which a reporter is not made, or does not go on. */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as AwsCredentials from "effect-marketplace-metering/AwsCredentials"
import { BatchMeterUsageResponse } from "effect-marketplace-metering/BatchMeterUsage"
import {
  MemoryLedgerStore,
  UsageLedgerStore,
  UsageReporter
} from "effect-marketplace-metering/ledger"
import * as MeteringClientModule from "effect-marketplace-metering/MeteringClient"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import * as MeteringConfig from "effect-marketplace-metering/MeteringConfig"
import { ConnectionError } from "effect-marketplace-metering/MeteringError"
import {
  makeLedger,
  makeReporter,
  makeSubscribed,
  minutesLater,
  passing,
  products,
  setTime
} from "./support/ledgerTest.js"
import { stubService } from "./support/stubService.js"

type Call = MeteringClient["Type"]["batchMeterUsage"]

const clientWith = (batchMeterUsage: Call): MeteringClient["Type"] => ({
  ...stubService().client,
  batchMeterUsage
})

/** Responds to calls as a sandbox does, or with another request id. */
const respondingWith = (requestId: () => string | undefined) => {
  const { client } = stubService()
  return clientWith((request) =>
    Effect.map(client.batchMeterUsage(request), (response) => ({
      ...response,
      requestId: requestId()
    }))
  )
}

/** Starts a reporter that makes rounds, until the scope closes. */
const build = (
  store: UsageLedgerStore.Service,
  client: MeteringClient["Type"] = stubService().client,
  options: UsageReporter.Options = {}
) =>
  Effect.flatMap(Effect.scope, (scope) =>
    Layer.buildWithScope(UsageReporter.layer(options), scope)
  ).pipe(
    Effect.provideService(UsageLedgerStore.UsageLedgerStore, store),
    Effect.provideService(MeteringClient, client)
  )

/** The error of `make`, which is that of `layer`. */
const errorOf = (
  store: UsageLedgerStore.Service,
  client?: MeteringClient["Type"],
  options?: UsageReporter.Options
) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(makeReporter(store, client ?? stubService().client, options))
    assert.deepEqual(yield* Effect.flip(build(store, client, options)), error)
    return error
  })

const invalidOptions = { _tag: "LedgerConfigError", reason: "invalidOptions" } as const

describe("a reporter is not made", () => {
  for (const options of [
    { sealAfter: "5 hours" },
    { interval: "2 minutes" },
    { interval: "15 minutes", lease: "20 minutes" },
    { lease: "10.1 minutes" as "10 minutes" },
    { lease: 0 },
    { rate: 0 },
    { rate: Number.NaN }
  ] as const) {
    it.scoped(`with ${JSON.stringify(options)}`, () =>
      Effect.gen(function* () {
        const { store } = yield* makeSubscribed()
        assert.deepInclude(yield* errorOf(store, undefined, options), invalidOptions)
      })
    )
  }

  it.scoped("without a Region on a ledger of several", () =>
    Effect.gen(function* () {
      const { store } = yield* makeLedger({
        products: {
          ...products,
          elsewhere: {
            region: "eu-west-1",
            productCode: "elsewhere-code",
            dimensions: { calls: {} }
          }
        }
      })
      const error = yield* errorOf(store)
      assert.deepInclude(error, invalidOptions)
      assert.match(error.message, /products in (eu-west-1, us-east-1|us-east-1, eu-west-1)\. Give/)
      yield* build(store, undefined, { region: "eu-west-1" })
    })
  )

  it.scoped("with a client of another Region than that of the usage", () =>
    Effect.gen(function* () {
      const { store } = yield* makeSubscribed()
      const clientIn = (region: string) =>
        MeteringClient.pipe(
          Effect.provide(MeteringClientModule.layer),
          Effect.provide([
            MeteringConfig.layer({ region }),
            AwsCredentials.layerStatic({ accessKeyId: "a", secretAccessKey: "b" }),
            Layer.succeed(
              HttpClient.HttpClient,
              HttpClient.make(() => Effect.die("no call is made"))
            )
          ])
        )
      const error = yield* errorOf(store, yield* clientIn("eu-west-1"))
      assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "otherRegion" })
      assert.match(error.message, /reported in us-east-1, and the client calls eu-west-1\. Give/)
      const { client } = stubService()
      yield* build(store, { ...client, region: "us-east-1" })
    })
  )

  it.scoped("on a store without a ledger, or without products", () =>
    Effect.gen(function* () {
      const { store } = yield* makeLedger({ products: {} })
      for (const one of [store, MemoryLedgerStore.make()]) {
        assert.deepInclude(yield* errorOf(one), {
          _tag: "LedgerConfigError",
          reason: "notInitialized"
        })
      }
    })
  )

  it.scoped("for an endpoint of another kind, or of one that cannot be known", () =>
    Effect.gen(function* () {
      const otherTarget = { _tag: "LedgerConfigError", reason: "otherTarget" } as const
      const { store } = yield* makeSubscribed()
      for (const requestId of ["1-2-3", undefined]) {
        const client = respondingWith(() => requestId)
        assert.deepInclude(yield* errorOf(store, client), otherTarget)
      }
      const forService = yield* makeLedger({ target: "service" })
      assert.deepInclude(yield* errorOf(forService.store), otherTarget)
    })
  )
})

describe("a reporter is made", () => {
  for (const [title, call] of [
    ["does not respond", () => Effect.never],
    [
      "cannot be reached",
      () =>
        Effect.fail(
          new ConnectionError({
            operation: "BatchMeterUsage",
            endpoint: "planted",
            reason: "ECONNREFUSED",
            delivery: "notSent"
          })
        )
    ]
  ] as const satisfies ReadonlyArray<readonly [string, Call]>) {
    it.scoped(`while its endpoint ${title}, and sends nothing until it has`, () =>
      Effect.gen(function* () {
        const { ledger, store } = yield* makeSubscribed()
        const service = stubService()
        let isAway = true
        const client = clientWith((request) =>
          isAway ? call() : service.client.batchMeterUsage(request)
        )
        const reporter = yield* passing(makeReporter(store, client))
        yield* ledger.record({
          ...{ subscription: "a", dimension: "calls", quantity: 1, at: minutesLater(-60) }
        })
        yield* setTime("2026-11-24T10:10:00Z")
        assert.deepInclude(yield* passing(reporter.report), { sealed: 1, sent: 0 })
        isAway = false
        assert.deepInclude(yield* passing(reporter.report), { sent: 1, accepted: 1 })
      }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
    )
  }
})

describe("a reporter whose endpoint becomes one of another kind", () => {
  for (const [title, requestId] of [
    ["of it", "1-2-3"],
    ["without a request id", undefined]
  ] as const) {
    it.scoped(`takes no response ${title} as billed, and makes no other call`, () =>
      Effect.gen(function* () {
        const { ledger, store } = yield* makeSubscribed()
        for (let index = 0; index < 60; index += 1) {
          const id = `c${index}`
          yield* ledger.subscribe({
            ...{ id, product: "analytics", customerAWSAccountId: String(300_000_000_000 + index) },
            from: minutesLater(-600)
          })
          yield* ledger.record({
            ...{ subscription: id, dimension: "calls", quantity: 1, at: minutesLater(-60) }
          })
        }
        const service = stubService()
        let isOther = true
        const client = clientWith((request) =>
          Effect.map(service.client.batchMeterUsage(request), (response) =>
            isOther && request.usageRecords.length > 0
              ? new BatchMeterUsageResponse({ ...response, requestId })
              : response
          )
        )
        const reporter = yield* makeReporter(store, client, { lease: "10 minutes" })
        yield* setTime("2026-11-24T10:10:00Z")
        assert.deepInclude(yield* passing(reporter.report), { sealed: 60, accepted: 0 })
        assert.isAtMost(service.calls.length, 1)
        assert.deepEqual(
          (yield* ledger.status).counts.map(({ count, state }) => [state, count]),
          [["sealed", 60]]
        )
        isOther = false
        yield* setTime("2026-11-24T10:20:00Z")
        assert.deepInclude(yield* passing(reporter.report), { accepted: 60 })
      }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
    )
  }

  it.scoped("gives its lease to another worker, and logs an error every 10 minutes", () =>
    Effect.gen(function* () {
      const { ledger, store } = yield* makeSubscribed()
      const errors: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (LogLevel.greaterThanEqual(logLevel, LogLevel.Error)) errors.push(String(message))
      })
      let requestId = "sandbox-1"
      const scope = yield* Scope.make()
      yield* build(
        store,
        respondingWith(() => requestId)
      ).pipe(Scope.extend(scope), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      const minutesPass = (minutes: number) =>
        Effect.repeatN(TestClock.adjust("10 seconds"), minutes * 6 - 1)
      const calls = { subscription: "a", dimension: "calls", quantity: 1 }
      yield* ledger.record(calls)
      requestId = "1-2-3"
      yield* setTime("2026-11-24T11:10:00Z")
      // its response is that of AWS: the next round looks at the endpoint again
      yield* minutesPass(16)
      assert.deepEqual(errors, ["a round of reporting failed", "a round of reporting failed"])
      const { reasons, state } = yield* ledger.health
      assert.strictEqual(state, "stuck", reasons.join())
      assert.match(reasons.join(), /^no worker reports in us-east-1 since 2026-11-24T11:/)
      const other = yield* makeReporter(store, stubService(), { worker: "other" })
      assert.deepInclude(yield* passing(other.report), { lease: "held", accepted: 1 })
      yield* Scope.close(scope, Exit.void)
    })
  )
})
