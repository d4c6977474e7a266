/** A state's file is one process's at a time: beside it is a file with the id of the process. */
import { randomUUID } from "node:crypto"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import { type CliError, cannotRun } from "./cliError.js"
import { fileErrorReason } from "./fileError.js"

/**
 * Holds a file until the end of the scope. What a process has left behind that was killed is no hindrance.
 * (Between containers that share a file but not their processes it cannot tell.)
 *
 * A lock comes to be by a hard link, whole or not at all. One that was left behind is not deleted, since another
 * process may have replaced it in the meantime, but succeeded: by a link whose name has the lock's own id, which only
 * one process can make.
 */
export const acquire = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = (yield* fs.exists(path)) ? yield* fs.realPath(path) : path
    const lock = `${file}.lock`
    const id = randomUUID()
    yield* Effect.acquireRelease(createLock(path, lock, id), () =>
      readOwner(lock).pipe(
        // another's, where a person has deleted this one
        Effect.flatMap((owner) => (owner?.id === id ? fs.remove(lock) : Effect.void)),
        Effect.ignore,
        Effect.ensuring(Effect.sync(() => heldLocks.delete(id)))
      )
    )
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "CliError"
        ? error
        : cannotRun(`${path} cannot be used for its state: ${fileErrorReason(error)}.`)
    )
  )

/** The locks of this process. */
const heldLocks = new Set<string>()

const createLock = (path: string, lock: string, id: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const ownFile = `${lock}.${id}.new`
    yield* Effect.acquireUseRelease(
      // exclusively, so that no link is followed
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

/** Makes the lock, or takes the place of one whose process has ended. */
const linkLock = (
  path: string,
  lock: string,
  ownFile: string
): Effect.Effect<void, CliError | PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (yield* tryLink(path, fs.link(ownFile, lock))) return
    const first = yield* readOwner(lock)
    // it was given back just now
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
    // one that has held it in the meantime has given back all of it, beginning with the lock
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
            `${path} cannot be locked: its file system makes no hard links (${fileErrorReason(error)}). Give a file on another one by --state.`
          )
    )
  )

/** The process that a lock names, and the lock's own id: none in a file that something else has written. */
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
      ? `${path} may be in use: ${lock} is not a lock that this command has made. Delete it if no sandbox uses the state, or give another by --state.`
      : `${path} is in use by the sandbox of process ${pid}. Give another by --state, or delete ${lock} if that process is no sandbox.`
  )

/** True if a lock may be held: in a container, a process that was killed had the same id as this one. */
const mayBeHeld = ({ id, pid }: LockOwner): boolean => {
  if (pid === process.pid) return heldLocks.has(id)
  try {
    return pid === 0 || process.kill(pid, 0)
  } catch (error) {
    // it lives, but belongs to another user
    return hasProperty(error, "code") && error.code === "EPERM"
  }
}
