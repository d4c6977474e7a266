/**
 * State machine that decides which records of a product are sent next, and if a rejection pauses the whole product. It is pure: each
 * function returns the next state.
 */
import * as Chunk from "effect/Chunk"
import type { BatchMeterUsageError } from "../../../BatchMeterUsage.js"
import { maxRecords as maxRecordsOfCall } from "../../../internal/submission/batch.js"
import type { RecordRow } from "../model/rows.js"

type Rows = ReadonlyArray<RecordRow>

/** An error that concerns the caller or the whole product, and the records of the rejected calls. */
export interface Rejection {
  readonly scope: "caller" | "product"
  readonly error: BatchMeterUsageError
  readonly rows: Rows
}

interface Tolerance {
  /** Number of rejections that are still attributed to some of the records, because another response showed that the product works. */
  readonly tolerated: number
  /** The rejection that used up `tolerated`. Single records are sent as probes before the product is paused. */
  readonly lastTolerated: Rejection | undefined
}

/** Next step: read the records that are due. */
interface Reading extends Tolerance {
  readonly _tag: "Read"
}

/** Next step: send `batch`. */
interface Sending extends Tolerance {
  readonly _tag: "Send"
  readonly batch: Rows
  readonly batches: ReadonlyArray<Rows>
  /** Parts of rejected calls. They are sent after `batches`, which may contain none of the invalid records. */
  readonly rejectedParts: ReadonlyArray<Rows>
  /** True if the batches are single records that show whether the product works again. */
  readonly isProbing: boolean
}

type State =
  | Reading
  | Sending
  | { readonly _tag: "Pause"; readonly rejection: Rejection }
  | { readonly _tag: "Done" }

/** As many calls as are made in about 10 seconds. If all of them are rejected, the product is paused soon afterwards. */
const maxTolerated = 100

/** Maximum number of records in one submission. */
const maxRecords = 1_000

/** Number of records from which probes are chosen. Large, because the most urgent records may all be invalid. */
const maxCandidates = 10_000

/** Number of probes after a pause. If all of them are rejected, the product is paused again. */
const maxProbes = 3

export const initial: State = { _tag: "Read", tolerated: 0, lastTolerated: undefined }

/**
 * True if single records are sent, because a record for which the service rejects the whole call would otherwise block all others
 * forever.
 */
export const isProbing = ({ lastTolerated }: Reading, wasPaused: boolean): boolean =>
  lastTolerated !== undefined || wasPaused

/** Returns the number of records to read. */
export const limitOf = (isProbing: boolean): number => (isProbing ? maxCandidates : maxRecords)

/** Next state after the due records were read. */
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

/** Next state after the batch was sent. `isActive` is true if the service returned a result of a record, so the product works. */
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

/** True for errors that a single record of a call can cause. */
export const mayBeOfRecord = ({ error, scope }: Omit<Rejection, "rows">): boolean =>
  scope === "product" || error._tag === "UnexpectedResponseError"

/** Chooses probes among the least tried records. They are spread out, because adjacent records often fail for the same cause. */
const probesOf = (rows: Rows): ReadonlyArray<Rows> => {
  const sorted = [...rows].sort((left, right) => left.tries - right.tries)
  const last = sorted.filter(({ tries }) => tries === sorted[0]?.tries).length - 1
  const step = Math.max(1, last / (maxProbes - 1))
  return Array.from({ length: maxProbes }, (_, index) => Math.floor(index * step))
    .flatMap((index) => sorted[index] ?? [])
    .map((row) => [row])
}

/** Splits rejected records: many records into the size of a call, and the records of one call into halves. Returns none for one record. */
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
