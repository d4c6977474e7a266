/** A sandbox's state in a file: what it was, and then every change as it comes. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as journal from "./journal.js"
import { SandboxError } from "./sandboxError.js"
import type { State } from "./state.js"

/** Takes up the state of a file, if there is one, and opens it for changes to come. */
export const open = (file: string, initial: State) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const state = (yield* fs.exists(file))
      ? yield* Either.mapLeft(
          journal.resume(initial, yield* fs.readFileString(file)),
          (reason) => new SandboxError({ reason: `${file}, ${reason}` })
        )
      : initial
    // whole or not at all: a reader that comes between finds the old one
    const beside = `${file}.new`
    yield* fs.writeFileString(beside, journal.save(state), { mode: 0o600 })
    yield* fs.rename(beside, file)
    const opened = yield* fs.open(file, { flag: "a" })
    const encoder = new TextEncoder()
    let size = (yield* opened.stat).size
    const write = (line: string) => {
      const bytes = encoder.encode(line)
      return opened.writeAll(bytes).pipe(
        // half a line would spoil the next one
        Effect.tapError(() => opened.truncate(size)),
        Effect.zipRight(
          Effect.sync(() => {
            size = FileSystem.Size(size + BigInt(bytes.length))
          })
        ),
        Effect.orDie
      )
    }
    return { state, write }
  })
