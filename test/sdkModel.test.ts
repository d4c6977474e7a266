/**
 * Our classes and exceptions against the model of the service as the official SDK has it, member by member: a member or
 * an exception that AWS adds fails here, and so does one that it takes away.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import * as sdk from "@aws-sdk/client-marketplace-metering"
import { assert, describe, it } from "@effect/vitest"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import type { ModelledException } from "effect-marketplace-metering/MeteringError"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as MeterUsage from "effect-marketplace-metering/MeterUsage"
import * as RegisterUsage from "effect-marketplace-metering/RegisterUsage"
import * as ResolveCustomer from "effect-marketplace-metering/ResolveCustomer"
import { type Shape, shapeOf } from "../src/internal/schema/shape.js"
import { allOperations, type MeteringOperationName, operations } from "./support/operations.js"

// ---------------------------------------------------------------------------------------------------
// the SDK's schemas: numbers for kinds, tuples for what has parts, functions for what is defined later
// ---------------------------------------------------------------------------------------------------

/** A model in words that both sides share. */
type Described =
  | string
  | { readonly list: Described }
  | { readonly [member: string]: { readonly type: Described; readonly required: boolean } }

const simple: Readonly<Record<number, string>> = {
  0: "string",
  1: "number",
  2: "boolean",
  4: "dateTime"
}

/** Bits of a member's traits, as Smithy packs them. */
const sensitive = 8

type SdkSchema = unknown

const resolve = (schema: SdkSchema): SdkSchema =>
  typeof schema === "function" ? resolve(schema()) : schema

const ofSdk = (schema: SdkSchema): Described => {
  const resolved = resolve(schema)
  if (typeof resolved === "number") return simple[resolved] ?? `unknown kind ${resolved}`
  if (!Array.isArray(resolved)) return `unknown schema ${String(resolved)}`
  const [kind] = resolved
  if (kind === 1) return { list: ofSdk(resolved[4]) }
  if (kind === 3) {
    const names = resolved[4] as ReadonlyArray<string>
    const types = resolved[5] as ReadonlyArray<SdkSchema>
    const required = Number(resolved[6] ?? 0)
    return Object.fromEntries(
      names.map((name, i) => [name, { type: ofSdk(types[i]), required: i < required }])
    )
  }
  // a type with traits, such as [0, 4] for a token of idempotency, by itself or with a name
  const [type, traits] = resolved.length > 2 ? [resolved[4], resolved[3]] : resolved
  return typeof traits === "number" && (traits & sensitive) !== 0 ? "redacted" : ofSdk(type)
}

// ---------------------------------------------------------------------------------------------------
// ours
// ---------------------------------------------------------------------------------------------------

const ofOurs = (shape: Shape): Described => {
  if (shape.kind === "array") return { list: ofOurs(shape.element) }
  if (shape.kind !== "struct") return shape.kind
  return Object.fromEntries(
    shape.fields.map(({ defaultValue, required, shape, wireName }) => [
      wireName,
      { type: ofOurs(shape), required: required && defaultValue() === undefined }
    ])
  )
}

/** Where ours says more than the model does, with the reason. */
const deliberate: ReadonlyArray<readonly [path: string, ours: string, theirs: string]> = [
  // the holder of a registration token can sign up as the buyer; the model does not mark it as sensitive
  ["ResolveCustomerRequest.RegistrationToken", "redacted", "string"],
  // an empty value is sent where the model asks for one
  ["Tags[].Value required", "false", "true"]
]

/** All that differs, each in one line. */
const differences = (path: string, ours: Described, theirs: Described): ReadonlyArray<string> => {
  const differ = (at: string, a: string, b: string) =>
    a === b || deliberate.some((one) => at.endsWith(one[0]) && one[1] === a && one[2] === b)
      ? []
      : [`${at}: ours ${a}, the SDK's ${b}`]
  if (typeof ours === "string" || typeof theirs === "string") {
    return differ(path, kindOf(ours), kindOf(theirs))
  }
  if ("list" in ours || "list" in theirs) {
    return "list" in ours && "list" in theirs
      ? differences(`${path}[]`, ours.list as Described, theirs.list as Described)
      : differ(path, kindOf(ours), kindOf(theirs))
  }
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort().flatMap((name) => {
    const [our, their] = [ours[name], theirs[name]] as ReadonlyArray<
      { readonly type: Described; readonly required: boolean } | undefined
    >
    const at = `${path}.${name}`
    if (our === undefined) return [`${at}: missing in ours`]
    if (their === undefined) return [`${at}: unknown to the SDK`]
    return [
      ...differences(at, our.type, their.type),
      ...differ(`${at} required`, String(our.required), String(their.required))
    ]
  })
}

const kindOf = (described: Described): string =>
  typeof described === "string" ? described : "list" in described ? "list" : "struct"

// ---------------------------------------------------------------------------------------------------
// the comparison
// ---------------------------------------------------------------------------------------------------

const modules: Record<
  MeteringOperationName,
  { readonly operation: { readonly exceptions: ReadonlyArray<{ readonly _tag: string }> } }
> = { MeterUsage, BatchMeterUsage, RegisterUsage, ResolveCustomer }

type Model = Readonly<Record<string, unknown>>

const real = sdk as unknown as Model

const inputOf = (model: Model, name: MeteringOperationName) =>
  (model[`${name}$`] as Array<unknown>)[4]
const outputOf = (model: Model, name: MeteringOperationName) =>
  (model[`${name}$`] as Array<unknown>)[5]

const operationNames = (model: Model) =>
  Object.values(model).flatMap((value) =>
    Array.isArray(value) && value[0] === 9 ? [String(value[2])] : []
  )

/** Names of the exceptions that the SDK's registries know, but for the base of all. */
const registered = (model: Model): ReadonlyArray<string> =>
  Object.values(model)
    .flatMap((value) => (Array.isArray(value) && value[0] === -3 ? [String(value[2])] : []))
    .filter((name) => name !== "MarketplaceMeteringServiceException")
    .sort()

const compare = (model: Model): ReadonlyArray<string> => [
  ...allOperations.flatMap(({ name, request, response }) => [
    ...differences(`${name}Request`, ofOurs(shapeOf(request)), ofSdk(inputOf(model, name))),
    ...differences(`${name}Result`, ofOurs(shapeOf(response)), ofSdk(outputOf(model, name)))
  ]),
  ...unshared("operation", Object.keys(operations), operationNames(model)),
  ...unshared("exception", ourExceptions, registered(model))
]

const unshared = (
  what: string,
  ours: ReadonlyArray<string>,
  theirs: ReadonlyArray<string>
): ReadonlyArray<string> => [
  ...theirs
    .filter((name) => !ours.includes(name))
    .map((name) => `${what} ${name}: missing in ours`),
  ...ours.filter((name) => !theirs.includes(name)).map((name) => `${what} ${name}: not the SDK's`)
]

const ourExceptions: ReadonlyArray<ModelledException["_tag"]> = [
  ...new Set(
    allOperations.flatMap(
      ({ exceptions }) => exceptions as ReadonlyArray<ModelledException["_tag"]>
    )
  )
]

describe("the model of the service", () => {
  it("is the same as the official SDK's: operations, members, what is required, exceptions", () => {
    assert.deepStrictEqual(compare(real), [])
  })

  it("names 19 exceptions, each of which an operation may raise", () => {
    assert.lengthOf(registered(real), 19)
    for (const name of registered(real)) {
      assert.isFunction((MeteringError as Record<string, unknown>)[name], name)
    }
  })

  it.each(allOperations)("has the same exceptions for $name", ({ exceptions, name }) => {
    const require = createRequire(import.meta.url)
    const main = require.resolve("@aws-sdk/client-marketplace-metering")
    const types = readFileSync(
      join(dirname(dirname(main)), "dist-types/commands", `${name}Command.d.ts`),
      "utf8"
    )
    const thrown = [...types.matchAll(/@throws \{@link (\w+Exception)\} \(/g)].map(
      ([, name]) => name
    )
    assert.deepStrictEqual([...new Set(thrown)].sort(), [...exceptions].sort())
    const { operation } = modules[name]
    assert.deepStrictEqual(
      operation.exceptions.map(({ _tag }) => _tag).sort(),
      [...exceptions].sort()
    )
  })

  it("leads to the same exception for each name, on either side", () => {
    for (const name of ourExceptions) {
      assert.isFunction(real[name], name)
      const ours = (MeteringError as unknown as Record<string, { readonly _tag: string }>)[name]
      assert.strictEqual(ours?._tag, name)
    }
  })
})

describe("the comparison", () => {
  /** The same model with one thing changed. */
  const altered = (name: string, change: (schema: Array<unknown>) => void): Model => {
    const copies = new Map<unknown, unknown>()
    const copy = (value: unknown): unknown => {
      if (typeof value === "function") return copy(value())
      if (!Array.isArray(value)) return value
      const known = copies.get(value)
      if (known !== undefined) return known
      const made: Array<unknown> = []
      copies.set(value, made)
      for (const element of value)
        made.push(Array.isArray(element) ? copy(element) : copyOf(element))
      if (value[2] === name) change(made)
      return made
    }
    // schemas, unlike classes, are called without arguments
    const copyOf = (value: unknown) => (typeof value === "function" ? copy(value) : value)
    return Object.fromEntries(
      Object.entries(real).map(([key, value]) => [key, Array.isArray(value) ? copy(value) : value])
    )
  }

  const replaced = (values: unknown, at: number, by: unknown) =>
    (values as ReadonlyArray<unknown>).map((value, i) => (i === at ? by : value))

  it("finds nothing in an unchanged copy", () => {
    assert.deepStrictEqual(compare(altered("", () => {})), [])
  })

  it.each<readonly [string, string, (schema: Array<unknown>) => void, ReadonlyArray<string>]>([
    [
      "a new member of a record",
      "UsageRecord",
      (schema) => {
        schema[4] = [...(schema[4] as Array<string>), "Novel"]
        schema[5] = [...(schema[5] as Array<unknown>), 0]
      },
      [
        "BatchMeterUsageRequest.UsageRecords[].Novel: missing in ours",
        "BatchMeterUsageResult.Results[].UsageRecord.Novel: missing in ours",
        "BatchMeterUsageResult.UnprocessedRecords[].Novel: missing in ours"
      ]
    ],
    [
      "a new member of a result",
      "UsageRecordResult",
      (schema) => {
        schema[4] = [...(schema[4] as Array<string>), "Novel"]
        schema[5] = [...(schema[5] as Array<unknown>), 1]
      },
      ["BatchMeterUsageResult.Results[].Novel: missing in ours"]
    ],
    [
      "a member of another type",
      "MeterUsageRequest",
      (schema) => {
        schema[5] = replaced(schema[5], 1, 0)
      },
      ["MeterUsageRequest.Timestamp: ours dateTime, the SDK's string"]
    ],
    [
      "a member that has become required",
      "RegisterUsageRequest",
      (schema) => {
        schema[6] = 3
      },
      ["RegisterUsageRequest.Nonce required: ours false, the SDK's true"]
    ],
    [
      "a member that has become a secret",
      "RegisterUsageRequest",
      (schema) => {
        schema[5] = replaced(schema[5], 2, [0, sensitive])
      },
      ["RegisterUsageRequest.Nonce: ours string, the SDK's redacted"]
    ],
    [
      "a member that is gone",
      "MeterUsageResult",
      (schema) => {
        schema[4] = []
        schema[5] = []
      },
      ["MeterUsageResult.MeteringRecordId: unknown to the SDK"]
    ]
  ])("finds %s", (_, name, change, found) => {
    assert.deepStrictEqual(compare(altered(name, change)), found)
  })

  it("finds a new exception, and a new operation", () => {
    const namespace = "com.amazonaws.marketplacemetering"
    const model: Model = {
      ...real,
      NovelException$: [-3, namespace, "NovelException", { error: "client" }, ["message"], [0]],
      NovelUsage$: [9, namespace, "NovelUsage", 0, real.MeterUsageRequest$, real.MeterUsageResult$]
    }
    assert.deepStrictEqual(compare(model), [
      "operation NovelUsage: missing in ours",
      "exception NovelException: missing in ours"
    ])
  })
})
