/** Loads optional packages, which an application installs only if it uses them. */
import * as Effect from "effect/Effect"

export interface LoadError {
  readonly name: string
  readonly reason: string
  /** True if the package is not installed. False if it is installed and fails to load. */
  readonly isMissing: boolean
}

export const loadPackage = <A>(
  name: string,
  importIt: () => Promise<A>
): Effect.Effect<A, LoadError> =>
  Effect.tryPromise({ try: importIt, catch: (error) => loadErrorOf(name, error) })

const loadErrorOf = (name: string, error: unknown): LoadError => {
  const isMissing = isModuleNotFound(error)
  return { name, isMissing, reason: isMissing ? notInstalled([name]) : cannotLoad(name, error) }
}

export const notInstalled = (names: ReadonlyArray<string>): string => {
  const [subject, verb] =
    names.length === 1
      ? [`the package ${names[0]}, or one that it needs,`, "is"]
      : [`the packages ${names.join(", ")}, or some that they need,`, "are"]
  return `${subject} ${verb} not installed: npm install ${names.join(" ")}`
}

const cannotLoad = (name: string, error: unknown): string => {
  const cause = error instanceof Error ? error.message : String(error)
  return `the package ${name} cannot be loaded: ${cause}${
    /Dynamic require of/.test(cause)
      ? ". A bundle in the form of an ES module needs a banner that defines require by createRequire of node:module"
      : ""
  }`
}

const isModuleNotFound = (error: unknown) =>
  error instanceof Error &&
  "code" in error &&
  (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND")
