/** Arbitrary requests and responses, valid ones and ones with invalid fields. */
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { licenseArn, type MeteringOperationName, timestamp } from "./operations.js"

const fc = FastCheck

/** Milliseconds that a double holds exactly as a fraction of seconds: 139 000 years before and after 1970. */
export const epochMillis = fc.integer({ min: -(2 ** 42) * 1000, max: 2 ** 42 * 1000 })

const time = epochMillis.map((millis) => DateTime.unsafeMake(millis))

const textOf = (alphabet: string, minLength: number, maxLength: number) =>
  fc
    .array(fc.constantFrom(...alphabet), { minLength, maxLength })
    .map((characters) => characters.join(""))

const wordCharacters = "azAZ09"
const productCode = textOf(`${wordCharacters}-/=:_.@`, 1, 255)
const dimension = fc.string({ minLength: 1, maxLength: 255 })
const quantity = fc.oneof(
  fc.nat({ max: 2_147_483_647 }),
  fc.constantFrom(0, 1, 2_147_483_646, 2_147_483_647)
)

const tag = fc.record({
  key: textOf("kK", 1, 2),
  value: textOf(`${wordCharacters}+ -=._:/@\\`, 0, 8)
})

const tagSetOf = (tags: ReadonlyArray<{ key: string; value: string }> | undefined) =>
  [...new Set((tags ?? []).map(({ key, value }) => `${key}\n${value}`))].sort().join("\t")

const allocation = fc.record(
  {
    allocatedUsageQuantity: fc.nat({ max: 1000 }),
    tags: fc.array(tag, { minLength: 1, maxLength: 5 })
  },
  { requiredKeys: ["allocatedUsageQuantity"] }
)

/** A quantity without allocations, or with allocations that add up to it. */
const quantityFields = fc.oneof(
  quantity.map((quantity) => ({ quantity })),
  fc
    .uniqueArray(allocation, { minLength: 1, maxLength: 6, selector: ({ tags }) => tagSetOf(tags) })
    .map((all) => withAtMostFiveTagKeys(all))
    .map((usageAllocations) => ({
      quantity: usageAllocations.reduce((sum, one) => sum + one.allocatedUsageQuantity, 0),
      usageAllocations
    }))
)

/** Drops the allocations that would add a sixth tag key. */
const withAtMostFiveTagKeys = <
  A extends { readonly tags?: ReadonlyArray<{ readonly key: string }> }
>(
  all: ReadonlyArray<A>
): ReadonlyArray<A> => {
  const keys = new Set<string>()
  return all.filter(({ tags = [] }) => {
    const more = new Set([...keys, ...tags.map((tag) => tag.key)])
    if (more.size > 5) return false
    for (const key of more) keys.add(key)
    return true
  })
}

const identity = fc.oneof(
  textOf("0123456789", 1, 255).map((customerAWSAccountId) => ({ customerAWSAccountId })),
  fc.string({ minLength: 1, maxLength: 255 }).map((customerIdentifier) => ({ customerIdentifier }))
)

const record = fc
  .tuple(time, dimension, quantityFields, identity)
  .map(([timestamp, dimension, quantified, identity]) => ({
    timestamp,
    dimension,
    ...quantified,
    ...identity
  }))

const meterUsage = fc
  .tuple(
    fc.record({ productCode, timestamp: time, usageDimension: dimension, dryRun: fc.boolean() }),
    quantityFields,
    textOf(wordCharacters, 1, 64)
  )
  .map(([fields, { quantity, ...allocations }, clientToken]) => ({
    ...fields,
    usageQuantity: quantity,
    ...allocations,
    clientToken
  }))

const batchMeterUsage = fc
  .tuple(fc.array(record, { maxLength: 6 }), fc.option(productCode, { nil: undefined }))
  .map(([records, productCode]) =>
    productCode === undefined
      ? { usageRecords: records.map((record) => ({ ...record, licenseArn })) }
      : { usageRecords: records, productCode }
  )

const registerUsage = fc.record(
  {
    productCode,
    publicKeyVersion: fc.integer({ min: 1, max: 2_147_483_647 }),
    nonce: fc.string({ maxLength: 255 })
  },
  { requiredKeys: ["productCode", "publicKeyVersion"] }
)

const resolveCustomer = fc
  .string({ minLength: 1 })
  .map((token) => ({ registrationToken: Redacted.make(token) }))

/** The fields of a valid request. */
export const validFields: Record<MeteringOperationName, FastCheck.Arbitrary<object>> = {
  MeterUsage: meterUsage,
  BatchMeterUsage: batchMeterUsage,
  RegisterUsage: registerUsage,
  ResolveCustomer: resolveCustomer
}

// ---------------------------------------------------------------------------------------------------
// invalid requests
// ---------------------------------------------------------------------------------------------------

const unusualValue = fc.constantFrom<unknown>(
  ...[undefined, null, true, "", " ", "a", "0", "a\n", "é", "ab".repeat(128), "7".repeat(256)],
  ...[0, -0, -1, 1, 1.5, 26, 2 ** 31 - 1, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY, 10n],
  ...[[], {}, [null], [{}], [1], () => 1, Symbol.iterator],
  ...[Redacted.make(""), Redacted.make("token"), Redacted.make(7)],
  ...[timestamp, DateTime.unsafeMakeZoned(timestamp, { timeZone: "Europe/Oslo" }), new Date(0)],
  ...[licenseArn, "arn:aws", `${licenseArn} `]
)

/** A change at one place of a value. */
type Mutation =
  | { readonly kind: "replace"; readonly value: unknown }
  | { readonly kind: "remove" }
  | { readonly kind: "repeat"; readonly times: number }
  | { readonly kind: "add"; readonly name: string; readonly value: unknown }

const mutation: FastCheck.Arbitrary<Mutation> = fc.oneof(
  unusualValue.map((value) => ({ kind: "replace" as const, value })),
  fc.constant({ kind: "remove" as const }),
  fc.constantFrom(2, 26).map((times) => ({ kind: "repeat" as const, times })),
  fc
    .tuple(
      fc.constantFrom(
        "customerIdentifier",
        "customerAWSAccountId",
        "licenseArn",
        "productCode",
        "usageAllocations",
        "unheardOf"
      ),
      unusualValue
    )
    .map(([name, value]) => ({ kind: "add" as const, name, value }))
)

/** Valid fields with 0 to 3 mutations at random places. */
export const maybeInvalid = (fields: FastCheck.Arbitrary<object>): FastCheck.Arbitrary<unknown> =>
  fc
    .tuple(
      fields,
      fc.array(fc.tuple(fc.array(fc.nat({ max: 30 }), { maxLength: 6 }), mutation), {
        maxLength: 3
      })
    )
    .map(([value, mutations]) =>
      mutations.reduce<unknown>((value, [steps, mutation]) => mutate(value, steps, mutation), value)
    )

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype

const mutate = (
  value: unknown,
  [step, ...steps]: ReadonlyArray<number>,
  mutation: Mutation
): unknown => {
  if (Array.isArray(value) && value.length > 0 && step !== undefined) {
    const at = step % value.length
    return value.flatMap((element, i) =>
      i !== at
        ? [element]
        : steps.length === 0 && mutation.kind === "remove"
          ? []
          : steps.length === 0 && mutation.kind === "repeat"
            ? Array.from({ length: mutation.times }, () => element)
            : [mutate(element, steps, mutation)]
    )
  }
  if (isPlain(value) && mutation.kind === "add" && (step === undefined || steps.length === 0)) {
    return { ...value, [mutation.name]: mutation.value }
  }
  if (isPlain(value) && step !== undefined) {
    const names = Object.keys(value)
    const name = names[step % names.length]
    if (name === undefined) return value
    if (steps.length === 0 && mutation.kind === "remove") {
      const { [name]: _, ...others } = value
      return others
    }
    return { ...value, [name]: mutate(value[name], steps, mutation) }
  }
  return mutation.kind === "replace" ? mutation.value : value
}

// ---------------------------------------------------------------------------------------------------
// responses
// ---------------------------------------------------------------------------------------------------

/** Not blank: a blank identifier counts as missing. */
const shortText = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== "")

const optional = <A>(fields: { readonly [K in keyof A]: FastCheck.Arbitrary<A[K]> }) =>
  fc.record(fields, { requiredKeys: [] })

/** The JSON of an echoed record. */
const wireRecord = fc
  .tuple(
    fc.record({ Timestamp: epochMillis.map((millis) => millis / 1000), Dimension: dimension }),
    optional({ Quantity: quantity }),
    fc.oneof(
      shortText.map((CustomerIdentifier) => ({ CustomerIdentifier })),
      fc.constant({ CustomerAWSAccountId: "111122223333", LicenseArn: licenseArn })
    )
  )
  .map(([required, quantity, identity]) => ({ ...required, ...quantity, ...identity }))

/** The JSON of a response with valid types. */
export const validResponse: Record<MeteringOperationName, FastCheck.Arbitrary<object>> = {
  MeterUsage: fc.record({ MeteringRecordId: shortText }),
  BatchMeterUsage: optional({
    Results: fc.array(
      optional({ UsageRecord: wireRecord, MeteringRecordId: shortText, Status: shortText }),
      {
        maxLength: 3
      }
    ),
    UnprocessedRecords: fc.array(wireRecord, { maxLength: 3 })
  }),
  RegisterUsage: fc.record(
    {
      Signature: shortText,
      PublicKeyRotationTimestamp: epochMillis.map((millis) => millis / 1000)
    },
    { requiredKeys: ["Signature"] }
  ),
  ResolveCustomer: fc
    .tuple(
      fc.oneof(
        shortText.map((CustomerIdentifier) => ({ CustomerIdentifier })),
        shortText.map((CustomerAWSAccountId) => ({ CustomerAWSAccountId })),
        fc.record({ CustomerIdentifier: shortText, CustomerAWSAccountId: shortText })
      ),
      optional({ ProductCode: shortText, LicenseArn: shortText })
    )
    .map(([identity, others]) => ({ ...identity, ...others }))
}
