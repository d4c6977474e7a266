/** Sends the due records of one product until no more are due. */

import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
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
import { parseBody } from "../model/recordBody.js"
import type { RecordRow } from "../model/rows.js"
import { allProducts } from "../transactions/halt.js"
import type { Lease } from "../transactions/lease.js"
import { pause, resume } from "../transactions/pause.js"
import * as send from "../transactions/send.js"
import * as attemptingClient from "./attemptingClient.js"
import type { PendingWrites, SentCall } from "./pendingWrites.js"
import * as productState from "./productState.js"
import { detailOf } from "./results.js"

interface Sending {
  readonly store: Store
  readonly client: Client
  readonly lease: Lease
  readonly writes: PendingWrites
  readonly limit: attemptingClient.Attempting["limit"]
  readonly onRequestId: attemptingClient.Attempting["onRequestId"]
  /** Calls per second. */
  readonly rate: number
  /** Completes when the reporter stops. */
  readonly stop: Effect.Effect<void>
  readonly isStopped: Effect.Effect<boolean>
  readonly gracePeriod: Duration.Duration
}

export interface Sent {
  /** Number of records that were part of at least one call. */
  readonly sent: number
  readonly accepted: number
}

/** How long a product is paused after an error of the product, and a Region after an error of the caller, in milliseconds. */
const productPause = 5 * 60_000
const callerPause = 60_000

/** Retries within one submission. Afterwards, the record is sent again at its `nextTryAt`. */
const schedule = MeteringRetry.standard

export const sendProduct = (
  product: string,
  options: Sending
): Effect.Effect<Sent, LedgerUnavailable> =>
  Effect.gen(function* () {
    const { lease, store } = options
    const { region } = lease
    // sets, because a record can be sent several times, and is accepted again if its result could not be stored
    const sent = new Set<number>()
    const accepted = new Set<number>()
    let state = productState.initial
    while (state._tag !== "Done") {
      if (state._tag === "Pause") {
        yield* pauseAfter(product, state.rejection, options)
        break
      }
      if (state._tag === "Read") {
        const now = yield* Clock.currentTimeMillis
        const wasPaused = yield* send.wasPaused(store, { region, product })
        const isProbing = productState.isProbing(state, wasPaused)
        const limit = productState.limitOf(isProbing)
        const rows = yield* send.due(store, { region, product, now, limit })
        state = productState.onRows(state, rows, isProbing)
        continue
      }
      const result = yield* sendRecords(product, state.batch, options, state.tolerated > 0)
      for (const id of result.sent) sent.add(id)
      for (const id of result.accepted) accepted.add(id)
      if (result.isAborted || (yield* options.isStopped)) break
      const next = productState.onResult(state, result)
      if (next._tag === "Send" && next.tolerated === 0 && result.rejection !== undefined) {
        yield* Effect.logWarning(
          `a record of ${product} in ${region} is rejected: ${result.rejection.error.message}`
        )
      }
      state = next
    }
    return { sent: sent.size, accepted: accepted.size }
  })

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
    const isOfRecord =
      isProductActive &&
      rows.length === 1 &&
      rejection !== undefined &&
      productState.mayBeOfRecord(rejection)
    yield* addRejections(
      outcomes,
      idOf,
      last,
      writes,
      ({ delivery, scope }) => scope === "record" || (isOfRecord && delivery === "rejected")
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
      // records that were not part of a call were not tried, unless the client found them invalid
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

/** Outcomes that show that the product works, because the service returned a result of the record. */
const activeOutcomes: ReadonlySet<Outcome["_tag"]> = new Set([
  "Accepted",
  "Duplicate",
  "CustomerNotSubscribed"
])

/** Stores a rejection for records whose call was rejected, if the error is known to concern the record and not the whole call. */
const addRejections = (
  outcomes: ReadonlyArray<Outcome>,
  idOf: (outcome: Outcome) => number,
  last: ReadonlyMap<number, { readonly call: SentCall; readonly result: send.Result["result"] }>,
  writes: PendingWrites,
  isOfRecord: (classification: ErrorClassification) => boolean
) =>
  Effect.forEach(
    outcomes,
    (outcome) => {
      const attempt = last.get(idOf(outcome))
      const error = rejectionOf(outcome)
      return error !== undefined &&
        isOfRecord(classifyError(error)) &&
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

/** Finds an error of the caller, or else of the whole product, and all outcomes with such errors. */
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

/** Pauses the product after an error of the product, and the Region after an error of the caller. */
const pauseAfter = (
  product: string,
  { error, scope }: productState.Rejection,
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
