/** A JSON Schema as a list of fields, with the type of each. */
import { type JsonSchema, resolve, type Schemas } from "./openApi.js"

/** The number of levels to show. No schema of the API is deeper. */
const maxDepth = 8

interface Props {
  readonly schema: JsonSchema
  readonly schemas: Schemas
  readonly depth?: number
}

export const SchemaView = ({ depth = 0, schema, schemas }: Props) => {
  const resolved = resolve(schema, schemas)
  const { anyOf, items, oneOf, properties, required = [] } = resolved
  if (depth > maxDepth) return null
  if (properties !== undefined) {
    return (
      <ul class="schema">
        {Object.entries(properties).map(([name, field]) => (
          <Property
            key={name}
            name={name}
            isRequired={required.includes(name)}
            schema={field}
            schemas={schemas}
            depth={depth}
          />
        ))}
      </ul>
    )
  }
  const alternatives = (anyOf ?? oneOf ?? []).filter((one) => hasFields(one, schemas))
  if (alternatives.length > 0) {
    return (
      <ul class="schema alternatives">
        {alternatives.map((one, index) => (
          <li key={index}>
            <SchemaView schema={one} schemas={schemas} depth={depth + 1} />
          </li>
        ))}
      </ul>
    )
  }
  return items ? <SchemaView schema={items} schemas={schemas} depth={depth + 1} /> : null
}

/** Returns true for objects, and for lists and unions of objects. */
const hasFields = (schema: JsonSchema, schemas: Schemas): boolean => {
  const { anyOf, items, oneOf, properties } = resolve(schema, schemas)
  if (properties !== undefined) return true
  const inner = [...(items ? [items] : []), ...(anyOf ?? oneOf ?? [])]
  return inner.some((one) => hasFields(one, schemas))
}

const Property = ({
  depth = 0,
  isRequired,
  name,
  schema,
  schemas
}: Props & { readonly name: string; readonly isRequired: boolean }) => (
  <li>
    <code>{name}</code> <span class="quiet">{typeText(schema, schemas)}</span>
    {isRequired && " required"}
    {descriptionOf(schema, schemas)}
    {hasFields(schema, schemas) && (
      <SchemaView schema={schema} schemas={schemas} depth={depth + 1} />
    )}
  </li>
)

const descriptionOf = (schema: JsonSchema, schemas: Schemas) => {
  const { description } = resolve(schema, schemas)
  return description === undefined ? null : <p class="hint">{description}</p>
}

/** Describes a type, such as `list of text`. */
export const typeText = (schema: JsonSchema, schemas: Schemas): string => {
  const { anyOf, const: constant, enum: values, items, oneOf, type } = resolve(schema, schemas)
  if (constant !== undefined) return JSON.stringify(constant)
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(" | ")
  if (type === "array") return items ? `list of ${typeText(items, schemas)}` : "list"
  const alternatives = anyOf ?? oneOf
  if (alternatives !== undefined && type === undefined) {
    return [...new Set(alternatives.map((one) => typeText(one, schemas)))].join(" | ")
  }
  return type === "string" ? "text" : (type ?? "any value")
}
