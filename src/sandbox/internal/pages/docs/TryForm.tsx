/** A form that sends a request to the API. Shows the request as a command line, and the response. */
import { useState } from "preact/hooks"
import { describeError } from "../client.js"
import { Badge } from "../parts/Badge.js"
import { Field } from "../parts/Field.js"
import { Json } from "../parts/Json.js"
import type { Endpoint } from "./openApi.js"

interface Result {
  readonly status: number
  readonly statusText: string
  readonly text: string
  readonly millis: number
}

/** Maximum number of characters of a response to show. */
const maxShown = 200_000

export const TryForm = ({ endpoint }: { readonly endpoint: Endpoint }) => {
  const { method, operation, path } = endpoint
  const { parameters = [], requestBody } = operation
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const [values, setValues] = useState<Readonly<Record<string, string>>>({})
  const [body, setBody] = useState(exampleText(media?.example))
  const [result, setResult] = useState<Result>()
  const [error, setError] = useState<string>()
  const url = urlOf(path, parameters, values)
  const send = async () => {
    setError(undefined)
    setResult(undefined)
    try {
      const began = performance.now()
      const response = await fetch(url, {
        method,
        ...(type !== undefined && { headers: { "content-type": type }, body })
      })
      const text = await response.text()
      const { status, statusText } = response
      setResult({ status, statusText, text, millis: Math.round(performance.now() - began) })
    } catch (failure) {
      setError(describeError(failure))
    }
  }
  return (
    <form
      aria-label={`Try ${method} ${path}`}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {parameters.map(({ description, name, required = false }) => (
        <Field key={name} label={name} hint={description}>
          <input
            value={values[name] ?? ""}
            required={required}
            onInput={(event) => setValues({ ...values, [name]: event.currentTarget.value })}
          />
        </Field>
      ))}
      {type !== undefined && (
        <Field label={`Body (${type})`}>
          <textarea
            value={body}
            spellcheck={false}
            onInput={(event) => setBody(event.currentTarget.value)}
          />
        </Field>
      )}
      <Json label="Command line" value={curlOf(method, url, type, body)} />
      <button type="submit">Send</button>
      <div role="status">
        {error !== undefined && <p class="message bad">{error}</p>}
        {result !== undefined && (
          <>
            <p>
              <Badge tone={result.status < 300 ? "good" : "bad"}>
                HTTP {result.status} {result.statusText}
              </Badge>{" "}
              <span class="quiet">{result.millis} ms</span>
            </p>
            <Json label="Response" value={responseText(result.text)} />
          </>
        )}
      </div>
    </form>
  )
}

const exampleText = (example: unknown) =>
  example === undefined
    ? ""
    : typeof example === "string"
      ? example
      : JSON.stringify(example, undefined, 2)

const urlOf = (
  path: string,
  parameters: NonNullable<Endpoint["operation"]["parameters"]>,
  values: Readonly<Record<string, string>>
) => {
  const query = new URLSearchParams()
  let filled = path
  for (const { in: place, name } of parameters) {
    const value = values[name] ?? ""
    if (place === "path") filled = filled.replace(`{${name}}`, encodeURIComponent(value))
    else if (value !== "") query.set(name, value)
  }
  return query.size === 0 ? filled : `${filled}?${query}`
}

const responseText = (text: string) => {
  const shown = indented(text)
  return shown.length > maxShown ? `${shown.slice(0, maxShown)}\n... (cut)` : shown
}

const indented = (text: string) => {
  if (text === "") return "(empty)"
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text
  }
}

/** Quotes a text for a POSIX shell. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

const curlOf = (method: string, url: string, type: string | undefined, body: string) =>
  [
    `curl -X ${method} ${quoted(location.origin + url)}`,
    ...(type === undefined
      ? []
      : [`-H ${quoted(`content-type: ${type}`)}`, `--data-raw ${quoted(body)}`])
  ].join(" \\\n  ")
