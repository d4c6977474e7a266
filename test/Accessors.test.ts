// biome-ignore-all lint/suspicious/useIterableCallbackReturn: the forEach of an optic is not that of an array

import { assert, describe, it } from "@effect/vitest"
import type * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import { pipe } from "effect/Function"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Accessors from "effect-marketplace-metering/Accessors"
import {
  BatchMeterUsageRequest,
  BatchMeterUsageResponse
} from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import { MeterUsageRequest, MeterUsageResponse } from "effect-marketplace-metering/MeterUsage"
import * as Operation from "effect-marketplace-metering/Operation"
import * as Optic from "effect-marketplace-metering/Optic"
import {
  RegisterUsageRequest,
  RegisterUsageResponse
} from "effect-marketplace-metering/RegisterUsage"
import {
  ResolveCustomerRequest,
  ResolveCustomerResponse
} from "effect-marketplace-metering/ResolveCustomer"
import { Tag, UsageAllocation } from "effect-marketplace-metering/UsageAllocation"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import { clientLayer } from "./support/client.js"
import { licenseArn, productCode, registrationToken, timestamp } from "./support/operations.js"
import { stubHttp } from "./support/stubHttp.js"

// ---------------------------------------------------------------------------------------------------
// values: any content, because lenses do not validate
// ---------------------------------------------------------------------------------------------------

const fc = FastCheck

const text = fc.string({ maxLength: 8 })
const whole = fc.integer()
const time = fc.integer({ min: 0, max: 4e12 }).map((millis) => DateTime.unsafeMake(millis))
const secret = text.map((token) => Redacted.make(token))
const listOf = <A>(one: FastCheck.Arbitrary<A>) => fc.array(one, { maxLength: 3 })
const nonEmptyOf = <A>(one: FastCheck.Arbitrary<A>) =>
  fc.tuple(one, listOf(one)).map(([head, tail]): Arr.NonEmptyReadonlyArray<A> => [head, ...tail])

/** Generates instances with all required fields and some optional ones. */
const instances = <A, Fields>(
  make: new (fields: Fields, unchecked: true) => A,
  required: { readonly [name: string]: FastCheck.Arbitrary<unknown> },
  others: { readonly [name: string]: FastCheck.Arbitrary<unknown> } = {}
): FastCheck.Arbitrary<A> =>
  fc
    .record({ ...required, ...others }, { requiredKeys: Object.keys(required) })
    // the tables below have the fields; the round trips through the lenses check their types
    .map((fields) => new make(fields as Fields, true))

const tags = instances(Tag, { key: text, value: text })
const allocations = instances(
  UsageAllocation,
  { allocatedUsageQuantity: whole },
  { tags: nonEmptyOf(tags) }
)
const records = instances(
  UsageRecord.UsageRecord,
  { timestamp: time, dimension: text, quantity: whole },
  {
    customerIdentifier: text,
    customerAWSAccountId: text,
    licenseArn: text,
    usageAllocations: nonEmptyOf(allocations)
  }
)
const status = fc.constantFrom("Success", "CustomerNotSubscribed", "DuplicateRecord", "Postponed")
const results = instances(
  UsageRecord.UsageRecordResult,
  {},
  { usageRecord: records, meteringRecordId: text, status }
)
const responseFields = { requestId: text, statusCode: whole }

// ---------------------------------------------------------------------------------------------------
// names: the contract, as a table
// ---------------------------------------------------------------------------------------------------

interface Row {
  readonly name: keyof typeof Accessors
  readonly alias: keyof typeof Accessors
  readonly key: string
  readonly focus: FastCheck.Arbitrary<unknown>
  readonly isOptional: boolean
}

const key = (
  name: keyof typeof Accessors,
  alias: keyof typeof Accessors,
  focus: FastCheck.Arbitrary<unknown>,
  key = alias.slice(alias.indexOf("_") + 1)
): Row => ({ name, alias, key, focus, isOptional: false })

const maybe = (
  name: keyof typeof Accessors,
  alias: keyof typeof Accessors,
  focus: FastCheck.Arbitrary<unknown>
): Row => ({
  ...key(name, alias, fc.option(focus).map(Option.fromNullable)),
  isOptional: true
})

const httpStatus = (name: keyof typeof Accessors, alias: keyof typeof Accessors) =>
  key(name, alias, whole, "statusCode")

const lenses: ReadonlyArray<{
  // biome-ignore lint/suspicious/noExplicitAny: a table over all classes
  readonly of: Schema.Schema<any, any> & {
    readonly prototype: object
    readonly fields: object
  }
  readonly values: FastCheck.Arbitrary<object>
  readonly rows: ReadonlyArray<Row>
}> = [
  {
    of: UsageRecord.UsageRecord,
    values: records,
    rows: [
      key("urTimestamp", "usageRecord_timestamp", time),
      maybe("urCustomerIdentifier", "usageRecord_customerIdentifier", text),
      key("urDimension", "usageRecord_dimension", text),
      key("urQuantity", "usageRecord_quantity", whole),
      maybe("urUsageAllocations", "usageRecord_usageAllocations", nonEmptyOf(allocations)),
      maybe("urCustomerAWSAccountId", "usageRecord_customerAWSAccountId", text),
      maybe("urLicenseArn", "usageRecord_licenseArn", text)
    ]
  },
  {
    of: UsageRecord.UsageRecordResult,
    values: results,
    rows: [
      maybe("urrStatus", "usageRecordResult_status", status),
      maybe("urrUsageRecord", "usageRecordResult_usageRecord", records),
      maybe("urrMeteringRecordId", "usageRecordResult_meteringRecordId", text)
    ]
  },
  {
    of: UsageAllocation,
    values: allocations,
    rows: [
      key("uaAllocatedUsageQuantity", "usageAllocation_allocatedUsageQuantity", whole),
      maybe("uaTags", "usageAllocation_tags", nonEmptyOf(tags))
    ]
  },
  {
    of: Tag,
    values: tags,
    rows: [key("tagKey", "tag_key", text), key("tagValue", "tag_value", text)]
  },
  {
    of: BatchMeterUsageRequest,
    values: instances(
      BatchMeterUsageRequest,
      { usageRecords: listOf(records) },
      { productCode: text }
    ),
    rows: [
      key("bmuUsageRecords", "batchMeterUsage_usageRecords", listOf(records)),
      maybe("bmuProductCode", "batchMeterUsage_productCode", text)
    ]
  },
  {
    of: BatchMeterUsageResponse,
    values: instances(BatchMeterUsageResponse, {
      results: listOf(results),
      unprocessedRecords: listOf(records),
      ...responseFields
    }),
    rows: [
      key("bmursResults", "batchMeterUsageResponse_results", listOf(results)),
      key("bmursUnprocessedRecords", "batchMeterUsageResponse_unprocessedRecords", listOf(records)),
      httpStatus("bmursResponseStatus", "batchMeterUsageResponse_httpStatus")
    ]
  },
  {
    of: MeterUsageRequest,
    values: instances(
      MeterUsageRequest,
      {
        productCode: text,
        timestamp: time,
        usageDimension: text,
        usageQuantity: whole,
        dryRun: fc.boolean(),
        clientToken: text
      },
      { usageAllocations: nonEmptyOf(allocations) }
    ),
    rows: [
      key("muProductCode", "meterUsage_productCode", text),
      key("muTimestamp", "meterUsage_timestamp", time),
      key("muUsageDimension", "meterUsage_usageDimension", text),
      key("muUsageQuantity", "meterUsage_usageQuantity", whole),
      key("muDryRun", "meterUsage_dryRun", fc.boolean()),
      maybe("muUsageAllocations", "meterUsage_usageAllocations", nonEmptyOf(allocations)),
      maybe("muClientToken", "meterUsage_clientToken", text)
    ]
  },
  {
    of: MeterUsageResponse,
    values: instances(MeterUsageResponse, responseFields, { meteringRecordId: text }),
    rows: [
      maybe("mursMeteringRecordId", "meterUsageResponse_meteringRecordId", text),
      httpStatus("mursResponseStatus", "meterUsageResponse_httpStatus")
    ]
  },
  {
    of: RegisterUsageRequest,
    values: instances(
      RegisterUsageRequest,
      { productCode: text, publicKeyVersion: whole },
      { nonce: text }
    ),
    rows: [
      key("ruProductCode", "registerUsage_productCode", text),
      key("ruPublicKeyVersion", "registerUsage_publicKeyVersion", whole),
      maybe("ruNonce", "registerUsage_nonce", text)
    ]
  },
  {
    of: RegisterUsageResponse,
    values: instances(RegisterUsageResponse, responseFields, {
      signature: text,
      publicKeyRotationTimestamp: time
    }),
    rows: [
      maybe("rursSignature", "registerUsageResponse_signature", text),
      maybe(
        "rursPublicKeyRotationTimestamp",
        "registerUsageResponse_publicKeyRotationTimestamp",
        time
      ),
      httpStatus("rursResponseStatus", "registerUsageResponse_httpStatus")
    ]
  },
  {
    of: ResolveCustomerRequest,
    values: instances(ResolveCustomerRequest, { registrationToken: secret }),
    rows: [key("rcRegistrationToken", "resolveCustomer_registrationToken", secret)]
  },
  {
    of: ResolveCustomerResponse,
    values: instances(ResolveCustomerResponse, responseFields, {
      customerIdentifier: text,
      customerAWSAccountId: text,
      productCode: text,
      licenseArn: text
    }),
    rows: [
      maybe("rcrsCustomerIdentifier", "resolveCustomerResponse_customerIdentifier", text),
      maybe("rcrsProductCode", "resolveCustomerResponse_productCode", text),
      maybe("rcrsCustomerAWSAccountId", "resolveCustomerResponse_customerAWSAccountId", text),
      maybe("rcrsLicenseArn", "resolveCustomerResponse_licenseArn", text),
      httpStatus("rcrsResponseStatus", "resolveCustomerResponse_httpStatus")
    ]
  }
]

const named = { ...Accessors }
const rows = lenses.flatMap(({ rows }) => rows)

const matchers = {
  _InvalidEndpointRegionException: Accessors._InvalidEndpointRegionException,
  _InvalidProductCodeException: Accessors._InvalidProductCodeException,
  _InvalidUsageDimensionException: Accessors._InvalidUsageDimensionException,
  _DuplicateRequestException: Accessors._DuplicateRequestException,
  _TimestampOutOfBoundsException: Accessors._TimestampOutOfBoundsException,
  _ThrottlingException: Accessors._ThrottlingException,
  _InternalServiceErrorException: Accessors._InternalServiceErrorException,
  _InvalidTokenException: Accessors._InvalidTokenException,
  _ExpiredTokenException: Accessors._ExpiredTokenException,
  _InvalidCustomerIdentifierException: Accessors._InvalidCustomerIdentifierException,
  _CustomerNotEntitledException: Accessors._CustomerNotEntitledException,
  _DisabledApiException: Accessors._DisabledApiException,
  _InvalidPublicKeyVersionException: Accessors._InvalidPublicKeyVersionException,
  _InvalidRegionException: Accessors._InvalidRegionException,
  _InvalidTagException: Accessors._InvalidTagException,
  _InvalidUsageAllocationsException: Accessors._InvalidUsageAllocationsException,
  _PlatformNotSupportedException: Accessors._PlatformNotSupportedException,
  _IdempotencyConflictException: Accessors._IdempotencyConflictException,
  _InvalidLicenseException: Accessors._InvalidLicenseException
} as const

const constructors = [
  "usageRecord",
  "usageRecordResult",
  "usageAllocation",
  "tag",
  "batchMeterUsage",
  "batchMeterUsageResponse",
  "meterUsage",
  "meterUsageResponse",
  "registerUsage",
  "registerUsageResponse",
  "resolveCustomer",
  "resolveCustomerResponse"
]

// ---------------------------------------------------------------------------------------------------
// errors: one of each class
// ---------------------------------------------------------------------------------------------------

const operation = "MeterUsage"
const response = { operation, statusCode: 400, requestId: "1a2b", serviceMessage: "no" } as const
const isModelled = (name: string): name is MeteringError.ModelledException["_tag"] =>
  name.endsWith("Exception")
const classes = { ...MeteringError }
const modelled = Object.keys(classes)
  .filter(isModelled)
  .map((name): MeteringError.ModelledException => new classes[name](response))
const coded = [
  new MeteringError.CredentialsExpiredError({ ...response, code: "ExpiredTokenException" }),
  new MeteringError.CredentialsRejectedError({ ...response, code: "InvalidSignatureException" }),
  new MeteringError.AccessDeniedError({ ...response, code: "AccessDeniedException" }),
  new MeteringError.ClockSkewError({ ...response, code: "RequestTimeTooSkewed" }),
  new MeteringError.UnknownServiceError({
    ...response,
    statusCode: 503,
    code: "ThrottlingException"
  })
]
const unexpected = new MeteringError.UnexpectedResponseError({
  ...response,
  statusCode: 502,
  bodyLength: 7
})
const withoutResponse = [
  new MeteringError.InvalidInputError({
    violations: [{ field: "quantity", rule: "type", expected: "a finite number" }]
  }),
  new MeteringError.CredentialsError({ tried: ["environment"], reason: "none set" }),
  new MeteringError.ConnectionError({
    operation,
    endpoint: "https://localhost",
    reason: "ECONNREFUSED",
    delivery: "notSent"
  }),
  new MeteringError.RequestTimeoutError({
    operation,
    endpoint: "https://localhost",
    timeout: Duration.seconds(30)
  })
]
const errors: ReadonlyArray<MeteringError.MeteringError> = [
  ...modelled,
  ...coded,
  unexpected,
  ...withoutResponse
]

const matched = <A>(optic: Optic.Optional<MeteringError.MeteringError, A>) =>
  errors.filter((error) => Either.isRight(optic.getResult(error)))

/** Freezes a value, so that a mutation throws. Values that cache in themselves stay as they are. */
const freeze = <A>(value: A): A => {
  if (typeof value !== "object" || value === null) return value
  if (DateTime.isDateTime(value) || Redacted.isRedacted(value)) return value
  for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}

describe("Accessors", () => {
  it("exports the names of the contract and no other", () => {
    assert.deepStrictEqual(
      Object.keys(Accessors).sort(),
      [
        ...rows.flatMap(({ alias, name }) => [name, alias]),
        ...Object.keys(matchers),
        ...["_ServiceError", "hasCode", "hasStatus", "httpStatus", "_HttpStatus"],
        ...constructors,
        "marketplaceMetering"
      ].sort()
    )
  })

  it("has the same optic under both names, and a different one for each field", () => {
    for (const { alias, name } of rows) assert.strictEqual(named[alias], named[name], alias)
    assert.strictEqual(new Set(rows.map(({ name }) => named[name])).size, rows.length)
    assert.strictEqual(Accessors._HttpStatus, Accessors.httpStatus)
  })

  it("has the service description of the original", () => {
    assert.strictEqual(Accessors.marketplaceMetering, Operation.marketplaceMetering)
    assert.strictEqual(Accessors.marketplaceMetering.signingName, "aws-marketplace")
  })

  it("has a lens for each field of the wire format", () => {
    for (const { of, rows } of lenses) {
      const fields = Object.keys(of.fields)
      assert.deepStrictEqual(
        rows.map(({ key }) => key).sort(),
        // these are not fields of the service's response
        fields
          .filter((name) => !["requestId", "unreadable", "missingRecords"].includes(name))
          .sort()
      )
    }
  })

  for (const { of, rows, values } of lenses) {
    const same = Schema.equivalence(Schema.typeSchema(of))

    describe.each(rows)("$name", ({ focus, isOptional, key, name }) => {
      // biome-ignore lint/suspicious/noExplicitAny: the type of each is tested in test/types
      const lens = named[name] as Optic.Lens<any, unknown>

      it.prop("get returns the replaced part", [values, focus], ([s, a]) => {
        const read = lens.get(lens.replace(a, freeze(s)))
        assert.isTrue(Equal.equals(read, a) || Object.is(read, a))
        assert.deepStrictEqual(Either.getOrThrow(lens.getResult(lens.replace(a, s))), read)
      })

      it.prop("replacing a part with itself returns the same object", [values], ([s]) => {
        assert.strictEqual(lens.replace(lens.get(freeze(s)), s), s)
      })

      it.prop("the last of two replacements wins", [values, focus, focus], ([s, a, b]) => {
        assert.isTrue(same(lens.replace(b, lens.replace(a, freeze(s))), lens.replace(b, s)))
      })

      it.prop("changes only its key", [values, focus], ([s, a]) => {
        const before: Record<string, unknown> = { ...s }
        const after = lens.replace(a, freeze(s))
        const expected = { ...before, [key]: Option.isOption(a) ? Option.getOrUndefined(a) : a }
        if (isOptional && Option.isOption(a) && Option.isNone(a)) delete expected[key]
        assert.deepStrictEqual({ ...after }, expected)
        assert.deepStrictEqual({ ...s }, before)
        assert.isTrue(Object.keys(before).every((k) => k === key || after[k] === before[k]))
      })

      it.prop("keeps the class, and Equal and Hash", [values, focus], ([s, a]) => {
        Hash.hash(s)
        const after = lens.replace(a, s)
        assert.strictEqual(Object.getPrototypeOf(after), of.prototype)
        const back = lens.replace(lens.get(s), after)
        assert.isTrue(Equal.equals(back, s))
        assert.strictEqual(Hash.hash(back), Hash.hash(s))
        const again = lens.replace(a, lens.replace(lens.get(s), after))
        assert.isTrue(Equal.equals(again, after))
        assert.strictEqual(Hash.hash(again), Hash.hash(after))
        assert.strictEqual(Equal.equals(after, s), Equal.equals(lens.get(after), lens.get(s)))
      })
    })
  }

  it("None removes a key, also one that holds undefined", () => {
    const record = UsageRecord.make({
      timestamp,
      dimension: "hosts",
      quantity: 1,
      customerAWSAccountId: "111122223333",
      customerIdentifier: undefined
    })
    assert.isTrue("customerIdentifier" in record)
    assert.deepStrictEqual(Accessors.urCustomerIdentifier.get(record), Option.none())
    const without = Accessors.urCustomerIdentifier.replace(Option.none(), record)
    assert.deepStrictEqual(Object.keys(without), [
      "timestamp",
      "dimension",
      "quantity",
      "customerAWSAccountId"
    ])
    assert.isFalse(
      "customerAWSAccountId" in Accessors.urCustomerAWSAccountId.replace(Option.none(), record)
    )
  })

  it("optics compose", () => {
    const _tagValues = Accessors.urUsageAllocations
      .compose(Optic.some())
      .forEach((one) => one.compose(Accessors.uaTags).compose(Optic.some()).at(0).key("value"))
    const record = pipe(
      Accessors.usageRecord(timestamp, "customer", "hosts", 3),
      Optic.replace(
        Accessors.urUsageAllocations,
        Option.some([
          pipe(
            Accessors.usageAllocation(2),
            Optic.replace(Accessors.uaTags, Option.some([Accessors.tag("team", "search")]))
          ),
          Accessors.usageAllocation(1)
        ])
      )
    )
    const upperCased = Optic.modifyAll(record, _tagValues, (value) => value.toUpperCase())
    assert.deepStrictEqual(Optic.getAll(upperCased, _tagValues), ["SEARCH"])
    assert.isTrue(Either.isRight(UsageRecord.makeEither(upperCased)))
  })

  it("the status of a result may be an unknown value", () => {
    const result = Accessors.urrStatus.replace(
      Option.some("Postponed"),
      Accessors.usageRecordResult()
    )
    assert.deepStrictEqual(Accessors.urrStatus.get(result), Option.some("Postponed"))
    assert.isFalse(UsageRecord.isKnownStatus(result.status))
  })

  describe("matchers", () => {
    it("exist for each exception of the model, and these tests cover each error", () => {
      assert.deepStrictEqual(
        Object.keys(matchers).sort(),
        modelled.map(({ _tag }) => `_${_tag}`).sort()
      )
      assert.strictEqual(modelled.length, 19)
      assert.deepStrictEqual(
        errors.map(({ _tag }): string => _tag).sort(),
        // raised by the layer of a client, not by a call
        Object.keys(classes)
          .filter((name) => /(Error|Exception)$/.test(name) && name !== "MeteringConfigError")
          .sort()
      )
    })

    it.each(Object.entries(matchers))("%s matches its exception and no other", (name, matcher) => {
      // biome-ignore lint/suspicious/noExplicitAny: the type of each is tested in test/types
      const prism = matcher as unknown as Optic.Prism<MeteringError.MeteringError, any>
      const [error, ...others] = matched(prism)
      assert.deepStrictEqual(others, [])
      assert.strictEqual(error?._tag, name.slice(1))
      assert.strictEqual(error && Either.getOrThrow(prism.getResult(error)), error)
      assert.strictEqual(prism.set(error), error)
      assert.deepStrictEqual(errors.map(prism.modify((same) => same)), errors)
    })

    it("update an exception, which stays an error of its class", () => {
      const error = new MeteringError.ThrottlingException(response)
      const changed = Accessors._ThrottlingException
        .optionalKey("serviceMessage")
        .replace("slower", error)
      assert.instanceOf(changed, MeteringError.ThrottlingException)
      assert.include(changed.message, "slower")
      assert.isTrue(changed._tag === "ThrottlingException" && changed.isThrottling)
    })

    it("_ServiceError matches the errors that the service returned", () => {
      assert.deepStrictEqual(matched(Accessors._ServiceError), [...modelled, ...coded])
      assert.deepStrictEqual(
        Accessors._ServiceError.getResult(unexpected),
        Either.left("Expected an error of the service")
      )
    })

    it.each(errors.map((error) => [error._tag, error] as const))(
      "hasCode matches the code of %s",
      (_, error) => {
        const code =
          "code" in error ? error.code : isModelled(error._tag) ? error._tag : "(it has none)"
        const found = Either.isRight(Accessors.hasCode(code).getResult(error))
        assert.strictEqual(found, Either.isRight(Accessors._ServiceError.getResult(error)))
        assert.isTrue(Either.isLeft(Accessors.hasCode(`${code}s`).getResult(error)))
        assert.strictEqual(
          Either.isRight(Accessors.hasCode(error._tag).getResult(error)),
          isModelled(error._tag)
        )
      }
    )

    it("hasCode matches an exception also where the model does not have it", () => {
      assert.deepStrictEqual(
        matched(Accessors.hasCode("ThrottlingException")).map(({ _tag }) => _tag),
        ["ThrottlingException", "UnknownServiceError"]
      )
      assert.deepStrictEqual(
        matched(Accessors.hasCode("ThrottlingException").compose(Accessors.hasStatus(503))).map(
          ({ _tag }) => _tag
        ),
        ["UnknownServiceError"]
      )
      assert.deepStrictEqual(
        Accessors.hasCode("A").getResult(unexpected),
        Either.left('Expected the code "A"')
      )
    })

    it("hasStatus matches the status of the response", () => {
      assert.deepStrictEqual(matched(Accessors.hasStatus(502)), [unexpected])
      assert.deepStrictEqual(
        matched(Accessors._ServiceError.compose(Accessors.hasStatus(400))),
        [...modelled, ...coded].filter(({ statusCode }) => statusCode === 400)
      )
      assert.deepStrictEqual(
        Accessors.hasStatus(418).getResult(unexpected),
        Either.left("Expected the HTTP status 418")
      )
    })

    it("httpStatus focuses on the status of a response, if there is one", () => {
      assert.deepStrictEqual(matched(Accessors.httpStatus), [...modelled, ...coded, unexpected])
      const withoutStatus = new MeteringError.ThrottlingException({ operation })
      for (const error of [...withoutResponse, withoutStatus]) {
        assert.deepStrictEqual(
          Accessors.httpStatus.getResult(error),
          Either.left("Expected an HTTP status")
        )
        assert.strictEqual(Accessors.httpStatus.replace(500, error), error)
      }
      for (const error of [...modelled, ...coded, unexpected]) {
        const { statusCode } = error
        const changed = Accessors.httpStatus.replace(599, error)
        assert.strictEqual(Object.getPrototypeOf(changed), Object.getPrototypeOf(error))
        assert.deepStrictEqual(Accessors.httpStatus.getResult(changed), Either.right(599))
        assert.strictEqual(Either.getOrThrow(Accessors.httpStatus.getResult(error)), statusCode)
      }
    })
  })

  describe("smart constructors", () => {
    const token = Redacted.make(registrationToken)

    it("take the required fields in the order of the original", () => {
      assert.deepStrictEqual(
        { ...Accessors.usageRecord(timestamp, "customer", "hosts", 3) },
        {
          timestamp,
          customerIdentifier: "customer",
          dimension: "hosts",
          quantity: 3
        }
      )
      assert.deepStrictEqual({ ...Accessors.usageAllocation(3) }, { allocatedUsageQuantity: 3 })
      assert.deepStrictEqual(
        { ...Accessors.tag("team", "search") },
        {
          key: "team",
          value: "search"
        }
      )
      assert.deepStrictEqual(
        { ...Accessors.batchMeterUsage(productCode) },
        {
          productCode,
          usageRecords: []
        }
      )
      const { clientToken, ...meterUsage } = Accessors.meterUsage(
        productCode,
        timestamp,
        "hosts",
        3,
        true
      )
      assert.match(clientToken ?? "", /^[-0-9a-f]{36}$/)
      assert.deepStrictEqual(meterUsage, {
        productCode,
        timestamp,
        usageDimension: "hosts",
        usageQuantity: 3,
        dryRun: true
      })
      assert.deepStrictEqual(
        { ...Accessors.registerUsage(productCode, 2) },
        {
          productCode,
          publicKeyVersion: 2
        }
      )
      assert.strictEqual(Accessors.resolveCustomer(token).registrationToken, token)
    })

    it("make empty responses and results", () => {
      assert.deepStrictEqual(Object.keys(Accessors.usageRecordResult()), [])
      assert.deepStrictEqual(
        { ...Accessors.batchMeterUsageResponse(200) },
        {
          results: [],
          unprocessedRecords: [],
          unreadable: [],
          missingRecords: [],
          statusCode: 200
        }
      )
      for (const make of [
        Accessors.meterUsageResponse,
        Accessors.registerUsageResponse,
        Accessors.resolveCustomerResponse
      ]) {
        assert.deepStrictEqual({ ...make(503) }, { statusCode: 503 })
      }
    })

    it("make instances", () => {
      for (const [made, of] of [
        [Accessors.usageRecord(timestamp, "customer", "hosts", 3), UsageRecord.UsageRecord],
        [Accessors.usageRecordResult(), UsageRecord.UsageRecordResult],
        [Accessors.usageAllocation(3), UsageAllocation],
        [Accessors.tag("team", "search"), Tag],
        [Accessors.batchMeterUsage(productCode), BatchMeterUsageRequest],
        [Accessors.batchMeterUsageResponse(200), BatchMeterUsageResponse],
        [Accessors.meterUsage(productCode, timestamp, "hosts", 3, false), MeterUsageRequest],
        [Accessors.meterUsageResponse(200), MeterUsageResponse],
        [Accessors.registerUsage(productCode, 1), RegisterUsageRequest],
        [Accessors.registerUsageResponse(200), RegisterUsageResponse],
        [Accessors.resolveCustomer(token), ResolveCustomerRequest],
        [Accessors.resolveCustomerResponse(200), ResolveCustomerResponse]
      ] as const) {
        assert.strictEqual(Object.getPrototypeOf(made), of.prototype)
      }
    })

    it("throw InvalidInputError when a field breaks a rule, without showing a secret", () => {
      for (const [field, make] of [
        ["customerIdentifier", () => Accessors.usageRecord(timestamp, "", "hosts", 3)],
        ["dimension", () => Accessors.usageRecord(timestamp, "customer", "", 3)],
        ["quantity", () => Accessors.usageRecord(timestamp, "customer", "hosts", -1)],
        ["allocatedUsageQuantity", () => Accessors.usageAllocation(0.5)],
        ["key", () => Accessors.tag("", "search")],
        ["value", () => Accessors.tag("team", "é")],
        ["productCode", () => Accessors.batchMeterUsage("")],
        [
          "usageQuantity",
          () => Accessors.meterUsage(productCode, timestamp, "hosts", 2 ** 31, true)
        ],
        ["publicKeyVersion", () => Accessors.registerUsage(productCode, 0)],
        ["registrationToken", () => Accessors.resolveCustomer(Redacted.make(""))]
      ] as const) {
        const error = Either.getOrThrow(Either.flip(Either.try<unknown>(make)))
        assert.instanceOf(error, MeteringError.InvalidInputError)
        assert.deepStrictEqual(
          error.violations.map((violation) => violation.field),
          [field]
        )
      }
    })
  })

  describe("an edited value", () => {
    const record = Accessors.usageRecord(timestamp, "customer", "hosts", 3)
    const negative = Accessors.urQuantity.replace(-1, record)
    const twoIdentities = Accessors.urCustomerAWSAccountId.replace(
      Option.some("111122223333"),
      record
    )
    const submit = (...records: ReadonlyArray<UsageRecord.UsageRecord>) =>
      MeteringClient.batchMeterUsage(
        Accessors.bmuUsageRecords.replace(records, Accessors.batchMeterUsage(productCode))
      )

    it("is an instance, and is not validated", () => {
      assert.instanceOf(negative, UsageRecord.UsageRecord)
      assert.strictEqual(negative.quantity, -1)
    })

    it("is validated by the constructors", () => {
      const rules = (record: UsageRecord.UsageRecord) =>
        Either.mapLeft(UsageRecord.makeEither(record), ({ violations }) =>
          violations.map(({ rule }) => rule)
        )
      assert.deepStrictEqual(rules(negative), Either.left(["quantity"]))
      assert.deepStrictEqual(rules(twoIdentities), Either.left(["oneCustomerIdentity"]))
      assert.deepStrictEqual(rules(record), Either.right(record))
    })

    it.effect("is validated when it is sent", () =>
      Effect.gen(function* () {
        const http = stubHttp({ body: {} })
        const error = yield* submit(record, negative, twoIdentities).pipe(
          Effect.flip,
          Effect.provide(clientLayer(http.layer))
        )
        assert(error._tag === "InvalidInputError")
        assert.deepStrictEqual(
          error.violations.map(({ index, rule }) => [index, rule]),
          [
            [1, "quantity"],
            [2, "oneCustomerIdentity"]
          ]
        )
        assert.strictEqual(http.sent.length, 0)
      })
    )

    it.effect("is sent with the edits", () =>
      Effect.gen(function* () {
        const http = stubHttp({ body: {} })
        const byLicense = pipe(
          record,
          Optic.replace(Accessors.urCustomerIdentifier, Option.none()),
          Optic.replace(Accessors.urCustomerAWSAccountId, Option.some("111122223333")),
          Optic.replace(Accessors.urLicenseArn, Option.some(licenseArn)),
          Optic.modify(Accessors.urQuantity, (quantity) => quantity + 1)
        )
        const request = pipe(
          Accessors.batchMeterUsage(productCode),
          Optic.replace(Accessors.bmuProductCode, Option.none()),
          Optic.replace(Accessors.bmuUsageRecords, [byLicense])
        )
        yield* Effect.provide(MeteringClient.batchMeterUsage(request), clientLayer(http.layer))
        assert.deepStrictEqual(
          http.sent.map(({ json }) => json),
          [
            {
              UsageRecords: [
                {
                  Timestamp: timestamp.epochMillis / 1000,
                  CustomerAWSAccountId: "111122223333",
                  Dimension: "hosts",
                  Quantity: 4,
                  LicenseArn: licenseArn
                }
              ]
            }
          ]
        )
      })
    )

    it("edits keep the client token, so that a retry is the same charge", () => {
      const request = Accessors.meterUsage(productCode, timestamp, "hosts", 3, true)
      const real = Accessors.muDryRun.replace(false, request)
      assert.deepStrictEqual(
        Accessors.muClientToken.get(real),
        Accessors.muClientToken.get(request)
      )
      assert.isFalse("clientToken" in Accessors.muClientToken.replace(Option.none(), real))
    })
  })
})
