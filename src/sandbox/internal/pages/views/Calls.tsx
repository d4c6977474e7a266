/** The last calls: the request, the response, the result of the authentication, and the injected fault of each. */
import { useState } from "preact/hooks"
import type { Call as CallSchema } from "../../../Report.js"
import { groupBy } from "../groupBy.js"
import { Badge, type Tone } from "../parts/Badge.js"
import { Expander } from "../parts/Expander.js"
import { Field } from "../parts/Field.js"
import { Json } from "../parts/Json.js"
import { Loaded } from "../parts/Loaded.js"
import { Time } from "../parts/Time.js"
import { usePolled } from "../usePolled.js"

type Call = typeof CallSchema.Encoded

const limit = 100

export const Calls = () => {
  const log = usePolled<ReadonlyArray<Call>>(`/_sandbox/log?limit=${limit}`)
  const [text, setText] = useState("")
  return (
    <Loaded polled={log}>
      {(calls) =>
        calls.length === 0 ? (
          <p>There was no call yet. Point an AWS SDK at this address as its endpoint.</p>
        ) : (
          <>
            <Field label="Search" hint={`In the last ${limit} calls, the newest first.`}>
              <input
                type="search"
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
              />
            </Field>
            <ul class="list">
              {calls
                .filter((call) => matches(call, text))
                .reverse()
                .map((call) => (
                  <li key={call.requestId}>
                    <CallDetails call={call} />
                  </li>
                ))}
            </ul>
          </>
        )
      }
    </Loaded>
  )
}

const matches = (call: Call, text: string) =>
  text === "" || JSON.stringify(call).toLowerCase().includes(text.toLowerCase())

const signatures: {
  readonly [K in Call["signature"]]: readonly [tone: Tone, text: string]
} = {
  verified: ["good", "signature verified"],
  rejected: ["bad", "signature rejected"],
  unchecked: ["plain", "signature unchecked"],
  inMemory: ["plain", "in memory, unsigned"]
}

const CallDetails = ({ call }: { readonly call: Call }) => {
  const [tone, signature] = signatures[call.signature]
  const { accessKeyId, at, fault, operation, request, requestId, response, status } = call
  const result = resultOf(response)
  return (
    <Expander
      summary={
        <>
          <strong>{operation ?? "unknown operation"}</strong> <Time at={at} />{" "}
          <Badge tone={toneOf(status, result)}>
            {status === undefined ? "connection cut" : `HTTP ${status} ${result.join(", ")}`}
          </Badge>{" "}
          <Badge tone={tone}>{signature}</Badge>{" "}
          {fault !== "none" && <Badge tone="warn">fault {fault}</Badge>}
        </>
      }
    >
      {() => (
        <>
          <dl class="facts">
            <dt>Request id</dt>
            <dd>{requestId}</dd>
            <dt>Access key</dt>
            <dd>{accessKeyId ?? "none"}</dd>
          </dl>
          <Json label="Request" value={request ?? "The body could not be decoded."} />
          <Json
            label="Response"
            value={response ?? "The connection was cut before the call was handled."}
          />
        </>
      )}
    </Expander>
  )
}

/** Selects the color of a response. A response with rejected records is a warning, even if its status is 200. */
const toneOf = (status: number | undefined, result: ReadonlyArray<string>): Tone => {
  if (status === undefined || status >= 300) return "bad"
  return result.every((text) => text.endsWith(" Success")) ? "good" : "warn"
}

/** Returns the name of an error, or the number of records by status. */
const resultOf = (response: unknown): ReadonlyArray<string> => {
  const { __type, Results, UnprocessedRecords } = Object(response)
  if (typeof __type === "string") return [__type.replace(/^.*#/, "")]
  if (!Array.isArray(Results)) return []
  const unprocessed = Array.isArray(UnprocessedRecords) ? UnprocessedRecords.length : 0
  return [
    ...[...groupBy(Results, ({ Status }) => String(Status))].map(
      ([status, results]) => `${results.length} ${status}`
    ),
    ...(unprocessed === 0 ? [] : [`${unprocessed} unprocessed`])
  ]
}
