/** Finds the records of a request that its response does not mention. */
import type { UsageRecord, UsageRecordResult } from "../../UsageRecord.js"
import { isExactEcho, isPossibleEcho, sharesIdentity } from "./echoedRecord.js"

interface Response {
  readonly results: ReadonlyArray<UsageRecordResult>
  readonly unprocessedRecords: ReadonlyArray<UsageRecord>
  readonly unreadable: ReadonlyArray<unknown>
}

const none: ReadonlyArray<UsageRecord> = []

/**
 * Matches records by content, never by order. A result without a status, or without a decoded record, matches no record,
 * except in a response with one result for one record.
 */
export const missingRecords = (
  sent: ReadonlyArray<UsageRecord>,
  response: Response
): ReadonlyArray<UsageRecord> => {
  const { results, unprocessedRecords, unreadable } = response
  // the usual response: each record once, in the order of the request
  if (
    results.length === sent.length &&
    results.every(
      ({ status, usageRecord }, i) => status && isExactEchoIfPresent(usageRecord, sent[i])
    )
  ) {
    return none
  }
  const [only] = results
  const otherCount = unprocessedRecords.length + unreadable.length
  const isSingleResult = sent.length === 1 && results.length === 1 && otherCount === 0
  if (isSingleResult && only?.status && only.usageRecord === undefined) return none

  const echoes = new Set(
    results.flatMap(({ status, usageRecord }) => (status && usageRecord ? [usageRecord] : []))
  )
  for (const record of unprocessedRecords) echoes.add(record)
  const withoutEcho = (isEcho: typeof isExactEcho) => (record: UsageRecord) => {
    for (const echo of echoes) if (isEcho(echo, record)) return !echoes.delete(echo)
    return true
  }
  // an incomplete echo is only matched with a record that has no exact echo
  return sent
    .filter(withoutEcho(isExactEcho))
    .filter(
      withoutEcho((echo, record) => isPossibleEcho(echo, record) && sharesIdentity(echo, record))
    )
}

const isExactEchoIfPresent = (
  echo: UsageRecord | undefined,
  record: UsageRecord | undefined
): boolean => echo !== undefined && record !== undefined && isExactEcho(echo, record)
