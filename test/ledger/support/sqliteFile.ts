import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import {
  type LedgerError,
  SqliteLedgerStore,
  UsageLedgerStore
} from "effect-marketplace-metering/ledger"
import Libsql from "libsql"

/** A folder that is deleted at the end of the scope. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ledger-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A path in a folder of its own. */
export const newFile: Effect.Effect<string, never, Scope.Scope> = Effect.map(folder, (path) =>
  join(path, "ledger.db")
)

/** The driver that needs no compiler, on each version of Node.js. */
export const open = (
  file: string,
  options?: Partial<SqliteLedgerStore.Options>
): Effect.Effect<
  UsageLedgerStore.Service,
  LedgerError.LedgerConfigError | LedgerError.LedgerUnavailable,
  Scope.Scope
> =>
  Effect.scope.pipe(
    Effect.flatMap((scope) =>
      Effect.map(
        Layer.buildWithScope(
          SqliteLedgerStore.layer({ file, driver: "libsql", ...options }),
          scope
        ),
        (context) => Context.get(context, UsageLedgerStore.UsageLedgerStore)
      )
    )
  )

/** Runs SQL beside the store, as another program would. */
export const withSql = <A>(file: string, use: (database: Libsql.Database) => A): A => {
  const database = new Libsql(file)
  try {
    return use(database)
  } finally {
    database.close()
  }
}

export const event = (
  id: string,
  fields: {
    readonly key?: number
    readonly hour?: number
    readonly quantity?: number
    readonly tags?: string
  } = {}
) => ({
  id,
  key: fields.key ?? 1,
  hour: fields.hour ?? 490_000,
  at: 1_764_000_000_000,
  quantity: fields.quantity ?? 1,
  tags: fields.tags ?? ""
})

export const keyRow = (dimension: string) => ({
  lineage: "lineage",
  dimension,
  scale: 0,
  region: "us-east-1",
  product: "product"
})

export const now = 1_764_000_000_000
