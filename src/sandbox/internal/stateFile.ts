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
          journal.load(initial, yield* fs.readFileString(file)),
          (reason) => new SandboxError({ reason: `${file}, ${reason}` })
        )
      : initial
    // whole or not at all: a reader that comes between finds the old one
    const beside = `${file}.new`
    yield* fs.writeFileString(beside, journal.save(state), { mode: 0o600 })
    yield* fs.rename(beside, file)
    const opened = yield* fs.open(file, { flag: "a" })
    const write = (lines: string) => Effect.orDie(opened.writeAll(new TextEncoder().encode(lines)))
    return { state, write }
  })
