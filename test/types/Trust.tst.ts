import { type DateTime, type Effect, Redacted } from "effect"
import { MarketplaceEvent, SnsMessage, Trust } from "effect-marketplace-metering/lifecycle"
import { describe, expect, it } from "tstyche"

declare const body: string

describe("decode", () => {
  it("requires evidence of the sender", () => {
    expect(MarketplaceEvent.decode).type.not.toBeCallableWith(body)
    expect(MarketplaceEvent.decode).type.not.toBeCallableWith(body, undefined)
    expect(MarketplaceEvent.decode).type.toBeCallableWith(body, Trust.queue)
  })

  it("accepts no evidence that was made by hand", () => {
    expect(MarketplaceEvent.decode).type.not.toBeCallableWith(body, "queue")
    expect(MarketplaceEvent.decode).type.not.toBeCallableWith(body, { _tag: "Queue" })
    expect(MarketplaceEvent.decode).type.not.toBeCallableWith(body, { _tag: "Secret" })
    expect(MarketplaceEvent.decode).type.not.toBeCallableWith(body, {
      _tag: "Signature",
      topicArn: "arn:aws:sns:us-east-1:123456789012:topic",
      covers: () => true
    })
  })

  it("accepts the evidence of a secret", () => {
    const checked = Trust.checkSecret(body, Redacted.make("correct horse battery"))
    expect(checked).type.toBe<Effect.Effect<Trust.Secret, Trust.SharedSecretError>>()
    expect<Trust.Trust>().type.toBeAssignableFrom<Trust.Secret>()
  })
})

describe("an event", () => {
  it("is a closed union by its tag", () => {
    expect<MarketplaceEvent.MarketplaceEvent["_tag"]>().type.toBe<
      | "SubscribeSuccess"
      | "SubscribeFail"
      | "UnsubscribePending"
      | "UnsubscribeSuccess"
      | "EntitlementUpdated"
      | "AgreementCreated"
      | "AgreementAmended"
      | "AgreementEnded"
      | "LicenseUpdated"
      | "LicenseDeprovisioned"
      | "AgreementNotice"
      | "Unknown"
    >()
  })

  it("names its times and its license", () => {
    expect<MarketplaceEvent.LicenseUpdated["license"]>().type.toBe<{ readonly arn: string }>()
    expect<MarketplaceEvent.AgreementCreated["time"]>().type.toBe<DateTime.Utc>()
  })
})

describe("a verifier", () => {
  it("requires allowed topics", () => {
    expect(SnsMessage.layer).type.not.toBeCallableWith({})
    expect(SnsMessage.layer).type.not.toBeCallableWith({ topicArns: [] })
    expect(SnsMessage.layer).type.toBeCallableWith({ topicArns: [body] })
  })

  it("confirms only a subscription", () => {
    expect<
      Parameters<typeof SnsMessage.confirm>[0]
    >().type.not.toBeAssignableFrom<SnsMessage.Notification>()
    expect<
      Parameters<typeof SnsMessage.confirm>[0]
    >().type.not.toBeAssignableFrom<SnsMessage.UnsubscribeConfirmation>()
  })
})
