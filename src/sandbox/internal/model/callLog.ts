/** The last calls, as an immutable queue with appends in amortized constant time. */
import * as Redacted from "effect/Redacted"
import type { OperationName } from "../../../MeteringError.js"
import type { Fault } from "../../Fault.js"
import type { AccessKey } from "../../Scenario.js"
import type { ServiceResult } from "./serviceResponse.js"

const maxCalls = 1000

/** Maximum total size of the logged requests, in bytes. */
const maxBytes = 16 * 1024 * 1024

/** The known properties of a caller. */
export interface CallerIdentity {
  /** `inMemory`: calls in memory are unsigned. `unchecked`: the signature was not verified. */
  readonly signature: "inMemory" | "verified" | "unchecked" | "rejected"
  readonly accessKeyId?: string | undefined
  readonly accessKey?: AccessKey | undefined
  /** The size of the request body, in bytes. */
  readonly bytes?: number | undefined
}

/** A call and its response. */
export interface LoggedCall {
  readonly requestId: string
  /** Epoch milliseconds by the sandbox's clock. */
  readonly at: number
  readonly operation: OperationName | undefined
  readonly callerIdentity: CallerIdentity
  readonly fault: Fault["fault"]
  /** The request, or its encoded body after `compact`. `undefined` if the body could not be decoded. */
  request: object | Uint8Array | undefined
  /** The response, or its encoded body after `compact`. `undefined` if the connection was cut before the call was processed. */
  response: ServiceResult | string | undefined
}

/** Replaces the request and the response of a call by their encoded bodies, which take a fraction of the memory. */
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
  /** The front of the queue, the oldest call first. All its calls are older than those of `newest`. */
  readonly oldest: Cell | undefined
  /** The back of the queue, the newest call first. */
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
      // moves each call only once from the back to the front, so that an append takes amortized constant time
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

/** Returns the calls, the oldest first. */
export const toArray = ({ newest, oldest }: CallLog): ReadonlyArray<LoggedCall> =>
  collect(oldest).concat(collect(newest).reverse())

const collect = (cells: Cell | undefined): Array<LoggedCall> => {
  const calls: Array<LoggedCall> = []
  for (let cell = cells; cell !== undefined; cell = cell.next) calls.push(cell.call)
  return calls
}

const bytesOf = ({ callerIdentity, request }: LoggedCall): number =>
  request === undefined ? 0 : (callerIdentity.bytes ?? estimatedBytesOf(request))

/** Estimates the size of a request of the in-memory client, which has no body, from its strings and its number of fields. */
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
