/** Classifies errors of SQLite by their result codes (https://www.sqlite.org/rescode.html). */

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

/** Messages for errors of the environment, which are not caused by the statement. */
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

/** Returns the name of the primary result code. `undefined` if it is not an error of SQLite, or none of `codes`. */
export const codeOf = (error: unknown): CodeName | undefined => {
  if (!(error instanceof Error)) {
    return undefined
  }
  const { errcode, rawCode, errno, code, message } = error as Error & Record<string, unknown>
  // Node.js, libsql and Bun report numbers, better-sqlite3 a name, and libsql a text if it cannot open the file
  const number = [errcode, rawCode, errno].find((value) => typeof value === "number" && value > 0)
  const opening = /^ConnectionFailed\(.*: (\d+)"?\)$/.exec(message)
  const primary = Number(number ?? opening?.[1] ?? 0) % 256
  const byName = typeof code === "string" ? /^SQLITE_([A-Z]+)/.exec(code)?.[1] : undefined
  return (Object.keys(codes) as ReadonlyArray<CodeName>).find(
    (name) => codes[name] === primary || name === byName
  )
}

/** True if another connection holds a lock. A retry can succeed. */
export const isBusy = (error: unknown): boolean => {
  const code = codeOf(error)
  return code === "BUSY" || code === "LOCKED"
}

/** Returns the reason for which the store is not available. `undefined` if the statement itself is wrong. */
export const unavailability = (error: unknown): string | undefined => {
  const code = codeOf(error)
  const reason = code && advice[code]
  return reason && `${reason} (SQLITE_${code})`
}
