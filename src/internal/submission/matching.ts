/** An answer, record by record: by what it says of each, never by its order. */
import type { BatchMeterUsageResponse } from "../../BatchMeterUsage.js"
import type { UsageRecord, UsageRecordResult } from "../../UsageRecord.js"
import { isFullEchoOf, mayBeEchoOf, sharesIdentity } from "../echo.js"
import { keyOf } from "./key.js"

/**
 * What an answer says of one record: a result, that it was not looked at, nothing, or something that may as well
 * be said of another.
 */
export type Told = UsageRecordResult | "Unprocessed" | "NoResult" | "Ambiguous"

/** What an answer says of the records of its call, no two of one key, in their order. */
export const match = (
  records: ReadonlyArray<UsageRecord>,
  productCode: string | undefined,
  answer: BatchMeterUsageResponse
): ReadonlyArray<Told> => {
  const told = records.map((): Told => "NoResult")
  const places = new Map(records.map((record, place) => [keyOf(record, productCode), place]))

  const tell = (place: number, what: Told) => {
    told[place] = told[place] === "NoResult" ? what : "Ambiguous"
  }
  const tellOf = (echo: UsageRecord, what: Told) => {
    const place = places.get(keyOf(echo, productCode))
    const record = place === undefined ? undefined : records[place]
    if (place !== undefined && record !== undefined && isFullEchoOf(echo, record)) {
      tell(place, what)
      return
    }
    // an echo that says less or more than was sent is a record's only if no other can be meant: a customer's two
    // identities are not known to be one
    const candidates = records.flatMap((record, place) =>
      mayBeEchoOf(echo, record) ? [place] : []
    )
    for (const place of candidates) {
      // the place is that of a record
      if (sharesIdentity(echo, records[place] as UsageRecord)) {
        tell(place, candidates.length === 1 ? what : "Ambiguous")
      }
    }
  }

  const { results, unprocessedRecords, unreadable } = answer
  for (const result of results) {
    if (result.usageRecord !== undefined && result.status !== undefined) {
      tellOf(result.usageRecord, result)
    }
  }
  for (const echo of unprocessedRecords) tellOf(echo, "Unprocessed")

  // where one record was sent and one result came, an echo that could not be read leaves no doubt whose it is
  const [only] = results
  const isOnly = records.length === 1 && results.length === 1 && only?.usageRecord === undefined
  if (isOnly && only?.status && unprocessedRecords.length + unreadable.length === 0) tell(0, only)
  return told
}
