import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, DateTime, Either, FastCheck as fc, Schema } from "effect"
import { MarketplaceEvent, Trust } from "effect-marketplace-metering/lifecycle"
import {
  capturedExamples,
  eventBridgeExamples,
  noticeExamples,
  snsExamples
} from "./support/documentExamples.js"

const topicArn = "arn:aws:sns:us-east-1:123456789012:aws-mp-subscription-notification-EXAMPLE"
const queueArn = "arn:aws:sqs:us-east-1:111122223333:marketplace-events"
const timestamp = DateTime.unsafeMake("2026-11-25T10:00:00.250Z")
const messageId = "165545c9-0000-4000-8000-000000000001"

const stored = Schema.encodeSync(MarketplaceEvent.MarketplaceEvent)
const isUnknown = Schema.is(MarketplaceEvent.Unknown)

const decode = (input: unknown) => MarketplaceEvent.decode(input, Trust.queue)

/** The one result of a message that is readable. */
const decodeOne = (input: unknown): MarketplaceEvent.ReceivedEvent => {
  const results = decode(input)
  expect(results).toHaveLength(1)
  return Either.getOrThrow(results[0] as Either.Either<MarketplaceEvent.ReceivedEvent, unknown>)
}

/** The one error of a message that is not. */
const failOne = (input: unknown): MarketplaceEvent.InvalidMessageError => {
  const results = decode(input)
  expect(results).toHaveLength(1)
  return Either.getOrThrow(
    Either.flip(results[0] as Either.Either<unknown, MarketplaceEvent.InvalidMessageError>)
  )
}

const notification = (message: unknown) => ({
  Type: "Notification",
  MessageId: messageId,
  TopicArn: topicArn,
  Message: typeof message === "string" ? message : JSON.stringify(message),
  Timestamp: "2026-11-25T10:00:00.250Z",
  SignatureVersion: "1",
  Signature: "EXAMPLE",
  SigningCertURL: "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem",
  UnsubscribeURL: "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe"
})

const sqsRecord = (body: unknown, id = messageId) => ({
  messageId: id,
  receiptHandle: "MessageReceiptHandle",
  body: typeof body === "string" ? body : JSON.stringify(body),
  attributes: {
    ApproximateReceiveCount: "1",
    SentTimestamp: String(timestamp.epochMillis),
    SenderId: "AIDAEXAMPLE",
    ApproximateFirstReceiveTimestamp: String(timestamp.epochMillis)
  },
  messageAttributes: {},
  md5OfBody: "d41d8cd98f00b204e9800998ecf8427e",
  eventSource: "aws:sqs",
  eventSourceARN: queueArn,
  awsRegion: "us-east-1"
})

/** Each way from AWS to a program. */
const envelopes: Readonly<Record<string, (message: unknown) => unknown>> = {
  "the body of an SQS message": (message) => JSON.stringify(message),
  "the parsed body of an SQS message": (message) => message,
  "SNS in the body of an SQS message": (message) => JSON.stringify(notification(message)),
  "a message of the SDK": (message) => ({
    MessageId: messageId,
    ReceiptHandle: "MessageReceiptHandle",
    Body: JSON.stringify(message),
    Attributes: { SentTimestamp: String(timestamp.epochMillis) }
  }),
  "a function with a queue": (message) => ({ Records: [sqsRecord(message)] }),
  "the text of a function's input": (message) => JSON.stringify({ Records: [sqsRecord(message)] }),
  "a record of a function with a queue": sqsRecord,
  "a function with a queue of a topic": (message) => ({
    Records: [sqsRecord(notification(message))]
  }),
  "a function with a topic": (message) => {
    const { SigningCertURL, UnsubscribeURL, ...others } = notification(message)
    return {
      Records: [
        {
          EventSource: "aws:sns",
          EventVersion: "1.0",
          EventSubscriptionArn: `${topicArn}:21be56ed-0000-4000-8000-000000000001`,
          Sns: {
            ...others,
            Subject: null,
            SigningCertUrl: SigningCertURL,
            UnsubscribeUrl: UnsubscribeURL,
            MessageAttributes: {}
          }
        }
      ]
    }
  }
}

describe.each(Object.entries(envelopes))("decode of %s", (name, envelope) => {
  it.each([...eventBridgeExamples, ...capturedExamples])(
    "reads %s and loses nothing",
    (tag, example) => {
      const { body, event, trust } = decodeOne(envelope(example))
      expect(event._tag).toBe(tag)
      expect(MarketplaceEvent.encode(event)).toEqual(example)
      expect(body).toEqual(example)
      expect(trust).toBe("Queue")
    }
  )

  it.each(noticeExamples.map((example) => [example["detail-type"], example] as const))(
    "reads %s as a notice",
    (_, example) => {
      const { event } = decodeOne(envelope(example))
      expect(event._tag).toBe("AgreementNotice")
      expect(MarketplaceEvent.encode(event)).toEqual(example)
    }
  )

  it.each(snsExamples)("reads the action of %s", (tag, example) => {
    const { event } = decodeOne(envelope(example))
    expect(event._tag).toBe(tag)
    expect(MarketplaceEvent.encode(event)).toEqual(example)
    if (!name.includes("body")) {
      expect(event).toHaveProperty("id", messageId)
      expect(event).toHaveProperty("time.epochMillis", timestamp.epochMillis)
    }
  })

  it("keeps an event of another kind", () => {
    const example = { ...eventBridgeExamples[0][1], "detail-type": "Spend Threshold Reached" }
    const { event } = decodeOne(envelope(example))
    expect(stored(event)).toEqual({ _tag: "Unknown", raw: example })
  })
})

describe("decode", () => {
  it.each([
    ["a buyer's event", "Purchase Agreement Created - Acceptor"],
    ["an event without a role", "Purchase Agreement Created"],
    ["an event with another case", "purchase agreement created - Proposer"],
    ["the name of a property of objects", "constructor"]
  ])("keeps %s as unknown", (_, detailType) => {
    const example = { ...eventBridgeExamples[0][1], "detail-type": detailType }
    expect(decodeOne(example).event._tag).toBe("Unknown")
  })

  it("keeps an event of another source as unknown", () => {
    const example = { ...eventBridgeExamples[0][1], source: "my.agreement-marketplace" }
    expect(decodeOne(example).event._tag).toBe("Unknown")
  })

  it.each(["toString", "subscribe", 1, null])("keeps the action %s as unknown", (action) => {
    expect(decodeOne({ action }).event._tag).toBe("Unknown")
  })

  it("takes the fields around the detail from nowhere else", () => {
    const [, example] = eventBridgeExamples[0]
    const { event } = decodeOne({
      ...example,
      detail: { ...example.detail, _tag: "AgreementEnded", role: "Manufacturer", id: "other" }
    })
    expect(event).toMatchObject({ _tag: "AgreementCreated", role: "Proposer", id: example.id })
  })

  it("reads null as absent", () => {
    const [, example] = eventBridgeExamples[0]
    const { event } = decodeOne({ ...example, detail: { ...example.detail, offer: null } })
    expect(event).not.toHaveProperty("offer")
  })

  it("returns a result for each record, and fails only the unreadable one", () => {
    const [, event] = eventBridgeExamples[0]
    const results = decode({
      Records: [
        sqsRecord(event, "m-1"),
        sqsRecord("no JSON", "m-2"),
        sqsRecord({ ...event, detail: { ...event.detail, agreement: {} } }, "m-3"),
        sqsRecord(notification("[1]"), "m-4"),
        sqsRecord({ any: "thing" }, "m-5")
      ]
    })
    expect(
      results.map(
        Either.match({
          onLeft: ({ messageId, message }) => [messageId, message],
          onRight: ({ event, messageId }) => [messageId, event._tag]
        })
      )
    ).toEqual([
      ["m-1", "AgreementCreated"],
      ["m-2", "Records[1].body: expected a JSON object"],
      ["m-3", "Records[2].body.detail.agreement.id: expected a value"],
      ["m-4", "Records[3].body.Message: expected a JSON object"],
      ["m-5", "Unknown"]
    ])
  })

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a number", 1],
    ["a list", []],
    ["text", "hello"],
    ["the text of a number", "1"]
  ])("fails for %s", (_, input) => {
    expect(failOne(input)).toMatchObject({
      field: "input",
      expected: expect.stringContaining("a JSON object")
    })
  })

  it("returns a result for each record of a text", () => {
    const results = decode(JSON.stringify({ Records: [sqsRecord("no JSON", "m-1"), {}] }))
    expect(results.map(Either.map(({ event }) => event._tag))).toEqual([
      Either.left(expect.objectContaining({ messageId: "m-1", field: "Records[0].body" })),
      Either.right("Unknown")
    ])
  })

  it("returns no result for a batch without records", () => {
    expect(decode({ Records: [] })).toEqual([])
  })

  it.each([
    ["id", { id: "" }, "id", "text that is not empty"],
    ["time", { time: "yesterday" }, "time", "an ISO 8601 time with its zone"],
    ["detail", { detail: "text" }, "detail.", "a value"]
  ])("names an invalid %s, and no value", (_, fields, field, expected) => {
    const error = failOne({ ...eventBridgeExamples[0][1], ...fields })
    expect(error.field).toContain(field)
    expect(error.expected).toContain(expected)
    expect(error.message).not.toContain("yesterday")
  })

  it("names the field of an action", () => {
    expect(failOne({ action: "subscribe-success", "product-code": "secret-code" }).message).toBe(
      "customer-identifier: expected a value"
    )
  })

  it("stores events as JSON", () => {
    for (const [, example] of [...eventBridgeExamples, ...snsExamples]) {
      const { event } = decodeOne(example)
      const json = JSON.parse(JSON.stringify(stored(event)))
      const again = Schema.decodeUnknownSync(MarketplaceEvent.MarketplaceEvent)(json)
      expect(again).toEqual(event)
    }
  })
})

describe("an SNS action in several envelopes", () => {
  const [, action] = snsExamples[0]
  const inner = { ...notification(action), MessageId: "inner", Timestamp: "2026-11-25T09:00:00Z" }

  it.each([
    ["forwarded to another topic", notification(inner)],
    ["forwarded to another queue", sqsRecord(inner)],
    ["forwarded to another topic and queue", sqsRecord(notification(inner))],
    ["forwarded as an SQS message", notification(sqsRecord(inner, "forwarded"))]
  ])("keeps the id and the time of its notification, %s", (_, message) => {
    expect(stored(decodeOne(message).event)).toMatchObject({
      id: "inner",
      time: "2026-11-25T09:00:00Z"
    })
  })

  it.each([
    ["no id", { MessageId: undefined }, messageId, "2026-11-25T09:00:00Z"],
    ["an empty id", { MessageId: "" }, messageId, "2026-11-25T09:00:00Z"],
    ["no time", { Timestamp: undefined }, "inner", "2026-11-25T10:00:00.250Z"],
    ["a time that is none", { Timestamp: "yesterday" }, "inner", "2026-11-25T10:00:00.250Z"]
  ])("takes from the outer one what the inner one lacks: %s", (_, fields, id, time) => {
    const message = sqsRecord({ ...inner, ...fields })
    expect(stored(decodeOne(message).event)).toMatchObject({ id, time })
  })

  it("reports the id of the message that this program received", () => {
    const forwarded = sqsRecord(sqsRecord(action, "forwarded"), "received")
    const { event, messageId } = decodeOne({ Records: [forwarded] })
    expect(messageId).toBe("received")
    expect(event).toHaveProperty("id", "forwarded")
    expect(failOne(sqsRecord(sqsRecord("no JSON", "forwarded"), "received")).messageId).toBe(
      "received"
    )
  })
})

describe("the limits of decode", () => {
  const nested = (levels: number, value: unknown = 1): unknown =>
    levels === 0 ? value : nested(levels - 1, [value])

  it("accepts 64 levels of JSON, and no more", () => {
    expect(decodeOne({ a: nested(63) }).event._tag).toBe("Unknown")
    expect(failOne({ a: nested(64) }).expected).toBe("JSON of at most 64 levels")
  })

  it("survives a text of any nesting", () => {
    const text = `{"a":${"[".repeat(500_000)}${"]".repeat(500_000)}}`
    expect(failOne(text).expected).toMatch(/^(JSON of at most 64 levels|a JSON object)$/)
  })

  it("survives envelopes in envelopes", () => {
    const text = `${'{"Sns":'.repeat(100_000)}{}${"}".repeat(100_000)}`
    expect(failOne(text).expected).toBe("at most 3 envelopes")
  })

  it("accepts 3 envelopes", () => {
    const [, example] = eventBridgeExamples[0]
    const inThree = sqsRecord(notification(notification(example)))
    expect(decodeOne(inThree).event._tag).toBe("AgreementCreated")
    expect(failOne(sqsRecord(notification(notification(notification(example)))))).toMatchObject({
      messageId,
      field: "body.Message.Message",
      expected: "at most 3 envelopes"
    })
  })

  it("accepts texts of 1 MiB", () => {
    const textOf = (length: number) => JSON.stringify({ a: "x".repeat(length - '{"a":""}'.length) })
    expect(decodeOne(textOf(1_048_576)).event._tag).toBe("Unknown")
    expect(failOne(textOf(1_048_577)).expected).toBe("JSON of at most 1048576 characters")
  })

  it("accepts 10 000 records", () => {
    expect(decode({ Records: Array.from({ length: 10_000 }, () => ({})) })).toHaveLength(10_000)
    expect(failOne({ Records: Array.from({ length: 10_001 }, () => ({})) }).field).toBe("Records")
  })
})

/** Events that are read as they are: the fields that envelopes carry are there, and unknown ones are no envelope. */
const anEvent = Arbitrary.make(MarketplaceEvent.MarketplaceEvent).filter(
  (event) => !isUnknown(event)
)

const anUnknownEvent = fc
  .record({ note: fc.jsonValue({ maxDepth: 3 }), source: fc.string() })
  .map((raw) => new MarketplaceEvent.Unknown({ raw: JSON.parse(JSON.stringify(raw)) }))

/** Gives an event the id and the time that envelopes without them are made with. */
const optionsOf = (event: MarketplaceEvent.MarketplaceEvent) => ({
  topicArn,
  queueArn,
  messageId: ("id" in event ? event.id : undefined) ?? messageId,
  timestamp: ("time" in event ? event.time : undefined) ?? timestamp
})

const encodings: Readonly<Record<string, (event: MarketplaceEvent.MarketplaceEvent) => unknown>> = {
  "SNS in SQS": (event) => JSON.stringify(MarketplaceEvent.encodeSns(event, optionsOf(event))),
  "a function with a topic": (event) => ({
    Records: [MarketplaceEvent.encodeSnsRecord(MarketplaceEvent.encodeSns(event, optionsOf(event)))]
  }),
  "a function with a queue": (event) => ({
    Records: [MarketplaceEvent.encodeSqsRecord(MarketplaceEvent.encode(event), optionsOf(event))]
  }),
  "a function with a queue of a topic": (event) => ({
    Records: [
      MarketplaceEvent.encodeSqsRecord(
        MarketplaceEvent.encodeSns(event, optionsOf(event)),
        optionsOf(event)
      )
    ]
  })
}

/** As JSON, with the id and the time that the envelope gave to an SNS action without them. */
const expectedOf = (event: MarketplaceEvent.MarketplaceEvent) => {
  const json = stored(event)
  if (json._tag === "Unknown" || "account" in json) return json
  const { messageId: id, timestamp: time } = optionsOf(event)
  return stored(Object.assign(Object.create(Object.getPrototypeOf(event)), { ...event, id, time }))
}

describe("decode after encode", () => {
  it.prop("is the event, without an envelope", [fc.oneof(anEvent, anUnknownEvent)], ([event]) => {
    const { event: decoded } = decodeOne(JSON.stringify(MarketplaceEvent.encode(event)))
    const { id, time, ...fields } = { ...stored(event) } as Record<string, unknown>
    expect(stored(decoded)).toEqual("account" in fields ? stored(event) : fields)
  })

  it.prop("is the event, without an envelope and as an object", [anEvent], ([event]) => {
    const { event: decoded } = decodeOne(MarketplaceEvent.encode(event))
    expect(decoded).toBeInstanceOf(event.constructor)
  })

  for (const [name, encode] of Object.entries(encodings)) {
    it.prop(`is the event, in ${name}`, [fc.oneof(anEvent, anUnknownEvent)], ([event]) => {
      const { event: decoded } = decodeOne(JSON.parse(JSON.stringify(encode(event))))
      expect(stored(decoded)).toEqual(expectedOf(event))
    })
  }
})

describe("licenses", () => {
  const id = "l-0123456789abcdef0123456789abcdef"

  it.each([
    `arn:aws:license-manager::123456789012:license:${id}`,
    `aws:license-manager:us-east-1:123456789012:${id}`,
    `arn:aws-cn:license-manager:cn-northwest-1:123456789012:license/${id}`,
    id.toUpperCase(),
    id
  ])("reads the id of %s", (arn) => {
    expect(MarketplaceEvent.licenseId(arn)).toBe(id)
    expect(MarketplaceEvent.isSameLicense(arn, id)).toBe(true)
  })

  it.each(["", "l-", "all-1", `${id}:more`, `${id}\n`, "arn:aws:license-manager::1:license:x"])(
    "reads no id of %j",
    (arn) => {
      expect(MarketplaceEvent.licenseId(arn)).toBeUndefined()
      expect(MarketplaceEvent.isSameLicense(arn, arn)).toBe(true)
      expect(MarketplaceEvent.isSameLicense(arn, id)).toBe(false)
    }
  )
})
