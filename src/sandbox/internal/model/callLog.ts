/** The last calls, as an immutable queue to which a call is appended in constant time. */
import * as Redacted from "effect/Redacted"
import type { OperationName } from "../../../MeteringError.js"
import type { Fault } from "../../Fault.js"
import type { AccessKey } from "../../Scenario.js"
import type { ServiceResult } from "./serviceResponse.js"

const maxCalls = 1000

/** At most this many bytes of all logged requests together. */
const maxBytes = 16 * 1024 * 1024

/** The caller as far as it is known. */
export interface CallerIdentity {
  /** `inMemory`: calls in memory are unsigned. `unchecked`: the signature was not verified. */
  readonly signature: "inMemory" | "verified" | "unchecked" | "rejected"
  readonly accessKeyId?: string | undefined
  readonly accessKey?: AccessKey | undefined
  /** Bytes of the body. */
  readonly bytes?: number | undefined
}

/** A call and its response. */
export interface LoggedCall {
  readonly requestId: string
  /** Epoch milliseconds by the sandbox's calendar. */
  readonly at: number
  readonly operation: OperationName | undefined
  readonly callerIdentity: CallerIdentity
  readonly fault: Fault["fault"]
  /** The value, or its encoded form. Absent if the body could not be decoded. */
  request: object | Uint8Array | undefined
  /** The value, or the body of a success. Absent if the connection was cut before the service handled the call. */
  response: ServiceResult | string | undefined
}

/** Replaces the values of a call by their encoded forms, which mean the same and take a fraction of the memory. */
export const compact = (call: LoggedCall, request: Uint8Array | undefined, response: string) => {
  if (request !== undefined) call.request = request
  call.response = response
}

interface Cell {
  readonly call: LoggedCall
  readonly bytes: number
  readonly next: Cell | undefined
}

export interface CallLog {
  /** The oldest first, before all of `newest`. */
  readonly oldest: Cell | undefined
  /** The newest first. */
  readonly newest: Cell | undefined
  readonly count: number
  readonly bytes: number
}

export const empty: CallLog = { oldest: undefined, newest: undefined, count: 0, bytes: 0 }

/** Appends a call, and drops the oldest calls beyond `maxCalls` and `maxBytes`. */
export const append = (log: CallLog, call: LoggedCall): CallLog => {
  const bytes = bytesOf(call)
  let oldest = log.oldest
  let newest: Cell | undefined = { call, bytes, next: log.newest }
  let count = log.count + 1
  let totalBytes = log.bytes + bytes
  while (count > maxCalls || (totalBytes > maxBytes && count > 0)) {
    if (oldest === undefined) {
      // each call is turned over once
      for (; newest !== undefined; newest = newest.next) {
        oldest = { call: newest.call, bytes: newest.bytes, next: oldest }
      }
    }
    if (oldest === undefined) break
    count -= 1
    totalBytes -= oldest.bytes
    oldest = oldest.next
  }
  return { oldest, newest, count, bytes: totalBytes }
}

/** The oldest first. */
export const toArray = ({ newest, oldest }: CallLog): ReadonlyArray<LoggedCall> =>
  collect(oldest).concat(collect(newest).reverse())

const collect = (cells: Cell | undefined): Array<LoggedCall> => {
  const calls: Array<LoggedCall> = []
  for (let cell = cells; cell !== undefined; cell = cell.next) calls.push(cell.call)
  return calls
}

const bytesOf = ({ callerIdentity, request }: LoggedCall): number =>
  request === undefined ? 0 : (callerIdentity.bytes ?? estimatedBytesOf(request))

/** A call in memory has no body: its size is estimated from its texts and its number of fields. */
const estimatedBytesOf = (value: unknown): number => {
  if (typeof value === "string") return value.length
  if (Redacted.isRedacted(value)) return estimatedBytesOf(Redacted.value(value))
  if (typeof value !== "object" || value === null) return 0
  return Object.values(value).reduce(
    (bytes: number, field) => bytes + bytesPerField + estimatedBytesOf(field),
    0
  )
}

const bytesPerField = 16
