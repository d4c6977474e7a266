import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Runs with a new folder, which is deleted after everything in its scope was closed. */
export const withFolder = <A, E>(
  parent: string,
  use: (folder: string) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(parent, "bench-"))),
    (folder) => Effect.scoped(use(folder)),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )
