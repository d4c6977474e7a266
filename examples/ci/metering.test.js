// A test of usage that a program sends to AWS, here by the official SDK. The environment leads to a sandbox.
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient,
  ResolveCustomerCommand
} from "@aws-sdk/client-marketplace-metering"

const sandbox = `${process.env.AWS_ENDPOINT_URL_MARKETPLACE_METERING}/_sandbox`
const client = new MarketplaceMeteringClient()

const call = async (path, body) => {
  const response = await fetch(sandbox + path, {
    ...(body !== undefined && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
  })
  assert.ok(response.ok, await response.clone().text())
  return response.json()
}

test("a buyer is resolved, and billed until an hour after the cancellation", async () => {
  const customerAWSAccountId = "555566667777"
  const { fields } = await call("/buy", { customerAWSAccountId, productCode: "sandbox-analytics" })
  const { CustomerAWSAccountId, LicenseArn } = await client.send(
    new ResolveCustomerCommand({ RegistrationToken: fields["x-amzn-marketplace-token"] })
  )
  assert.equal(CustomerAWSAccountId, customerAWSAccountId)

  const meter = async (quantity) => {
    const { now } = await call("/clock")
    const { Results } = await client.send(
      new BatchMeterUsageCommand({
        UsageRecords: [
          {
            Timestamp: new Date(now),
            Dimension: "api-calls",
            Quantity: quantity,
            CustomerAWSAccountId,
            LicenseArn
          }
        ]
      })
    )
    return Results.map(({ Status }) => Status)
  }
  assert.deepEqual(await meter(42), ["Success"])
  await call("/cancel", { customerAWSAccountId })
  assert.deepEqual(await meter(42), ["Success"])
  await call("/clock/advance", { by: "1 hour" })
  await assert.rejects(meter(42), { name: "InvalidLicenseException" })

  const { billed } = await call("/billed")
  assert.deepEqual(
    billed.map(({ quantity }) => quantity),
    [42]
  )
})
