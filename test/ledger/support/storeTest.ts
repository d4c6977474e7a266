/** Tests of one store, each with an empty one. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import { UsageLedgerStore } from "effect-marketplace-metering/ledger"
import type {
  KeyRow,
  PostingRow,
  SubscriptionRow
} from "../../../src/ledger/internal/model/rows.js"
import type { Tables } from "../../../src/ledger/internal/tables.js"

/** Makes a store that is empty, and shares nothing with the ones before. */
export type LayerFactory = () => Layer.Layer<UsageLedgerStore.UsageLedgerStore, unknown>

export type StoreTest = (
  title: string,
  body: (store: UsageLedgerStore.Service) => Effect.Effect<unknown, unknown>
) => void

/** Tests of stores that are made by themselves. */
export const makeStoreTest =
  (layerFactory: LayerFactory): StoreTest =>
  (title, body) =>
    it.effect(title, () =>
      Effect.provide(Effect.flatMap(UsageLedgerStore.UsageLedgerStore, body), layerFactory())
    )

/** Writes in a transaction. */
export const write = <A, E>(
  store: UsageLedgerStore.Service,
  body: (tables: Tables) => Effect.Effect<A, E>
) => store.transaction(body)

/** Reads in a snapshot. */
export const read = <A, E>(
  store: UsageLedgerStore.Service,
  body: (tables: Tables) => Effect.Effect<A, E>
) => store.snapshot(body)

/** The change violates an invariant, so that it dies, and nothing of its transaction is stored. */
export const assertRejected = <A, E>(
  store: UsageLedgerStore.Service,
  body: (tables: Tables) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    const pause = { region: "rejected", product: "p", since: 1, cause: "c", retryAt: undefined }
    const exit = yield* Effect.exit(
      store.transaction((tables) => Effect.zipRight(tables.putPause(pause), body(tables)))
    )
    assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die", String(exit))
    const pauses = yield* store.snapshot((tables) => tables.pauses)
    assert.notDeepInclude(pauses, pause)
  })

export const keyRow = (row: Partial<KeyRow>): Omit<KeyRow, "id"> => ({
  lineage: "l",
  dimension: "d",
  scale: 0,
  region: "r",
  product: "p",
  ...row
})

/** Adds keys of these dimensions and returns their ids. */
export const addKeys = (store: UsageLedgerStore.Service, rows: ReadonlyArray<Partial<KeyRow>>) =>
  store
    .transaction((tables) => tables.addKeys(rows.map(keyRow)))
    .pipe(Effect.map((keys) => keys.map(({ id }) => id)))

/** Adds one key of scale 0 and returns its id. */
export const addKey = (store: UsageLedgerStore.Service) =>
  Effect.map(addKeys(store, [{}]), ([id]) => id as number)

export const subscription = (row: Partial<SubscriptionRow>): SubscriptionRow => ({
  id: "s",
  lineage: "l",
  region: "r",
  product: "p",
  productCode: "code",
  licenseArn: undefined,
  accountId: "123456789012",
  customerId: undefined,
  from: 0,
  until: undefined,
  closingAt: undefined,
  ...row
})

export const posting = (row: Partial<PostingRow>): PostingRow => ({
  key: 1,
  hour: 1,
  cause: "advance",
  reference: "source/0",
  tags: "",
  quantity: 1n,
  ...row
})

/**
 * Texts that every column of text keeps. Left out are NUL, which PostgreSQL has no place for, and halves of surrogate pairs,
 * which UTF-8 cannot write.
 */
export const oddTexts: ReadonlyArray<string> = [
  "",
  " ",
  "'",
  "''; DROP TABLE usage_event; --",
  '"quoted"',
  "back\\slash \\' \\\" \\n",
  "{braces,},[brackets]",
  "$1 ?1 :name @name",
  "% _ * ?",
  "line\nbreak\r\n\ttab",
  "\u0001\u001f\u007f",
  "NULL",
  "null",
  "0",
  "1e3",
  "-1",
  "é", // composed
  "e\u0301", // and in two characters
  "ß ẞ ı İ",
  "日本語",
  "مرحبا",
  "👩‍👩‍👧‍👦🇩🇪",
  "\ufeffbom",
  "\u2028\u2029",
  "\uffff",
  "x".repeat(255),
  "é".repeat(255),
  "😀".repeat(127)
]
