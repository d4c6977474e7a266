/** Statements within one transaction. */
import type * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"

export type SqlValue = string | number | bigint | null

export interface Row {
  readonly [column: string]: unknown
}

/**
 * Runs statements in the transaction that it was made for. Parameters are written `$1`, `$2`, and so on, and may be used more
 * than once. Integers may come back as numbers, bigints or text: see columns.ts. A statement that breaks a constraint or a
 * trigger of the schema is a defect.
 */
export interface SqlSession {
  readonly query: (
    sql: string,
    params: ReadonlyArray<SqlValue>
  ) => Effect.Effect<ReadonlyArray<Row>, LedgerUnavailable>
}
