/** Records usage and gives each event its own result. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as catalogs from "../../../src/ledger/internal/recording/catalog.js"
import { type Prepared, prepareEvent } from "../../../src/ledger/internal/recording/prepareEvent.js"
import { recordBatch } from "../../../src/ledger/internal/recording/recordBatch.js"
import type { Event } from "../../../src/ledger/UsageLedger.js"
import type { Service as Store } from "../../../src/ledger/UsageLedgerStore.js"

export const make = (store: Store, now: () => number) => {
  const catalog = catalogs.make(store)
  return {
    recordAll: (
      events: ReadonlyArray<Event & { readonly id: string; readonly at: DateTime.Utc }>
    ) =>
      Effect.gen(function* () {
        const found = yield* catalog.load(
          events.map(({ subscription }) => subscription),
          now()
        )
        const prepared = events.map((event) =>
          prepareEvent(
            event,
            event.id,
            DateTime.toEpochMillis(event.at),
            found.get(event.subscription),
            now()
          )
        )
        const valid = prepared.flatMap((one) => (Either.isRight(one) ? [one.right] : []))
        const results = new Map<
          Prepared,
          Effect.Effect.Success<ReturnType<typeof recordBatch>>[number]
        >()
        const stored = yield* recordBatch(store, valid, now())
        valid.forEach((one, i) => {
          const result = stored[i]
          if (result !== undefined) results.set(one, result)
        })
        return prepared.map((one) =>
          Either.isLeft(one) ? Either.left(one.left) : results.get(one.right)
        )
      })
  }
}
