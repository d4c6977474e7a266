/** A process that takes and gives back locks as it is told. */
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Exit, Scope } from "effect"
import * as stateLock from "../../src/bin/internal/stateLock.js"

let scope: Scope.CloseableScope | undefined

const take = (path: string) =>
  Effect.gen(function* () {
    const taken = yield* Scope.make()
    yield* Scope.extend(stateLock.hold(path), taken)
    scope = taken
    return "held"
  }).pipe(
    Effect.catchAll(({ message }) => Effect.succeed(message)),
    Effect.provide(NodeFileSystem.layer)
  )

const giveBack = Effect.suspend(() => {
  const taken = scope
  scope = undefined
  return taken === undefined ? Effect.void : Scope.close(taken, Exit.void)
})

process.on("message", (path: string) => {
  Effect.runPromise(path === "" ? Effect.as(giveBack, "free") : take(path)).then((said) =>
    process.send?.(said)
  )
})
process.send?.("ready")
