// Answers every operation, in a process of its own so that its work is not measured.
import { createServer } from "node:http"
import { licenseArn, wireRecord } from "./calls.js"

const result = (i) => ({
  UsageRecord: wireRecord(i),
  MeteringRecordId: `f47ac10b-58cc-4372-a567-0e02b2c3d4${10 + i}`,
  Status: "Success"
})

const answers = {
  MeterUsage: () => ({ MeteringRecordId: result(0).MeteringRecordId }),
  BatchMeterUsage: ({ UsageRecords }) => ({
    Results: UsageRecords.map((_, i) => result(i)),
    UnprocessedRecords: []
  }),
  RegisterUsage: () => ({
    Signature: `eyJhbGciOiJQUzI1NiJ9.${"c".repeat(160)}.${"s".repeat(342)}`
  }),
  ResolveCustomer: () => ({
    CustomerIdentifier: "",
    CustomerAWSAccountId: "111122223333",
    ProductCode: "4v9hm1u3i5p7l3c0",
    LicenseArn: licenseArn
  })
}

const server = createServer((request, response) => {
  const chunks = []
  request
    .on("data", (chunk) => chunks.push(chunk))
    .on("end", () => {
      const operation = String(request.headers["x-amz-target"]).split(".")[1]
      const body = JSON.stringify(answers[operation](JSON.parse(Buffer.concat(chunks).toString())))
      response.writeHead(200, {
        "content-type": "application/x-amz-json-1.1",
        "content-length": Buffer.byteLength(body),
        "x-amzn-requestid": "0d5a6e1c-8f2b-4c3d-9e7f-a1b2c3d4e5f6"
      })
      response.end(body)
    })
})

server.listen(0, "127.0.0.1", () => process.send?.(server.address().port))
process.on("disconnect", () => process.exit())
