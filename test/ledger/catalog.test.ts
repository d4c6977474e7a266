/** Products and subscriptions: one for each that the service bills. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { UsageLedger, UsageLedgerStore } from "effect-marketplace-metering/ledger"
import { products } from "./ledgerSupport.js"
import { withWorld } from "./support/ledgerWorld.js"

const { analytics, search } = products as {
  readonly analytics: UsageLedger.Product
  readonly search: UsageLedger.Product
}

const initialize = (store: UsageLedgerStore.Service, more: UsageLedger.Options["products"]) =>
  UsageLedger.make({ seller: "acme", target: "sandbox", products: more }).pipe(
    Effect.provideService(UsageLedgerStore.UsageLedgerStore, store),
    Effect.scoped
  )

describe("products", () => {
  it.effect("have a code of their own in a Region", () =>
    withWorld(({ store }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(initialize(store, { renamed: analytics }))
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "productConflict" })
        assert.match(error.message, /renamed has the code analytics-code of analytics in us-east-1/)
        const both = {
          one: { ...analytics, productCode: "new" },
          two: { ...search, productCode: "new" }
        }
        assert.deepInclude(yield* Effect.flip(initialize(store, both)), {
          reason: "productConflict"
        })
        yield* initialize(store, { analytics, elsewhere: { ...analytics, region: "eu-west-1" } })
      })
    )
  )
})

describe("subscriptions", () => {
  it.effect("of one license and customer are not of two products in one hour", () =>
    withWorld(({ ledger, subscribe }) =>
      Effect.gen(function* () {
        const licenseArn = "arn:aws:license-manager::111122223333:license:l-1"
        yield* subscribe("A", 0, { licenseArn })
        const error = yield* Effect.flip(subscribe("B", 10, { licenseArn, product: "search" }))
        assert.deepInclude(error, { _tag: "SubscriptionConflict", other: "A" })
        yield* ledger.close("A")
        yield* subscribe("C", 61, { licenseArn, product: "search" })
        yield* subscribe("D", 61, { licenseArn: `${licenseArn}2`, product: "analytics" })
      })
    )
  )
})
