import * as Effect from "effect/Effect"
import type {
  AttemptResult,
  AttemptRow,
  LeaseRow,
  PauseRow,
  RecordRow,
  RecordState,
  ResultRow
} from "../model/rows.js"
import type { Tables } from "../tables.js"
import { conditions } from "./catalogTables.js"
import { orNull, toNumber, toOptionalNumber, toOptionalText } from "./columns.js"
import { type Dialect, listParameter } from "./dialect.js"
import type { Row, SqlSession } from "./session.js"

const recordColumnNames = [
  "id",
  "key",
  "hour",
  "subscription",
  "region",
  "product",
  "quantity",
  "dated_at",
  "body",
  "deadline",
  "sealed_at",
  "state",
  "tries",
  "next_try_at",
  "resolved_at",
  "metering_record_id",
  "carried_at"
]

export const recordColumns = recordColumnNames.join(", ")

/** The columns of a record with the prefix `record_`, for queries that select other tables too. */
export const prefixedRecordColumns = recordColumnNames
  .map((name) => `r.${name} AS record_${name}`)
  .join(", ")

/** Leases, records, calls, results, history, pauses and sources. */
export const reportingTables = (
  { query }: SqlSession,
  dialect: Dialect
): Pick<
  Tables,
  | "leases"
  | "lockLease"
  | "putLease"
  | "dueRecords"
  | "unresolvedRecords"
  | "records"
  | "lockRecords"
  | "updateRecords"
  | "addCall"
  | "addResults"
  | "attempts"
  | "addHistory"
  | "pauses"
  | "putPause"
  | "removePause"
  | "source"
  | "lock"
  | "putSource"
> => {
  /** Locks the name of a row, because a row that does not exist yet cannot be locked. */
  const lockName = (name: string) =>
    dialect.lockName === undefined ? Effect.void : query(dialect.lockName, [name])
  const recordIds = dialect.list(1, { id: "bigint" })
  const recordsOf = (rows: ReadonlyArray<Row>) => rows.map((row) => recordOf(row))
  return {
    leases: Effect.map(query("SELECT * FROM usage_lane ORDER BY region", []), (rows) =>
      rows.map(leaseOf)
    ),
    lockLease: (region) =>
      Effect.zipRight(
        lockName(`lease/${region}`),
        Effect.map(
          query(`SELECT l.* FROM usage_lane AS l WHERE l.region = $1 ${dialect.forUpdate("l")}`, [
            region
          ]),
          ([row]) => row && leaseOf(row)
        )
      ),
    putLease: (row) =>
      query(
        `INSERT INTO usage_lane (region, holder, fence, until_at, seal_after) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (region) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, until_at = excluded.until_at,
           seal_after = excluded.seal_after`,
        [row.region, row.holder, row.fence, row.until, row.sealAfter]
      ),
    dueRecords: ({ region, product, now, limit }) => {
      const { where, params, parameter, add, addText } = conditions()
      addText("r.resolved_at IS NULL")
      add((at) => `r.region = $${at}`, region)
      add((at) => `r.next_try_at <= $${at} AND r.deadline > $${at}`, now)
      if (product !== undefined) {
        add((at) => `r.product = $${at}`, product)
      }
      return Effect.map(
        query(
          `SELECT ${recordColumns} FROM usage_record AS r${where()}
           ORDER BY r.deadline, r.id LIMIT $${parameter(limit)}`,
          params
        ),
        recordsOf
      )
    },
    unresolvedRecords: ({ deadlineUntil, limit }) =>
      Effect.map(
        query(
          `SELECT ${recordColumns} FROM usage_record AS r WHERE r.resolved_at IS NULL AND r.deadline <= $1
           ORDER BY r.deadline, r.id LIMIT $2`,
          [deadlineUntil, limit]
        ),
        recordsOf
      ),
    records: (ids) =>
      Effect.map(
        query(
          `SELECT ${columnsOfRecord("r")} FROM ${recordIds} AS x CROSS JOIN usage_record AS r WHERE r.id = x.id
           ORDER BY x.ord`,
          [listParameter(ids.map((id) => [id]))]
        ),
        recordsOf
      ),
    lockRecords: (ids) =>
      Effect.map(
        query(
          `SELECT ${columnsOfRecord("r")} FROM ${recordIds} AS x CROSS JOIN usage_record AS r WHERE r.id = x.id
           ORDER BY r.id ${dialect.forUpdate("r")}`,
          [listParameter(ids.map((id) => [id]))]
        ),
        recordsOf
      ),
    updateRecords: (rows) =>
      query(
        `UPDATE usage_record SET state = x.state, tries = x.tries, next_try_at = x.next_try_at,
           resolved_at = x.resolved_at, metering_record_id = x.metering_record_id, carried_at = x.carried_at
         FROM ${dialect.list(1, {
           id: "bigint",
           state: "text",
           tries: "bigint",
           next_try_at: "bigint",
           resolved_at: "bigint",
           metering_record_id: "text",
           carried_at: "bigint"
         })} AS x WHERE usage_record.id = x.id`,
        [
          listParameter(
            rows.map((row) => [
              row.id,
              row.state,
              row.tries,
              row.nextTryAt,
              row.resolvedAt,
              row.meteringRecordId,
              row.carriedAt
            ])
          )
        ]
      ),
    addCall: (row, records) =>
      query(
        "INSERT INTO usage_call (region, fence, worker, sent_at) VALUES ($1, $2, $3, $4) RETURNING id",
        [row.region, row.fence, row.worker, row.sentAt]
      ).pipe(
        Effect.map(([stored]) => toNumber(stored?.id)),
        Effect.tap((call) =>
          query(
            `INSERT INTO usage_attempt (record, call) SELECT x.id, CAST($2 AS bigint) FROM ${recordIds} AS x WHERE true`,
            [listParameter(records.map((record) => [record])), call]
          )
        )
      ),
    addResults: (rows) =>
      query(
        `INSERT INTO usage_result (record, call, at, result, metering_record_id, request_id, detail)
         SELECT x.record, x.call, x.at, x.result, x.metering_record_id, x.request_id, x.detail
         FROM ${dialect.list(1, {
           record: "bigint",
           call: "bigint",
           at: "bigint",
           result: "text",
           metering_record_id: "text",
           request_id: "text",
           detail: "text"
         })} AS x WHERE true ORDER BY x.ord`,
        [
          listParameter(
            rows.map((row) => [
              row.record,
              row.call,
              row.at,
              row.result,
              row.meteringRecordId,
              row.requestId,
              row.detail
            ])
          )
        ]
      ),
    attempts: (records) =>
      Effect.map(
        query(
          `SELECT a.record, a.call, c.sent_at, c.worker, r.at, r.result, r.metering_record_id, r.request_id, r.detail
           FROM ${recordIds} AS x CROSS JOIN usage_attempt AS a JOIN usage_call AS c ON c.id = a.call
           LEFT JOIN usage_result AS r ON r.record = a.record AND r.call = a.call
           WHERE a.record = x.id ORDER BY a.record, a.call, r.seq`,
          [listParameter([...new Set(records)].map((record) => [record]))]
        ),
        evidenceOf
      ),
    addHistory: (rows) =>
      query(
        `INSERT INTO usage_history (at, key, hour, was, became, cause)
         SELECT x.at, x.key, x.hour, x.was, x.became, x.cause
         FROM ${dialect.list(1, {
           at: "bigint",
           key: "bigint",
           hour: "bigint",
           was: "text",
           became: "text",
           cause: "text"
         })} AS x WHERE true ORDER BY x.ord`,
        [
          listParameter(
            rows.map((row) => [row.at, row.key, row.hour, row.was, row.became, row.cause])
          )
        ]
      ),
    pauses: Effect.map(query("SELECT * FROM usage_pause ORDER BY region, product", []), (rows) =>
      rows.map(pauseOf)
    ),
    putPause: (row) =>
      query(
        `INSERT INTO usage_pause (region, product, since, cause, retry_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (region, product) DO UPDATE SET since = excluded.since, cause = excluded.cause, retry_at = excluded.retry_at`,
        [row.region, row.product, row.since, row.cause, orNull(row.retryAt)]
      ),
    removePause: (region, product) =>
      query("DELETE FROM usage_pause WHERE region = $1 AND product = $2", [region, product]),
    lock: (name) => lockName(`name/${name}`),
    source: (source, partition) =>
      Effect.zipRight(
        lockName(`source/${source}/${partition}`),
        Effect.map(
          query(
            `SELECT s.position FROM usage_source AS s WHERE s.source = $1 AND s.part = $2 ${dialect.forUpdate("s")}`,
            [source, partition]
          ),
          ([row]) => row && { source, partition, position: String(row.position) }
        )
      ),
    putSource: (row) =>
      query(
        `INSERT INTO usage_source (source, part, position) VALUES ($1, $2, $3)
         ON CONFLICT (source, part) DO UPDATE SET position = excluded.position`,
        [row.source, row.partition, row.position]
      )
  }
}

const columnsOfRecord = (alias: string) =>
  recordColumnNames.map((name) => `${alias}.${name}`).join(", ")

/** Decodes a record. `prefix` is the prefix of the column names. */
export const recordOf = (row: Row, prefix = ""): RecordRow => {
  const at = (name: string) => row[prefix + name]
  return {
    id: toNumber(at("id")),
    key: toNumber(at("key")),
    hour: toNumber(at("hour")),
    subscription: String(at("subscription")),
    region: String(at("region")),
    product: String(at("product")),
    quantity: toNumber(at("quantity")),
    timestamp: toNumber(at("dated_at")),
    body: String(at("body")),
    deadline: toNumber(at("deadline")),
    sealedAt: toNumber(at("sealed_at")),
    state: at("state") as RecordState,
    tries: toNumber(at("tries")),
    nextTryAt: toNumber(at("next_try_at")),
    resolvedAt: toOptionalNumber(at("resolved_at")),
    meteringRecordId: toOptionalText(at("metering_record_id")),
    carriedAt: toOptionalNumber(at("carried_at"))
  }
}

const evidenceOf = (rows: ReadonlyArray<Row>): ReadonlyArray<AttemptRow> => {
  const attempts: Array<AttemptRow & { readonly results: Array<ResultRow> }> = []
  for (const row of rows) {
    const record = toNumber(row.record)
    const call = toNumber(row.call)
    let attempt = attempts.at(-1)
    if (attempt === undefined || attempt.record !== record || attempt.call !== call) {
      attempt = {
        record,
        call,
        sentAt: toNumber(row.sent_at),
        worker: String(row.worker),
        results: []
      }
      attempts.push(attempt)
    }
    if (row.result !== null) {
      attempt.results.push({
        record,
        call,
        at: toNumber(row.at),
        result: row.result as AttemptResult,
        meteringRecordId: toOptionalText(row.metering_record_id),
        requestId: toOptionalText(row.request_id),
        detail: toOptionalText(row.detail)
      })
    }
  }
  return attempts
}

const leaseOf = (row: Row): LeaseRow => ({
  region: String(row.region),
  holder: String(row.holder),
  fence: toNumber(row.fence),
  until: toNumber(row.until_at),
  sealAfter: toNumber(row.seal_after)
})

const pauseOf = (row: Row): PauseRow => ({
  region: String(row.region),
  product: String(row.product),
  since: toNumber(row.since),
  cause: String(row.cause),
  retryAt: toOptionalNumber(row.retry_at)
})
