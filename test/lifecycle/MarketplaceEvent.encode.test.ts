import { describe, expect, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import { MarketplaceEvent } from "effect-marketplace-metering/lifecycle"
import { capturedExamples, eventBridgeExamples } from "./support/documentExamples.js"

const time = DateTime.unsafeMake("2026-11-25T10:00:00.250Z")

const subscribed = new MarketplaceEvent.SubscribeSuccess({
  id: "165545c9-0000-4000-8000-000000000001",
  time,
  customerIdentifier: "X01EXAMPLEX",
  productCode: "n0123EXAMPLEXXXXXXXXXXXX",
  offerIdentifier: "offer-abcexample123",
  isFreeTrialTermPresent: true
})

describe("encode", () => {
  it("makes the message of an SNS action, with its flag as text", () => {
    expect(MarketplaceEvent.encode(subscribed)).toEqual({
      action: "subscribe-success",
      "customer-identifier": "X01EXAMPLEX",
      "product-code": "n0123EXAMPLEXXXXXXXXXXXX",
      "offer-identifier": "offer-abcexample123",
      isFreeTrialTermPresent: "true"
    })
  })

  it.each([...eventBridgeExamples, ...capturedExamples])(
    "makes %s as in the documents",
    (tag, example) => {
      const { "detail-type": detailType, detail, version, source, ...envelope } = example
      const event = Schema.decodeUnknownSync(MarketplaceEvent.MarketplaceEvent)({
        ...detail,
        ...envelope,
        _tag: tag,
        role: detailType.split(" - ")[1]
      })
      expect(MarketplaceEvent.encode(event)).toEqual(example)
    }
  )

  it("makes an event that only informs, with its detail unchanged", () => {
    const detail = { agreement: { id: "agmt-1", by: [1, null] }, advisory: { issuedAt: "now" } }
    const event = new MarketplaceEvent.AgreementNotice({
      id: "a1b2c3d4-0000-4000-8000-000000000001",
      time,
      account: "111122223333",
      region: "us-east-1",
      resources: [],
      detailType: "Purchase Agreement Advisory Issued - Manufacturer",
      detail
    })
    expect(MarketplaceEvent.encode(event)).toEqual({
      version: "0",
      id: "a1b2c3d4-0000-4000-8000-000000000001",
      "detail-type": "Purchase Agreement Advisory Issued - Manufacturer",
      source: "aws.agreement-marketplace",
      account: "111122223333",
      time: "2026-11-25T10:00:00.250Z",
      region: "us-east-1",
      resources: [],
      detail
    })
  })

  it("returns the JSON of an unknown event", () => {
    const raw = { "detail-type": "Spend Threshold Reached" }
    expect(MarketplaceEvent.encode(new MarketplaceEvent.Unknown({ raw }))).toEqual(raw)
  })
})

describe("encodeSns", () => {
  it("puts the message into a notification, whose time has milliseconds", () => {
    const topicArn = "arn:aws:sns:us-east-1:123456789012:aws-mp-subscription-notification-EXAMPLE"
    const timestamp = DateTime.unsafeMake("2026-11-25T10:00:00Z")
    expect(
      MarketplaceEvent.encodeSns(subscribed, { topicArn, messageId: "m-1", timestamp })
    ).toEqual({
      Type: "Notification",
      MessageId: "m-1",
      TopicArn: topicArn,
      Message: JSON.stringify(MarketplaceEvent.encode(subscribed)),
      Timestamp: "2026-11-25T10:00:00.000Z"
    })
  })
})
