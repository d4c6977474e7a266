// Answers every call with 25 accepted records, in a process of its own so that its work is not measured.
import { createServer } from "node:http"

const result = (i) => ({
  UsageRecord: {
    Timestamp: 1795515300.789,
    Dimension: "api-calls",
    Quantity: 100 + i,
    CustomerAWSAccountId: "111122223333",
    LicenseArn: "arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef"
  },
  MeteringRecordId: `f47ac10b-58cc-4372-a567-0e02b2c3d4${10 + i}`,
  Status: "Success"
})

const body = JSON.stringify({
  Results: Array.from({ length: 25 }, (_, i) => result(i)),
  UnprocessedRecords: []
})

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, {
      "content-type": "application/x-amz-json-1.1",
      "content-length": Buffer.byteLength(body),
      "x-amzn-requestid": "0d5a6e1c-8f2b-4c3d-9e7f-a1b2c3d4e5f6"
    })
    response.end(body)
  })
})

server.listen(0, "127.0.0.1", () => process.send?.(server.address().port))
