/** The reference of the control API, made from its OpenAPI description, with a form that tries each endpoint. */
import { type Endpoint, endpointsOf, type OpenApi, type Schemas } from "../docs/openApi.js"
import { SchemaView, typeText } from "../docs/SchemaView.js"
import { TryForm } from "../docs/TryForm.js"
import { Badge } from "../parts/Badge.js"
import { Expander } from "../parts/Expander.js"
import { Loaded } from "../parts/Loaded.js"
import { useOnce } from "../useOnce.js"

const description = "/_sandbox/openapi.json"

export const Docs = () => {
  const spec = useOnce<OpenApi>(description)
  return (
    <Loaded polled={spec}>
      {(api) => (
        <>
          <p>
            {api.info.description} A machine reads it at <a href={description}>{description}</a>.
          </p>
          {api.tags.map(({ description, name }) => (
            <section key={name} aria-label={name}>
              <h2>{name}</h2>
              <p>{description}</p>
              <ul class="list">
                {endpointsOf(api)
                  .filter(({ operation }) => operation.tags.includes(name))
                  .map((endpoint) => (
                    <li key={endpoint.operation.operationId}>
                      <EndpointDetails endpoint={endpoint} schemas={api.components.schemas} />
                    </li>
                  ))}
              </ul>
            </section>
          ))}
        </>
      )}
    </Loaded>
  )
}

const EndpointDetails = ({
  endpoint,
  schemas
}: {
  readonly endpoint: Endpoint
  readonly schemas: Schemas
}) => {
  const { method, operation, path } = endpoint
  return (
    <Expander
      summary={
        <>
          <span class="method">{method}</span> <code>{path}</code> {operation.summary}
        </>
      }
    >
      {() => (
        <>
          {operation.description !== undefined && <p>{operation.description}</p>}
          <Parameters endpoint={endpoint} />
          <Bodies title="Body" content={operation.requestBody?.content} schemas={schemas} />
          <h3>Responses</h3>
          <ul class="list">
            {Object.entries(operation.responses).map(([status, { content, description }]) => (
              <li key={status}>
                <Badge tone={status < "300" ? "good" : "bad"}>{status}</Badge> {description}
                <Bodies content={content} schemas={schemas} />
              </li>
            ))}
          </ul>
          <h3>Try it</h3>
          <TryForm endpoint={endpoint} />
        </>
      )}
    </Expander>
  )
}

const Parameters = ({ endpoint: { operation } }: { readonly endpoint: Endpoint }) => {
  const { parameters = [] } = operation
  return parameters.length === 0 ? null : (
    <>
      <h3>Parameters</h3>
      <ul class="schema">
        {parameters.map(({ description, in: place, name, required }) => (
          <li key={name}>
            <code>{name}</code> <span class="quiet">{place}</span>
            {required && " required"}
            {description !== undefined && <p class="hint">{description}</p>}
          </li>
        ))}
      </ul>
    </>
  )
}

const Bodies = ({
  content = {},
  schemas,
  title
}: {
  readonly title?: string
  readonly content: Endpoint["operation"]["responses"][string]["content"]
  readonly schemas: Schemas
}) => (
  <>
    {title !== undefined && Object.keys(content).length > 0 && <h3>{title}</h3>}
    {Object.entries(content).map(([type, { schema }]) => (
      <div key={type}>
        <p class="quiet">
          {type}
          {schema !== undefined && `: ${typeText(schema, schemas)}`}
        </p>
        {schema !== undefined && <SchemaView schema={schema} schemas={schemas} />}
      </div>
    ))}
  </>
)
