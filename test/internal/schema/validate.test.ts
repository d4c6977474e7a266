import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { instantiate } from "../../../src/internal/schema/construct.js"
import { shapeOf } from "../../../src/internal/schema/shape.js"
import * as validate from "../../../src/internal/schema/validate.js"
import { maybeInvalid, validFields } from "../../support/arbitraries.js"
import { allOperations } from "../../support/operations.js"

describe.each(allOperations)("the compiled check of $name", ({ fields, name, request }) => {
  const violations = validate.compile(shapeOf(request))
  const encode = Schema.encodeUnknownEither(request)

  /** The issues of Schema. It runs a rule on instances without validating their fields. */
  const schemaIssues = (value: unknown): unknown => {
    try {
      return Either.getOrUndefined(Either.flip(encode(value)))
    } catch (thrown) {
      return thrown
    }
  }

  it("accepts what is valid", () => {
    assert.deepStrictEqual(violations(instantiate(request, fields)), [])
    FastCheck.assert(
      FastCheck.property(validFields[name], (fields) => {
        assert.deepStrictEqual(violations(instantiate(request, fields)), [])
      })
    )
  })

  it("agrees with Schema on instances that were made unchecked, all the way down", () => {
    FastCheck.assert(
      FastCheck.property(maybeInvalid(validFields[name]), (fields) => {
        const value = instantiate(request, fields)
        const found = violations(value)
        const issues = schemaIssues(value)
        assert.strictEqual(found.length > 0, issues !== undefined, `${issues}`)
      }),
      { numRuns: 1000 }
    )
  })

  it("looks at fields and not at classes", () => {
    FastCheck.assert(
      FastCheck.property(maybeInvalid(validFields[name]), (fields) => {
        const value = instantiate(request, fields)
        assert.deepStrictEqual(violations(withoutClass(value)), violations(value))
      })
    )
  })

  it("is put to the test by both kinds of values", () => {
    const verdicts = FastCheck.sample(maybeInvalid(validFields[name]), {
      numRuns: 500,
      seed: 7
    }).map((value) => violations(instantiate(request, value)).length === 0)
    assert.isAbove(verdicts.filter((valid) => valid).length, 100)
    assert.isAbove(verdicts.filter((valid) => !valid).length, 100)
  })
})

/** A class of Schema carries its `ast`. */
const isInstance = (value: object) => "ast" in value.constructor

const withoutClass = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withoutClass)
    : typeof value === "object" && value !== null && isInstance(value)
      ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, withoutClass(field)]))
      : value
