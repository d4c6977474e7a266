/** Packages that an application need not have installed unless it uses what they are for. */
import * as Effect from "effect/Effect"

/** Loads a package when it is first needed, or says what to install. */
export const load = <A>(name: string, importIt: () => Promise<A>): Effect.Effect<A, string> =>
  Effect.tryPromise({
    try: importIt,
    catch: (error) =>
      isMissing(error)
        ? `the package ${name}, or one that it needs, is not installed: npm install ${name}`
        : `the package ${name} cannot be loaded`
  })

const isMissing = (error: unknown) =>
  error instanceof Error &&
  "code" in error &&
  (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND")
