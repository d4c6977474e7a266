/** The parts of an OpenAPI document that the reference of the control API shows. */

export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly const?: unknown
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
  readonly items?: JsonSchema | false
  readonly allOf?: ReadonlyArray<JsonSchema>
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly oneOf?: ReadonlyArray<JsonSchema>
}

export interface Media {
  readonly schema?: JsonSchema
  readonly example?: unknown
}

export interface Parameter {
  readonly name: string
  readonly in: "query" | "path" | "header" | "cookie"
  readonly required?: boolean
  readonly description?: string
}

export interface Operation {
  readonly tags: ReadonlyArray<string>
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly parameters?: ReadonlyArray<Parameter>
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<
    Record<
      string,
      { readonly description?: string; readonly content?: Readonly<Record<string, Media>> }
    >
  >
}

export interface OpenApi {
  readonly info: { readonly title: string; readonly description?: string }
  readonly tags: ReadonlyArray<{ readonly name: string; readonly description?: string }>
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

export type Schemas = OpenApi["components"]["schemas"]

export interface Endpoint {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

export const endpointsOf = ({ paths }: OpenApi): ReadonlyArray<Endpoint> =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation
    }))
  )

/** Resolves the references of a schema, and merges the members of `allOf`. The schema's own description has precedence. */
export const resolve = (schema: JsonSchema, schemas: Schemas): JsonSchema => {
  const { $ref, allOf = [], ...own } = schema
  const name = $ref?.split("/").at(-1)
  const parts = name === undefined ? allOf : [schemas[name] ?? {}, ...allOf]
  return Object.assign({}, ...parts.map((part) => resolve(part, schemas)), own)
}
