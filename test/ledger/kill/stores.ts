/** The stores of the kill tests, empty, until the scope closes. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { PgLedgerStore } from "../../../src/ledger/index.js"
import type { Service as Store } from "../../../src/ledger/UsageLedgerStore.js"
import { makePostgres } from "../../support/postgres.js"
import * as sqliteFile from "../support/sqliteFile.js"
import type { Orders } from "./plan.js"

export interface TestStore {
  readonly store: Orders["store"]
  /** Opens it in this process. */
  readonly open: Effect.Effect<Store, never, Scope.Scope>
  /** Ends the server as by a crash, and starts it again. */
  readonly restart?: Effect.Effect<void> | undefined
}

const sqlite: Effect.Effect<TestStore, never, Scope.Scope> = Effect.map(
  sqliteFile.newFile,
  (file) => ({
    store: { kind: "sqlite", file },
    open: Effect.orDie(sqliteFile.open(file, { driver: undefined }))
  })
)

const postgres: Effect.Effect<TestStore, never, Scope.Scope> = Effect.gen(function* () {
  const server = yield* makePostgres()
  const url = yield* server.createDatabase
  return {
    store: { kind: "postgres", url },
    open: Effect.orDie(PgLedgerStore.make({ url })),
    restart: Effect.zipRight(server.stop("immediate"), server.start)
  }
})

export const stores = { sqlite, postgres }
