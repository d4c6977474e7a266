/**
 * Mutants of billing by a submission. Each would bill wrongly, or hide that a record may be billed, and the properties have to
 * fail.
 */
import { failedTest } from "../../support/mutation.js"

const properties = ["test/internal/submission/properties.test.ts"]

/** Name, file below `src`, text, replacement. */
const mutants = [
  [
    "a retry with a new timestamp",
    "internal/submission/runtime.ts",
    "batch.items.map(({ record }) => record)",
    `batch.items.map(({ attempts, record }) => {
      if (attempts === 1) return record
      const like = (value: object, change: object) =>
        Object.assign(Object.create(Object.getPrototypeOf(value)), value, change)
      return like(record, { timestamp: like(record.timestamp, { epochMillis: now().wall }) })
    })`
  ],
  [
    "DuplicateRecord reported as Accepted",
    "internal/submission/pendingRecord.ts",
    'return { _tag: "Duplicate" }',
    'return { _tag: "Accepted" }'
  ],
  [
    "UnprocessedRecords dropped",
    "internal/submission/scheduler.ts",
    "left.push(item)\n      })",
    'if (reported !== "Unprocessed") left.push(item)\n      })'
  ],
  [
    "UnprocessedRecords reported as Accepted",
    "internal/submission/scheduler.ts",
    'if (reported !== "Unprocessed") markUncertain(',
    'if (reported === "Unprocessed") return pending.resolve(item, { _tag: "Accepted" })\n        markUncertain('
  ],
  [
    "results matched by position",
    "internal/submission/matchResults.ts",
    "reportEcho(result.usageRecord, result)",
    "if (results.indexOf(result) < reported.length) report(results.indexOf(result), result)"
  ],
  [
    "a lost response reported as not sent",
    "internal/protocol/delivery.ts",
    'RequestTimeoutError: "unknown"',
    'RequestTimeoutError: "notSent"'
  ],
  [
    "a reset connection reported as not sent",
    "internal/protocol/delivery.ts",
    'ConnectionError: ({ delivery }) => (delivery === "notSent" ? "notSent" : "unknown")',
    'ConnectionError: () => "notSent"'
  ],
  [
    "uncertainty dropped after a later rejection",
    "internal/submission/pendingRecord.ts",
    'if (item.uncertainty !== undefined && resolution._tag !== "Accepted") {',
    'if (item.uncertainty !== undefined && resolution._tag === "NotSent") {'
  ],
  [
    "a record without a result reported as not sent",
    "internal/submission/scheduler.ts",
    'if (reported !== "Unprocessed") markUncertain([item], { reason: reported })',
    ""
  ],
  [
    "records in flight reported as not sent after an interruption",
    "internal/submission/scheduler.ts",
    'if (item.isInFlight) markUncertain([item], { reason: "Interrupted" })',
    ""
  ],
  [
    "two records of one key in one call",
    "internal/submission/pendingRecords.ts",
    "if (last === undefined) onReady(item)\n      else last.next = item",
    "onReady(item)"
  ],
  [
    "sent after its deadline",
    "internal/submission/scheduler.ts",
    "if (time.wall < item.deadline - deadlineMargin) return false",
    "if (item.attempts === 0) return false"
  ],
  [
    "the other half of a rejected call dropped",
    "internal/submission/scheduler.ts",
    "const releaseOtherHalf = ({ bisection }: Batch) => enqueueAll(bisection?.otherHalf ?? [])",
    "const releaseOtherHalf = (_: Batch) => {}"
  ],
  [
    "a result without an echo matched beside an unreadable one",
    "internal/submission/matchResults.ts",
    "unprocessedRecords.length + unreadable.length === 0",
    "unprocessedRecords.length === 0"
  ],
  [
    "one record's rejection applied to its whole call",
    "internal/submission/rejectionCache.ts",
    "cause !== undefined && others.every((item) => causeOf(kind, item, now) === cause)",
    "cause !== undefined || others.every((item) => causeOf(kind, item, now) === cause)"
  ],
  [
    "the other half of a bisection rejected without a call",
    "internal/submission/scheduler.ts",
    "isolateInvalid(otherHalf, { rejected, error, accepted })",
    "reject(otherHalf, error)"
  ],
  [
    "licenses of two products never separated",
    "internal/submission/scheduler.ts",
    "isOfLicenses && multiProductErrors.has(error._tag) && !haveOneLicense(items)",
    "isOfLicenses && items.length > 25"
  ]
].map(([name, ...edit]) => ({ name, edits: [edit] }))

export const submission = {
  suite: "submission",
  mutants,
  failureBefore: (copy) => failedTest(copy, properties),
  failureIn: (copy) => failedTest(copy, properties)
}
