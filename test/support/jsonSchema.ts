/** A JSON Schema validator for the keywords that this project uses. */

interface Schema {
  readonly [keyword: string]: unknown
}

type KeywordValidator = (value: never, expected: never, root: Schema, schema: Schema) => boolean

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const types: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean"
}

/** Keywords without a rule. */
const annotations = new Set(["$schema", "$defs", "title", "description"])

const keywordValidators: Record<string, KeywordValidator> = {
  $ref: (value, ref: string, root) => {
    const name = /^#\/\$defs\/(\w+)$/.exec(ref)?.[1] ?? ""
    return isValid(value, (root.$defs as Record<string, Schema>)[name] as Schema, root)
  },
  type: (value, type: string) => types[type]?.(value) ?? false,
  enum: (value, all: ReadonlyArray<unknown>) => all.includes(value),
  pattern: (value, pattern: string) =>
    typeof value !== "string" || new RegExp(pattern, "u").test(value),
  minLength: (value, least: number) =>
    typeof value !== "string" || (value as string).length >= least,
  maxLength: (value, most: number) =>
    typeof value !== "string" || [...(value as string)].length <= most,
  minimum: (value, least: number) => typeof value !== "number" || value >= least,
  maximum: (value, most: number) => typeof value !== "number" || value <= most,
  exclusiveMinimum: (value, least: number) => typeof value !== "number" || value > least,
  minItems: (value, least: number) =>
    !Array.isArray(value) || (value as Array<unknown>).length >= least,
  items: (value, schema: Schema, root) =>
    !Array.isArray(value) || (value as Array<unknown>).every((item) => isValid(item, schema, root)),
  required: (value, names: ReadonlyArray<string>) =>
    !isObject(value) || names.every((name) => name in (value as object)),
  properties: (value, schemas: Record<string, Schema>, root) =>
    !isObject(value) ||
    Object.entries(schemas).every(
      ([name, schema]) =>
        !(name in (value as object)) ||
        isValid((value as Record<string, unknown>)[name], schema, root)
    ),
  additionalProperties: (value, allowed: boolean, _, { properties }) =>
    allowed ||
    !isObject(value) ||
    Object.keys(value as object).every((name) => name in (properties as object)),
  anyOf: (value, schemas: ReadonlyArray<Schema>, root) =>
    schemas.some((schema) => isValid(value, schema, root)),
  allOf: (value, schemas: ReadonlyArray<Schema>, root) =>
    schemas.every((schema) => isValid(value, schema, root))
}

/** Throws for an unknown keyword, so that no value is valid for lack of a rule. */
export const isValid = (value: unknown, schema: Schema, root: Schema = schema): boolean =>
  Object.entries(schema)
    .filter(([keyword]) => !annotations.has(keyword))
    .every(([keyword, expected]) => {
      const rule = keywordValidators[keyword]
      if (rule === undefined) throw new Error(`no rule for ${keyword}`)
      return rule(value as never, expected as never, root, schema)
    })
