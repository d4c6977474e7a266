/** Sends the records of one product that are due, until none is. */

import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { BatchMeterUsageError } from "../../../BatchMeterUsage.js"
import { maxRecords as maxRecordsOfCall } from "../../../internal/submission/batch.js"
import {
  classifyError,
  type ErrorClassification
} from "../../../internal/submission/classifyError.js"
import { type Service as Client, MeteringClient } from "../../../MeteringClient.js"
import * as MeteringRetry from "../../../MeteringRetry.js"
import type { Outcome } from "../../../UsageOutcome.js"
import type { UsageRecord } from "../../../UsageRecord.js"
import * as UsageSubmission from "../../../UsageSubmission.js"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { parseBody } from "../model/record.js"
import type { RecordRow } from "../model/rows.js"
import { allProducts } from "../transactions/halt.js"
import type { Lease } from "../transactions/lease.js"
import { pause, resume } from "../transactions/pause.js"
import * as send from "../transactions/send.js"
import * as attemptingClient from "./attemptingClient.js"
import type { PendingWrites, SentCall } from "./pendingWrites.js"
import { detailOf } from "./results.js"

interface Sending {
  readonly store: Store
  readonly client: Client
  readonly lease: Lease
  readonly writes: PendingWrites
  readonly limit: attemptingClient.Attempting["limit"]
  readonly onRequestId: attemptingClient.Attempting["onRequestId"]
  /** Calls a second. */
  readonly rate: number
  /** Ends when the reporter stops. */
  readonly stop: Effect.Effect<void>
  readonly isStopped: Effect.Effect<boolean>
  readonly gracePeriod: Duration.Duration
}

export interface Sent {
  /** Records that went into at least one call. */
  readonly sent: number
  readonly accepted: number
}

/** Records of one submission. */
const maxRecords = 1_000

/** How long a product is not tried after an error that concerns all of it, and a Region after one that concerns the caller. */
const productPause = 5 * 60_000
const callerPause = 60_000

/** Retries within one submission. Afterwards the record waits by its own time of the next attempt. */
const schedule = MeteringRetry.standard

export const sendProduct = (
  product: string,
  options: Sending
): Effect.Effect<Sent, LedgerUnavailable> =>
  Effect.gen(function* () {
    const { lease, store } = options
    // a record can be sent several times, and accepted again if its result could not be stored
    const sent = new Set<number>()
    const accepted = new Set<number>()
    const counts = () => ({ sent: sent.size, accepted: accepted.size })
    /** Rejections for the whole product that are tolerated, after a response showed that the product works. */
    let tolerated = 0
    /** The rejection after which none is tolerated any more: others of the product are tried before it is paused. */
    let suspicion: Rejection | undefined
    for (;;) {
      const now = yield* Clock.currentTimeMillis
      const { region } = lease
      // after a pause one record at a time is tried: one that the service rejects with all others would stop them for ever
      const isTrial = suspicion !== undefined || (yield* send.wasPaused(store, { region, product }))
      const limit = isTrial ? maxCandidates : maxRecords
      const rows = yield* send.due(store, { region, product, now, limit })
      if (rows.length === 0) {
        if (suspicion !== undefined) yield* pauseAfter(product, suspicion, options)
        return counts()
      }
      const batches: Array<ReadonlyArray<RecordRow>> = isTrial ? trialOf(rows) : [rows]
      /** Parts of calls that were rejected, the last first. Other calls go before them: they may have none of the records at fault. */
      const suspects: Array<ReadonlyArray<RecordRow>> = []
      while (batches.length + suspects.length > 0) {
        const batch = batches.shift() ?? suspects.shift() ?? []
        const result = yield* sendRecords(product, batch, options, tolerated > 0)
        for (const id of result.sent) sent.add(id)
        for (const id of result.accepted) accepted.add(id)
        if (result.isAborted || (yield* options.isStopped)) return counts()
        if (result.isActive) {
          tolerated = maxTolerated
          suspicion = undefined
        }
        const { rejection } = result
        if (rejection === undefined) {
          if (isTrial) break
        } else if (tolerated > 0 && isTolerable(rejection)) {
          tolerated -= 1
          if (tolerated === 0) {
            suspicion = rejection
            break
          }
          // the product is not at fault, so a part of its records is
          const parts = partsOf(rejection.rows)
          if (rejection.rows.length > maxRecordsOfCall) batches.push(...parts)
          else suspects.unshift(...parts)
        } else if (isTrial && batches.length > 0 && isTolerable(rejection)) {
          yield* Effect.logWarning(
            `a record of ${product} in ${region} is rejected: ${rejection.error.message}`
          )
        } else {
          yield* pauseAfter(product, rejection, options)
          return counts()
        }
      }
    }
  })

/** Records among which those of a trial are chosen: the most urgent may all be rejected. */
const maxCandidates = 10_000

/** Records of a trial after a pause. If each is rejected for the whole product, it is paused again. */
const maxTrials = 3

/** Calls of about 10 seconds. A product whose records are all rejected is paused soon after them. */
const maxTolerated = 100

/** Some of the least tried records, each for itself. Records with one cause are often adjacent, so these are not. */
const trialOf = (rows: ReadonlyArray<RecordRow>): Array<ReadonlyArray<RecordRow>> => {
  const sorted = [...rows].sort((left, right) => left.tries - right.tries)
  const last = sorted.filter(({ tries }) => tries === sorted[0]?.tries).length - 1
  const indexes = last < maxTrials ? [0, 1, 2] : [0, Math.floor(last / 2), last]
  return indexes.flatMap((index) => sorted[index] ?? []).map((row) => [row])
}

/** One call for each part of many records, and halves of the records of one call. One record has no parts. */
const partsOf = (rows: ReadonlyArray<RecordRow>): ReadonlyArray<ReadonlyArray<RecordRow>> =>
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

const sendRecords = (
  product: string,
  rows: ReadonlyArray<RecordRow>,
  options: Sending,
  isProductActive: boolean
) =>
  Effect.gen(function* () {
    const { client, gracePeriod, lease, limit, onRequestId, rate, stop, store, writes } = options
    const ids = new Map<UsageRecord, number>()
    const items: Array<UsageSubmission.Item> = []
    const invalid: Array<number> = []
    for (const { body, id } of rows) {
      const parsed = parseBody(body)
      if (Either.isRight(parsed)) {
        ids.set(parsed.right.record, id)
        items.push(parsed.right)
      } else {
        yield* Effect.logError(`record ${id} of ${product} is not a valid usage record`)
        invalid.push(id)
      }
    }
    /** The last call and result of each record. */
    const last = new Map<
      number,
      { readonly call: SentCall; readonly result: send.Result["result"] }
    >()
    const abort = yield* Deferred.make<void>()
    const attempting = attemptingClient.make({
      store,
      client,
      lease,
      writes,
      limit,
      onRequestId,
      idOf: (record) => ids.get(record),
      abort: (cause) =>
        Effect.flatMap(Deferred.succeed(abort, undefined), (isFirst) =>
          isFirst ? Effect.logInfo(`sending of ${product} is interrupted: ${cause}`) : Effect.void
        ),
      onResults: (call, results) => {
        for (const { record, result } of results) last.set(record, { call, result })
      }
    })
    const { outcomes } = yield* UsageSubmission.submitAll(items, {
      rate,
      schedule,
      linger: 0,
      stop: Effect.raceFirst(stop, Deferred.await(abort)),
      gracePeriod
    }).pipe(Effect.provideService(MeteringClient, attempting))

    const idOf = ({ record }: Outcome) => ids.get(record as UsageRecord) ?? -1
    const rejection = findRejection(outcomes)
    const isAlone = isProductActive && rows.length === 1 && rejection && isTolerable(rejection)
    yield* addVerdicts(
      outcomes,
      idOf,
      last,
      writes,
      ({ delivery, scope }) => scope === "record" || (isAlone && delivery === "rejected")
    )
    const isAborted = (yield* Deferred.isDone(abort)) || (yield* options.isStopped)
    const isActive = outcomes.some(({ _tag }) => activeOutcomes.has(_tag))
    if (!isAborted && isActive) {
      yield* resume(store, { region: lease.region, product })
      yield* resume(store, { region: lease.region, product: allProducts })
    }
    const unaccepted = outcomes.filter(({ _tag }) => _tag !== "Accepted")
    yield* send.finishTry(store, {
      now: yield* Clock.currentTimeMillis,
      // without a call nothing was tried, unless the client found it invalid
      records: [
        ...invalid,
        ...unaccepted
          .filter((outcome) => last.has(idOf(outcome)) || outcome._tag === "Invalid" || !isAborted)
          .map(idOf)
      ].filter((id) => id >= 0)
    })
    for (const outcome of unaccepted) {
      if (outcome._tag !== "Invalid") continue
      const fields = outcome.violations.map(
        ({ expected, field }) => `${field}: expected ${expected}`
      )
      yield* Effect.logError(
        `record ${idOf(outcome)} of ${product} is invalid: ${fields.join(", ")}`
      )
    }
    const rejected = new Set(rejection?.outcomes.map(idOf))
    return {
      sent: last.keys(),
      accepted: outcomes.filter(({ _tag }) => _tag === "Accepted").map(idOf),
      isActive,
      isAborted,
      rejection: rejection && { ...rejection, rows: rows.filter(({ id }) => rejected.has(id)) }
    }
  })

/** Outcomes after which the product works: the service has answered for a record. */
const activeOutcomes: ReadonlySet<Outcome["_tag"]> = new Set([
  "Accepted",
  "Duplicate",
  "CustomerNotSubscribed"
])

/** A record can be rejected for a cause that it shares with all of its call. The call alone says nothing about one of them. */
const addVerdicts = (
  outcomes: ReadonlyArray<Outcome>,
  idOf: (outcome: Outcome) => number,
  last: ReadonlyMap<number, { readonly call: SentCall; readonly result: send.Result["result"] }>,
  writes: PendingWrites,
  isVerdict: (classification: ErrorClassification) => boolean | undefined
) =>
  Effect.forEach(
    outcomes,
    (outcome) => {
      const attempt = last.get(idOf(outcome))
      const error = rejectionOf(outcome)
      return error !== undefined &&
        isVerdict(classifyError(error)) &&
        attempt !== undefined &&
        attempt.result === "unsent"
        ? writes.addResults(attempt.call, [
            { record: idOf(outcome), result: "rejected", detail: detailOf(error) }
          ])
        : Effect.void
    },
    { discard: true }
  )

const rejectionOf = (outcome: Outcome) =>
  outcome._tag === "NotSent" || outcome._tag === "Rejected" ? outcome.error : undefined

/** False for errors that no record can cause. */
const isTolerable = ({ error, scope }: Rejection) =>
  scope === "product" || error._tag === "UnexpectedResponseError"

interface Rejection {
  readonly scope: "caller" | "product"
  readonly error: BatchMeterUsageError
}

/** The error that concerns the caller, or else the one that concerns all of the product, and the outcomes with such errors. */
const findRejection = (outcomes: ReadonlyArray<Outcome>) => {
  const found = outcomes.flatMap((outcome) => {
    const error = rejectionOf(outcome)
    if (error === undefined) return []
    const { scope } = classifyError(error)
    return scope === "caller" || scope === "product" ? [{ scope, error, outcome } as const] : []
  })
  const first = found.find(({ scope }) => scope === "caller") ?? found[0]
  return (
    first && {
      scope: first.scope,
      error: first.error,
      outcomes: found.map(({ outcome }) => outcome)
    }
  )
}

/** Pauses the product after an error that concerns all of it, and the Region after one that concerns the caller. */
const pauseAfter = (
  product: string,
  { error, scope }: Rejection,
  { lease: { region }, store }: Sending
) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const paused = scope === "caller" ? allProducts : product
    yield* Effect.logWarning(`reporting of ${paused} in ${region} is paused: ${error.message}`)
    yield* pause(store, {
      region,
      product: paused,
      since: now,
      cause: detailOf(error),
      retryAt: now + (scope === "caller" ? callerPause : productPause)
    })
  })
