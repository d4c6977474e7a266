/**
 * Optics read and update a part of an immutable value at any depth.
 *
 * Names and argument order are those of Effect 4's `Optic`, so that migrating is a change of import. Differences:
 *
 * - `getResult` and `replaceResult` return an `Either` with a message. Effect 4 returns a `Result` with a schema issue.
 *   The message names the tag or key and shows no other value.
 * - An updated class instance stays an instance of its class. Effect 4 throws on class instances.
 * - Replacing a key or an index with the same value returns the original object. Effect 4 makes a copy.
 * - `key` and `optionalKey` do not compile where the laws of a lens would not hold.
 * - {@link optionFromUndefinedOr} and {@link withDefault} are not in Effect 4.
 * - Not included: `check`, `pick`, `omit`, `notUndefined`, `fromChecks`, `entries`, `none`, `success`, `failure` and the
 *   functions `set` and `replaceResult`.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import { dual, identity } from "effect/Function"
import * as Option from "effect/Option"
import type { NoInfer } from "effect/Types"

type IsUnion<A, B = A> = A extends B ? ([B] extends [A] ? false : true) : never

// A rejected call requires a parameter of this type, so that the compiler shows the message.
type RejectUnion<A> = IsUnion<A> extends true ? ["narrow the union first: `tag`, `refine`"] : []

type RejectUnionAndList<A> = [A] extends [ReadonlyArray<unknown>]
  ? number extends A["length"]
    ? ["an array may be shorter: use `at`"]
    : RejectUnion<A>
  : RejectUnion<A>

type RejectAbsent<A, Key extends keyof A> =
  {} extends Pick<A, Key>
    ? ["the key may be absent: use `optionalKey` or `at`"]
    : string extends keyof A
      ? ["a record may lack the key: use `optionalKey` or `at`"]
      : RejectUnionAndList<A>

/**
 * Focuses on a part that may be absent. All optics extend it.
 *
 * If the part is absent, `replace` and `modify` return the original value, and `replaceResult` returns the reason.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _first: Optic.Optional<ReadonlyArray<number>, number> = Optic.id<ReadonlyArray<number>>().at(0)
 *
 * Either.isLeft(_first.getResult([])) // true
 * _first.replace(5, [1, 2]) // [5, 2]
 * _first.modify((n) => n + 1)([1, 2]) // [2, 2]
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Optional<in out S, in out A> {
  /** Returns the part, or the reason why it is absent. */
  readonly getResult: (s: S) => Either.Either<A, string>

  /** Replaces the part. Returns the original value if the part is absent. */
  readonly replace: (a: A, s: S) => S

  /** Replaces the part, or returns the reason why it cannot. */
  readonly replaceResult: (a: A, s: S) => Either.Either<S, string>

  /** Returns a function that updates the part of a value. */
  modify(f: (a: A) => A): (s: S) => S

  /** Focuses on a part of the part. The result has the operations that both optics have. */
  compose<B>(this: Iso<S, A>, that: Iso<A, B>): Iso<S, B>
  compose<B>(this: Lens<S, A>, that: Lens<A, B>): Lens<S, B>
  compose<B>(this: Prism<S, A>, that: Prism<A, B>): Prism<S, B>
  compose<B>(this: Optional<S, A>, that: Optional<A, B>): Optional<S, B>

  /**
   * Focuses on a key that is always present.
   *
   * The updated value is not validated. It has the prototype and the other properties of the original. This works for
   * plain objects and for classes whose state is in their properties (`Schema.Class`, `Data.Class`,
   * `Schema.TaggedError`). It does not work for private fields or internal slots (`Map`, `Date`, `Redacted`).
   *
   * Unlike in Effect 4, a key that may be absent does not compile: use `optionalKey` or `at`.
   */
  key<S, A extends object, Key extends keyof A>(
    this: Lens<S, A>,
    key: Key,
    ..._err: RejectAbsent<A, Key>
  ): Lens<S, A[Key]>
  key<S, A extends object, Key extends keyof A>(
    this: Optional<S, A>,
    key: Key,
    ..._err: RejectAbsent<A, Key>
  ): Optional<S, A[Key]>

  /**
   * Focuses on a key that may be absent. `undefined` removes the key.
   *
   * Unlike in Effect 4, the index of an array does not compile: removing an element moves the next one into its place,
   * so the laws of a lens would not hold.
   */
  optionalKey<S, A extends object, Key extends keyof A>(
    this: Lens<S, A>,
    key: Key,
    ..._err: RejectUnionAndList<A>
  ): Lens<S, A[Key] | undefined>
  optionalKey<S, A extends object, Key extends keyof A>(
    this: Optional<S, A>,
    key: Key,
    ..._err: RejectUnionAndList<A>
  ): Optional<S, A[Key] | undefined>

  /** Focuses on a key or an index if it is present. */
  at<S, A extends object, Key extends keyof A>(
    this: Optional<S, A>,
    key: Key,
    ..._err: RejectUnion<A>
  ): Optional<S, A[Key]>

  /** Narrows by a type guard. The failure message is "Expected " and `annotations.expected`. */
  refine<S, A, B extends A>(
    this: Prism<S, A>,
    refinement: (a: A) => a is B,
    annotations?: { readonly expected?: string | undefined }
  ): Prism<S, B>
  refine<S, A, B extends A>(
    this: Optional<S, A>,
    refinement: (a: A) => a is B,
    annotations?: { readonly expected?: string | undefined }
  ): Optional<S, B>

  /** Narrows a union to the members with this `_tag`. */
  tag<S, A extends { readonly _tag: string }, Tag extends A["_tag"]>(
    this: Prism<S, A>,
    tag: Tag
  ): Prism<S, Extract<A, { readonly _tag: Tag }>>
  tag<S, A extends { readonly _tag: string }, Tag extends A["_tag"]>(
    this: Optional<S, A>,
    tag: Tag
  ): Optional<S, Extract<A, { readonly _tag: Tag }>>

  /**
   * Focuses on a part of each element. Elements without the part stay unchanged.
   *
   * `replace` needs as many parts as `getResult` returns. Unlike in Effect 4, non-empty array types are supported.
   */
  forEach<S, A, B>(this: Traversal<S, A>, f: (iso: Iso<A, A>) => Optional<A, B>): Traversal<S, B>
  forEach<S, A, B>(
    this: Optional<S, readonly [A, ...Array<A>]>,
    f: (iso: Iso<A, A>) => Optional<A, B>
  ): Traversal<S, B>

  /** Returns a function that updates all parts. */
  modifyAll<S, A>(this: Traversal<S, A>, f: (a: A) => A): (s: S) => S
}

/**
 * Focuses on a part that is always present.
 *
 * Laws: `get` returns the part that `replace` set. Replacing a part with itself changes nothing. The last of two
 * replacements wins.
 *
 * @example
 * ```ts
 * import { Optic } from "effect-marketplace-metering"
 *
 * interface Usage { readonly dimension: string; readonly quantity: number }
 *
 * const _quantity: Optic.Lens<Usage, number> = Optic.id<Usage>().key("quantity")
 *
 * _quantity.get({ dimension: "api-calls", quantity: 1 }) // 1
 * _quantity.replace(2, { dimension: "api-calls", quantity: 1 }) // { dimension: "api-calls", quantity: 2 }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Lens<in out S, in out A> extends Optional<S, A> {
  /** Returns the part. */
  readonly get: (s: S) => A
}

/**
 * Focuses on one case of a value. The part alone is enough to build the value.
 *
 * Laws: `getResult` returns the part that `set` was called with. `set` of a matched part returns the same value.
 *
 * As in Effect 4, `replace` on a prism is `set`, even if the value does not match. `modify` updates only a match.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * type Outcome = { readonly _tag: "Accepted"; readonly id: string } | { readonly _tag: "Rejected" }
 *
 * const _accepted: Optic.Prism<Outcome, Extract<Outcome, { _tag: "Accepted" }>> = Optic.id<Outcome>().tag("Accepted")
 *
 * _accepted.getResult({ _tag: "Rejected" }) // Either.left(`Expected "Accepted" tag, got "Rejected"`)
 * Either.isRight(_accepted.getResult({ _tag: "Accepted", id: "1" })) // true
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Prism<in out S, in out A> extends Optional<S, A> {
  /** Builds the value from the part. */
  readonly set: (a: A) => S
}

/**
 * Converts losslessly in both directions. An iso is both a lens and a prism.
 *
 * @example
 * ```ts
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _seconds: Optic.Iso<number, number> = Optic.makeIso((millis) => millis / 1000, (seconds) => seconds * 1000)
 *
 * _seconds.get(1500) // 1.5
 * _seconds.set(2) // 2000
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Iso<in out S, in out A> extends Lens<S, A>, Prism<S, A> {}

/**
 * Focuses on any number of parts, as an array.
 *
 * @example
 * ```ts
 * import { Optic } from "effect-marketplace-metering"
 *
 * interface Batch { readonly records: ReadonlyArray<{ readonly quantity: number }> }
 *
 * const _quantities: Optic.Traversal<Batch, number> = Optic.id<Batch>()
 *   .key("records")
 *   .forEach((record) => record.key("quantity"))
 *
 * _quantities.modifyAll((n) => n * 2)({ records: [{ quantity: 1 }, { quantity: 2 }] })
 * // { records: [{ quantity: 2 }, { quantity: 4 }] }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Traversal<in out S, in out A> extends Optional<S, ReadonlyArray<A>> {}

// biome-ignore lint/suspicious/noExplicitAny: the interfaces above have the types, the implementation is untyped
type Any = any

// A copy is spread and not constructed, because constructors validate. The spread also omits the hash of the original,
// which Effect caches in a property that is not enumerable.
const clone = (s: Any): Any => {
  const prototype = Object.getPrototypeOf(s)
  if (Array.isArray(s)) return Object.setPrototypeOf(s.slice(), prototype)
  const copy = { __proto__: prototype, ...s }
  if (s instanceof Error) {
    // message, stack and cause are not enumerable
    for (const key of Object.getOwnPropertyNames(s)) {
      if (!Object.hasOwn(copy, key)) define(copy, key, (s as Any)[key], false)
    }
  }
  return copy
}

const define = (s: object, key: PropertyKey, value: unknown, enumerable: boolean) =>
  Object.defineProperty(s, key, { value, enumerable, writable: true, configurable: true })

const put = (key: PropertyKey, a: unknown, s: Any): Any => {
  if (Object.is(s[key], a)) return s
  const copy = clone(s)
  // assigning an inherited key could call a setter
  if (Object.hasOwn(copy, key)) copy[key] = a
  else define(copy, key, a, true)
  return copy
}

const remove = (key: PropertyKey, s: Any): Any => {
  if (!Object.hasOwn(s, key)) return s
  const copy = clone(s)
  delete copy[key]
  return copy
}

type AnyOptic = Optional<Any, Any> & Partial<Pick<Iso<Any, Any>, "get" | "set">>

// One class for all kinds: an optic with `get` is a lens, with `set` a prism, with both an iso.
class Impl {
  constructor(
    readonly getResult: (s: Any) => Either.Either<Any, string>,
    readonly replaceResult: (a: Any, s: Any) => Either.Either<Any, string>,
    readonly replace: (a: Any, s: Any) => Any,
    readonly get?: (s: Any) => Any,
    readonly set?: (a: Any) => Any
  ) {}

  modify(f: (a: Any) => Any) {
    return (s: Any) =>
      Either.getOrElse(
        Either.flatMap(this.getResult(s), (a) => this.replaceResult(f(a), s)),
        () => s
      )
  }

  compose(that: AnyOptic): Any {
    // every chain begins with `id`: skipping it saves a step in each read and each update
    if (this === identityOptic) return that
    const { get, replace, set } = this
    const { get: thatGet, set: thatSet } = that
    const composedSet = set && thatSet && ((b: Any) => set(thatSet(b)))
    if (get && thatGet) {
      const composedGet = (s: Any) => thatGet(get(s))
      return composedSet
        ? makeIso(composedGet, composedSet)
        : makeLens(composedGet, (b, s) => replace(that.replace(b, get(s)), s))
    }
    const getResult = (s: Any) => Either.flatMap(this.getResult(s), that.getResult)
    if (composedSet) return makePrism(getResult, composedSet)
    return makeOptional(getResult, (b, s) =>
      Either.flatMap(this.getResult(s), (a) =>
        // checks the match first, because a prism also replaces a value that it does not match
        Either.flatMap(that.getResult(a), () =>
          Either.flatMap(that.replaceResult(b, a), (next) => this.replaceResult(next, s))
        )
      )
    )
  }

  key(key: PropertyKey) {
    return this.compose(
      makeLens(
        (s: Any) => s[key],
        (a, s) => put(key, a, s)
      )
    )
  }

  optionalKey(key: PropertyKey) {
    return this.compose(
      makeLens(
        (s: Any) => s[key],
        (a, s) => (a === undefined ? remove(key, s) : put(key, a, s))
      )
    )
  }

  at(key: PropertyKey) {
    const present = Either.liftPredicate(
      (s: Any) => Object.hasOwn(s, key),
      () => `Key ${typeof key === "string" ? JSON.stringify(key) : String(key)} not found`
    )
    return this.compose(
      makeOptional(
        (s: Any) => Either.map(present(s), () => s[key]),
        (a, s) => Either.map(present(s), () => put(key, a, s))
      )
    )
  }

  refine(
    refinement: (a: Any) => a is Any,
    annotations?: { readonly expected?: string | undefined }
  ) {
    const message = `Expected ${annotations?.expected ?? "a value that its refinement accepts"}`
    return this.compose(
      makePrism(
        Either.liftPredicate(refinement, () => message),
        identity
      )
    )
  }

  tag(tag: string) {
    return this.compose(
      makePrism(
        Either.liftPredicate(
          (s: Any) => s._tag === tag,
          (s) => `Expected ${JSON.stringify(tag)} tag, got ${JSON.stringify(s._tag)}`
        ),
        identity
      )
    )
  }

  forEach(f: (iso: Iso<Any, Any>) => Optional<Any, Any>) {
    const part = f(id())
    return this.compose(
      makeOptional<ReadonlyArray<Any>, ReadonlyArray<Any>>(
        (list) => Either.right(Arr.getRights(list.map((a) => part.getResult(a)))),
        (parts, list) => {
          const indexes = [...list.keys()].filter((i) => Either.isRight(part.getResult(list[i])))
          if (indexes.length !== parts.length) {
            return Either.left(`Expected ${indexes.length} values, got ${parts.length}`)
          }
          const copy = clone(list)
          for (const [n, i] of indexes.entries()) {
            const replaced = part.replaceResult(parts[n], list[i])
            if (Either.isLeft(replaced)) return Either.left(replaced.left)
            copy[i] = replaced.right
          }
          return Either.right(list.every((a, i) => Object.is(a, copy[i])) ? list : copy)
        }
      )
    )
  }

  modifyAll(f: (a: Any) => Any) {
    return this.modify((list: ReadonlyArray<Any>) => list.map((a) => f(a)))
  }
}

// The arguments decide the kind of optic. The constructors below have the types.
const make = (...args: ConstructorParameters<typeof Impl>): Any => new Impl(...args)

/**
 * Makes an iso from two inverse functions.
 *
 * @example
 * ```ts
 * import { DateTime } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _millis = Optic.makeIso<DateTime.Utc, number>(DateTime.toEpochMillis, DateTime.unsafeMake)
 *
 * _millis.modify((millis) => millis + 1000) // a second later
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeIso = <S, A>(get: (s: S) => A, set: (a: A) => S): Iso<S, A> =>
  make(
    (s) => Either.right(get(s)),
    (a) => Either.right(set(a)),
    (a) => set(a),
    get,
    set
  )

/**
 * Makes a lens from a getter and a setter of the part.
 *
 * @example
 * ```ts
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _first = Optic.makeLens<readonly [string, number], string>(
 *   (pair) => pair[0],
 *   (first, pair) => [first, pair[1]]
 * )
 *
 * _first.replace("b", ["a", 1]) // ["b", 1]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeLens = <S, A>(get: (s: S) => A, replace: (a: A, s: S) => S): Lens<S, A> =>
  make(
    (s) => Either.right(get(s)),
    (a, s) => Either.right(replace(a, s)),
    replace,
    get
  )

/**
 * Makes a prism from a function that matches a part and one that builds the value from it.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _count = Optic.makePrism<string, number>(
 *   (text) => (/^(0|[1-9]\d{0,14})$/.test(text) ? Either.right(Number(text)) : Either.left("Expected a count")),
 *   String
 * )
 *
 * _count.modify((n) => n + 1)("41") // "42"
 * _count.modify((n) => n + 1)("many") // "many"
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makePrism = <S, A>(
  getResult: (s: S) => Either.Either<A, string>,
  set: (a: A) => S
): Prism<S, A> =>
  make(
    getResult,
    (a) => Either.right(set(a)),
    (a) => set(a),
    undefined,
    set
  )

/**
 * Makes an optional from a getter and a setter that may fail.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _last = Optic.makeOptional<ReadonlyArray<number>, number>(
 *   (list) => Either.fromNullable(list.at(-1), () => "Expected an element"),
 *   (last, list) => (list.length > 0 ? Either.right([...list.slice(0, -1), last]) : Either.left("Expected an element"))
 * )
 *
 * _last.replace(9, [1, 2]) // [1, 9]
 * _last.replace(9, []) // []
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeOptional = <S, A>(
  getResult: (s: S) => Either.Either<A, string>,
  set: (a: A, s: S) => Either.Either<S, string>
): Optional<S, A> => make(getResult, set, (a, s) => Either.getOrElse(set(a, s), () => s))

const identityOptic: Impl = /*#__PURE__*/ make(
  Either.right,
  Either.right,
  identity,
  identity,
  identity
)

/**
 * Focuses on the whole value. A chain of optics begins with it.
 *
 * @example
 * ```ts
 * import { Optic } from "effect-marketplace-metering"
 *
 * interface Usage { readonly dimension: string; readonly quantity: number }
 *
 * const _quantity = Optic.id<Usage>().key("quantity")
 *
 * _quantity.get({ dimension: "api-calls", quantity: 42 }) // 42
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const id = <S>(): Iso<S, S> => identityOptic as Any

/**
 * Focuses on the value inside a `Some`.
 *
 * @example
 * ```ts
 * import { Either, Option } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * interface Usage { readonly note: Option.Option<string> }
 *
 * const _note = Optic.id<Usage>().key("note").compose(Optic.some())
 *
 * _note.getResult({ note: Option.some("a") }) // Either.right("a")
 * Either.isLeft(_note.getResult({ note: Option.none() })) // true
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const some = <A>(): Prism<Option.Option<A>, A> =>
  makePrism((s) => Either.fromOption(s, () => "Expected a Some value"), Option.some)

/**
 * Converts between `undefined` and `None`. After `optionalKey` it makes a lens on an `Option`.
 *
 * `None` removes the key. A key that is present but `undefined` reads as `None`. In Effect 4, write
 * `Optic.makeIso(Option.fromUndefinedOr, Option.getOrUndefined)`.
 *
 * @example
 * ```ts
 * import { Option } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * interface Usage { readonly quantity: number; readonly licenseArn?: string }
 *
 * const _licenseArn = Optic.id<Usage>().optionalKey("licenseArn").compose(Optic.optionFromUndefinedOr())
 *
 * _licenseArn.get({ quantity: 1 }) // Option.none()
 * _licenseArn.replace(Option.none(), { quantity: 1, licenseArn: "arn" }) // { quantity: 1 }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const optionFromUndefinedOr = <A>(): Iso<A | undefined, Option.Option<A>> =>
  makeIso((a) => (a === undefined ? Option.none() : Option.some(a)), Option.getOrUndefined)

/**
 * Reads `undefined` as a default. After `optionalKey` it makes a lens on a key that may be absent.
 *
 * Replacing an absent key with the default leaves it absent, so the first two laws of a lens hold. The third holds if an
 * absent key counts as equal to the default: a key that was set and then replaced with the default stays present. Not in
 * Effect 4.
 *
 * @example
 * ```ts
 * import { Optic } from "effect-marketplace-metering"
 *
 * interface Request { readonly dryRun?: boolean }
 *
 * const _dryRun = Optic.id<Request>().optionalKey("dryRun").compose(Optic.withDefault(false))
 *
 * _dryRun.get({}) // false
 * _dryRun.replace(false, {}) // {}
 * _dryRun.replace(true, {}) // { dryRun: true }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const withDefault = <A>(value: NoInfer<A>): Lens<A | undefined, A> =>
  makeLens(
    (s) => (s === undefined ? value : s),
    (a, s) => (s === undefined && Equal.equals(a, value) ? undefined : a)
  )

/**
 * Returns the part that a lens focuses on.
 *
 * @example
 * ```ts
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _quantity = Optic.id<{ readonly quantity: number }>().key("quantity")
 *
 * ;[{ quantity: 1 }, { quantity: 2 }].map(Optic.get(_quantity)) // [1, 2]
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const get: {
  <S, A>(optic: Lens<S, A>): (self: NoInfer<S>) => A
  <S, A>(self: NoInfer<S>, optic: Lens<S, A>): A
} = /*#__PURE__*/ dual(2, <S, A>(self: S, optic: Lens<S, A>): A => optic.get(self))

/**
 * Returns the part that an optic focuses on, or the reason why it is absent.
 *
 * @example
 * ```ts
 * import { Either, pipe } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _second = Optic.id<ReadonlyArray<string>>().at(1)
 *
 * pipe(["a"], Optic.getResult(_second)) // Either.left("Key 1 not found")
 * Either.isRight(Optic.getResult(["a", "b"], _second)) // true
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const getResult: {
  <S, A>(optic: Optional<S, A>): (self: NoInfer<S>) => Either.Either<A, string>
  <S, A>(self: NoInfer<S>, optic: Optional<S, A>): Either.Either<A, string>
} = /*#__PURE__*/ dual(2, <S, A>(self: S, optic: Optional<S, A>) => optic.getResult(self))

/**
 * Replaces the part. Returns the original value if the part is absent.
 *
 * The argument order is `replace(self, optic, value)`. The method of an optic takes the new part first, as in Effect 4.
 *
 * @example
 * ```ts
 * import { pipe } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _quantity = Optic.id<{ readonly quantity: number }>().key("quantity")
 *
 * pipe({ quantity: 1 }, Optic.replace(_quantity, 5)) // { quantity: 5 }
 * ```
 *
 * @since 0.1.0
 * @category transforming
 */
export const replace: {
  <S, A>(optic: Optional<S, A>, value: NoInfer<A>): (self: NoInfer<S>) => S
  <S, A>(self: NoInfer<S>, optic: Optional<S, A>, value: NoInfer<A>): S
} = /*#__PURE__*/ dual(
  3,
  <S, A>(self: S, optic: Optional<S, A>, value: A): S => optic.replace(value, self)
)

/**
 * Updates the part with a function. Returns the original value if the part is absent.
 *
 * @example
 * ```ts
 * import { pipe } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _quantity = Optic.id<{ readonly quantity: number }>().key("quantity")
 *
 * pipe({ quantity: 1 }, Optic.modify(_quantity, (n) => n + 1)) // { quantity: 2 }
 * ```
 *
 * @since 0.1.0
 * @category transforming
 */
export const modify: {
  <S, A>(optic: Optional<S, A>, f: (value: NoInfer<A>) => NoInfer<A>): (self: NoInfer<S>) => S
  <S, A>(self: NoInfer<S>, optic: Optional<S, A>, f: (value: NoInfer<A>) => NoInfer<A>): S
} = /*#__PURE__*/ dual(
  3,
  <S, A>(self: S, optic: Optional<S, A>, f: (value: A) => A): S => optic.modify(f)(self)
)

/**
 * Returns all parts that a traversal focuses on, as a new array.
 *
 * @example
 * ```ts
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _quantities = Optic.id<ReadonlyArray<{ readonly quantity: number }>>()
 *   .forEach((record) => record.key("quantity"))
 *
 * Optic.getAll([{ quantity: 1 }, { quantity: 2 }], _quantities) // [1, 2]
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const getAll: {
  <S, A>(traversal: Traversal<S, A>): (self: NoInfer<S>) => Array<A>
  <S, A>(self: NoInfer<S>, traversal: Traversal<S, A>): Array<A>
} = /*#__PURE__*/ dual(
  2,
  <S, A>(self: S, traversal: Traversal<S, A>): Array<A> => [
    ...Either.getOrElse(traversal.getResult(self), () => [])
  ]
)

/**
 * Updates all parts that a traversal focuses on.
 *
 * @example
 * ```ts
 * import { pipe } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 *
 * const _quantities = Optic.id<ReadonlyArray<{ readonly quantity: number }>>()
 *   .forEach((record) => record.key("quantity"))
 *
 * pipe([{ quantity: 1 }], Optic.modifyAll(_quantities, (n) => n + 1)) // [{ quantity: 2 }]
 * ```
 *
 * @since 0.1.0
 * @category transforming
 */
export const modifyAll: {
  <S, A>(traversal: Traversal<S, A>, f: (value: NoInfer<A>) => NoInfer<A>): (self: NoInfer<S>) => S
  <S, A>(self: NoInfer<S>, traversal: Traversal<S, A>, f: (value: NoInfer<A>) => NoInfer<A>): S
} = /*#__PURE__*/ dual(
  3,
  <S, A>(self: S, traversal: Traversal<S, A>, f: (value: A) => A): S => traversal.modifyAll(f)(self)
)
