/**
 * Builders of lenses and matchers. Each is one call, because a bundler drops an unused call, but not a call on its result.
 */
import type * as Option from "effect/Option"
import type { MeteringError, ModelledException } from "../MeteringError.js"
import * as Optic from "../Optic.js"

/** Focuses on a key that is always present. */
export const requiredKey = <S extends object, K extends RequiredKey<S>>(
  key: K
): Optic.Lens<S, S[K]> => Optic.id<S>().key(key, ...noTypeErrors)

type RequiredKey<S> = { [K in keyof S]-?: {} extends Pick<S, K> ? never : K }[keyof S]

// `Optic` rejects some keys by a parameter whose type is known only for a concrete `S`. Here the constraints on `K`
// and the declared type of each lens reject the same keys.
const noTypeErrors = [] as never

/** Focuses on a key that may be absent. `None` removes it. */
export const optionalKey = <S extends object, K extends keyof S>(
  key: K
): Optic.Lens<S, Option.Option<Exclude<S[K], undefined>>> =>
  Optic.id<S>()
    .optionalKey(key, ...noTypeErrors)
    // TypeScript cannot simplify `Exclude<S[K] | undefined, undefined>` for a generic `S`
    .compose(Optic.optionFromUndefinedOr()) as Optic.Lens<
    S,
    Option.Option<Exclude<S[K], undefined>>
  >

/** Makes a function that matches one of the errors `E` by its tag. */
export const errorOf =
  <E extends { readonly _tag: string }>() =>
  <Tag extends E["_tag"]>(tag: Tag): Optic.Prism<E, Extract<E, { readonly _tag: Tag }>> =>
    Optic.id<E>().tag(tag)

/** Matches one exception by its tag. */
export const exception = <Tag extends ModelledException["_tag"]>(
  tag: Tag
): Optic.Prism<MeteringError, Extract<MeteringError, { readonly _tag: Tag }>> =>
  Optic.id<MeteringError>().tag(tag)

/** Matches the values that a type guard accepts. */
export const refined = <S, A extends S>(
  is: (s: S) => s is A,
  expected: string
): Optic.Prism<S, A> => Optic.id<S>().refine(is, { expected })
