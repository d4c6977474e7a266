/** Derives the results of a call's attempts from its response or error. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { BatchMeterUsageError, BatchMeterUsageResponse } from "../../../BatchMeterUsage.js"
import { classifyError, isCallError } from "../../../internal/submission/classifyError.js"
import { matchResults, type ReportedResult } from "../../../internal/submission/matchResults.js"
import type { UsageRecord } from "../../../UsageRecord.js"
import type { AttemptResult } from "../model/rows.js"
import { toStorable } from "../model/text.js"
import type { Result } from "../transactions/send.js"

interface SentRecord {
  readonly id: number
  readonly record: UsageRecord
}

/** Maximum length of a stored error message, in characters. */
const maxDetail = 300

export const detailOf = ({ message }: { readonly message: string }): string =>
  toStorable(message, maxDetail)

/** Returns one result per record, in the given order. */
export const resultsOf = (
  sent: ReadonlyArray<SentRecord>,
  productCode: string | undefined,
  exit: Exit.Exit<BatchMeterUsageResponse, BatchMeterUsageError>
): ReadonlyArray<Result> => {
  if (Exit.isSuccess(exit)) {
    const response = exit.value
    const reported = matchResults(
      sent.map(({ record }) => record),
      productCode,
      response
    )
    return sent.map(({ id }, index) => ({
      record: id,
      requestId: response.requestId,
      ...resultOf(reported[index] ?? "NoResult")
    }))
  }
  const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
  if (!isCallError(error)) {
    const detail = Cause.isInterrupted(exit.cause)
      ? "the call was interrupted"
      : "the client failed"
    return sent.map(({ id }) => ({ record: id, result: "noResponse", detail }))
  }
  const result = resultOfError(error, sent.length)
  return sent.map(({ id }) => ({
    record: id,
    requestId: error.requestId,
    result,
    detail: detailOf(error)
  }))
}

const resultOf = (
  reported: ReportedResult
): Pick<Result, "result" | "meteringRecordId" | "detail"> => {
  switch (reported) {
    case "Unprocessed":
      return { result: "unprocessed" }
    case "NoResult":
      return { result: "noResponse", detail: "the response has no result for the record" }
    case "Ambiguous":
      return { result: "noResponse", detail: "the response has a result that fits another record" }
  }
  switch (reported.status) {
    case "Success":
      return { result: "success", meteringRecordId: reported.meteringRecordId }
    case "DuplicateRecord":
      return { result: "duplicate" }
    case "CustomerNotSubscribed":
      return { result: "notSubscribed" }
    default:
      return { result: "unknownStatus", detail: reported.status }
  }
}

/** The rejection of a call is a rejection of its record only if it had a single record. */
const resultOfError = (error: BatchMeterUsageError, count: number): AttemptResult => {
  const { delivery, scope } = classifyError(error)
  if (delivery === "unknown") return "noResponse"
  return delivery === "rejected" && scope === "record" && count === 1 ? "rejected" : "unsent"
}
