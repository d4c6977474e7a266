/** Statements within one transaction. */
import type * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"

export type SqlValue = string | number | bigint | null

export interface Row {
  readonly [column: string]: unknown
}

/**
 * Runs statements in one transaction. Parameters are written `$1`, `$2`, and so on, and may be used more than once. Integers are
 * returned as numbers, bigints or text, depending on the driver: see columns.ts. A statement that violates a constraint or a trigger
 * of the schema dies with a defect.
 */
export interface SqlSession {
  readonly query: (
    sql: string,
    params: ReadonlyArray<SqlValue>
  ) => Effect.Effect<ReadonlyArray<Row>, LedgerUnavailable>
}
