/** A sandbox's state in a file: what it was, and then every change as it comes. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Write } from "./engine.js"
import * as journal from "./journal.js"
import { SandboxError } from "./sandboxError.js"
import type { State } from "./state.js"

/** So many bytes of changes, and as many as the state itself has, are too many to read again at a start. */
const manyBytes = 16 * 1024 * 1024

/** Takes up the state of a file, if there is one, and opens it for changes to come. */
export const open = (path: string, initial: State) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const exists = yield* fs.exists(path)
    // a link stays one: it is what it leads to that is replaced
    const file = exists ? yield* fs.realPath(path) : path
    const state = exists
      ? yield* Either.mapLeft(
          journal.resume(initial, yield* fs.readFileString(file)),
          (reason) => new SandboxError({ reason: `${path}, ${reason}` })
        )
      : initial
    const parent = yield* Effect.scope
    /** A file of this state and no more. */
    const whole = (state: State) =>
      Effect.gen(function* () {
        // whole or not at all: a reader that comes between finds the old one
        const beside = `${file}.new`
        yield* fs.writeFileString(beside, journal.save(state), { mode: 0o600 })
        const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
        const close = Scope.close(scope, Exit.void)
        return yield* Effect.gen(function* () {
          const opened = yield* fs.open(beside, { flag: "a" })
          const { size } = yield* opened.stat
          yield* fs.rename(beside, file)
          return { opened, close, wholeSize: size, size }
        }).pipe(
          Scope.extend(scope),
          Effect.onError(() => close)
        )
      })
    let current = yield* whole(state)
    const encoder = new TextEncoder()
    const write: Write = (state) =>
      Effect.gen(function* () {
        const { close, opened, size, wholeSize } = current
        const bytes = encoder.encode(journal.lineOf(state.unwritten))
        // half a line would spoil the next one
        yield* Effect.tapError(opened.writeAll(bytes), () => opened.truncate(size))
        current = { ...current, size: FileSystem.Size(size + BigInt(bytes.length)) }
        const appended = current.size - wholeSize
        if (appended > manyBytes && appended > wholeSize) {
          current = yield* Effect.matchEffect(whole(state), {
            // where there is no room for another, this one still has everything
            onFailure: () => Effect.succeed({ ...current, wholeSize: current.size }),
            onSuccess: (another) => Effect.as(close, another)
          })
        }
      }).pipe(Effect.orDie)
    return { state, write }
  })
