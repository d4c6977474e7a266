/** True if two names or descriptors lead to one file, by device and inode: links and redirections are seen through. */
import { type BigIntStats, fstatSync, statSync } from "node:fs"

const statOf = (file: string | number): BigIntStats | undefined => {
  try {
    return typeof file === "number"
      ? fstatSync(file, { bigint: true })
      : statSync(file, { bigint: true })
  } catch {
    return undefined
  }
}

/** Takes paths or descriptors. A file that does not exist is no other's, nor is a terminal or another such device. */
export const isSameFile = (one: string | number, other: string | number): boolean => {
  const [left, right] = [statOf(one), statOf(other)]
  return (
    left !== undefined &&
    right !== undefined &&
    !left.isCharacterDevice() &&
    left.dev === right.dev &&
    left.ino === right.ino
  )
}

const outputs = [
  ["standard output", 1],
  ["standard error", 2]
] as const

/** The name of the output that is redirected into this regular file, if any is. */
export const redirectedOutput = (file: string | number): string | undefined =>
  statOf(file)?.isFile() === true
    ? outputs.find(([, descriptor]) => isSameFile(file, descriptor))?.[0]
    : undefined
