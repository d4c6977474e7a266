/** Expired quantities are carried forward once, and only if they are certainly not billed. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  account,
  billedOf,
  entriesOf,
  hour,
  makeReporter,
  makeStore,
  record,
  start,
  withSandbox
} from "../ledgerSupport.js"
import { makeLedger, minute, until } from "./support.js"

const analytics = `analytics-${account}`

describe("carryForward", () => {
  it.effect("adds an expired quantity to the current hour once, an hour after the deadline", () =>
    withSandbox(() =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* makeStore
          const { operator } = yield* makeLedger(store)
          yield* record(store, analytics, "calls", start, 3)
          const reporter = yield* makeReporter(store)
          yield* until(start + 24 * hour)
          yield* reporter.report
          yield* reporter.report
          assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 expired 3`])
          yield* until(start + 25 * hour - 1)
          assert.strictEqual(yield* operator.carryForward({}), 0)
          yield* until(start + 25 * hour)
          assert.strictEqual(yield* operator.carryForward({}), 1)
          assert.strictEqual(yield* operator.carryForward({}), 0)
          yield* until(start + 26 * hour + 10 * minute)
          assert.deepInclude(yield* reporter.report, { accepted: 1 })
          assert.deepStrictEqual(yield* billedOf, [`${account} calls 11 3`])
        })
      )
    )
  )

  it.effect("leaves a record in doubt as it is", () =>
    withSandbox(
      () =>
        Effect.scoped(
          Effect.gen(function* () {
            const store = yield* makeStore
            const { operator } = yield* makeLedger(store)
            yield* record(store, analytics, "calls", start, 3)
            const reporter = yield* makeReporter(store)
            yield* until(start + hour + 10 * minute)
            yield* reporter.report
            yield* until(start + 25 * hour)
            yield* reporter.report
            assert.strictEqual(yield* operator.carryForward({}), 0)
            assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 inDoubt 3`])
            assert.deepStrictEqual(yield* billedOf, [`${account} calls 10 3`])
          })
        ),
      // the first call looks at the endpoint
      { faults: { script: [{ fault: "none" }], chances: [{ fault: "cutAfter", probability: 1 }] } }
    )
  )
})
