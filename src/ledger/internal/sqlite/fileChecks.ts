/** Rejects paths at which a SQLite file would lose data. */
import { accessSync, constants, type Stats, statfsSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { LedgerConfigError } from "../../LedgerError.js"

/** Device and inode of a file, which do not change when it is renamed. */
type FileId = string

/**
 * Linux file systems whose locks or flushes are not reliable between machines, by `f_type` of statfs(2). All FUSE file systems have the
 * same type, so all are rejected.
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

/** Returns the name of a network file system. `undefined` for other file systems. */
export const networkFileSystemName = (type: number): string | undefined =>
  networkTypes.get(type >>> 0)

/**
 * Checks the path of a database before it is opened, and returns the absolute path.
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
  for (const needed of stats === undefined ? [folder] : [path, folder]) {
    if (!isWritable(needed)) {
      throw readOnlyError(path)
    }
  }
  // other systems use other type numbers
  const name =
    process.platform === "linux"
      ? networkFileSystemName(statfsSync(stats === undefined ? folder : path).type)
      : undefined
  if (name !== undefined) {
    throw networkError(path, name)
  }
  return path
}

/** True if the file is on a file system in memory (tmpfs, ramfs), which does not survive a restart. */
export const isInMemory = (path: string): boolean =>
  process.platform === "linux" && [0x01021994, 0x858458f6].includes(statfsSync(path).type >>> 0)

/** Returns the identity of the file at a path. `undefined` if there is no file. */
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
