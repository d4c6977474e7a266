/** Sealing over many hours: everything recorded is billed, or left over. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import { MemoryLedgerStore } from "effect-marketplace-metering/ledger"
import { initialize } from "../../src/ledger/internal/transactions/initialize.js"
import { lease } from "../../src/ledger/internal/transactions/lease.js"
import { seal } from "../../src/ledger/internal/transactions/seal.js"
import { close, subscribe } from "../../src/ledger/internal/transactions/subscribe.js"
import { account, at, hour, start } from "./ledgerSupport.js"

const usage = FastCheck.record({
  tags: FastCheck.constantFrom("", '[["team","a"]]', '[["team","b"]]', '[["team","c"]]'),
  quantity: FastCheck.oneof(
    FastCheck.nat(20),
    FastCheck.nat(5_000_000),
    FastCheck.integer({ min: 2_147_483_640, max: 5_000_000_000 }),
    FastCheck.maxSafeNat()
  )
})

/** The events of each hour. */
const hours = FastCheck.array(FastCheck.array(usage, { maxLength: 5 }), {
  minLength: 1,
  maxLength: 8
})

const scales = FastCheck.integer({ min: 0, max: 9 })

/** Seals all that is over, as a reporter does. */
const sealAll = (store: ReturnType<typeof MemoryLedgerStore.make>, now: number) =>
  Effect.gen(function* () {
    const leased = yield* lease(store, {
      ...{
        region: "us-east-1",
        worker: "w",
        now,
        duration: 60_000,
        sealAfter: 600_000,
        seen: undefined
      }
    })
    while ((yield* seal(store, { lease: leased.lease, now, sealAfter: 600_000 })) > 0) {}
  })

/** The sums of the only key, and its records. */
const readAll = (store: ReturnType<typeof MemoryLedgerStore.make>) =>
  store.snapshot((tables) =>
    Effect.gen(function* () {
      const views = yield* tables.entryPage({}, undefined, 1_000)
      const [totals] = yield* tables.keyTotals(undefined, 1)
      const { differences } = yield* tables.verifySums(undefined, 1_000)
      const carry = yield* tables.carry([totals?.key.id ?? 0])
      if (totals === undefined) return yield* Effect.dieMessage("no key")
      return { carry, differences, totals, views }
    })
  )

interface Body {
  readonly UsageRecord: {
    readonly Quantity: number
    readonly UsageAllocations?: ReadonlyArray<{ readonly AllocatedUsageQuantity: number }>
  }
}

describe("sealing", () => {
  it.effect.prop(
    "keeps recorded = open + billed + carry - rounding in each hour, and allocations = quantity",
    [hours, scales, FastCheck.boolean()],
    ([events, scale, isClosed]) =>
      Effect.gen(function* () {
        const store = MemoryLedgerStore.make()
        const dimensions = { d: { scale } }
        yield* initialize(
          store,
          {
            ...{ seller: "acme", target: "sandbox" },
            products: {
              p: { region: "us-east-1", productCode: "c", dimensions, tagKeys: ["team"] }
            }
          },
          "incarnation"
        )
        yield* subscribe(
          store,
          { id: "a", product: "p", customerAWSAccountId: account, from: at(start - 48 * hour) },
          start
        )
        const unit = 10n ** BigInt(scale)
        let recorded = 0n
        const check = (now: number) =>
          Effect.gen(function* () {
            yield* sealAll(store, now)
            const { carry, differences, totals, views } = yield* readAll(store)
            assert.deepEqual(differences, [])
            assert.strictEqual(totals.recorded, recorded)
            assert.strictEqual(
              totals.open + totals.billed * unit + totals.carry - totals.rounding,
              recorded
            )
            assert.strictEqual(
              carry.reduce((sum, { amount }) => sum + amount, 0n),
              totals.carry
            )
            for (const { record } of views) {
              if (record === undefined) continue
              const { UsageRecord } = JSON.parse(record.body) as Body
              assert.strictEqual(UsageRecord.Quantity, record.quantity)
              const shares = UsageRecord.UsageAllocations?.map(
                ({ AllocatedUsageQuantity }) => AllocatedUsageQuantity
              )
              if (shares === undefined) continue
              assert.strictEqual(
                shares.reduce((sum, share) => sum + share, 0),
                record.quantity
              )
            }
            return totals
          })
        let now = start
        for (const [index, some] of events.entries()) {
          const [key] = yield* store.snapshot((tables) => tables.keys({}))
          yield* store.recordEvents(
            some.map(({ quantity, tags }, place) => ({
              ...{ id: `${index}/${place}`, key: key?.id ?? 0, quantity, tags },
              ...{ hour: now / hour, at: now }
            })),
            now
          )
          recorded += some.reduce((sum, { quantity }) => sum + BigInt(quantity), 0n)
          now += hour
          yield* check(now + 600_000)
        }
        if (!isClosed) return
        yield* close(store, "a", now, now)
        const { billed, carry, open, rounding } = yield* check(now + 600_000)
        // what is left is a fraction without an hour to bill it in, or an overflow
        assert.isTrue(carry < unit || billed > 0n)
        assert.isTrue(rounding * 2n <= unit && rounding * 2n > -unit)
        assert.isTrue(open >= 0n)
      }),
    { fastCheck: { numRuns: 15 } }
  )
})
