/** The SQL that differs between SQLite and PostgreSQL. All other statements are the same. */

type ColumnType = "bigint" | "text"

/** Column types by name. */
export interface Columns {
  readonly [name: string]: ColumnType
}

export interface Dialect {
  /**
   * A table expression for a list that is passed as one parameter (see `listParameter`). It has the given columns, and `ord`, the
   * position of the row in the list.
   */
  readonly list: (parameter: number, columns: Columns) => string
  /** Locks the rows of the table `alias` that a query returns. Empty if the database has one writer at a time. */
  readonly forUpdate: (alias: string, locked?: "wait" | "skip") => string
  /**
   * Locks the name in `$1` until the end of the transaction, even if no row of that name exists. `undefined` if the database has one
   * writer at a time.
   */
  readonly lockName: string | undefined
}

export const sqlite: Dialect = {
  list: (parameter, columns) =>
    `(SELECT ${columnsOf(columns, (type, index) => {
      const value = `json_extract(j.value, '$[${index}]')`
      return type === "bigint" ? `CAST(${value} AS INTEGER)` : value
    })}, j.key AS ord FROM json_each($${parameter}) AS j)`,
  forUpdate: () => "",
  lockName: undefined
}

export const postgres: Dialect = {
  list: (parameter, columns) =>
    `(SELECT ${columnsOf(columns, (type, index) =>
      type === "bigint" ? `CAST(j.value->>${index} AS bigint)` : `(j.value->>${index})`
    )}, j.ord AS ord FROM json_array_elements(CAST($${parameter} AS json)) WITH ORDINALITY AS j(value, ord))`,
  forUpdate: (alias, locked = "wait") =>
    `FOR UPDATE OF ${alias}${locked === "skip" ? " SKIP LOCKED" : ""}`,
  lockName: "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
}

const columnsOf = (columns: Columns, expression: (type: ColumnType, index: number) => string) =>
  Object.entries(columns)
    .map(([name, type], index) => `${expression(type, index)} AS ${name}`)
    .join(", ")

type ListValue = string | number | bigint | undefined

/** Encodes a list as a parameter: JSON with an array per row. Bigints are encoded as strings, because JSON numbers lose digits. */
export const listParameter = (rows: ReadonlyArray<ReadonlyArray<ListValue>>): string =>
  JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? String(value) : (value ?? null)))
