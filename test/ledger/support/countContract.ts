import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { event, record } from "../rows.js"
import { addKeys, read, type StoreTest, write } from "./storeTest.js"

/** Counts, whose cost does not grow with the age of a ledger. */
export const countContract = (test: StoreTest): void => {
  test("counts accepted records from an hour on, and all others of any age", (store) =>
    Effect.gen(function* () {
      const [first = 0, second = 0] = yield* addKeys(store, [{}, { dimension: "other" }])
      yield* store.recordEvents([event({ key: first, hour: 9 })], 1)
      yield* write(store, (tables) =>
        Effect.gen(function* () {
          const ids = [1, 2, 3].flatMap((hour) => [first, second].map((key) => ({ key, hour })))
          yield* tables.ensureEntries(ids, 1)
          yield* tables.sealEntries(ids.map((id) => ({ ...id, rounding: 0n })))
          const records = yield* tables.addRecords(
            ids.map((id) => record({ ...id, deadline: 100 + id.hour }))
          )
          yield* tables.updateRecords(
            records
              .filter(({ hour, key }) => key === first || hour === 1)
              .map((row) =>
                row.key === first
                  ? { ...row, state: "accepted", resolvedAt: 5 }
                  : { ...row, state: "expired", resolvedAt: 5 }
              )
          )
        })
      )
      const common = { region: "r", product: "p" }
      const others = [
        { ...common, state: "expired", count: 1, oldestHour: 1, nextDeadline: undefined },
        { ...common, state: "open", count: 1, oldestHour: 9, nextDeadline: undefined },
        { ...common, state: "sealed", count: 2, oldestHour: 2, nextDeadline: 102 }
      ] as const
      const accepted = (count: number, oldestHour: number) => ({
        ...common,
        state: "accepted" as const,
        count,
        oldestHour,
        nextDeadline: undefined
      })
      const countsFrom = (hour: number) => read(store, (tables) => tables.stateCounts(hour))
      assert.deepEqual(yield* countsFrom(0), [accepted(3, 1), ...others])
      assert.deepEqual(yield* countsFrom(2), [accepted(2, 2), ...others])
      assert.deepEqual(yield* countsFrom(4), others)
    }))
}
