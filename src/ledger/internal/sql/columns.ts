/** Reads and writes the values of columns. */
import type { Row, SqlValue } from "./session.js"

/** An integer within 2^53. */
export const toNumber = (value: unknown): number => Number(value)

export const toOptionalNumber = (value: unknown): number | undefined =>
  value === null || value === undefined ? undefined : Number(value)

/** Of a column that is selected as text: a number would have lost digits. */
export const toBigInt = (value: unknown): bigint => BigInt(value as string)

export const toOptionalText = (value: unknown): string | undefined =>
  value === null || value === undefined ? undefined : String(value)

export const orNull = (value: string | number | undefined): SqlValue => value ?? null

/**
 * Sums can exceed 64 bits, where SQLite fails and PostgreSQL changes the type. So they are summed in two halves: 2^31 rows of
 * any size fit. `name` is the prefix of the two columns.
 */
export const sumColumns = (expression: string, name: string): string =>
  `CAST(COALESCE(SUM((${expression}) >> 32), 0) AS TEXT) AS ${name}_high, ` +
  `CAST(COALESCE(SUM((${expression}) & 4294967295), 0) AS TEXT) AS ${name}_low`

export const toSum = (row: Row, name: string): bigint =>
  toBigInt(row[`${name}_high`]) * 4294967296n + toBigInt(row[`${name}_low`])

/** SQL for the id of a license, the last part of its ARN in lower case. The same text as that of its index, so that it is found by it. */
export const licenseIdOf = (column: string): string =>
  `lower(substr(${column}, length(rtrim(${column}, '-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ')) + 1))`
