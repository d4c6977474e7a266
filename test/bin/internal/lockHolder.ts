/** A process that acquires the lock of each path it is sent, and releases it for an empty path. */
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Exit, Scope } from "effect"
import * as stateFileLock from "../../../src/bin/internal/stateFileLock.js"

let scope: Scope.CloseableScope | undefined

const acquire = (path: string) =>
  Effect.gen(function* () {
    const taken = yield* Scope.make()
    yield* Scope.extend(stateFileLock.acquire(path), taken)
    scope = taken
    return "held"
  }).pipe(
    Effect.catchAll(({ message }) => Effect.succeed(message)),
    Effect.provide(NodeFileSystem.layer)
  )

const release = Effect.suspend(() => {
  const taken = scope
  scope = undefined
  return taken === undefined ? Effect.void : Scope.close(taken, Exit.void)
})

process.on("message", (path: string) => {
  Effect.runPromise(path === "" ? Effect.as(release, "free") : acquire(path)).then((message) =>
    process.send?.(message)
  )
})
process.send?.("ready")
