/** A client that stores each call before it is sent, and its results afterwards. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as MeteringClient from "../../../MeteringClient.js"
import { ConnectionError } from "../../../MeteringError.js"
import type { UsageRecord } from "../../../UsageRecord.js"
import type { LeaseLost, LedgerConfigError, LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { Lease } from "../transactions/lease.js"
import { openCall, type Result } from "../transactions/send.js"
import { withLimit } from "./callLimit.js"
import type { PendingWrites, SentCall } from "./pendingWrites.js"
import { detailOf, resultsOf } from "./results.js"

export interface Attempting {
  readonly store: Store
  readonly client: MeteringClient.Service
  readonly lease: Lease
  /** Returns the id of a record of the submission. */
  readonly idOf: (record: UsageRecord) => number | undefined
  readonly writes: PendingWrites
  /** Waits until the Region's quota allows another call. */
  readonly limit: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Ends the submission, so that no other call is sent. */
  readonly abort: (cause: string) => Effect.Effect<unknown>
  /**
   * Receives the request id of each response or error. Returns an error if the id shows that the endpoint is not the target of the
   * ledger (AWS or a sandbox), or if a response has no request id.
   */
  readonly onRequestId: (
    requestId: string | undefined,
    isResponse: boolean
  ) => Effect.Effect<LedgerConfigError | undefined>
  readonly onResults: (call: SentCall, results: ReadonlyArray<Result>) => void
}

const hasDefect = (cause: Cause.Cause<unknown>): boolean =>
  Cause.isDie(cause) && !Cause.isInterrupted(cause)

/** The error after a defect, or after a response of the wrong target. The records are handled as after a lost response. */
const lostResponse = (reason: string) =>
  new ConnectionError(
    { operation: "BatchMeterUsage", endpoint: "client", reason, delivery: "unknown" },
    true
  )

const withoutResponse = (
  record: number,
  requestId: string | undefined,
  error: LedgerConfigError
): Result => ({ record, requestId, result: "noResponse", detail: detailOf(error) })

export const make = (options: Attempting): MeteringClient.Service => {
  const { abort, client, idOf, lease, limit, onRequestId, onResults, store, writes } = options

  const notSent = (reason: string) =>
    Effect.zipRight(
      abort(reason),
      Effect.fail(
        new ConnectionError(
          { operation: "BatchMeterUsage", endpoint: "ledger", reason, delivery: "notSent" },
          true
        )
      )
    )

  const onUnopened = (
    error: LeaseLost | LedgerUnavailable,
    call: { readonly sentAt: number; readonly records: ReadonlyArray<number> }
  ) => {
    if (error._tag === "LedgerUnavailable" && error.isStored === "unknown") writes.notMade(call)
    return notSent(error.message)
  }

  return {
    ...client,
    batchMeterUsage: (request) => {
      // the submission passes the same record objects that it was given
      const records = request.usageRecords as ReadonlyArray<UsageRecord>
      const sent = records.flatMap((record) => {
        const id = idOf(record)
        return id === undefined ? [] : [{ id, record }]
      })
      if (sent.length !== records.length) return notSent("a record is not of this ledger")
      const ids = sent.map(({ id }) => id)
      return limit(
        // only the call itself can be interrupted, so that its results are stored in any case
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            Effect.matchEffect(openCall(store, { lease, now, records: ids }), {
              onFailure: (error) => onUnopened(error, { sentAt: now, records: ids }),
              onSuccess: (call) =>
                call === undefined
                  ? notSent("a record of the call may not be sent any more")
                  : Effect.gen(function* () {
                      const exit = yield* Effect.exit(
                        restore(withLimit(client.batchMeterUsage(request)))
                      )
                      const reported = resultsOf(sent, request.productCode, exit)
                      const otherTarget = yield* onRequestId(
                        reported[0]?.requestId,
                        Exit.isSuccess(exit)
                      )
                      const results =
                        otherTarget === undefined
                          ? reported
                          : reported.map(({ record, requestId }) =>
                              withoutResponse(record, requestId, otherTarget)
                            )
                      const sentCall = { id: call, sentAt: now }
                      onResults(sentCall, results)
                      const { isHalted } = yield* writes.addResults(sentCall, results)
                      if (otherTarget !== undefined) {
                        yield* abort(otherTarget.message)
                        return yield* lostResponse(otherTarget.message)
                      }
                      if (isHalted) yield* abort("the Region was stopped")
                      if (Exit.isSuccess(exit) || !hasDefect(exit.cause)) return yield* exit
                      yield* Effect.logError("a call ended by a defect of the client", exit.cause)
                      return yield* lostResponse("the client ended by a defect")
                    })
            })
          )
        )
      )
    }
  }
}
