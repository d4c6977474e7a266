/** A stub of the service that replies to each record as the test says. */
import * as Effect from "effect/Effect"
import {
  type BatchMeterUsageError,
  BatchMeterUsageResponse
} from "effect-marketplace-metering/BatchMeterUsage"
import type { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { ConnectionError } from "effect-marketplace-metering/MeteringError"
import { type UsageRecord, UsageRecordResult } from "effect-marketplace-metering/UsageRecord"

/** A status of the service, `unprocessed`, `missing` for no result, or an error of the whole call. */
export type Reply = string | BatchMeterUsageError

export interface StubService {
  readonly client: MeteringClient["Type"]
  /** Records of the calls so far, in their order. Calls without records are left out. */
  readonly calls: Array<ReadonlyArray<UsageRecord>>
  /** The reply for a record. `Success` at first. */
  reply: (record: UsageRecord) => Reply
}

/** The response was lost: the call may have been billed. */
export const lostResponse = new ConnectionError({
  operation: "BatchMeterUsage",
  endpoint: "stub",
  reason: "ECONNRESET",
  delivery: "unknown"
})

export const stubService = (): StubService => {
  const calls: Array<ReadonlyArray<UsageRecord>> = []
  const never = () => Effect.dieMessage("not used by the ledger")
  const service: StubService = {
    calls,
    reply: () => "Success",
    client: {
      meterUsage: never,
      meterUsageDryRun: never,
      registerUsage: never,
      resolveCustomer: never,
      batchMeterUsage: (request) =>
        Effect.suspend(() => {
          const records = request.usageRecords as ReadonlyArray<UsageRecord>
          if (records.length > 0) calls.push(records)
          const replies = records.map((record) => ({ record, reply: service.reply(record) }))
          for (const { reply } of replies) if (typeof reply !== "string") return Effect.fail(reply)
          return Effect.succeed(
            new BatchMeterUsageResponse({
              requestId: `sandbox-${calls.length}`,
              results: replies
                .filter(({ reply }) => reply !== "unprocessed" && reply !== "missing")
                .map(
                  ({ record, reply }, index) =>
                    new UsageRecordResult({
                      usageRecord: record,
                      status: reply as string,
                      ...(reply === "Success" && {
                        meteringRecordId: `metering-${calls.length}-${index}`
                      })
                    })
                ),
              unprocessedRecords: replies
                .filter(({ reply }) => reply === "unprocessed")
                .map(({ record }) => record),
              unreadable: [],
              missingRecords: []
            })
          )
        })
    }
  }
  return service
}
