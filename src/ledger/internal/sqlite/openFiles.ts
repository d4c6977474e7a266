/** Notices that the files of an open database are not the ones that were opened, as when a backup is restored under it. */
import { fileIdOf } from "./fileChecks.js"
import type { Journal } from "./settings.js"
import { indexFile, logFile } from "./writeAheadLog.js"

/**
 * - `removed`: there is no database
 * - `replaced`: there is another one
 * - `besideOldLog`: there is another one, to which SQLite would apply the log of the one that was opened
 * - `withoutLog`: the log is not that of the connection, so commits would be lost
 */
export type FileChange = "removed" | "replaced" | "besideOldLog" | "withoutLog"

export const messageOf = (change: FileChange, path: string): string =>
  ({
    removed: `${path} was removed`,
    replaced: `${path} was replaced`,
    besideOldLog: `${path} was replaced beside the write-ahead log of the replaced file: delete ${logFile(path)} and ${indexFile(path)}`,
    withoutLog: `${logFile(path)} was removed while this process uses it: stop all processes that use ${path} before a backup is restored, and start them afterwards`
  })[change]

/** Remembers the files of a connection that has read from its database. */
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
