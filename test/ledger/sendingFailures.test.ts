/** Failures of the client that are seen: by the log, by health, and by the products that go on. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import { LedgerError, UsageLedgerStore, UsageReporter } from "effect-marketplace-metering/ledger"
import { type Service as Client, MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { InternalServiceErrorException } from "effect-marketplace-metering/MeteringError"
import * as support from "./ledgerSupport.js"
import { type World, withWorld } from "./support/ledgerWorld.js"
import { addRecords, namesOf, productError } from "./support/manyRecords.js"

const { account, entriesOf, makeReporter, otherAccount, start } = support
const analytics = `analytics-${account}`

/** Runs the reporter's layer on a store for a time. Returns what it logs as errors and warnings. */
const reportFor = (
  store: UsageLedgerStore.Service,
  change: (client: Client) => Partial<Client>,
  duration: "10 minutes" | "40 minutes"
) =>
  Effect.gen(function* () {
    const client = yield* MeteringClient
    const logged: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) logged.push(String(message))
    })
    const scope = yield* Scope.make()
    yield* Layer.buildWithScope(UsageReporter.layer(), scope).pipe(
      Effect.provideService(UsageLedgerStore.UsageLedgerStore, store),
      Effect.provideService(MeteringClient, { ...client, ...change(client) }),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
    yield* Effect.sleep(duration)
    yield* Scope.close(scope, Exit.void)
    return logged
  })

const withUsage = <A, E>(body: (world: World) => Effect.Effect<A, E, MeteringClient>) =>
  withWorld((world) =>
    Effect.gen(function* () {
      yield* support.record(world.store, analytics, "calls", start, 3)
      yield* world.setTo(71)
      return yield* body(world)
    })
  )

describe("a client that ends by a defect", () => {
  it.effect("is logged, its records wait longer each time, and health tells", () =>
    withUsage(({ ledger, store }) =>
      Effect.gen(function* () {
        let calls = 0
        const logged = yield* reportFor(
          store,
          (client) => ({
            batchMeterUsage: (request) =>
              request.usageRecords.length === 0
                ? client.batchMeterUsage(request)
                : Effect.suspend(() => {
                    calls += 1
                    return Effect.dieMessage("planted")
                  })
          }),
          "40 minutes"
        )
        assert.include(logged, "a call ended by a defect of the client")
        const [record] = yield* store.snapshot((tables) => tables.records([1]))
        assert.isAtLeast(record?.tries ?? 0, 3)
        assert.isBelow(calls, 100)
        const { reasons } = yield* ledger.health
        assert.match(reasons.join(), /1 records were sealed 30 minutes ago or earlier and are not/)
      })
    )
  )
})

describe("a store that fails while a product is sent", () => {
  it.effect("is logged as the failure of the product", () =>
    withUsage(({ store }) =>
      Effect.gen(function* () {
        const unavailable = new LedgerError.LedgerUnavailable({ reason: "planted", isStored: "no" })
        const failing: UsageLedgerStore.Service = {
          ...store,
          transaction: (body) =>
            store.transaction((tables) =>
              body({
                ...tables,
                // written at the end of each try
                updateRecords: () => Effect.fail(unavailable)
              })
            )
        }
        const logged = yield* reportFor(
          failing,
          (client) => ({
            batchMeterUsage: (request) =>
              Effect.map(client.batchMeterUsage(request), (response) => ({
                ...response,
                results: [],
                unprocessedRecords: []
              }))
          }),
          "10 minutes"
        )
        assert.include(logged, "sending of analytics in us-east-1 failed")
      })
    )
  )
})

const noResponse = new InternalServiceErrorException({ operation: "BatchMeterUsage" })

describe("a record whose calls all fail", () => {
  it.effect.each([
    ["with an error of the whole product", productError],
    ["without a response", noResponse]
  ] as const)("%s does not keep the others of its product from being sent", ([, error]) =>
    withUsage(({ store }) =>
      Effect.gen(function* () {
        for (let index = 0; index < 4; index += 1) {
          yield* support.record(
            store,
            `analytics-${index < 2 ? account : otherAccount}`,
            index % 2 === 0 ? "calls" : "gb",
            start,
            3_000
          )
        }
        yield* reportFor(
          store,
          (client) => ({
            batchMeterUsage: (request) =>
              request.usageRecords.some(
                ({ customerAWSAccountId, dimension }) =>
                  customerAWSAccountId === account && dimension === "calls"
              )
                ? Effect.fail(error)
                : client.batchMeterUsage(request)
          }),
          "40 minutes"
        )
        assert.deepStrictEqual(yield* entriesOf(store), [
          `${analytics} calls 10 sealed 3003`,
          `${analytics} gb 10 accepted 3`,
          `analytics-${otherAccount} calls 10 accepted 3000`,
          `analytics-${otherAccount} gb 10 accepted 3`
        ])
      })
    )
  )
})

describe("many records that the service rejects with an error of the whole product", () => {
  const isBad = (dimension: string) => Number(dimension.slice(1)) % 4 === 0

  it.effect("do not slow the others down", () =>
    withUsage(({ store }) =>
      Effect.gen(function* () {
        yield* addRecords(store, namesOf("d", 200))
        let rejections = 0
        yield* reportFor(
          store,
          (client) => ({
            batchMeterUsage: (request) => {
              if (request.usageRecords.length === 0) return client.batchMeterUsage(request)
              if (request.usageRecords.some(({ dimension }) => isBad(dimension))) {
                rejections += 1
                return Effect.fail(productError)
              }
              return Effect.succeed({
                results: request.usageRecords.map((usageRecord) => ({
                  usageRecord,
                  status: "Success" as const,
                  meteringRecordId: "record"
                })),
                unprocessedRecords: [],
                requestId: "sandbox-2",
                statusCode: 200
              } as never)
            }
          }),
          "40 minutes"
        )
        const states = (yield* entriesOf(store)).map((text) => text.split(" "))
        const good = states.filter(([, dimension]) => !isBad(dimension ?? ""))
        const bad = states.filter(([, dimension]) => isBad(dimension ?? ""))
        assert.isTrue(good.every(([, , , state]) => state === "accepted"))
        assert.isTrue(bad.every(([, , , state]) => state === "rejected"))
        assert.isBelow(rejections, 1_000)
      })
    )
  )

  it.effect("pause the product where none is accepted", () =>
    withUsage(({ ledger, store }) =>
      Effect.gen(function* () {
        yield* addRecords(store, namesOf("d", 400))
        let calls = 0
        yield* reportFor(
          store,
          (client) => ({
            batchMeterUsage: (request) => {
              if (request.usageRecords.length === 0) return client.batchMeterUsage(request)
              calls += 1
              return Effect.fail(productError)
            }
          }),
          "10 minutes"
        )
        assert.isBelow(calls, 40)
        const { reasons } = yield* ledger.health
        assert.match(reasons.join(), /paused/)
      })
    )
  )
})

describe("a stop", () => {
  it.effect("is no try of records that were in no call", () =>
    withUsage(({ store }) =>
      Effect.gen(function* () {
        yield* addRecords(store, namesOf("d", 40))
        const client = yield* MeteringClient
        const scope = yield* Scope.make()
        const { report } = yield* makeReporter(store, { rate: 0.1 }).pipe(
          Effect.provideService(MeteringClient, {
            ...client,
            batchMeterUsage: (request) =>
              request.usageRecords.length === 0
                ? client.batchMeterUsage(request)
                : Effect.zipRight(Effect.sleep("5 seconds"), client.batchMeterUsage(request))
          }),
          Scope.extend(scope)
        )
        yield* Effect.fork(report)
        yield* Effect.sleep("1 second")
        yield* Scope.close(scope, Exit.void)
        const records = yield* store.snapshot((tables) =>
          tables.records(Array.from({ length: 41 }, (_, index) => index + 1))
        )
        const waiting = records.filter(({ state }) => state === "sealed")
        assert.isAbove(waiting.length, 0)
        const attempts = yield* store.snapshot((tables) =>
          tables.attempts(waiting.map(({ id }) => id))
        )
        const sent = new Set(attempts.map(({ record }) => record))
        for (const { id, tries } of waiting) assert.strictEqual(tries, sent.has(id) ? 1 : 0)
        assert.isAbove(waiting.length, sent.size)
      })
    )
  )
})
