/** A state's file is one process's at a time: beside it is a file with the id of the process. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { cannotRun } from "./failure.js"
import { reasonOf } from "./files.js"

/**
 * Holds a file until the end of the scope. What a process has left behind that was killed is no hindrance.
 * (Between containers that share a file but not their processes it cannot tell.)
 */
export const hold = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = (yield* fs.exists(path)) ? yield* fs.realPath(path) : path
    const lock = `${file}.lock`
    const create = fs.writeFileString(lock, `${process.pid}\n`, { flag: "wx", mode: 0o600 })
    const take = Effect.catchIf(
      create,
      (error) => error._tag === "SystemError" && error.reason === "AlreadyExists",
      () =>
        Effect.gen(function* () {
          const holder = Number(yield* fs.readFileString(lock))
          if (isOther(holder)) {
            return yield* cannotRun(
              `${path} is in use by the sandbox of process ${holder}. Give another by --state, or delete ${lock} if that process is no sandbox.`
            )
          }
          yield* fs.remove(lock, { force: true })
          // who comes between has it
          yield* create
        })
    )
    yield* Effect.acquireRelease(take, () => Effect.ignore(fs.remove(lock)))
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "Failure"
        ? error
        : cannotRun(`${path} cannot be used for its state: ${reasonOf(error)}.`)
    )
  )

/** Whether a process lives that is not this one: in a container, the one that was killed had the same id. */
const isOther = (id: number): boolean => {
  if (!Number.isInteger(id) || id <= 0 || id === process.pid) return false
  try {
    return process.kill(id, 0)
  } catch (error) {
    // it lives, but is somebody else's
    return hasProperty(error, "code") && error.code === "EPERM"
  }
}
