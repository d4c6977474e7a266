/** Errors of SQLite, by their result codes (https://www.sqlite.org/rescode.html). */

const codes = {
  ERROR: 1,
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  NOMEM: 7,
  READONLY: 8,
  INTERRUPT: 9,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  CONSTRAINT: 19,
  NOLFS: 22,
  NOTADB: 26
} as const

type CodeName = keyof typeof codes

/** Errors of the place and not of a statement, and what to do. */
const advice: { readonly [name in CodeName]?: string } = {
  PERM: "permission denied",
  BUSY: "another process holds the lock of the database for too long",
  LOCKED: "another connection holds the lock of the database for too long",
  NOMEM: "out of memory",
  READONLY: "the database cannot be written: check its permissions and those of its folder",
  INTERRUPT: "interrupted",
  IOERR: "the disk failed to read or write",
  CORRUPT: "the database is damaged: restore a backup, then run ledger recover",
  FULL: "the disk is full",
  CANTOPEN: "the database cannot be opened: check its folder and its permissions",
  PROTOCOL: "the lock of the database failed",
  NOLFS: "the file is too large for the file system",
  NOTADB: "the file is not a database"
}

/** The name of a primary result code; undefined if it is not an error of SQLite. */
export const codeOf = (error: unknown): CodeName | undefined => {
  if (!(error instanceof Error)) {
    return undefined
  }
  const { errcode, rawCode, errno, code, message } = error as Error & Record<string, unknown>
  // Node.js, libsql and Bun give numbers, better-sqlite3 a name, libsql on opening a text
  const number = [errcode, rawCode, errno].find((value) => typeof value === "number" && value > 0)
  const opening = /^ConnectionFailed\(.*: (\d+)"?\)$/.exec(message)
  const primary = Number(number ?? opening?.[1] ?? 0) % 256
  const byName = typeof code === "string" ? /^SQLITE_([A-Z]+)/.exec(code)?.[1] : undefined
  return (Object.keys(codes) as ReadonlyArray<CodeName>).find(
    (name) => codes[name] === primary || name === byName
  )
}

/** Another connection holds a lock. The same again can succeed. */
export const isBusy = (error: unknown): boolean => {
  const code = codeOf(error)
  return code === "BUSY" || code === "LOCKED"
}

/** The reason for which the store cannot be used. Undefined if the statement itself is to blame. */
export const unavailability = (error: unknown): string | undefined => {
  const code = codeOf(error)
  const reason = code && advice[code]
  return reason && `${reason} (SQLITE_${code})`
}
