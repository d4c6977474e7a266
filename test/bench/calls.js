// The calls that are measured, in the words of the wire.

export const licenseArn =
  "arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef"

export const wireRecord = (i) => ({
  Timestamp: 1795515300.789,
  Dimension: "api-calls",
  Quantity: 100 + i,
  CustomerAWSAccountId: "111122223333",
  LicenseArn: licenseArn
})

const wireRecords = (count) => Array.from({ length: count }, (_, i) => wireRecord(i))

export const calls = [
  {
    name: "MeterUsage",
    operation: "MeterUsage",
    wire: {
      ProductCode: "4v9hm1u3i5p7l3c0",
      Timestamp: 1795515300.789,
      UsageDimension: "hosts",
      UsageQuantity: 3,
      ClientToken: "8c2f6d0e-3b1a-4f5c-9d7e-0a1b2c3d4e5f"
    }
  },
  {
    name: "RegisterUsage",
    operation: "RegisterUsage",
    wire: { ProductCode: "4v9hm1u3i5p7l3c0", PublicKeyVersion: 1, Nonce: "instance-7" }
  },
  {
    name: "ResolveCustomer",
    operation: "ResolveCustomer",
    wire: { RegistrationToken: "t".repeat(200) }
  },
  {
    name: "BatchMeterUsage, 1 record",
    operation: "BatchMeterUsage",
    wire: { UsageRecords: wireRecords(1) }
  },
  {
    name: "BatchMeterUsage, 25 records",
    operation: "BatchMeterUsage",
    wire: { UsageRecords: wireRecords(25) }
  }
]
