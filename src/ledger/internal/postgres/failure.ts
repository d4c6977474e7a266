/** Failures of statements and connections. */

/** A statement failed, or the connection was lost. */
export interface PgFailure {
  readonly _tag: "PgFailure"
  /** The SQLSTATE that the server reported. `undefined` if the connection failed. */
  readonly sqlState: string | undefined
  readonly constraint: string | undefined
  /** The error message, without the password. */
  readonly reason: string
}

/** SQLSTATE raised by the schema's triggers: the entry is sealed. */
export const sealedState = "UL001"

/** SQLSTATE raised by the schema's triggers: the change is never allowed. */
export const invariantState = "UL002"

/** True if the transaction can run again: serialization failure, deadlock, or an entry that was sealed since it was read. */
export const isRepeatable = ({ sqlState }: PgFailure): boolean =>
  sqlState === "40001" || sqlState === "40P01" || sqlState === sealedState

/** True if the server ended the session because it was idle in a transaction. Nothing of the transaction is stored. */
export const isEndedWhileIdle = ({ sqlState }: PgFailure): boolean => sqlState === "25P03"

/** True if a sum exceeds 64 bits, or the range of its column. */
export const isOverflow = ({ sqlState, constraint }: PgFailure): boolean =>
  sqlState === "22003" || (sqlState === "23514" && /_quantity_check$/.test(constraint ?? ""))

/** True if the statement or its values are wrong, so that it would fail again: classes 22 and 23, and the schema's triggers. */
export const isDefect = ({ sqlState }: PgFailure): boolean =>
  sqlState !== undefined && /^(?:22|23|UL)/.test(sqlState)

/** Makes a failure that this process detected. */
export const ownFailure = (reason: string): PgFailure => ({
  _tag: "PgFailure",
  sqlState: undefined,
  constraint: undefined,
  reason
})

/** The properties that `pg` and Node.js give their errors. */
interface ErrorProperties {
  readonly message?: unknown
  readonly code?: unknown
  readonly severity?: unknown
  readonly constraint?: unknown
}

export const failureOf = (error: unknown, redact: (text: string) => string): PgFailure => {
  const { message, code, severity, constraint } = Object(error) as ErrorProperties
  // a code of Node.js, such as EPIPE, can look like a SQLSTATE, but has no severity
  const isReported = typeof severity === "string" && typeof code === "string"
  const text = typeof message === "string" && message !== "" ? message : String(code ?? error)
  return {
    _tag: "PgFailure",
    sqlState: isReported ? code : undefined,
    constraint: typeof constraint === "string" ? constraint : undefined,
    reason: redact(
      isReported ? `PostgreSQL reports ${code}: ${text}` : `connection failed: ${text}`
    )
  }
}
