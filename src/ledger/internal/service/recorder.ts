/** Records single events through the intake, and many events at once. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { Service } from "../contract.js"
import type { Catalog } from "../recording/catalog.js"
import * as intakes from "../recording/intake.js"
import { type RecordResult, type Results, recordBatch } from "../recording/recordBatch.js"
import { type Request, requestOnce, requestsOnce } from "../recording/request.js"
import { type Failure, withRetries } from "../recording/retry.js"
import * as metrics from "./recordingMetrics.js"

export const make = (
  store: Store,
  catalog: Catalog,
  intakeSize: number
): Effect.Effect<Pick<Service, "record" | "recordAll">, never, Scope.Scope> =>
  Effect.gen(function* () {
    const write = (requests: ReadonlyArray<Request>, results: Results) =>
      Effect.map(
        withRetries(Effect.suspend(() => recordBatch(store, catalog, requests, results))),
        (failure) => {
          metrics.count(tagsOf(requests, results))
          return failure
        }
      )
    const intake = yield* intakes.make(intakeSize, (requests, results, depth) => {
      metrics.setDepth(depth)
      return write(requests, results)
    })

    return {
      record: (event) => Effect.flatMap(requestOnce(event), intake.add),
      recordAll: (events) => {
        const prepared = requestsOnce(events)
        return Effect.gen(function* () {
          const requests = yield* prepared
          const all: Array<RecordResult> = []
          for (let from = 0; from < requests.length; from += intakes.maxBatch) {
            const batch =
              requests.length <= intakes.maxBatch
                ? requests
                : requests.slice(from, from + intakes.maxBatch)
            const results: Results = new Array(batch.length)
            const failure = yield* write(batch, results)
            if (failure !== undefined) return yield* partly(requests, all, results, failure)
            for (const result of results) all.push(result as RecordResult)
          }
          return all
        })
      }
    }
  })

const tagsOf = function* (
  requests: ReadonlyArray<Request>,
  results: Results
): Generator<string, void> {
  for (let index = 0; index < requests.length; index += 1) {
    const result = results[index]
    yield result === undefined
      ? "LedgerUnavailable"
      : Either.isRight(result)
        ? result.right._tag
        : result.left._tag
  }
}

/** Makes the error of a call. `isStored` is `unknown` if some of the events were stored. */
const partly = (
  requests: ReadonlyArray<Request>,
  earlier: ReadonlyArray<RecordResult>,
  results: Results,
  { isStored, reason }: Failure
): LedgerUnavailable =>
  new LedgerUnavailable({
    reason,
    isStored: [...earlier, ...results].some(isRecorded) ? "unknown" : isStored,
    ids: requests.map(({ id }) => id)
  })

const isRecorded = (result: RecordResult | undefined): boolean =>
  result !== undefined && Either.isRight(result)
