import { describe, expect, it } from "@effect/vitest"
import { Entitlement } from "effect-marketplace-metering/entitlement"

describe("valueOf", () => {
  it.each<
    readonly [ConstructorParameters<typeof Entitlement.EntitlementValue>[0], Entitlement.Value]
  >([
    [{ integerValue: 25 }, { _tag: "Integer", value: 25 }],
    [{ integerValue: 0 }, { _tag: "Integer", value: 0 }],
    [{ doubleValue: 0 }, { _tag: "Double", value: 0 }],
    [{ booleanValue: false }, { _tag: "Boolean", value: false }],
    [{ stringValue: "" }, { _tag: "String", value: "" }],
    [{}, { _tag: "None" }]
  ])("reads %j", (fields, expected) => {
    const value = new Entitlement.EntitlementValue(fields)
    expect(Entitlement.valueOf(new Entitlement.Entitlement({ value }))).toEqual(expected)
  })
})
