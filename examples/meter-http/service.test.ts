import { HttpApiBuilder, HttpServer } from "@effect/platform"
import { assert, it } from "@effect/vitest"
import { DateTime, Effect, Layer, TestClock } from "effect"
import { MemoryLedgerStore, UsageLedger, UsageReporter } from "effect-marketplace-metering/ledger"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { ApiLive, products } from "./service.js"

const account = "111122223333"

const SandboxLive = MeteringSandbox.layer({
  products: [{ code: "documents-code", dimensions: ["megabytes"] }],
  customers: [{ customerAWSAccountId: account, agreements: [{ productCode: "documents-code" }] }]
})

const LedgerLive = UsageLedger.layer({ seller: "acme", target: "sandbox", products }).pipe(
  Layer.provideMerge(MemoryLedgerStore.layer)
)

it.scoped("bills the requests of an hour once, after the hour", () =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.UTC(2026, 10, 24, 10))
    yield* UsageLedger.subscribe({
      id: "documents-1",
      product: "documents",
      customerAWSAccountId: account
    })
    const runtime = yield* Effect.runtime<UsageLedger.UsageLedger>()
    const clock = yield* Effect.clock
    const web = HttpApiBuilder.toWebHandler(
      Layer.mergeAll(
        ApiLive(new Map([["secret", "documents-1"]])).pipe(
          Layer.provide(Layer.succeedContext(runtime.context))
        ),
        HttpServer.layerContext,
        Layer.setClock(clock)
      )
    )
    yield* Effect.addFinalizer(() => Effect.promise(() => web.dispose()))
    const convert = (key: string, id?: string) =>
      Effect.promise(() =>
        web.handler(
          new Request("http://localhost/convert", {
            method: "POST",
            headers: {
              "content-type": "application/json",
              "x-api-key": key,
              ...(id !== undefined && { "x-request-id": id })
            },
            body: JSON.stringify({ text: "a".repeat(50_000) })
          })
        )
      )
    for (let request = 0; request < 30; request += 1) {
      assert.strictEqual((yield* convert("secret")).status, 200)
    }
    assert.strictEqual((yield* convert("secret", "again")).status, 200)
    assert.strictEqual((yield* convert("secret", "again")).status, 200)
    assert.strictEqual((yield* convert("wrong")).status, 401)

    yield* TestClock.adjust("70 minutes")
    const reporter = yield* UsageReporter.make()
    assert.deepInclude(yield* reporter.report, { sealed: 1, accepted: 1 })
    const { report } = yield* MeteringSandbox.MeteringSandbox
    // 31 x 0.05 megabytes are 1.55: one is billed, and 0.55 are carried to the next hour
    assert.deepStrictEqual(
      (yield* report.billed).map(({ hour, quantity }) => [DateTime.formatIso(hour), quantity]),
      [["2026-11-24T10:00:00.000Z", 1]]
    )
  }).pipe(Effect.provide([LedgerLive, SandboxLive]))
)
