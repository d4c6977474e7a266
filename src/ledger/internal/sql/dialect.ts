/** The differences between SQLite and PostgreSQL in statements that are otherwise the same. */

type ColumnType = "bigint" | "text"

/** Columns by name. */
export interface Columns {
  readonly [name: string]: ColumnType
}

export interface Dialect {
  /**
   * A table expression for a list that is given as one parameter (see `listParameter`): the columns, and `ord`, the place of the
   * row in the list.
   */
  readonly list: (parameter: number, columns: Columns) => string
  /** Locks the rows of the table `alias` that a query returns. Empty where a transaction is the only writer. */
  readonly forUpdate: (alias: string, locked?: "wait" | "skip") => string
  /**
   * Locks the name in `$1` until the end of the transaction, also where no row of that name exists. Absent where a transaction
   * is the only writer.
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

/** The text of a list's parameter: JSON, an array for each row. A bigint is text there, as JSON's numbers lose digits. */
export const listParameter = (rows: ReadonlyArray<ReadonlyArray<ListValue>>): string =>
  JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? String(value) : (value ?? null)))
