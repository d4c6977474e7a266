/**
 * What is billed, recomputed from the requests that reached the service and from nothing else. It shares no code with
 * the library, with the sandbox, or with the service that these tests make up.
 */

/** A request as it arrived, and what the service could not help. */
export interface RawCall {
  /** When it left, and when it arrived, epoch milliseconds. */
  readonly sentAt: number
  readonly at: number
  /** The body, as JSON. */
  readonly body: string
  /** False where the service never came to look at it: throttled, cut off before. */
  readonly isLookedAt: boolean
  /** Places of the records that the service did not get to. */
  readonly unprocessed: ReadonlyArray<number>
}

/** Who sells what to whom. */
export interface Market {
  readonly dimensions: ReadonlyArray<string>
  /** Names of a customer, the account first. */
  readonly customers: ReadonlyArray<ReadonlyArray<string>>
  readonly products: ReadonlyArray<string>
}

export interface WireRecord {
  readonly Timestamp: number
  readonly Dimension: string
  readonly Quantity?: number
  readonly CustomerIdentifier?: string
  readonly CustomerAWSAccountId?: string
  readonly LicenseArn?: string
}

interface WireRequest {
  readonly ProductCode?: string
  readonly UsageRecords: ReadonlyArray<WireRecord>
}

/** Where usage is entered: what was bought, by whom, what of it, and when. */
export const lineOf = (market: Market, record: WireRecord, productCode?: string): string => {
  const name = record.CustomerAWSAccountId ?? record.CustomerIdentifier ?? ""
  const customer = market.customers.find((names) => names.includes(name))?.[0] ?? `? ${name}`
  const hour = new Date(record.Timestamp * 1000).toISOString().slice(0, 13)
  return [record.LicenseArn ?? productCode, customer, record.Dimension, hour].join(" | ")
}

/** Whether usage of that time is taken at that time, epoch milliseconds. */
export const isOpen = (timestamp: number, at: number): boolean => {
  if (at - timestamp >= 86_400_000) return false
  const usage = new Date(timestamp).toISOString()
  const today = new Date(at).toISOString()
  return usage.slice(0, 7) >= today.slice(0, 7) || today.slice(8) < "01T06:00"
}

/** Quantity by line. */
export const billing = (
  calls: ReadonlyArray<RawCall>,
  market: Market
): ReadonlyMap<string, number> => {
  const lines = new Map<string, number>()
  for (const { at, body, isLookedAt, unprocessed } of calls) {
    if (!isLookedAt) continue
    const { ProductCode, UsageRecords } = JSON.parse(body) as WireRequest
    if (ProductCode !== undefined && !market.products.includes(ProductCode)) continue
    const isSound = UsageRecords.every(
      ({ Dimension, Timestamp }) =>
        market.dimensions.includes(Dimension) && isOpen(Math.round(Timestamp * 1000), at)
    )
    if (!isSound) continue
    UsageRecords.forEach((record, place) => {
      const line = lineOf(market, record, ProductCode)
      if (unprocessed.includes(place) || line.includes("| ? ") || lines.has(line)) return
      lines.set(line, record.Quantity ?? 0)
    })
  }
  return lines
}
