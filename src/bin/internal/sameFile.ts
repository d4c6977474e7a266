/** Detects that two paths or descriptors are one file, so that a command does not overwrite its input. */
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

/**
 * True if two paths or descriptors lead to one file, by device and inode. Missing files and character devices such as a
 * terminal are never the same.
 */
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

/** The name of the output that the shell redirects into this regular file, if any. */
export const redirectedOutput = (file: string | number): string | undefined => {
  if (statOf(file)?.isFile() !== true) return undefined
  if (isSameFile(file, 1)) return "standard output"
  return isSameFile(file, 2) ? "standard error" : undefined
}
