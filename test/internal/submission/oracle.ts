/**
 * An oracle for billing: computes the billed usage from the requests that reached the service alone. It shares no code
 * with the library or with its sandbox.
 */

/** A request as it arrived, with its faults. */
export interface RawCall {
  /** The time of arrival, in epoch milliseconds. */
  readonly at: number
  /** The body, as JSON. */
  readonly body: string
  /** False if the service did not process it, such as a throttled call. */
  readonly isProcessed: boolean
  /** Indexes of the records that came back unprocessed. */
  readonly unprocessed: ReadonlyArray<number>
}

/** Times are epoch milliseconds. */
export interface Agreement {
  readonly product: string
  readonly licenseArn?: string
  readonly from?: number
  readonly until?: number
}

export interface Customer {
  /** The account ID first, then other identifiers. */
  readonly names: readonly [string, ...ReadonlyArray<string>]
  readonly isSuspended?: boolean
  readonly agreements: ReadonlyArray<Agreement>
}

/** Products, customers and their agreements. */
export interface Catalog {
  /** Dimensions of each product. */
  readonly products: Readonly<Record<string, ReadonlyArray<string>>>
  readonly customers: ReadonlyArray<Customer>
  /** If true, an unknown customer fails the call; otherwise its record is not subscribed. */
  readonly rejectsUnknownCustomers: boolean
}

export interface WireRecord {
  readonly Timestamp: number
  readonly Dimension: string
  readonly Quantity?: number
  readonly CustomerIdentifier?: string
  readonly CustomerAWSAccountId?: string
  readonly LicenseArn?: string
  readonly UsageAllocations?: ReadonlyArray<{ readonly AllocatedUsageQuantity: number }>
}

export interface WireRequest {
  readonly ProductCode?: string
  readonly UsageRecords: ReadonlyArray<WireRecord>
}

export interface BilledLine {
  readonly product: string
  readonly account: string
  readonly dimension: string
  readonly hour: string
  readonly quantity: number
}

const nameOf = (record: WireRecord) =>
  record.CustomerAWSAccountId ?? record.CustomerIdentifier ?? ""

const customerOf = ({ customers }: Catalog, record: WireRecord) =>
  customers.find(({ names }) => names.includes(nameOf(record)))

const hourOf = ({ Timestamp }: WireRecord) =>
  new Date(Timestamp * 1000).toISOString().slice(0, "2026-12-01T05".length)

/** License or product, customer, dimension and hour. */
export const keyOf = (catalog: Catalog, record: WireRecord, productCode?: string): string =>
  [
    record.LicenseArn ?? productCode,
    customerOf(catalog, record)?.names[0] ?? `? ${nameOf(record)}`,
    record.Dimension,
    hourOf(record)
  ].join(" | ")

/** True if usage of a time is no longer accepted at another time. */
export const isTooLate = (timestamp: number, at: number): boolean => {
  if (at - timestamp >= 86_400_000) return true
  const usage = new Date(timestamp).toISOString()
  const today = new Date(at).toISOString()
  return usage.slice(0, 7) < today.slice(0, 7) && today.slice(8) >= "01T06:00"
}

/** Usage is accepted for one hour after the end. */
const isActive = ({ from = 0, until = Infinity }: Agreement, at: number) =>
  from <= at && at < until + 3_600_000

/** True if the agreement was active at the time of usage. */
const covers = ({ from = 0, until = Infinity }: Agreement, { Timestamp }: WireRecord) =>
  from <= Timestamp * 1000 && Timestamp * 1000 < until

const agreementByLicense = (catalog: Catalog, record: WireRecord) =>
  customerOf(catalog, record)?.agreements.find(
    ({ licenseArn }) => licenseArn !== undefined && licenseArn === record.LicenseArn
  )

const productOf = (catalog: Catalog, record: WireRecord, ProductCode: string | undefined) =>
  ProductCode ?? agreementByLicense(catalog, record)?.product ?? ""

/** True if the service accepts a call with this record. */
export const isValid = (
  catalog: Catalog,
  record: WireRecord,
  ProductCode: string | undefined,
  at: number
): boolean => {
  const { Dimension, LicenseArn, Quantity = 0, Timestamp, UsageAllocations } = record
  const agreement = agreementByLicense(catalog, record)
  const identities = [record.CustomerAWSAccountId, record.CustomerIdentifier]
  return (
    // fields
    Number.isInteger(Quantity) &&
    Quantity >= 0 &&
    Quantity <= 2_147_483_647 &&
    identities.filter((name) => name !== undefined).length === 1 &&
    (LicenseArn === undefined) === (ProductCode !== undefined) &&
    (UsageAllocations === undefined ||
      UsageAllocations.reduce((sum, one) => sum + one.AllocatedUsageQuantity, 0) === Quantity) &&
    // time
    !isTooLate(Math.round(Timestamp * 1000), at) &&
    Timestamp * 1000 - at <= 5 * 60_000 &&
    // catalog
    (catalog.products[productOf(catalog, record, ProductCode)]?.includes(Dimension) ?? false) &&
    (LicenseArn === undefined ||
      (agreement !== undefined && isActive(agreement, at) && covers(agreement, record))) &&
    (!catalog.rejectsUnknownCustomers || customerOf(catalog, record) !== undefined)
  )
}

/** Billed lines by key. */
export const computeBilling = (
  calls: ReadonlyArray<RawCall>,
  catalog: Catalog
): ReadonlyMap<string, BilledLine> => {
  const lines = new Map<string, BilledLine>()
  for (const { at, body, isProcessed, unprocessed } of calls) {
    if (!isProcessed) continue
    const { ProductCode, UsageRecords } = JSON.parse(body) as WireRequest
    if (!UsageRecords.every((record) => isValid(catalog, record, ProductCode, at))) continue
    // a request is for one product
    if (new Set(UsageRecords.map((record) => productOf(catalog, record, ProductCode))).size > 1)
      continue
    const processed = UsageRecords.filter((_, index) => !unprocessed.includes(index)).sort(
      (left, right) =>
        left.Timestamp - right.Timestamp || (left.Quantity ?? 0) - (right.Quantity ?? 0)
    )
    for (const record of processed) {
      const customer = customerOf(catalog, record)
      const product = productOf(catalog, record, ProductCode)
      const hasAgreement = customer?.agreements.some(
        (agreement) =>
          agreement.product === product && isActive(agreement, at) && covers(agreement, record)
      )
      const key = keyOf(catalog, record, ProductCode)
      if (!hasAgreement || customer?.isSuspended === true || lines.has(key)) continue
      lines.set(key, {
        product,
        account: customer?.names[0] ?? "",
        dimension: record.Dimension,
        hour: hourOf(record),
        quantity: record.Quantity ?? 0
      })
    }
  }
  return lines
}

/** Units by product, customer, dimension and hour: the sum over license and product code. */
export const unitsByLine = (lines: Iterable<BilledLine>): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>()
  for (const { account, dimension, hour, product, quantity } of lines) {
    const key = [product, account, dimension, hour].join(" | ")
    sums.set(key, (sums.get(key) ?? 0) + quantity)
  }
  return sums
}
