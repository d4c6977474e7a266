/** The labels of the kinds of faults, and the fields of their forms. */
import type { Fault, Faults as FaultsSchema } from "../../Fault.js"
import type { Action } from "./useAction.js"

export type Faults = typeof FaultsSchema.Encoded

/** Replaces all faults, and shows the message `success`. */
export type Replace = (faults: Faults, success: string) => ReturnType<Action["run"]>

export type Kind = Fault["fault"]

interface FaultField {
  readonly name: string
  readonly label: string
  readonly example: string
  readonly isRequired: boolean
  readonly isNumber?: true
}

interface FaultInfo {
  readonly text: string
  readonly fields: ReadonlyArray<FaultField>
}

const field = (name: string, label: string, example: string, isRequired = false): FaultField => ({
  name,
  label,
  example,
  isRequired
})

export const faultInfo: { readonly [K in Kind]: FaultInfo } = {
  throttling: {
    text: "ThrottlingException",
    fields: [field("retryAfter", "Retry-After", "2 seconds")]
  },
  internalError: { text: "InternalServiceErrorException", fields: [] },
  unavailable: { text: "HTTP 503 with an HTML page", fields: [] },
  rejection: {
    text: "Another exception",
    fields: [
      field("code", "Code", "DisabledApiException", true),
      field("message", "Message", "The operation is disabled.")
    ]
  },
  expiredCredentials: { text: "Expired credentials", fields: [] },
  latency: {
    text: "Delayed response",
    fields: [field("duration", "Duration", "5 seconds", true)]
  },
  slowBody: {
    text: "Slow body of the response",
    fields: [field("duration", "Duration", "5 seconds", true)]
  },
  cutBefore: { text: "Connection cut, nothing stored", fields: [] },
  cutAfter: { text: "Connection cut, usage stored", fields: [] },
  unprocessed: {
    text: "Unprocessed records",
    fields: [{ ...field("share", "Share, from 0 to 1", "0.5"), isNumber: true }]
  },
  clockSkew: {
    text: "Another clock",
    fields: [field("ahead", "Ahead by", "10 minutes"), field("behind", "Behind by", "10 minutes")]
  },
  none: { text: "No fault for a call", fields: [] }
}

/** Describes a scripted or random fault. */
export const faultText = (fault: {
  readonly fault: Kind
  readonly operation?: string | undefined
}) => {
  const values = { ...fault } as Readonly<Record<string, unknown>>
  const details = faultInfo[fault.fault].fields.flatMap(({ label, name }) =>
    values[name] === undefined ? [] : [`${label} ${durationText(values[name])}`]
  )
  const target = fault.operation === undefined ? "any operation" : fault.operation
  return [`${faultInfo[fault.fault].text} (${fault.fault})`, ...details, target].join(", ")
}

/** Formats a duration. Responses contain durations as numbers of milliseconds. */
const durationText = (value: unknown): string =>
  typeof value === "number" && value > 1 ? `${value} ms` : String(value)
