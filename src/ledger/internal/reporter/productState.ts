/**
 * Decides which records of a product go next, and what a rejection of the whole product means. It is synchronous: each function is
 * one step from one state to the next.
 */
import * as Chunk from "effect/Chunk"
import type { BatchMeterUsageError } from "../../../BatchMeterUsage.js"
import { maxRecords as maxRecordsOfCall } from "../../../internal/submission/batch.js"
import type { RecordRow } from "../model/rows.js"

type Rows = ReadonlyArray<RecordRow>

/** An error that concerns the caller or all of a product, and the records of the calls that it rejected. */
export interface Rejection {
  readonly scope: "caller" | "product"
  readonly error: BatchMeterUsageError
  readonly rows: Rows
}

interface Tolerance {
  /** Rejections of the product that are still taken as those of a part of its records: a response showed that the product works. */
  readonly tolerated: number
  /** The rejection after which none is tolerated any more. Others of the product are sent before it is paused. */
  readonly lastTolerated: Rejection | undefined
}

/** Read the records that are due. */
interface Reading extends Tolerance {
  readonly _tag: "Read"
}

/** Send a batch. */
interface Sending extends Tolerance {
  readonly _tag: "Send"
  readonly batch: Rows
  readonly batches: ReadonlyArray<Rows>
  /** Parts of calls that were rejected. Other calls go before them: they may have none of the records at fault. */
  readonly rejectedParts: ReadonlyArray<Rows>
  /** True if the batches are single records that show whether the product works again. */
  readonly isProbing: boolean
}

type State =
  | Reading
  | Sending
  | { readonly _tag: "Pause"; readonly rejection: Rejection }
  | { readonly _tag: "Done" }

/** Calls of about 10 seconds. A product whose records are all rejected is paused soon after them. */
const maxTolerated = 100

/** Records of one submission. */
const maxRecords = 1_000

/** Records among which probes are chosen: the most urgent may all be rejected. */
const maxCandidates = 10_000

/** Probes after a pause. If each is rejected for the whole product, it is paused again. */
const maxProbes = 3

export const initial: State = { _tag: "Read", tolerated: 0, lastTolerated: undefined }

/**
 * After a pause one record at a time is sent: one that the service rejects with all others of its call would stop them for ever.
 */
export const isProbing = ({ lastTolerated }: Reading, wasPaused: boolean): boolean =>
  lastTolerated !== undefined || wasPaused

/** The number of records to read. */
export const limitOf = (isProbing: boolean): number => (isProbing ? maxCandidates : maxRecords)

/** The records that are due were read. */
export const onRows = (
  { lastTolerated, tolerated }: Reading,
  rows: Rows,
  isProbing: boolean
): State => {
  if (rows.length > 0) {
    const batches = isProbing ? probesOf(rows) : [rows]
    return sendNext({ tolerated, lastTolerated, isProbing }, batches, [])
  }
  return lastTolerated === undefined
    ? { _tag: "Done" }
    : { _tag: "Pause", rejection: lastTolerated }
}

/** The batch was sent. `isActive` if the service has answered for one of its records, so that the product works. */
export const onResult = (
  state: Sending,
  { isActive, rejection }: { readonly isActive: boolean; readonly rejection: Rejection | undefined }
): State => {
  const { batches, isProbing, rejectedParts } = state
  const tolerated = isActive ? maxTolerated : state.tolerated
  const lastTolerated = isActive ? undefined : state.lastTolerated
  const known = { tolerated, lastTolerated, isProbing }
  if (rejection === undefined) {
    return isProbing
      ? { _tag: "Read", tolerated, lastTolerated }
      : sendNext(known, batches, rejectedParts)
  }
  if (!mayBeOfRecord(rejection)) return { _tag: "Pause", rejection }
  if (tolerated > 1) {
    const next = { ...known, tolerated: tolerated - 1 }
    const parts = partsOf(rejection.rows)
    return rejection.rows.length > maxRecordsOfCall
      ? sendNext(next, [...batches, ...parts], rejectedParts)
      : sendNext(next, batches, [...parts, ...rejectedParts])
  }
  if (tolerated === 1) return { _tag: "Read", tolerated: 0, lastTolerated: rejection }
  return isProbing && batches.length > 0
    ? sendNext(known, batches, rejectedParts)
    : { _tag: "Pause", rejection }
}

const sendNext = (
  known: Pick<Sending, "tolerated" | "lastTolerated" | "isProbing">,
  batches: ReadonlyArray<Rows>,
  rejectedParts: ReadonlyArray<Rows>
): State => {
  const [batch, ...left] = batches
  if (batch !== undefined) return { _tag: "Send", ...known, batch, batches: left, rejectedParts }
  const [part, ...leftParts] = rejectedParts
  return part === undefined
    ? { _tag: "Read", tolerated: known.tolerated, lastTolerated: known.lastTolerated }
    : { _tag: "Send", ...known, batch: part, batches: [], rejectedParts: leftParts }
}

/** True for errors that one record of a call can cause. */
export const mayBeOfRecord = ({ error, scope }: Omit<Rejection, "rows">): boolean =>
  scope === "product" || error._tag === "UnexpectedResponseError"

/** Some of the least tried records, each for itself. Records with one cause are often adjacent, so these are not. */
const probesOf = (rows: Rows): ReadonlyArray<Rows> => {
  const sorted = [...rows].sort((left, right) => left.tries - right.tries)
  const last = sorted.filter(({ tries }) => tries === sorted[0]?.tries).length - 1
  const step = Math.max(1, last / (maxProbes - 1))
  return Array.from({ length: maxProbes }, (_, index) => Math.floor(index * step))
    .flatMap((index) => sorted[index] ?? [])
    .map((row) => [row])
}

/** One call for each part of many records, and halves of the records of one call. One record has no parts. */
const partsOf = (rows: Rows): ReadonlyArray<Rows> =>
  rows.length > 1
    ? Chunk.toReadonlyArray(
        Chunk.map(
          Chunk.chunksOf(
            Chunk.fromIterable(rows),
            Math.min(maxRecordsOfCall, Math.ceil(rows.length / 2))
          ),
          Chunk.toReadonlyArray
        )
      )
    : []
