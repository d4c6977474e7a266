/** Rejects places where a file of SQLite loses data. */
import { accessSync, constants, type Stats, statfsSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { LedgerConfigError } from "../../LedgerError.js"

/** Identifies a file, also after it was renamed. */
type FileId = string

/**
 * File systems of Linux whose locks or whose flushes are not reliable between machines, by `f_type` of statfs(2). Those of FUSE
 * cannot be told apart.
 */
const networkTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB"],
  [0xff534d42, "CIFS"],
  [0x65735546, "FUSE"],
  [0x01021997, "9P"],
  [0x564c, "NCP"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x7461636f, "OCFS2"],
  [0x01161970, "GFS2"],
  [0x786f4256, "a shared folder of VirtualBox"],
  [0xbacbacbc, "a shared folder of VMware"],
  [0xa501fcf5, "VxFS"]
])

/** The name of a network file system. Undefined for others. */
export const networkFileSystem = (type: number): string | undefined => networkTypes.get(type >>> 0)

/**
 * Checks the place of a database before it is opened, and returns its absolute path.
 *
 * @throws LedgerConfigError
 */
export const checkFile = (file: string): string => {
  if (file === "" || /^:memory:$|^file:|[?&]mode=memory/.test(file)) {
    throw new LedgerConfigError({
      reason: "unsafeSettings",
      detail: `${file === "" ? "an empty name" : file} is not the path of a file`,
      cure: "Give the path of a file on a local disk. For tests, use MemoryLedgerStore"
    })
  }
  const path = resolve(file)
  if (/^[\\/]{2}/.test(path)) {
    throw networkError(path, "a network share")
  }
  const folder = dirname(path)
  const stats = statOf(path)
  if (stats?.isDirectory() || (stats !== undefined && !stats.isFile())) {
    throw new LedgerConfigError({
      reason: "notALedger",
      detail: `${path} is ${stats.isDirectory() ? "a folder" : "not a file"}`,
      cure: "Give the path of a file, such as ledger.db in this folder"
    })
  }
  if (!statOf(folder)?.isDirectory()) {
    throw new LedgerConfigError({
      reason: "unsafeSettings",
      detail: `the folder ${folder} does not exist`,
      cure: "Create the folder, on a disk that survives a restart"
    })
  }
  for (const place of stats === undefined ? [folder] : [path, folder]) {
    if (!isWritable(place)) {
      throw readOnlyError(path)
    }
  }
  // the numbers mean something else on other systems
  const name =
    process.platform === "linux"
      ? networkFileSystem(statfsSync(stats === undefined ? folder : path).type)
      : undefined
  if (name !== undefined) {
    throw networkError(path, name)
  }
  return path
}

/** Tells if a file is on a disk in memory (tmpfs, ramfs), which does not survive a restart. */
export const isInMemory = (path: string): boolean =>
  process.platform === "linux" && [0x01021994, 0x858458f6].includes(statfsSync(path).type >>> 0)

/** The identity of the file at a path. Undefined if there is none. */
export const fileIdOf = (path: string): FileId | undefined => {
  const stats = statOf(path)
  return stats && `${stats.dev}/${stats.ino}`
}

export const readOnlyError = (path: string): LedgerConfigError =>
  new LedgerConfigError({
    reason: "unsafeSettings",
    detail: `${path} cannot be written`,
    cure: "Allow this process to write the file and its folder, where SQLite keeps its journal"
  })

const networkError = (path: string, name: string) =>
  new LedgerConfigError({
    reason: "networkFileSystem",
    detail: `${path} is on ${name}, whose locks and flushes SQLite cannot rely on: the database would be damaged`,
    cure: "Put the file on a local disk, or use PostgreSQL for several machines"
  })

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false })

const isWritable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}
