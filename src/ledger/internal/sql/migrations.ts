/** The schema, as numbered migrations. A released migration never changes. */
import * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"
import { licenseIdOf, toNumber } from "./columns.js"
import type { SqlSession } from "./session.js"

/** The SQL fragments of the schema that differ between the databases. */
export interface SchemaWords {
  /** A 64-bit integer. */
  readonly integer: string
  /** Text that is compared by its bytes. */
  readonly text: string
  /** An auto-incremented primary key, whose values are not reused after a deletion. */
  readonly identity: string
  /** Table options of a table that is read by its primary key. */
  readonly clustered: string
  /** Table options of other tables. */
  readonly options: string
  /** Table options of `usage_entry`, whose rows are often updated. */
  readonly updated: string
}

export interface Migration {
  readonly version: number
  /** The oldest schema version whose code can write to the database after this migration. */
  readonly writableFrom: number
  readonly statements: ReadonlyArray<string>
}

/** The schema version of this code. */
export const schemaVersion = 2

/** The schema version of a database (0 if it is empty), and the oldest version whose code can write to it. */
export interface SchemaState {
  readonly version: number
  readonly writableFrom: number
}

/** Reads the state of a database that has the table `usage_migration`. */
export const readSchemaState = ({
  query
}: SqlSession): Effect.Effect<SchemaState, LedgerUnavailable> =>
  Effect.map(
    query(
      `SELECT MAX(version) AS version, MAX(writable_from) AS writable_from FROM
         (SELECT version, writable_from FROM usage_migration UNION ALL SELECT version, writable_from FROM usage_ledger) AS m`,
      []
    ),
    ([row]) => ({
      version: toNumber(row?.version ?? 0),
      writableFrom: toNumber(row?.writable_from ?? 0)
    })
  )

/** Returns the migrations that have not been applied yet. */
export const pendingMigrations = (
  migrations: ReadonlyArray<Migration>,
  { version }: SchemaState
): ReadonlyArray<Migration> => migrations.filter((migration) => migration.version > version)

/** Applies one migration in the session's transaction. */
export const applyMigration = (
  { query }: SqlSession,
  { version, writableFrom, statements }: Migration
): Effect.Effect<void, LedgerUnavailable> =>
  Effect.zipRight(
    Effect.forEach(statements, (statement) => query(statement, []), { discard: true }),
    Effect.zipRight(
      query("INSERT INTO usage_migration (version, writable_from) VALUES ($1, $2)", [
        version,
        writableFrom
      ]),
      query("UPDATE usage_ledger SET version = $1, writable_from = $2", [version, writableFrom])
    )
  )

/** 2^62. The sum of two such numbers fits into 64 bits. */
const limit = "4611686018427387904"

const sum = (column: string) =>
  `${column} NOT NULL CHECK (${column.split(" ")[0]} BETWEEN -${limit} AND ${limit})`

/** The tables and indexes of version 1. Each database adds its triggers. */
export const schema1 = (words: SchemaWords): ReadonlyArray<string> => {
  const { integer, text, identity, clustered, options, updated } = words
  return [
    `CREATE TABLE usage_migration (
       version ${integer} NOT NULL PRIMARY KEY, writable_from ${integer} NOT NULL
     )${options}`,
    `CREATE TABLE usage_ledger (
       one ${integer} NOT NULL PRIMARY KEY CHECK (one = 1), version ${integer} NOT NULL, writable_from ${integer} NOT NULL,
       seller ${text} NOT NULL, target ${text} NOT NULL CHECK (target IN ('service', 'sandbox')),
       incarnation ${text} NOT NULL, tick ${integer} NOT NULL, hold_from ${integer}, held_until ${integer},
       recovered_at ${integer}
     )${options}`,
    `CREATE TABLE usage_product (
       product ${text} NOT NULL PRIMARY KEY, region ${text} NOT NULL, product_code ${text},
       late ${text} NOT NULL CHECK (late IN ('reject', 'carry')), dimensions ${text} NOT NULL, tag_keys ${text} NOT NULL
     )${options}`,
    `CREATE TABLE usage_subscription (
       id ${text} NOT NULL PRIMARY KEY, lineage ${text} NOT NULL, region ${text} NOT NULL, product ${text} NOT NULL,
       product_code ${text}, license_arn ${text}, account_id ${text}, customer_id ${text}, from_at ${integer} NOT NULL,
       until_at ${integer}, closing_at ${integer}
     )${options}`,
    "CREATE INDEX usage_subscription_lineage ON usage_subscription (lineage)",
    "CREATE INDEX usage_subscription_account ON usage_subscription (account_id)",
    "CREATE INDEX usage_subscription_customer ON usage_subscription (customer_id)",
    "CREATE INDEX usage_subscription_closing ON usage_subscription (closing_at) WHERE closing_at IS NOT NULL",
    "CREATE INDEX usage_subscription_until ON usage_subscription (until_at) WHERE until_at IS NOT NULL",
    `CREATE TABLE usage_key (
       id ${identity}, lineage ${text} NOT NULL, dimension ${text} NOT NULL,
       scale ${integer} NOT NULL CHECK (scale BETWEEN 0 AND 9), region ${text} NOT NULL, product ${text} NOT NULL,
       UNIQUE (lineage, dimension)
     )${options}`,
    `CREATE TABLE usage_event (
       id ${text} NOT NULL PRIMARY KEY, key ${integer} NOT NULL, hour ${integer} NOT NULL, at ${integer} NOT NULL,
       quantity ${integer} NOT NULL, tags ${text} NOT NULL
     )${clustered}`,
    `CREATE TABLE usage_posting (
       cause ${text} NOT NULL CHECK (cause IN ('adjust', 'advance', 'forward')), reference ${text} NOT NULL,
       key ${integer} NOT NULL, hour ${integer} NOT NULL, tags ${text} NOT NULL, ${sum(`quantity ${integer}`)},
       PRIMARY KEY (cause, reference, key, hour, tags)
     )${clustered}`,
    `CREATE TABLE usage_entry (
       key ${integer} NOT NULL, hour ${integer} NOT NULL, sealed ${integer} NOT NULL CHECK (sealed IN (0, 1)),
       ${sum(`quantity ${integer}`)}, events ${integer} NOT NULL, first_at ${integer} NOT NULL,
       ${sum(`rounding ${integer}`)}, PRIMARY KEY (key, hour)
     )${updated}`,
    "CREATE INDEX usage_entry_hour ON usage_entry (hour, key)",
    "CREATE INDEX usage_entry_open ON usage_entry (hour, key) WHERE sealed = 0",
    `CREATE TABLE usage_allocation (
       key ${integer} NOT NULL, hour ${integer} NOT NULL, tags ${text} NOT NULL, ${sum(`quantity ${integer}`)},
       PRIMARY KEY (key, hour, tags)
     )${clustered}`,
    `CREATE TABLE usage_carry (
       key ${integer} NOT NULL, tags ${text} NOT NULL, ${sum(`amount ${integer}`)}, PRIMARY KEY (key, tags)
     )${clustered}`,
    `CREATE TABLE usage_record (
       id ${identity}, key ${integer} NOT NULL, hour ${integer} NOT NULL, subscription ${text} NOT NULL,
       region ${text} NOT NULL, product ${text} NOT NULL,
       quantity ${integer} NOT NULL CHECK (quantity BETWEEN 0 AND 2147483647), dated_at ${integer} NOT NULL,
       body ${text} NOT NULL, deadline ${integer} NOT NULL, sealed_at ${integer} NOT NULL,
       state ${text} NOT NULL CHECK (state IN
         ('sealed', 'accepted', 'conflicting', 'notSubscribed', 'rejected', 'expired', 'inDoubt')),
       tries ${integer} NOT NULL, next_try_at ${integer} NOT NULL, resolved_at ${integer}, metering_record_id ${text},
       carried_at ${integer}, UNIQUE (key, hour)
     )${options}`,
    "CREATE INDEX usage_record_due ON usage_record (region, deadline, id) WHERE resolved_at IS NULL",
    "CREATE INDEX usage_record_overdue ON usage_record (deadline, id) WHERE resolved_at IS NULL",
    `CREATE INDEX usage_record_unaccepted ON usage_record (region, product, state, hour, deadline, resolved_at)
       WHERE state <> 'accepted'`,
    "CREATE INDEX usage_record_accepted ON usage_record (hour, region, product) WHERE state = 'accepted'",
    `CREATE TABLE usage_call (
       id ${identity}, region ${text} NOT NULL, fence ${integer} NOT NULL, worker ${text} NOT NULL,
       sent_at ${integer} NOT NULL
     )${options}`,
    `CREATE TABLE usage_attempt (
       record ${integer} NOT NULL, call ${integer} NOT NULL, PRIMARY KEY (record, call)
     )${clustered}`,
    `CREATE TABLE usage_result (
       seq ${identity}, record ${integer} NOT NULL, call ${integer} NOT NULL, at ${integer} NOT NULL,
       result ${text} NOT NULL CHECK (result IN ('success', 'duplicate', 'notSubscribed', 'rejected', 'unprocessed', 'unsent',
         'noResponse', 'unknownStatus')),
       metering_record_id ${text}, request_id ${text}, detail ${text}
     )${options}`,
    "CREATE INDEX usage_result_attempt ON usage_result (record, call)",
    `CREATE TABLE usage_history (
       seq ${identity}, at ${integer} NOT NULL, key ${integer} NOT NULL, hour ${integer} NOT NULL, was ${text},
       became ${text} NOT NULL, cause ${text} NOT NULL
     )${options}`,
    "CREATE INDEX usage_history_entry ON usage_history (key, hour)",
    `CREATE TABLE usage_lane (
       region ${text} NOT NULL PRIMARY KEY, holder ${text} NOT NULL, fence ${integer} NOT NULL, until_at ${integer} NOT NULL
     )${options}`,
    `CREATE TABLE usage_pause (
       region ${text} NOT NULL, product ${text} NOT NULL, since ${integer} NOT NULL, cause ${text} NOT NULL,
       retry_at ${integer}, PRIMARY KEY (region, product)
     )${options}`,
    `CREATE TABLE usage_source (
       source ${text} NOT NULL, part ${text} NOT NULL, position ${text} NOT NULL, PRIMARY KEY (source, part)
     )${options}`
  ]
}

/**
 * Version 2: stores the `sealAfter` of the holder in a lease (`usage_lane`), and adds an index of subscriptions by license. Code of
 * version 1 cannot write to it, because it would leave the `sealAfter` of an earlier holder in place, and does not lock licenses.
 */
export const schema2 = ({ integer }: SchemaWords): ReadonlyArray<string> => [
  `ALTER TABLE usage_lane ADD COLUMN seal_after ${integer} NOT NULL DEFAULT 600000`,
  `CREATE INDEX usage_subscription_license ON usage_subscription (${licenseIdOf("license_arn")})`
]
