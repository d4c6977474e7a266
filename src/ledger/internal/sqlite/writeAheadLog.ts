/** Reads the write-ahead log of a database. SQLite applies it to any file that has the name of the database. */
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs"

/** Paths of the write-ahead log and its index, beside the database. */
export const logFile = (path: string): string => `${path}-wal`
export const indexFile = (path: string): string => `${path}-shm`

const headerSize = 32
const frameHeaderSize = 24

/**
 * True if the log beside a database certainly belongs to another file, or to another state of it, because some pages of the database
 * are neither in the file nor in the log. False if there is no log, or if this cannot be detected.
 *
 * Other processes may use the database at the same time. Opens only the log, because closing the database file would release the
 * POSIX locks that this process has on it.
 */
export const hasForeignLog = (path: string): boolean => {
  const log = readLog(logFile(path))
  // reads the size after the log, because a checkpoint in between moves pages from the log to the file
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (log === undefined || size === 0) {
    return false
  }
  const { databasePages, pages, pageSize } = log
  // SQLite never writes this page, because it contains the lock bytes
  const lockPage = 2 ** 30 / pageSize + 1
  for (let page = Math.floor(size / pageSize) + 1; page <= databasePages; page++) {
    if (page !== lockPage && !pages.has(page)) {
      return true
    }
  }
  return false
}

interface Log {
  readonly pageSize: number
  /** Numbers of the pages in the log. */
  readonly pages: ReadonlySet<number>
  /** Number of pages of the database after the last commit in the log. */
  readonly databasePages: number
}

/** Reads the log as SQLite does (https://www.sqlite.org/fileformat2.html#walformat). Returns `undefined` if it has no commit. */
const readLog = (file: string): Log | undefined => {
  const descriptor = openIfReadable(file)
  if (descriptor === undefined) {
    return undefined
  }
  try {
    const header = Buffer.alloc(headerSize)
    if (readSync(descriptor, header, 0, headerSize, 0) < headerSize) {
      return undefined
    }
    const magic = header.readUInt32BE(0)
    const pageSize = header.readUInt32BE(8)
    if ((magic & ~1) >>> 0 !== 0x377f0682 || !isPageSize(pageSize)) {
      return undefined
    }
    const checksum = makeChecksum((magic & 1) === 0)
    checksum.add(header, 0, 24)
    if (!checksum.isAt(header, 24)) {
      return undefined
    }
    const pages = new Set<number>()
    let databasePages = 0
    const frame = Buffer.alloc(frameHeaderSize + pageSize)
    for (let at = headerSize; ; at += frame.length) {
      if (readSync(descriptor, frame, 0, frame.length, at) < frame.length) break
      // a frame with another salt than the header is a leftover of an earlier log
      if (frame.compare(header, 16, 24, 8, 16) !== 0) break
      checksum.add(frame, 0, 8)
      checksum.add(frame, frameHeaderSize, frame.length)
      if (!checksum.isAt(frame, 16)) break
      pages.add(frame.readUInt32BE(0))
      databasePages = frame.readUInt32BE(4) || databasePages
    }
    return databasePages === 0 ? undefined : { pageSize, pages, databasePages }
  } finally {
    closeSync(descriptor)
  }
}

/** Returns `undefined` if the log does not exist, or cannot be read, which SQLite itself reports. Another process may delete the log. */
const openIfReadable = (file: string): number | undefined => {
  try {
    return existsSync(file) ? openSync(file, "r") : undefined
  } catch {
    return undefined
  }
}

const isPageSize = (size: number) => size >= 512 && size <= 65_536 && (size & (size - 1)) === 0

/** Computes the checksum of the header and the frames. The magic number determines the byte order of their words. */
const makeChecksum = (isLittleEndian: boolean) => {
  let first = 0
  let second = 0
  return {
    add: ({ buffer, byteOffset }: Buffer, from: number, to: number) => {
      const view = new DataView(buffer, byteOffset)
      for (let at = from; at < to; at += 8) {
        first = (first + view.getUint32(at, isLittleEndian) + second) >>> 0
        second = (second + view.getUint32(at + 4, isLittleEndian) + first) >>> 0
      }
    },
    isAt: (buffer: Buffer, offset: number) =>
      buffer.readUInt32BE(offset) === first && buffer.readUInt32BE(offset + 4) === second
  }
}
