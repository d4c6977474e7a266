/** Detects that the files of an open database were removed or replaced, for example by restoring a backup. */
import { fileIdOf } from "./fileChecks.js"
import type { Journal } from "./settings.js"
import { indexFile, logFile } from "./writeAheadLog.js"

/**
 * A change of the files of an open database.
 *
 * - `removed`: there is no file at the path
 * - `replaced`: there is another file at the path
 * - `besideOldLog`: there is another file at the path, to which SQLite would apply the log of the opened file
 * - `withoutLog`: the log of the connection was removed or replaced, so that commits would be lost
 */
export type FileChange = "removed" | "replaced" | "besideOldLog" | "withoutLog"

export const messageOf = (change: FileChange, path: string): string =>
  ({
    removed: `${path} was removed`,
    replaced: `${path} was replaced`,
    besideOldLog: `${path} was replaced beside the write-ahead log of the replaced file: delete ${logFile(path)} and ${indexFile(path)}`,
    withoutLog: `${logFile(path)} was removed while this process uses it: stop all processes that use ${path} before a backup is restored, and start them afterwards`
  })[change]

/**
 * Remembers the files of a connection, which must have read from its database, so that the log exists. Returns a function that checks
 * for a change.
 */
export const watchFiles = (path: string, journal: Journal): (() => FileChange | undefined) => {
  const logFiles = journal === "wal" ? [logFile(path), indexFile(path)] : []
  const file = fileIdOf(path)
  const ids = logFiles.map(fileIdOf)
  return () => {
    const found = fileIdOf(path)
    if (found === undefined) {
      return "removed"
    }
    if (found === file) {
      return logFiles[0] !== undefined && fileIdOf(logFiles[0]) !== ids[0]
        ? "withoutLog"
        : undefined
    }
    return logFiles.some((name, i) => ids[i] !== undefined && fileIdOf(name) === ids[i])
      ? "besideOldLog"
      : "replaced"
  }
}
