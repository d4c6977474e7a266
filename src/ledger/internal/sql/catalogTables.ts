import * as Effect from "effect/Effect"
import type { DimensionRow, KeyRow, LedgerRow, ProductRow, SubscriptionRow } from "../model/rows.js"
import type { Tables } from "../tables.js"
import { licenseIdOf, orNull, toNumber, toOptionalNumber, toOptionalText } from "./columns.js"
import { type Dialect, listParameter } from "./dialect.js"
import type { Row, SqlSession, SqlValue } from "./session.js"

/** The ledger itself, products, subscriptions and keys. */
export const catalogTables = (
  { query }: SqlSession,
  dialect: Dialect
): Pick<
  Tables,
  | "ledger"
  | "lockLedger"
  | "putLedger"
  | "nextTick"
  | "products"
  | "putProduct"
  | "subscriptions"
  | "putSubscription"
  | "keys"
  | "addKeys"
> => ({
  ledger: Effect.map(query("SELECT * FROM usage_ledger", []), ([row]) => row && ledgerOf(row)),
  lockLedger: Effect.map(
    query(`SELECT l.* FROM usage_ledger AS l ${dialect.forUpdate("l")}`, []),
    ([row]) => row && ledgerOf(row)
  ),
  putLedger: (row) =>
    query(
      `INSERT INTO usage_ledger (one, version, writable_from, seller, target, incarnation, tick, hold_from, held_until, recovered_at)
       VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (one) DO UPDATE SET version = excluded.version, writable_from = excluded.writable_from,
         seller = excluded.seller, target = excluded.target, incarnation = excluded.incarnation, tick = excluded.tick,
         hold_from = excluded.hold_from, held_until = excluded.held_until, recovered_at = excluded.recovered_at`,
      [
        row.version,
        row.writableFrom,
        row.seller,
        row.target,
        row.incarnation,
        row.tick,
        orNull(row.holdFrom),
        orNull(row.heldUntil),
        orNull(row.recoveredAt)
      ]
    ),
  nextTick: Effect.map(
    query("UPDATE usage_ledger SET tick = tick + 1 RETURNING tick", []),
    ([row]) => toNumber(row?.tick)
  ),
  products: Effect.map(query("SELECT * FROM usage_product ORDER BY product", []), (rows) =>
    rows.map(productOf)
  ),
  putProduct: (row) =>
    query(
      `INSERT INTO usage_product (product, region, product_code, late, dimensions, tag_keys)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (product) DO UPDATE SET region = excluded.region, product_code = excluded.product_code,
         late = excluded.late, dimensions = excluded.dimensions, tag_keys = excluded.tag_keys`,
      [
        row.product,
        row.region,
        orNull(row.productCode),
        row.late,
        JSON.stringify(row.dimensions),
        JSON.stringify(row.tagKeys)
      ]
    ),
  subscriptions: (filter) => {
    const { where, params, parameter, add, addText } = conditions()
    const textList = (column: string, values: ReadonlyArray<string>) =>
      add(
        (parameter) =>
          `${column} IN (SELECT x.id FROM ${dialect.list(parameter, { id: "text" })} AS x)`,
        listParameter(values.map((value) => [value]))
      )
    if (filter.ids !== undefined) {
      textList("s.id", filter.ids)
    }
    if (filter.lineages !== undefined) {
      textList("s.lineage", filter.lineages)
    }
    if (filter.customer !== undefined) {
      add((at) => `(s.account_id = $${at} OR s.customer_id = $${at})`, filter.customer)
    }
    if (filter.license !== undefined) {
      add((at) => `${licenseIdOf("s.license_arn")} = $${at}`, filter.license)
    }
    if (filter.region !== undefined) {
      add((at) => `s.region = $${at}`, filter.region)
    }
    if (filter.endedBetween !== undefined) {
      const { from, until } = filter.endedBetween
      const [fromAt, untilAt] = [parameter(from), parameter(until)]
      addText(
        `(s.closing_at BETWEEN $${fromAt} AND $${untilAt} OR s.until_at BETWEEN $${fromAt} AND $${untilAt})`
      )
    }
    return Effect.map(
      query(`SELECT s.* FROM usage_subscription AS s${where()} ORDER BY s.from_at, s.id`, params),
      (rows) => rows.map(subscriptionOf)
    )
  },
  putSubscription: (row) =>
    Effect.zipRight(
      dialect.lockName === undefined
        ? Effect.void
        : query(dialect.lockName, [`lineage/${row.lineage}`]),
      query(
        `INSERT INTO usage_subscription (id, lineage, region, product, product_code, license_arn, account_id, customer_id,
           from_at, until_at, closing_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id) DO UPDATE SET lineage = excluded.lineage, region = excluded.region, product = excluded.product,
           product_code = excluded.product_code, license_arn = excluded.license_arn, account_id = excluded.account_id,
           customer_id = excluded.customer_id, from_at = excluded.from_at, until_at = excluded.until_at,
           closing_at = excluded.closing_at`,
        [
          row.id,
          row.lineage,
          row.region,
          row.product,
          orNull(row.productCode),
          orNull(row.licenseArn),
          orNull(row.accountId),
          orNull(row.customerId),
          row.from,
          orNull(row.until),
          orNull(row.closingAt)
        ]
      )
    ),
  keys: ({ lineages, ids }) => {
    const { where, params, add } = conditions()
    if (lineages !== undefined) {
      add(
        (at) => `k.lineage IN (SELECT x.id FROM ${dialect.list(at, { id: "text" })} AS x)`,
        listParameter(lineages.map((lineage) => [lineage]))
      )
    }
    if (ids !== undefined) {
      add(
        (at) => `k.id IN (SELECT x.id FROM ${dialect.list(at, { id: "bigint" })} AS x)`,
        listParameter(ids.map((id) => [id]))
      )
    }
    return Effect.map(
      query(`SELECT k.* FROM usage_key AS k${where()} ORDER BY k.id`, params),
      (rows) => rows.map((row) => keyOf(row))
    )
  },
  addKeys: (rows) => {
    const list = listParameter(
      rows.map((row) => [row.lineage, row.dimension, row.scale, row.region, row.product])
    )
    const columns = {
      lineage: "text",
      dimension: "text",
      scale: "bigint",
      region: "text",
      product: "text"
    } as const
    return query(
      `INSERT INTO usage_key (lineage, dimension, scale, region, product)
       SELECT x.lineage, x.dimension, x.scale, x.region, x.product FROM ${dialect.list(1, columns)} AS x
       WHERE NOT EXISTS (SELECT 1 FROM usage_key AS k WHERE k.lineage = x.lineage AND k.dimension = x.dimension)
       ORDER BY x.ord
       ON CONFLICT (lineage, dimension) DO NOTHING`,
      [list]
    ).pipe(
      Effect.zipRight(
        query(
          `SELECT k.* FROM ${dialect.list(1, columns)} AS x CROSS JOIN usage_key AS k
           WHERE k.lineage = x.lineage AND k.dimension = x.dimension ORDER BY x.ord`,
          [list]
        )
      ),
      Effect.map((stored) => stored.map((row) => keyOf(row)))
    )
  }
})

/** Collects the conditions of a `WHERE` clause and the parameters of the query. */
export const conditions = () => {
  const params: Array<SqlValue> = []
  const texts: Array<string> = []
  return {
    params,
    /** Adds a parameter and returns its number. */
    parameter: (value: SqlValue): number => params.push(value),
    add: (text: (parameter: number) => string, value: SqlValue): void => {
      texts.push(text(params.push(value)))
    },
    addText: (text: string): void => {
      texts.push(text)
    },
    where: (): string => (texts.length === 0 ? "" : ` WHERE ${texts.join(" AND ")}`)
  }
}

const ledgerOf = (row: Row): LedgerRow => ({
  version: toNumber(row.version),
  writableFrom: toNumber(row.writable_from),
  seller: String(row.seller),
  target: row.target as LedgerRow["target"],
  incarnation: String(row.incarnation),
  tick: toNumber(row.tick),
  holdFrom: toOptionalNumber(row.hold_from),
  heldUntil: toOptionalNumber(row.held_until),
  recoveredAt: toOptionalNumber(row.recovered_at)
})

const productOf = (row: Row): ProductRow => ({
  product: String(row.product),
  region: String(row.region),
  productCode: toOptionalText(row.product_code),
  late: row.late as ProductRow["late"],
  dimensions: JSON.parse(String(row.dimensions)) as { readonly [name: string]: DimensionRow },
  tagKeys: JSON.parse(String(row.tag_keys)) as ReadonlyArray<string>
})

const subscriptionOf = (row: Row): SubscriptionRow => ({
  id: String(row.id),
  lineage: String(row.lineage),
  region: String(row.region),
  product: String(row.product),
  productCode: toOptionalText(row.product_code),
  licenseArn: toOptionalText(row.license_arn),
  accountId: toOptionalText(row.account_id),
  customerId: toOptionalText(row.customer_id),
  from: toNumber(row.from_at),
  until: toOptionalNumber(row.until_at),
  closingAt: toOptionalNumber(row.closing_at)
})

/** Decodes a key. `id` is the name of the column that has its id. */
export const keyOf = (row: Row, id = "id"): KeyRow => ({
  id: toNumber(row[id]),
  lineage: String(row.lineage),
  dimension: String(row.dimension),
  scale: toNumber(row.scale),
  region: String(row.region),
  product: String(row.product)
})
