/** An answer, record by record: by what it says of each, never by its order. */
import type { BatchMeterUsageResponse } from "../../BatchMeterUsage.js"
import type { UsageRecord, UsageRecordResult } from "../../UsageRecord.js"
import { isExactEcho, isPossibleEcho, sharesIdentity } from "../protocol/echoedRecord.js"
import { deduplicationKey } from "./deduplicationKey.js"

/**
 * What an answer says of one record: a result, that it was not looked at, nothing, or something that may as well
 * be said of another.
 */
export type ReportedResult = UsageRecordResult | "Unprocessed" | "NoResult" | "Ambiguous"

/** What an answer says of the records of its call, no two of one key, in their order. */
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
    // an echo that says less or more than was sent is a record's only if no other can be meant: a customer's two
    // identities are not known to be one
    const candidates = records.flatMap((record, index) =>
      isPossibleEcho(echo, record) ? [index] : []
    )
    for (const index of candidates) {
      // the place is that of a record
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

  // where one record was sent and one result came, an echo that could not be read leaves no doubt whose it is
  const [only] = results
  const isUnambiguous =
    records.length === 1 && results.length === 1 && only?.usageRecord === undefined
  if (isUnambiguous && only?.status && unprocessedRecords.length + unreadable.length === 0)
    report(0, only)
  return reported
}
