/** What accessors are made with: one call each, because a bundler drops a call but not one on its result. */
import type * as Option from "effect/Option"
import type { MeteringError, ModelledException } from "../MeteringError.js"
import * as Optic from "../Optic.js"

/** A key that is always there; the type beside the lens says of which value. */
export const requiredKey = <S extends object, K extends RequiredKey<S>>(
  key: K
): Optic.Lens<S, S[K]> => Optic.id<S>().key(key, ...noTypeErrors)

type RequiredKey<S> = { [K in keyof S]-?: {} extends Pick<S, K> ? never : K }[keyof S]

// `Optic` refuses some keys by a parameter that only a concrete `S` shows to be empty; the types above and the
// one beside each lens refuse the same keys
const noTypeErrors = [] as never

/** A key that may be absent: `None` removes it. */
export const optionalKey = <S extends object, K extends keyof S>(
  key: K
): Optic.Lens<S, Option.Option<Exclude<S[K], undefined>>> =>
  Optic.id<S>()
    .optionalKey(key, ...noTypeErrors)
    // that `S[K] | undefined` has the same parts as `S[K]` is seen only of a concrete `S`
    .compose(Optic.optionFromUndefinedOr()) as Optic.Lens<
    S,
    Option.Option<Exclude<S[K], undefined>>
  >

/** One exception among all errors. */
export const exception = <Tag extends ModelledException["_tag"]>(
  tag: Tag
): Optic.Prism<MeteringError, Extract<MeteringError, { readonly _tag: Tag }>> =>
  Optic.id<MeteringError>().tag(tag)

/** The values that a type guard accepts. */
export const refined = <S, A extends S>(
  is: (s: S) => s is A,
  expected: string
): Optic.Prism<S, A> => Optic.id<S>().refine(is, { expected })
