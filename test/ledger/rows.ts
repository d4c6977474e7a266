/** Rows of a ledger, with defaults. */
import * as Effect from "effect/Effect"
import type { UsageLedgerStore } from "effect-marketplace-metering/ledger"
import type { EventRow, RecordRow } from "../../src/ledger/internal/model/rows.js"

export const event = (row: Partial<EventRow>): EventRow => ({
  id: "event",
  key: 1,
  hour: 1,
  at: 3_600_000,
  quantity: 1,
  tags: "",
  ...row
})

export const record = (row: Partial<RecordRow>): Omit<RecordRow, "id"> => ({
  key: 1,
  hour: 1,
  subscription: "s",
  region: "r",
  product: "p",
  quantity: 1,
  timestamp: 3_600_000,
  body: '{"UsageRecord":{}}',
  deadline: 90_000_000,
  sealedAt: 7_200_000,
  state: "sealed",
  tries: 0,
  nextTryAt: 0,
  resolvedAt: undefined,
  meteringRecordId: undefined,
  carriedAt: undefined,
  ...row
})

export const openEntry = (store: UsageLedgerStore.Service, key: number, hour: number) =>
  store.snapshot((tables) => tables.entries([{ key, hour }])).pipe(Effect.map(([entry]) => entry))
