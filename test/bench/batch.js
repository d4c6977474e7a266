// The call that `bench:load` makes again and again: one record for each of 25 customers, always the same.
import { DateTime } from "effect"

export const region = "us-east-1"
export const productCode = "bench"
export const dimension = "api-calls"
export const credentials = { accessKeyId: "sandbox", secretAccessKey: "sandbox" }

export const customers = Array.from({ length: 25 }, (_, i) => String(100_000_000_000 + i))

/** No quota, no faults. */
export const scenario = {
  region,
  products: [{ code: productCode, dimensions: [dimension] }],
  customers: customers.map((customerAWSAccountId) => ({
    customerAWSAccountId,
    agreements: [{ productCode }]
  }))
}

/** For this client, with usage at a time in epoch milliseconds. */
export const requestAt = (time) => {
  const timestamp = DateTime.unsafeMake(time)
  return {
    productCode,
    usageRecords: customers.map((customerAWSAccountId, i) => ({
      timestamp,
      dimension,
      quantity: 100 + i,
      customerAWSAccountId
    }))
  }
}

/** The same for the official SDK. */
export const inputAt = (time) => {
  const Timestamp = new Date(time)
  return {
    ProductCode: productCode,
    UsageRecords: customers.map((CustomerAWSAccountId, i) => ({
      Timestamp,
      Dimension: dimension,
      Quantity: 100 + i,
      CustomerAWSAccountId
    }))
  }
}
