// biome-ignore-all lint/suspicious/useIterableCallbackReturn: the forEach of an optic is not that of an array

import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Optic from "effect-marketplace-metering/Optic"
import { describe, expect, it } from "tstyche"

class Usage extends Schema.Class<Usage>("test/Usage")({
  quantity: Schema.Int,
  licenseArn: Schema.optionalWith(Schema.String, { exact: true }),
  dryRun: Schema.optionalWith(Schema.Boolean, { exact: true }),
  allocations: Schema.optionalWith(Schema.NonEmptyArray(Schema.Int), { exact: true }),
  numbers: Schema.Array(Schema.Int)
}) {}

class A extends Schema.TaggedError<A>("test/A")("A", { code: Schema.Int }) {}
class B extends Schema.TaggedError<B>("test/B")("B", {}) {}

declare const iso: Optic.Iso<number, string>
declare const isoAfter: Optic.Iso<string, boolean>
declare const lens: Optic.Lens<number, string>
declare const lensAfter: Optic.Lens<string, boolean>
declare const prism: Optic.Prism<number, string>
declare const prismAfter: Optic.Prism<string, boolean>
declare const optional: Optic.Optional<number, string>
declare const optionalAfter: Optic.Optional<string, boolean>

const _usage = Optic.id<Usage>()

describe("compose", () => {
  it("returns an optic with the operations of both", () => {
    expect(iso.compose(isoAfter)).type.toBe<Optic.Iso<number, boolean>>()
    expect(iso.compose(lensAfter)).type.toBe<Optic.Lens<number, boolean>>()
    expect(iso.compose(prismAfter)).type.toBe<Optic.Prism<number, boolean>>()
    expect(iso.compose(optionalAfter)).type.toBe<Optic.Optional<number, boolean>>()
    expect(lens.compose(isoAfter)).type.toBe<Optic.Lens<number, boolean>>()
    expect(lens.compose(lensAfter)).type.toBe<Optic.Lens<number, boolean>>()
    expect(lens.compose(prismAfter)).type.toBe<Optic.Optional<number, boolean>>()
    expect(lens.compose(optionalAfter)).type.toBe<Optic.Optional<number, boolean>>()
    expect(prism.compose(isoAfter)).type.toBe<Optic.Prism<number, boolean>>()
    expect(prism.compose(lensAfter)).type.toBe<Optic.Optional<number, boolean>>()
    expect(prism.compose(prismAfter)).type.toBe<Optic.Prism<number, boolean>>()
    expect(prism.compose(optionalAfter)).type.toBe<Optic.Optional<number, boolean>>()
    expect(optional.compose(isoAfter)).type.toBe<Optic.Optional<number, boolean>>()
    expect(optional.compose(lensAfter)).type.toBe<Optic.Optional<number, boolean>>()
    expect(optional.compose(prismAfter)).type.toBe<Optic.Optional<number, boolean>>()
    expect(optional.compose(optionalAfter)).type.toBe<Optic.Optional<number, boolean>>()
  })

  it("rejects optics that do not fit", () => {
    expect(lens.compose).type.not.toBeCallableWith(lens)
  })
})

describe("keys", () => {
  it("key is a lens", () => {
    expect(_usage.key("quantity")).type.toBe<Optic.Lens<Usage, number>>()
    expect(optionalAfter).type.not.toHaveProperty("get")
    expect(_usage.key("numbers").at(0)).type.toBe<Optic.Optional<Usage, number>>()
    expect(Optic.id<readonly [number, string]>().key(1)).type.toBe<
      Optic.Lens<readonly [number, string], string>
    >()
  })

  it("key rejects optional keys, arrays and unions", () => {
    expect(_usage.key).type.not.toBeCallableWith("licenseArn")
    expect(_usage.key).type.not.toBeCallableWith("nothing")
    expect(_usage.key("numbers").key).type.not.toBeCallableWith(0)
    expect(Optic.id<{ readonly [key: string]: number }>().key).type.not.toBeCallableWith("a")
    expect(Optic.id<A | B>().key).type.not.toBeCallableWith("_tag")
    expect(Optic.id<A>().key).type.toBeCallableWith("_tag")
  })

  it("optionalKey reads undefined, and rejects arrays and unions", () => {
    expect(_usage.optionalKey("licenseArn")).type.toBe<Optic.Lens<Usage, string | undefined>>()
    expect(_usage.key("numbers").optionalKey).type.not.toBeCallableWith(0)
    expect(Optic.id<A | B>().optionalKey).type.not.toBeCallableWith("_tag")
  })

  it("an optional key can be an Option, or have a default, without naming a type", () => {
    expect(_usage.optionalKey("licenseArn").compose(Optic.optionFromUndefinedOr())).type.toBe<
      Optic.Lens<Usage, Option.Option<string>>
    >()
    expect(_usage.optionalKey("allocations").compose(Optic.optionFromUndefinedOr())).type.toBe<
      Optic.Lens<Usage, Option.Option<readonly [number, ...Array<number>]>>
    >()
    expect(_usage.optionalKey("dryRun").compose(Optic.withDefault(false))).type.toBe<
      Optic.Lens<Usage, boolean>
    >()
    expect(Optic.withDefault<boolean>).type.not.toBeCallableWith(1)
  })
})

describe("narrowing", () => {
  it("tag and refine keep the kind", () => {
    expect(Optic.id<A | B>().tag("A")).type.toBe<Optic.Prism<A | B, A>>()
    expect(Optic.id<A | B>().tag("A").key("code")).type.toBe<Optic.Optional<A | B, number>>()
    expect(Optic.id<A | B>().tag).type.not.toBeCallableWith("C")
    expect(Optic.id<A | B>().refine((e) => e instanceof B)).type.toBe<Optic.Prism<A | B, B>>()
    expect(Optic.some<A | B>().tag("B")).type.toBe<Optic.Prism<Option.Option<A | B>, B>>()
    expect(_usage.key("quantity").refine((n): n is 1 => n === 1)).type.toBe<
      Optic.Optional<Usage, 1>
    >()
  })

  it("some needs no type", () => {
    expect(
      _usage.optionalKey("licenseArn").compose(Optic.optionFromUndefinedOr()).compose(Optic.some())
    ).type.toBe<Optic.Optional<Usage, string>>()
  })
})

describe("traversals", () => {
  it("forEach works on any array of one element type", () => {
    expect(_usage.key("numbers").forEach((n) => n)).type.toBe<Optic.Traversal<Usage, number>>()
    expect(Optic.id<ReadonlyArray<A | B>>().forEach((e) => e.tag("A").key("code"))).type.toBe<
      Optic.Traversal<ReadonlyArray<A | B>, number>
    >()
    expect(
      _usage
        .optionalKey("allocations")
        .compose(Optic.optionFromUndefinedOr())
        .compose(Optic.some())
        .forEach((n) => n)
    ).type.toBe<Optic.Traversal<Usage, number>>()
    expect(_usage.key("numbers").modifyAll).type.toBeCallableWith((n: number) => n)
    expect(_usage.key("quantity").modifyAll).type.not.toBeCallableWith((n: number) => n)
  })
})

describe("functions", () => {
  it("take the value first or last", () => {
    expect(Optic.get(lens)).type.toBe<(self: number) => string>()
    expect(Optic.get(1, lens)).type.toBe<string>()
    expect(Optic.get).type.not.toBeCallableWith(optional)
    expect(Optic.replace(optional, "a")).type.toBe<(self: number) => number>()
    expect(Optic.replace(1, optional, "a")).type.toBe<number>()
    expect(Optic.replace).type.not.toBeCallableWith(optional, 1)
    expect(Optic.modify(optional, (a) => a)).type.toBe<(self: number) => number>()
    expect(Optic.getAll(_usage.key("numbers"))).type.toBe<(self: Usage) => Array<number>>()
  })
})
