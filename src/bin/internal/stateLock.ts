/** A state's file is one process's at a time: beside it is a file with the id of the process. */
import { randomUUID } from "node:crypto"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import { cannotRun, type Failure } from "./failure.js"
import { reasonOf } from "./files.js"

/**
 * Holds a file until the end of the scope. What a process has left behind that was killed is no hindrance.
 * (Between containers that share a file but not their processes it cannot tell.)
 *
 * A lock comes to be by a hard link, whole or not at all. One that was left behind is not deleted, since another
 * process may have replaced it in the meantime, but succeeded: by a link whose name has the lock's own id, which only
 * one process can make.
 */
export const hold = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = (yield* fs.exists(path)) ? yield* fs.realPath(path) : path
    const lock = `${file}.lock`
    const id = randomUUID()
    yield* Effect.acquireRelease(take(path, lock, id), () =>
      holderOf(lock).pipe(
        // another's, where a person has deleted this one
        Effect.flatMap((holder) => (holder?.id === id ? fs.remove(lock) : Effect.void)),
        Effect.ignore,
        Effect.ensuring(Effect.sync(() => held.delete(id)))
      )
    )
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "Failure"
        ? error
        : cannotRun(`${path} cannot be used for its state: ${reasonOf(error)}.`)
    )
  )

/** The locks of this process. */
const held = new Set<string>()

const take = (path: string, lock: string, id: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const mine = `${lock}.${id}.new`
    yield* Effect.acquireUseRelease(
      // exclusively, so that no link is followed
      fs.writeFileString(mine, `${process.pid} ${id}\n`, { flag: "wx", mode: 0o600 }),
      () => {
        held.add(id)
        return Effect.onError(link(path, lock, mine), () => Effect.sync(() => held.delete(id)))
      },
      () => Effect.ignore(fs.remove(mine))
    )
  })

/** Makes the lock, or takes the place of one whose process has ended. */
const link = (
  path: string,
  lock: string,
  mine: string
): Effect.Effect<void, Failure | PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (yield* isMade(path, fs.link(mine, lock))) return
    const first = yield* holderOf(lock)
    // it was given back just now
    if (first === undefined) return yield* link(path, lock, mine)
    const chain = [lock]
    for (let holder: Holder | undefined = first; holder !== undefined; ) {
      if (isOther(holder)) return yield* inUse(path, lock, holder)
      const successor: string = `${lock}.${holder.id}`
      chain.push(successor)
      holder = yield* holderOf(successor)
    }
    const [last = lock] = chain.slice(-1)
    const isSuccessor = yield* isMade(path, fs.link(mine, last))
    // one that has held it in the meantime has given back all of it, beginning with the lock
    if (!isSuccessor || (yield* holderOf(lock))?.id !== first.id) {
      if (isSuccessor) yield* fs.remove(last)
      return yield* link(path, lock, mine)
    }
    yield* fs.rename(mine, lock)
    yield* Effect.forEach(chain.slice(1), (old) => Effect.ignore(fs.remove(old)))
  })

const isMade = (
  path: string,
  link: Effect.Effect<void, PlatformError>
): Effect.Effect<boolean, Failure> =>
  link.pipe(
    Effect.as(true),
    Effect.catchAll((error) =>
      error._tag === "SystemError" && error.reason === "AlreadyExists"
        ? Effect.succeed(false)
        : cannotRun(
            `${path} cannot be locked: its file system makes no hard links (${reasonOf(error)}). Give a file on another one by --state.`
          )
    )
  )

/** The process that a lock names, and the lock's own id: none in a file that something else has written. */
interface Holder {
  readonly pid: number
  readonly id: string
}

const holderOf = (lock: string) =>
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
      Option.map(text, (text): Holder => {
        const [, pid, id] = /^(\d{1,10}) ([0-9a-f-]{36})\n$/.exec(text) ?? []
        return pid === undefined || id === undefined ? nobody : { pid: Number(pid), id }
      })
    )
  })

const nobody: Holder = { pid: 0, id: "" }

const inUse = (path: string, lock: string, { pid }: Holder): Failure =>
  cannotRun(
    pid === 0
      ? `${path} may be in use: ${lock} is not a lock that this command has made. Delete it if no sandbox uses the state, or give another by --state.`
      : `${path} is in use by the sandbox of process ${pid}. Give another by --state, or delete ${lock} if that process is no sandbox.`
  )

/** True if a lock may be held: in a container, a process that was killed had the same id as this one. */
const isOther = ({ id, pid }: Holder): boolean => {
  if (pid === process.pid) return held.has(id)
  try {
    return pid === 0 || process.kill(pid, 0)
  } catch (error) {
    // it lives, but belongs to another user
    return hasProperty(error, "code") && error.code === "EPERM"
  }
}
