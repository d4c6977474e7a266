/** Reading Effect's `Config`. */
import * as Config from "effect/Config"
import * as Record from "effect/Record"

/** `Config.unwrap`, which would throw on a key that is present and `undefined`. */
export const unwrap = <A>(wrapped: Config.Config.Wrap<A>): Config.Config<A> => {
  const defined: unknown = Config.isConfig(wrapped)
    ? wrapped
    : Record.filter<string, unknown>(wrapped, (config) => config !== undefined)
  // what was dropped was optional, so the type is the same
  return Config.unwrap(defined as Config.Config.Wrap<A>)
}

/** A text and where it was found. */
export interface ConfigValue {
  readonly value: string
  readonly source: string
}

/** A text that may be missing. An empty one is missing too, as people blank variables to unset them. */
export const optionalString = (name: string): Config.Config<ConfigValue | undefined> =>
  Config.nonEmptyString(name).pipe(
    Config.map((value) => ({ value, source: name })),
    Config.withDefault(undefined)
  )
