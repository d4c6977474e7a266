// biome-ignore-all lint/suspicious/useIterableCallbackReturn: the forEach of an optic is not that of an array

import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import { pipe } from "effect/Function"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Optic from "effect-marketplace-metering/Optic"

class Allocation extends Schema.Class<Allocation>("test/Allocation")({
  quantity: Schema.Int,
  note: Schema.optionalWith(Schema.String, { exact: true })
}) {
  get isFree() {
    return this.quantity === 0
  }
}

class Usage extends Schema.Class<Usage>("test/Usage")(
  Schema.Struct({
    timestamp: Schema.DateTimeUtcFromSelf,
    quantity: Schema.NonNegativeInt,
    licenseArn: Schema.optionalWith(Schema.String, { exact: true }),
    dryRun: Schema.optionalWith(Schema.Boolean, { exact: true }),
    first: Allocation,
    allocations: Schema.Array(Allocation)
  }).pipe(
    Schema.filter((usage) => usage.quantity !== 13 || "13 is rejected by a rule across fields")
  )
) {}

class Throttled extends Schema.TaggedError<Throttled>("test/Throttled")("Throttled", {
  serviceMessage: Schema.String
}) {
  override get message() {
    return `Throttled: ${this.serviceMessage}`
  }
}

class Rejected extends Schema.TaggedError<Rejected>("test/Rejected")("Rejected", {
  code: Schema.Int
}) {}

const Failure = Schema.Union(Schema.typeSchema(Throttled), Schema.typeSchema(Rejected))
type Failure = typeof Failure.Type

const usage = (fields: Partial<ConstructorParameters<typeof Usage>[0]> = {}) =>
  new Usage({
    timestamp: DateTime.unsafeMake(0),
    quantity: 1,
    first: new Allocation({ quantity: 1 }),
    allocations: [new Allocation({ quantity: 1 }), new Allocation({ quantity: 2 })],
    ...fields
  })

const _usage = Optic.id<Usage>()
const _quantity = _usage.key("quantity")
const _licenseArn = _usage.optionalKey("licenseArn").compose(Optic.optionFromUndefinedOr())
const _dryRun = _usage.optionalKey("dryRun").compose(Optic.withDefault(false))
const _firstQuantity = _usage.key("first").key("quantity")
const _millis = Optic.makeIso<DateTime.Utc, number>(DateTime.toEpochMillis, DateTime.unsafeMake)
const _negated = Optic.makeIso<number, number>(
  (n) => 0 - n,
  (n) => 0 - n
)
const _next = Optic.makeIso<number, number>(
  (n) => n + 1,
  (n) => n - 1
)
const _even = Optic.id<number>().refine((n): n is number => n % 2 === 0, { expected: "even" })
const _pair = Optic.makeLens<readonly [number, string], number>(
  (pair) => pair[0],
  (n, pair) => [n, pair[1]]
)
const _lookup = Optic.makeOptional<ReadonlyMap<"a" | "b", number>, number>(
  (map) => Either.fromNullable(map.get("a"), () => "no a"),
  (n, map) => (map.has("a") ? Either.right(new Map(map).set("a", n)) : Either.left("no a"))
)
const _quantities = _usage.key("allocations").forEach((allocation) => allocation.key("quantity"))

const Millis = Schema.Int.pipe(Schema.between(0, 4e12))
const Even = Schema.Int.pipe(Schema.filter((n) => n % 2 === 0))
const Note = Schema.OptionFromSelf(Schema.String)
const UsageType = Schema.typeSchema(Usage)

/** Freezes a value, so that a mutation throws. Values that cache in themselves stay as they are. */
const freeze = <A>(value: A): A => {
  if (typeof value !== "object" || value === null || DateTime.isDateTime(value)) return value
  if (!(value instanceof Map)) for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}

const lensLaws = <S, A>(
  name: string,
  optic: Optic.Lens<S, A>,
  S: Schema.Schema<S>,
  A: Schema.Schema<A>,
  sameS = Schema.equivalence(S)
) => {
  const sameA = Schema.equivalence(A)

  it.prop(`${name}: get returns the replaced part`, [S, A], ([s, a]) => {
    assert.isTrue(sameA(optic.get(optic.replace(a, freeze(s))), a))
  })

  it.prop(`${name}: replacing a part with itself changes nothing`, [S], ([s]) => {
    assert.isTrue(Schema.equivalence(S)(optic.replace(optic.get(freeze(s)), s), s))
  })

  it.prop(`${name}: the last of two replacements wins`, [S, A, A], ([s, a, b]) => {
    assert.isTrue(sameS(optic.replace(b, optic.replace(a, freeze(s))), optic.replace(b, s)))
  })

  it.prop(`${name}: a lens is an optional that never fails`, [S, A], ([s, a]) => {
    assert.isTrue(sameA(Either.getOrThrow(optic.getResult(freeze(s))), optic.get(s)))
    assert.isTrue(
      sameS(Either.getOrThrow(optic.replaceResult(a, s)), optic.replace(a, s)) &&
        sameS(optic.modify(() => a)(s), optic.replace(a, s))
    )
  })
}

const prismLaws = <S, A>(
  name: string,
  optic: Optic.Prism<S, A>,
  S: Schema.Schema<S>,
  A: Schema.Schema<A>
) => {
  const sameA = Schema.equivalence(A)
  const sameS = Schema.equivalence(S)

  it.prop(`${name}: getResult matches the result of set`, [A], ([a]) => {
    assert.isTrue(sameA(Either.getOrThrow(optic.getResult(optic.set(freeze(a)))), a))
  })

  it.prop(`${name}: set of a matched part returns the same value`, [S], ([s]) => {
    const matched = optic.getResult(freeze(s))
    if (Either.isRight(matched)) assert.isTrue(sameS(optic.set(matched.right), s))
    else assert.strictEqual(optic.modify((a) => a)(s), s)
  })

  it.prop(`${name}: replace is set, as in Effect 4`, [S, A], ([s, a]) => {
    assert.isTrue(sameS(optic.replace(a, freeze(s)), optic.set(a)))
    assert.isTrue(sameS(Either.getOrThrow(optic.replaceResult(a, s)), optic.set(a)))
  })
}

const optionalLaws = <S, A>(
  name: string,
  optic: Optic.Optional<S, A>,
  S: Schema.Schema<S>,
  A: Schema.Schema<A>
) => {
  const sameA = Schema.equivalence(A)
  const sameS = Schema.equivalence(S)

  it.prop(`${name}: it is a lens where the part is present`, [S, A, A], ([s, a, b]) => {
    const focused = optic.getResult(freeze(s))
    if (Either.isLeft(focused)) return
    const replaced = optic.replace(a, s)
    assert.isTrue(sameS(optic.replace(focused.right, s), s))
    assert.isTrue(sameA(Either.getOrThrow(optic.getResult(replaced)), a))
    assert.isTrue(sameS(optic.replace(b, replaced), optic.replace(b, s)))
    assert.isTrue(sameS(optic.modify(() => a)(s), replaced))
    assert.isTrue(sameS(Either.getOrThrow(optic.replaceResult(a, s)), replaced))
  })

  it.prop(`${name}: it changes nothing where the part is absent`, [S, A], ([s, a]) => {
    if (Either.isRight(optic.getResult(freeze(s)))) return
    assert.strictEqual(optic.replace(a, s), s)
    assert.strictEqual(optic.modify(() => a)(s), s)
    assert.isTrue(Either.isLeft(optic.replaceResult(a, s)))
  })
}

describe("Optic", () => {
  describe("lens laws", () => {
    lensLaws("id", _usage, UsageType, UsageType)
    lensLaws("key", _quantity, UsageType, Schema.Int)
    lensLaws("makeLens", _pair, Schema.Tuple(Schema.Int, Schema.String), Schema.Int)
    lensLaws(
      "optionalKey",
      _usage.optionalKey("licenseArn"),
      UsageType,
      Schema.UndefinedOr(Schema.String)
    )
    lensLaws("lens of a lens", _firstQuantity, UsageType, Schema.Int)
    lensLaws("lens of an iso", _licenseArn, UsageType, Note)
    lensLaws(
      "iso of a lens",
      Optic.makeIso<Allocation, Allocation>(
        (a) => a,
        (a) => a
      ).key("quantity"),
      Schema.typeSchema(Allocation),
      Schema.Int
    )
    lensLaws(
      "timestamp in milliseconds",
      _usage.key("timestamp").compose(_millis),
      UsageType,
      Millis
    )
    // The third law of `withDefault` treats absent and the default as equal.
    lensLaws("withDefault", _dryRun, UsageType, Schema.Boolean, (a, b) =>
      Schema.equivalence(UsageType)(
        _usage.optionalKey("dryRun").replace(_dryRun.get(a), a),
        _usage.optionalKey("dryRun").replace(_dryRun.get(b), b)
      )
    )
  })

  describe("prism laws", () => {
    prismLaws("id", Optic.id<number>(), Schema.Int, Schema.Int)
    prismLaws("refine", _even, Schema.Int, Even)
    prismLaws("tag", Optic.id<Failure>().tag("Throttled"), Failure, Schema.typeSchema(Throttled))
    prismLaws("some", Optic.some<string>(), Note, Schema.String)
    prismLaws(
      "prism of a prism",
      Optic.some<Failure>().tag("Rejected"),
      Schema.OptionFromSelf(Failure),
      Schema.typeSchema(Rejected)
    )
    prismLaws("iso of a prism", _negated.compose(_even), Schema.Int, Even)
    prismLaws(
      "prism of an iso",
      Optic.some<number>().compose(_negated),
      Schema.OptionFromSelf(Schema.Int),
      Schema.Int
    )
    prismLaws("iso of an iso", _negated.compose(_next), Schema.Int, Schema.Int)
  })

  describe("optional laws", () => {
    const _first = _usage.key("allocations").at(0)
    optionalLaws("lens of an optional", _first, UsageType, Schema.typeSchema(Allocation))
    optionalLaws("optional of a lens", _first.key("quantity"), UsageType, Schema.Int)
    optionalLaws(
      "optional of an optional key",
      _first.optionalKey("note").compose(Optic.optionFromUndefinedOr()),
      UsageType,
      Note
    )
    optionalLaws("optional of a prism", _first.key("quantity").compose(_even), UsageType, Even)
    optionalLaws("lens of a prism", _quantity.compose(_even), UsageType, Even)
    optionalLaws(
      "lens of a prism after an iso",
      _licenseArn.compose(Optic.some()),
      UsageType,
      Schema.String
    )
    optionalLaws(
      "prism of a lens",
      Optic.id<Failure>().tag("Throttled").key("serviceMessage"),
      Failure,
      Schema.String
    )
    optionalLaws(
      "prism of an optional",
      Optic.some<ReadonlyArray<number>>().at(1),
      Schema.OptionFromSelf(Schema.Array(Schema.Int)),
      Schema.Int
    )
    optionalLaws(
      "optional of an optional",
      Optic.id<ReadonlyArray<ReadonlyArray<number>>>().at(1).at(1),
      Schema.Array(Schema.Array(Schema.Int)),
      Schema.Int
    )
    optionalLaws(
      "makeOptional",
      _lookup,
      Schema.ReadonlyMapFromSelf({ key: Schema.Literal("a", "b"), value: Schema.Int }),
      Schema.Int
    )
    const One = Schema.Struct({ a: Schema.optionalWith(Schema.Int, { exact: true }) })
    optionalLaws(
      "at a key that may be absent",
      Optic.id<typeof One.Type>().at("a"),
      One,
      Schema.UndefinedOr(Schema.Int)
    )
  })

  it.prop("compose is associative and id is its unit", [UsageType, Schema.Int], ([s, a]) => {
    const _first = _usage.key("first")
    const _q = Optic.id<Allocation>().key("quantity")
    const left = _first.compose(_q).compose(_even)
    const right = _first.compose(_q.compose(_even))
    const same = Schema.equivalence(UsageType)
    assert.deepStrictEqual(left.getResult(s), right.getResult(s))
    assert.isTrue(same(left.replace(a, s), right.replace(a, s)))
    assert.isTrue(
      same(_first.compose(Optic.id()).compose(_q).replace(a, s), _firstQuantity.replace(a, s))
    )
  })

  describe("an updated class instance", () => {
    it("stays an instance, is not validated, and keeps its other properties", () => {
      const before = usage({ licenseArn: "arn" })
      const after = _quantity.replace(-13, before)
      assert.instanceOf(after, Usage)
      assert.strictEqual(Object.getPrototypeOf(after), Usage.prototype)
      assert.deepStrictEqual({ ...after }, { ...before, quantity: -13 })
      assert.strictEqual(after.first, before.first)
      assert.strictEqual(before.quantity, 1)
      assert.isTrue(_usage.key("first").key("quantity").replace(0, before).first.isFree)
    })

    it("does not carry the old hash", () => {
      const before = new Allocation({ quantity: 1, note: "a" })
      const hash = Hash.hash(before)
      const _note = Optic.id<Allocation>().optionalKey("note")
      const after = Optic.id<Allocation>().key("quantity").replace(2, before)
      assert.notStrictEqual(Hash.hash(after), hash)
      assert.isFalse(Equal.equals(after, before))
      assert.isTrue(Equal.equals(after, new Allocation({ quantity: 2, note: "a" })))
      assert.isTrue(Equal.equals(Optic.id<Allocation>().key("quantity").replace(1, after), before))
      const without = _note.replace(undefined, before)
      assert.isTrue(Equal.equals(without, new Allocation({ quantity: 1 })))
      assert.isTrue(Equal.equals(_note.replace("a", without), before))
    })

    it("of Data keeps its Equal, in structs and in arrays", () => {
      const point = Data.struct({ x: 1, y: 2 })
      Hash.hash(point)
      const _x = Optic.id<typeof point>().key("x")
      assert.isTrue(Equal.equals(_x.replace(2, point), Data.struct({ x: 2, y: 2 })))
      const list = Data.array([1, 2])
      Hash.hash(list)
      const _head = Optic.id<typeof list>().at(0)
      assert.isTrue(Equal.equals(_head.replace(3, list), Data.array([3, 2])))
      const _all = Optic.id<ReadonlyArray<number>>().forEach((n) => n)
      assert.isTrue(Equal.equals(_all.modifyAll((n) => n + 1)(list), Data.array([2, 3])))
    })

    it("may be frozen, and can then be updated again", () => {
      const after = _quantity.replace(2, Object.freeze(usage()))
      assert.strictEqual(_quantity.replace(3, after).quantity, 3)
    })

    it("of an error keeps its stack and cause", () => {
      const before = new Throttled({ serviceMessage: "slow" })
      const _message = Optic.id<Throttled>().key("serviceMessage")
      const after = _message.replace("slower", before)
      assert.instanceOf(after, Throttled)
      assert.instanceOf(after, Error)
      assert.strictEqual(after.message, "Throttled: slower")
      assert.strictEqual(after.stack, before.stack)
      assert.deepStrictEqual(Object.keys(after), Object.keys(before))
      assert.isTrue(Equal.equals(after, new Throttled({ serviceMessage: "slower" })))
      // The class has only a getter of that name.
      assert.strictEqual(Optic.id<Throttled>().key("message").replace("own", before).message, "own")
      const caused = Object.assign(new Error("outer", { cause: "inner" }), { code: 1 })
      const changed = Optic.id<typeof caused>().key("code").replace(2, caused)
      assert.strictEqual(changed.message, "outer")
      assert.strictEqual(changed.cause, "inner")
      assert.strictEqual(changed.code, 2)
    })
  })

  describe("plain values", () => {
    it("stay plain", () => {
      const after = Optic.id<{ readonly a: number }>().key("a").replace(2, { a: 1 })
      assert.strictEqual(Object.getPrototypeOf(after), Object.prototype)
      const bare: { readonly a: number } = Object.assign(Object.create(null), { a: 1 })
      assert.isNull(Object.getPrototypeOf(Optic.id<typeof bare>().key("a").replace(2, bare)))
    })

    it("keep their symbols, and a key named __proto__ is an ordinary key", () => {
      const symbol = Symbol("s")
      const parsed: { readonly [key: string]: unknown; readonly [symbol]: number } = Object.assign(
        JSON.parse('{"__proto__":{"x":1},"a":1}'),
        { [symbol]: 3 }
      )
      const after = Optic.id<typeof parsed>().at("a").replace(2, parsed)
      assert.strictEqual(after[symbol], 3)
      assert.deepStrictEqual(Object.keys(after), ["__proto__", "a"])
      assert.strictEqual(Object.getPrototypeOf(after), Object.prototype)
    })

    it("are the same object if nothing changes", () => {
      const s = usage({ licenseArn: "arn" })
      assert.strictEqual(_quantity.replace(1, s), s)
      assert.strictEqual(_firstQuantity.modify((n) => n)(s), s)
      assert.strictEqual(_licenseArn.replace(Option.some("arn"), s), s)
      assert.strictEqual(_licenseArn.replace(Option.none(), usage({})).licenseArn, undefined)
      assert.strictEqual(_quantities.modifyAll((n) => n)(s), s)
      assert.strictEqual(_usage.key("allocations").at(0).key("quantity").replace(1, s), s)
    })
  })

  describe("a key that may be absent", () => {
    it("is removed by None and never undefined", () => {
      const after = _licenseArn.replace(Option.none(), usage({ licenseArn: "arn" }))
      assert.isFalse("licenseArn" in after)
      assert.instanceOf(after, Usage)
      const absent = usage()
      assert.strictEqual(_licenseArn.replace(Option.none(), absent), absent)
    })

    it("reads as None if it holds undefined, and None removes it", () => {
      const s: { readonly a?: number | undefined } = { a: undefined }
      const _a = Optic.id<typeof s>().optionalKey("a").compose(Optic.optionFromUndefinedOr())
      assert.deepStrictEqual(_a.get(s), Option.none())
      assert.deepStrictEqual(Object.keys(_a.replace(Option.none(), s)), [])
    })

    it("with a default stays absent while nothing changes", () => {
      const absent = usage()
      const present = usage({ dryRun: false })
      assert.isFalse(_dryRun.get(absent))
      assert.strictEqual(_dryRun.replace(false, absent), absent)
      assert.strictEqual(_dryRun.replace(false, present), present)
      assert.isTrue(_dryRun.replace(true, absent).dryRun)
      assert.isFalse(_dryRun.replace(false, usage({ dryRun: true })).dryRun)
    })
  })

  describe("failures", () => {
    it("say what was expected", () => {
      assert.deepStrictEqual(
        Optic.id<Failure>()
          .tag("Throttled")
          .getResult(new Rejected({ code: 1 })),
        Either.left('Expected "Throttled" tag, got "Rejected"')
      )
      assert.deepStrictEqual(
        Optic.id<ReadonlyArray<number>>().at(2).getResult([1]),
        Either.left("Key 2 not found")
      )
      assert.deepStrictEqual(
        Optic.id<{ readonly [key: string]: number }>().at("a").replaceResult(1, {}),
        Either.left('Key "a" not found')
      )
      assert.deepStrictEqual(_even.getResult(1), Either.left("Expected even"))
      assert.deepStrictEqual(
        Optic.some<number>().getResult(Option.none()),
        Either.left("Expected a Some value")
      )
    })

    it("do not show the value", () => {
      const _short = Optic.id<string>().refine((s): s is string => s.length < 3)
      assert.notInclude(String(Either.flip(_short.getResult("secret"))), "secret")
    })

    it("of a prism inside a lens leave the value unchanged", () => {
      const none = usage()
      assert.strictEqual(_licenseArn.compose(Optic.some()).replace("arn", none), none)
      assert.deepStrictEqual(Optic.some<number>().replace(1, Option.none()), Option.some(1))
    })
  })

  describe("a traversal", () => {
    it("reads and updates all parts", () => {
      const s = usage()
      const after = _quantities.modifyAll((n) => n * 10)(s)
      assert.deepStrictEqual(Optic.getAll(after, _quantities), [10, 20])
      assert.instanceOf(after.allocations[1], Allocation)
      assert.deepStrictEqual(Optic.getAll(s, _quantities), [1, 2])
    })

    it("skips elements that its part does not match", () => {
      const _evens = Optic.id<ReadonlyArray<number>>().forEach((n) => n.compose(_even))
      assert.deepStrictEqual(_evens.modifyAll((n) => n + 2)([1, 2, 4]), [1, 4, 6])
      assert.deepStrictEqual(
        _evens.replaceResult([8], [1, 2, 4]),
        Either.left("Expected 2 values, got 1")
      )
      assert.deepStrictEqual(_evens.replaceResult([8, 6], [1, 2, 4]), Either.right([1, 8, 6]))
    })

    it("fails if its part fails", () => {
      const _fickle = Optic.makeOptional<number, number>(Either.right, () => Either.left("no"))
      const _all = Optic.id<ReadonlyArray<number>>().forEach((n) => n.compose(_fickle))
      assert.deepStrictEqual(_all.replaceResult([1], [2]), Either.left("no"))
      const _nothing = Optic.some<ReadonlyArray<number>>().forEach((n) => n)
      assert.deepStrictEqual(Optic.getAll(Option.none(), _nothing), [])
    })

    it.prop(
      "writes back what it read",
      [UsageType, FastCheck.func(FastCheck.integer())],
      ([s, f]) => {
        const same = Schema.equivalence(UsageType)
        assert.isTrue(same(_quantities.replace(Optic.getAll(freeze(s), _quantities), s), s))
        assert.deepStrictEqual(
          Optic.getAll(_quantities.modifyAll(f)(s), _quantities),
          s.allocations.map((allocation) => f(allocation.quantity))
        )
      }
    )

    it("works on a non-empty array", () => {
      const _all = Optic.id<readonly [number, ...Array<number>]>().forEach((n) => n)
      assert.deepStrictEqual(_all.modifyAll((n) => n + 1)([1, 2]), [2, 3])
    })
  })

  it("the functions take the value first or last", () => {
    const s = usage()
    assert.strictEqual(pipe(s, Optic.get(_quantity)), Optic.get(s, _quantity))
    assert.deepStrictEqual(pipe(s, Optic.getResult(_quantity)), Optic.getResult(s, _quantity))
    assert.strictEqual(pipe(s, Optic.replace(_quantity, 5)).quantity, 5)
    assert.strictEqual(Optic.replace(s, _quantity, 5).quantity, 5)
    assert.strictEqual(
      pipe(
        s,
        Optic.modify(_quantity, (n) => n + 1)
      ).quantity,
      2
    )
    assert.strictEqual(Optic.modify(s, _quantity, (n) => n + 1).quantity, 2)
    const doubled = Optic.modifyAll(_quantities, (n) => n * 2)
    assert.deepStrictEqual(pipe(s, doubled, Optic.getAll(_quantities)), [2, 4])
    assert.deepStrictEqual(Optic.modifyAll(s, _quantities, (n) => n * 2).allocations.length, 2)
  })

  it("the methods of an optic work without `this`", () => {
    const { get, replace } = _firstQuantity
    assert.deepStrictEqual([usage()].map(get), [1])
    assert.strictEqual(replace(2, usage()).first.quantity, 2)
  })
})
