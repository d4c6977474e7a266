import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import {
  Accessors,
  Entitlement,
  EntitlementError,
  GetEntitlements
} from "effect-marketplace-metering/entitlement"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import type * as Optic from "effect-marketplace-metering/Optic"
import { licenseArn } from "../support/operations.js"
import { expirationDate, request } from "./support.js"

const value = new Entitlement.EntitlementValue({ integerValue: 25 })

const entitlement = new Entitlement.Entitlement({
  productCode: "p",
  dimension: "seats",
  customerIdentifier: "c",
  customerAWSAccountId: "111122223333",
  value,
  expirationDate,
  licenseArn
})

const filter = new GetEntitlements.EntitlementFilter({
  customerAWSAccountId: ["111122223333"],
  dimension: ["seats"],
  licenseArn: [licenseArn]
})

const getEntitlements = GetEntitlements.make(request)

const response = new GetEntitlements.GetEntitlementsResponse({
  entitlements: [entitlement],
  nextToken: "t",
  statusCode: 200
})

// the table erases the types of the focuses, which the type tests check
type AnyLens = Optic.Lens<object, unknown>

/** Every lens: its names of 1.6 and 2.0, its key, a value with it, and another focus. */
const lenses: ReadonlyArray<
  readonly [name: string, alias: string, key: string, value: object, other: unknown]
> = [
  ["geProductCode", "getEntitlements_productCode", "productCode", getEntitlements, "q"],
  ["geFilter", "getEntitlements_filter", "filter", getEntitlements, filter],
  ["geNextToken", "getEntitlements_nextToken", "nextToken", getEntitlements, "u"],
  ["geMaxResults", "getEntitlements_maxResults", "maxResults", getEntitlements, 7],
  [
    "efCustomerAWSAccountId",
    "entitlementFilter_customerAWSAccountId",
    "customerAWSAccountId",
    filter,
    ["1"]
  ],
  [
    "efCustomerIdentifier",
    "entitlementFilter_customerIdentifier",
    "customerIdentifier",
    filter,
    ["c"]
  ],
  ["efDimension", "entitlementFilter_dimension", "dimension", filter, ["d", "e"]],
  ["efLicenseArn", "entitlementFilter_licenseArn", "licenseArn", filter, [licenseArn, "x"]],
  ["gersEntitlements", "getEntitlementsResponse_entitlements", "entitlements", response, []],
  ["gersNextToken", "getEntitlementsResponse_nextToken", "nextToken", response, "u"],
  ["gersResponseStatus", "getEntitlementsResponse_httpStatus", "statusCode", response, 201],
  ["eProductCode", "entitlement_productCode", "productCode", entitlement, "q"],
  ["eDimension", "entitlement_dimension", "dimension", entitlement, "d"],
  ["eCustomerIdentifier", "entitlement_customerIdentifier", "customerIdentifier", entitlement, "d"],
  [
    "eCustomerAWSAccountId",
    "entitlement_customerAWSAccountId",
    "customerAWSAccountId",
    entitlement,
    "1"
  ],
  ["eLicenseArn", "entitlement_licenseArn", "licenseArn", entitlement, "x"],
  ["eValue", "entitlement_value", "value", entitlement, value],
  ["eExpirationDate", "entitlement_expirationDate", "expirationDate", entitlement, expirationDate],
  ["evIntegerValue", "entitlementValue_integerValue", "integerValue", value, 26],
  ["evDoubleValue", "entitlementValue_doubleValue", "doubleValue", value, 0.5],
  ["evBooleanValue", "entitlementValue_booleanValue", "booleanValue", value, false],
  ["evStringValue", "entitlementValue_stringValue", "stringValue", value, "gold"]
]

/** Lenses to keys that are always present, whose focus is no `Option`. */
const required = new Set(["geProductCode", "gersEntitlements", "gersResponseStatus"])

const all = Accessors as unknown as Readonly<Record<string, AnyLens>>

describe.each(lenses)("%s", (name, alias, key, whole, other) => {
  const lens = all[name] as AnyLens
  const focus = (one: unknown) => (required.has(name) ? one : Option.some(one))

  it(`is also ${alias}`, () => {
    assert.strictEqual(all[alias], lens)
  })

  it("obeys the laws of a lens, and keeps the class", () => {
    const replaced = lens.replace(focus(other), whole)
    assert.deepStrictEqual(lens.get(replaced), focus(other))
    assert.deepStrictEqual(lens.replace(lens.get(whole), whole), whole)
    assert.deepStrictEqual(lens.replace(focus(other), replaced), replaced)
    assert.strictEqual(Object.getPrototypeOf(replaced), Object.getPrototypeOf(whole))
    assert.deepStrictEqual({ ...replaced }, { ...whole, [key]: other })
  })

  it("removes an optional key by None", () => {
    if (required.has(name)) return
    const removed = lens.replace(Option.none(), whole)
    assert.notProperty(removed, key)
    assert.deepStrictEqual(lens.get(removed), Option.none())
  })
})

it("has no other accessors than the table, the matchers and the constructors", () => {
  assert.sameMembers(Object.keys(Accessors), [
    ...lenses.map(([name]) => name),
    ...lenses.map(([, alias]) => alias),
    "_InvalidParameterException",
    "_ThrottlingException",
    "_InternalServiceErrorException",
    "getEntitlements",
    "getEntitlementsResponse",
    "entitlement",
    "entitlementValue",
    "marketplaceEntitlement"
  ])
})

describe("the constructors", () => {
  it("make what the classes make", () => {
    assert.deepStrictEqual(
      Accessors.getEntitlements("p"),
      GetEntitlements.make({ productCode: "p" })
    )
    assert.throws(() => Accessors.getEntitlements(""), /productCode/)
    assert.strictEqual(Accessors.getEntitlementsResponse(201).statusCode, 201)
    assert.deepStrictEqual({ ...Accessors.entitlement() }, {})
    assert.deepStrictEqual(Entitlement.valueOf(Accessors.entitlement()), { _tag: "None" })
    assert.deepStrictEqual({ ...Accessors.entitlementValue() }, {})
  })
})

describe("the matchers", () => {
  const fields = { operation: "GetEntitlements" } as const
  const errors = {
    InvalidParameterException: new EntitlementError.InvalidParameterException(fields),
    ThrottlingException: new MeteringError.ThrottlingException(fields),
    InternalServiceErrorException: new MeteringError.InternalServiceErrorException(fields)
  }

  it("match their own exception only", () => {
    for (const [tag, error] of Object.entries(errors)) {
      for (const [name, matcher] of [
        ["InvalidParameterException", Accessors._InvalidParameterException],
        ["ThrottlingException", Accessors._ThrottlingException],
        ["InternalServiceErrorException", Accessors._InternalServiceErrorException]
      ] as const) {
        const result: Either.Either<unknown, unknown> = matcher.getResult(error)
        assert.strictEqual(Either.isRight(result), name === tag)
      }
    }
  })
})

it("names the service", () => {
  assert.deepInclude(
    { ...Accessors.marketplaceEntitlement },
    {
      serviceId: "Marketplace Entitlement Service",
      apiVersion: "2017-01-11",
      endpointPrefix: "entitlement.marketplace",
      signingName: "aws-marketplace",
      targetPrefix: "AWSMPEntitlementService"
    }
  )
})
