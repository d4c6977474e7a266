/** Matches the results of a response to the records of its call by content, never by position. */
import type { BatchMeterUsageResponse } from "../../BatchMeterUsage.js"
import type { UsageRecord, UsageRecordResult } from "../../UsageRecord.js"
import { isExactEcho, isPossibleEcho, sharesIdentity } from "../protocol/echoedRecord.js"
import { deduplicationKey } from "./deduplicationKey.js"

/**
 * The result of one record. `Ambiguous` means that a result also fits another record, or that the record has several
 * results.
 */
export type ReportedResult = UsageRecordResult | "Unprocessed" | "NoResult" | "Ambiguous"

/** Returns the results in the order of `records`, which must have different deduplication keys. */
export const matchResults = (
  records: ReadonlyArray<UsageRecord>,
  productCode: string | undefined,
  response: BatchMeterUsageResponse
): ReadonlyArray<ReportedResult> => {
  const reported = records.map((): ReportedResult => "NoResult")
  const indexes = new Map(
    records.map((record, index) => [deduplicationKey(record, productCode), index])
  )

  const report = (index: number, value: ReportedResult) => {
    reported[index] = reported[index] === "NoResult" ? value : "Ambiguous"
  }
  const reportEcho = (echo: UsageRecord, value: ReportedResult) => {
    const index = indexes.get(deduplicationKey(echo, productCode))
    const record = index === undefined ? undefined : records[index]
    if (index !== undefined && record !== undefined && isExactEcho(echo, record)) {
      report(index, value)
      return
    }
    // an echo with fewer or more fields than were sent must fit only one record, because two records may be of one customer
    // under its two identities
    const candidates = records.flatMap((record, index) =>
      isPossibleEcho(echo, record) ? [index] : []
    )
    for (const index of candidates) {
      if (sharesIdentity(echo, records[index] as UsageRecord)) {
        report(index, candidates.length === 1 ? value : "Ambiguous")
      }
    }
  }

  const { results, unprocessedRecords, unreadable } = response
  for (const result of results) {
    if (result.usageRecord !== undefined && result.status !== undefined) {
      reportEcho(result.usageRecord, result)
    }
  }
  for (const echo of unprocessedRecords) reportEcho(echo, "Unprocessed")

  // one result for one record needs no readable echo
  const [only] = results
  const isUnambiguous =
    records.length === 1 && results.length === 1 && only?.usageRecord === undefined
  if (isUnambiguous && only?.status && unprocessedRecords.length + unreadable.length === 0)
    report(0, only)
  return reported
}
