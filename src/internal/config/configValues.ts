/** Reads Effect's `Config`. */
import * as Config from "effect/Config"
import * as Record from "effect/Record"

/** Wraps `Config.unwrap`, which throws on a key that is present and `undefined`. */
export const unwrap = <A>(wrapped: Config.Config.Wrap<A>): Config.Config<A> => {
  const defined: unknown = Config.isConfig(wrapped)
    ? wrapped
    : Record.filter<string, unknown>(wrapped, (config) => config !== undefined)
  // only optional keys are dropped, so the type is the same
  return Config.unwrap(defined as Config.Config.Wrap<A>)
}

/** A text and the source that it was found in. */
export interface ConfigValue {
  readonly value: string
  readonly source: string
}

/** Reads an optional text. Empty text counts as missing, because a variable is often emptied to unset it. */
export const optionalString = (name: string): Config.Config<ConfigValue | undefined> =>
  Config.nonEmptyString(name).pipe(
    Config.map((value) => ({ value, source: name })),
    Config.withDefault(undefined)
  )
