/** Converts the values of columns. */
import type { Row, SqlValue } from "./session.js"

/** Converts an integer of at most 2^53. */
export const toNumber = (value: unknown): number => Number(value)

export const toOptionalNumber = (value: unknown): number | undefined =>
  value === null || value === undefined ? undefined : Number(value)

/** Converts a column that is selected as text, because a number would lose digits. */
export const toBigInt = (value: unknown): bigint => BigInt(value as string)

export const toOptionalText = (value: unknown): string | undefined =>
  value === null || value === undefined ? undefined : String(value)

export const orNull = (value: string | number | undefined): SqlValue => value ?? null

/**
 * SQL for a sum that can exceed 64 bits, at which SQLite fails and PostgreSQL changes the type. The high and the low 32 bits are
 * summed separately, which is exact for up to 2^31 rows. `name` is the prefix of the two columns. See `toSum`.
 */
export const sumColumns = (expression: string, name: string): string =>
  `CAST(COALESCE(SUM((${expression}) >> 32), 0) AS TEXT) AS ${name}_high, ` +
  `CAST(COALESCE(SUM((${expression}) & 4294967295), 0) AS TEXT) AS ${name}_low`

export const toSum = (row: Row, name: string): bigint =>
  toBigInt(row[`${name}_high`]) * 4294967296n + toBigInt(row[`${name}_low`])

/** SQL for the id of a license: the last part of its ARN in lower case. Queries use the same text as the index, so that it applies. */
export const licenseIdOf = (column: string): string =>
  `lower(substr(${column}, length(rtrim(${column}, '-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ')) + 1))`
