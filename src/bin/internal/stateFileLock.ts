/** Locks a state file for one process, by a file beside it that names the process. */
import { randomUUID } from "node:crypto"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type CliError, cannotRun } from "./cliError.js"
import { fileErrorReason, toFileError } from "./fileErrors.js"
import { isRunning } from "./isRunning.js"

export const toStateFileError = (path: string) =>
  toFileError(`The state file ${path} cannot be used`)

/**
 * Holds the lock of a file until the end of the scope. The lock of a killed process is ignored. Containers that share the file
 * but not their process ids do not respect each other's locks.
 *
 * A lock is created by a hard link, which is atomic. A stale lock is not deleted, because another process may have replaced it
 * meanwhile. It gets a successor: a link named after the id of the stale lock, which only one process can create.
 */
export const acquire = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = (yield* fs.exists(path)) ? yield* fs.realPath(path) : path
    const lock = `${file}.lock`
    const id = randomUUID()
    yield* Effect.acquireRelease(createLock(path, lock, id), () =>
      readOwner(lock).pipe(
        // the lock belongs to another process if this one was deleted by hand
        Effect.flatMap((owner) => (owner?.id === id ? fs.remove(lock) : Effect.void)),
        Effect.ignore,
        Effect.ensuring(Effect.sync(() => heldLocks.delete(id)))
      )
    )
  }).pipe(
    Effect.mapError((error) => (error._tag === "CliError" ? error : toStateFileError(path)(error)))
  )

/** The ids of the locks that this process holds. */
const heldLocks = new Set<string>()

const createLock = (path: string, lock: string, id: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const ownFile = `${lock}.${id}.new`
    yield* Effect.acquireUseRelease(
      // exclusive creation follows no link
      fs.writeFileString(ownFile, `${process.pid} ${id}\n`, { flag: "wx", mode: 0o600 }),
      () => {
        heldLocks.add(id)
        return Effect.onError(linkLock(path, lock, ownFile), () =>
          Effect.sync(() => heldLocks.delete(id))
        )
      },
      () => Effect.ignore(fs.remove(ownFile))
    )
  })

/** Creates the lock, or replaces a lock whose process has exited. */
const linkLock = (
  path: string,
  lock: string,
  ownFile: string
): Effect.Effect<void, CliError | PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (yield* tryLink(path, fs.link(ownFile, lock))) return
    const first = yield* readOwner(lock)
    // the lock was released meanwhile
    if (first === undefined) return yield* linkLock(path, lock, ownFile)
    const chain = [lock]
    for (let owner: LockOwner | undefined = first; owner !== undefined; ) {
      if (mayBeHeld(owner)) return yield* inUseError(path, lock, owner)
      const successor: string = `${lock}.${owner.id}`
      chain.push(successor)
      owner = yield* readOwner(successor)
    }
    const [last = lock] = chain.slice(-1)
    const isSuccessor = yield* tryLink(path, fs.link(ownFile, last))
    // another process has replaced or released the lock meanwhile
    if (!isSuccessor || (yield* readOwner(lock))?.id !== first.id) {
      if (isSuccessor) yield* fs.remove(last)
      return yield* linkLock(path, lock, ownFile)
    }
    yield* fs.rename(ownFile, lock)
    yield* Effect.forEach(chain.slice(1), (old) => Effect.ignore(fs.remove(old)))
  })

const tryLink = (
  path: string,
  link: Effect.Effect<void, PlatformError>
): Effect.Effect<boolean, CliError> =>
  link.pipe(
    Effect.as(true),
    Effect.catchAll((error) =>
      error._tag === "SystemError" && error.reason === "AlreadyExists"
        ? Effect.succeed(false)
        : cannotRun(
            `The state file ${path} cannot be locked: its file system has no hard links (${fileErrorReason(error)}). Choose a file on another file system with --state.`
          )
    )
  )

/** The process that a lock names, and the lock's own id. A file of another program has neither. */
interface LockOwner {
  readonly pid: number
  readonly id: string
}

const readOwner = (lock: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const text = yield* fs.readFileString(lock).pipe(
      Effect.asSome,
      Effect.catchIf(
        (error) => error._tag === "SystemError" && error.reason === "NotFound",
        () => Effect.succeedNone
      )
    )
    return Option.getOrUndefined(
      Option.map(text, (text): LockOwner => {
        const [, pid, id] = /^(\d{1,10}) ([0-9a-f-]{36})\n$/.exec(text) ?? []
        return pid === undefined || id === undefined ? unknownOwner : { pid: Number(pid), id }
      })
    )
  })

const unknownOwner: LockOwner = { pid: 0, id: "" }

const inUseError = (path: string, lock: string, { pid }: LockOwner): CliError =>
  cannotRun(
    pid === 0
      ? `The state file ${path} may be in use: ${lock} is not a lock of this command. Delete it if no sandbox uses the state, or choose another file with --state.`
      : `The state file ${path} is in use by the sandbox of process ${pid}. Choose another with --state, or delete ${lock} if that process is not a sandbox.`
  )

/** Returns false if the process has exited. A restarted container may have the process id of the killed one. */
const mayBeHeld = ({ id, pid }: LockOwner): boolean => {
  if (pid === process.pid) return heldLocks.has(id)
  return pid === 0 || isRunning(pid)
}
