/**
 * The events of AWS Marketplace for a seller, over Amazon SNS and Amazon EventBridge, as one union.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as license from "../internal/license.js"
import { decodeBody } from "./internal/decodeBody.js"
import { open } from "./internal/envelopes.js"
import { MarketplaceEvent } from "./internal/events.js"
import type { envelopeFields } from "./internal/fields.js"
import type { JsonObject } from "./internal/json.js"
import { actions, detailTypes, eventSource } from "./internal/wireNames.js"
import type { Trust } from "./Trust.js"

export * from "./internal/events.js"

/**
 * An event as it was received.
 *
 * @since 0.1.0
 * @category decoding
 */
export interface ReceivedEvent {
  /** The event. */
  readonly event: MarketplaceEvent
  /** The evidence of its sender: a queue, a verified signature, or a shared secret. */
  readonly trust: Trust["_tag"]
  /** The message id of its SQS record, for `batchItemFailures` of a function. Absent for other envelopes. */
  readonly messageId?: string
  /** The JSON of the event without envelopes, with the fields that this version does not know. */
  readonly body: { readonly [name: string]: unknown }
}

/**
 * A record that holds no readable event. Other records of its batch are not affected.
 *
 * `field` is the path of the invalid field, such as `Records[1].body.detail.agreement.id`, and `expected` what it should
 * be. `messageId` is that of its SQS record: report it in `batchItemFailures`, so that the queue delivers it again and at
 * last moves it to its dead-letter queue. The error holds no value of the record.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidMessageError extends Schema.TaggedError<InvalidMessageError>(
  "effect-marketplace-metering/InvalidMessageError"
)("InvalidMessageError", {
  messageId: Schema.optional(Schema.String),
  field: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.field}: expected ${this.expected}`
  }
}

/**
 * Decodes the events of a message, by its shape: one result for each record.
 *
 * - SQS: the body of a message, and a message of the SDK (`Body`, `MessageId`, `Attributes`). The body is an event of
 *   EventBridge, an SNS notification, or with raw delivery its message.
 * - Lambda: an event of SQS (`Records[].body`), of SNS (`Records[].Sns`), or of EventBridge.
 * - HTTP: the `notification` that `SnsMessage.verify` returned, and the body of an API destination.
 *
 * Each is accepted as JSON and as its text, but the `notification`. `trust` is the evidence of the sender, and is kept in
 * each result.
 *
 * An SNS action takes id and time from the innermost envelope that has them, of SNS or SQS: a notification that was forwarded
 * in another one keeps its own. `messageId` is that of the outermost SQS message. An event of EventBridge has its own id and
 * time.
 *
 * A JSON object of another kind is an `Unknown` event, and never an error. A text that is no JSON object, and an event of a
 * known kind without a valid required field, fail alone. An invalid optional field is absent from the event, and remains in
 * `body`. Limits: 1 MiB (1 048 576 characters) a text, 3 envelopes around an event, 64 levels of JSON within, 10 000 records.
 *
 * @example
 * ```ts
 * import { Effect, Either } from "effect"
 * import { MarketplaceEvent, Trust } from "effect-marketplace-metering/lifecycle"
 *
 * // a function with a queue that only AWS services can send to
 * const handler = <E>(
 *   input: unknown,
 *   store: (event: MarketplaceEvent.MarketplaceEvent) => Effect.Effect<void, E>
 * ) =>
 *   Effect.forEach(MarketplaceEvent.decode(input, Trust.queue), (result) =>
 *     Effect.flatMap(result, ({ event }) => store(event)).pipe(
 *       Effect.as([]),
 *       Effect.catchAll(() => Effect.succeed([{ itemIdentifier: Either.merge(result).messageId }]))
 *     )
 *   ).pipe(Effect.map((failures) => ({ batchItemFailures: failures.flat() })))
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (
  input: unknown,
  trust: Trust
): ReadonlyArray<Either.Either<ReceivedEvent, InvalidMessageError>> =>
  trust._tag === "Signature" && !trust.covers(input)
    ? [
        Either.left(
          new InvalidMessageError({
            field: "input",
            expected: "the notification that was verified, as verify returned it"
          })
        )
      ]
    : open(input).map((opened) =>
        Either.flatMap(opened, (message) =>
          Either.map(
            decodeBody(message),
            (event): ReceivedEvent => ({
              event,
              trust: trust._tag,
              ...(message.messageId !== undefined && { messageId: message.messageId }),
              body: message.body
            })
          )
        ).pipe(Either.mapLeft((problem) => new InvalidMessageError(problem)))
      )

const encodeFields = Schema.encodeSync(MarketplaceEvent)

/**
 * Encodes an event as AWS sends it, without an envelope: the message of an SNS action, an event of EventBridge, or the
 * `raw` value of an `Unknown` event.
 *
 * Its JSON text is the body of an SQS message with raw delivery, the body that EventBridge sends to an SQS queue or an API
 * destination, and the `Message` of an SNS notification.
 *
 * @example
 * ```ts
 * import { DateTime } from "effect"
 * import { MarketplaceEvent } from "effect-marketplace-metering/lifecycle"
 *
 * const body = MarketplaceEvent.encode(
 *   new MarketplaceEvent.LicenseUpdated({
 *     id: "6b1f2c1e-0000-4000-8000-000000000001",
 *     time: DateTime.unsafeMake("2026-11-25T10:00:00Z"),
 *     account: "111122223333",
 *     region: "us-east-1",
 *     resources: ["arn:aws:aws-marketplace::aws:agreement:agmt-1234"],
 *     role: "Manufacturer",
 *     agreement: { id: "agmt-1234" },
 *     product: { code: "4v9hm1u3i5p7l3c0" },
 *     license: { arn: "arn:aws:license-manager::123456789012:license:l-0123456789abcdef0123456789abcdef" },
 *     acceptor: { accountId: "444455556666" },
 *     proposer: { accountId: "111122223333" }
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (event: MarketplaceEvent): unknown => {
  const encoded = encodeFields(event)
  switch (encoded._tag) {
    case "Unknown":
      return encoded.raw
    case "SubscribeSuccess":
    case "SubscribeFail":
    case "UnsubscribePending":
    case "UnsubscribeSuccess":
    case "EntitlementUpdated": {
      const { _tag, id, time, ...fields } = encoded
      return { action: actions[_tag], ...fields }
    }
    case "AgreementNotice": {
      const { _tag, detailType, detail, ...envelope } = encoded
      return eventBridgeEvent(envelope, detailType, detail)
    }
    default: {
      const { _tag, role, id, time, account, region, resources, ...detail } = encoded
      const envelope = { id, time, account, region, resources }
      return eventBridgeEvent(envelope, `${detailTypes[_tag]} - ${role}`, detail)
    }
  }
}

const eventBridgeEvent = (
  { id, time, account, region, resources }: Schema.Struct.Encoded<typeof envelopeFields>,
  detailType: string,
  detail: JsonObject
): JsonObject => ({
  version: "0",
  id,
  "detail-type": detailType,
  source: eventSource,
  account,
  time,
  region,
  resources,
  detail
})

/**
 * The values of an SNS notification beside its message.
 *
 * @since 0.1.0
 * @category encoding
 */
export interface SnsOptions {
  /** The topic, such as `arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-4v9hm1u3i5p7l3c0`. */
  readonly topicArn: string
  /** The message id. The `id` of an SNS action is decoded from it. */
  readonly messageId: string
  /** The time of publication, to the millisecond. The `time` of an SNS action is decoded from it. */
  readonly timestamp: DateTime.Utc
}

/**
 * Encodes an event as an SNS notification without a signature: the body of an SQS message that SNS sends, and of an HTTP
 * request once it is signed.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
 * @since 0.1.0
 * @category encoding
 */
export const encodeSns = (
  event: MarketplaceEvent,
  { topicArn, messageId, timestamp }: SnsOptions
) => ({
  Type: "Notification" as const,
  MessageId: messageId,
  TopicArn: topicArn,
  Message: JSON.stringify(encode(event)),
  Timestamp: DateTime.formatIso(timestamp)
})

/**
 * Encodes a notification of SNS as a record that a Lambda function receives in `Records`, without a signature.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
 * @since 0.1.0
 * @category encoding
 */
export const encodeSnsRecord = (notification: ReturnType<typeof encodeSns>) => ({
  EventSource: "aws:sns" as const,
  EventVersion: "1.0" as const,
  Sns: { ...notification, Subject: null, MessageAttributes: {} }
})

/**
 * The values of an SQS message beside its body.
 *
 * @since 0.1.0
 * @category encoding
 */
export interface SqsOptions {
  /** The queue, such as `arn:aws:sqs:us-east-1:111122223333:marketplace-events`. */
  readonly queueArn: string
  /** The message id. With raw delivery, the `id` of an SNS action is decoded from it. */
  readonly messageId: string
  /** The time that the message was sent. With raw delivery, the `time` of an SNS action is decoded from it. */
  readonly timestamp: DateTime.Utc
}

/**
 * Encodes a message of SQS as a record that a Lambda function receives in `Records`. `content` is its body: the result of
 * `encode`, or of `encodeSns`.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 * @since 0.1.0
 * @category encoding
 */
export const encodeSqsRecord = (
  content: unknown,
  { queueArn, messageId, timestamp }: SqsOptions
) => ({
  messageId,
  body: JSON.stringify(content),
  attributes: {
    ApproximateReceiveCount: "1",
    SentTimestamp: String(timestamp.epochMillis),
    ApproximateFirstReceiveTimestamp: String(timestamp.epochMillis)
  },
  messageAttributes: {},
  eventSource: "aws:sqs" as const,
  eventSourceARN: queueArn,
  awsRegion: queueArn.split(":")[3] ?? ""
})

/**
 * The id of a license, such as `l-0123456789abcdef0123456789abcdef`: the last part of its ARN, in lower case. AWS prints one
 * license in several forms (with and without `arn:`, account or Region), which have the id in common. Returns `undefined` for
 * a text without one.
 *
 * @example
 * ```ts
 * import { MarketplaceEvent } from "effect-marketplace-metering/lifecycle"
 *
 * MarketplaceEvent.licenseId("aws:license-manager:us-east-1:123456789012:l-0123456789abcdef") // "l-0123456789abcdef"
 * ```
 *
 * @since 0.1.0
 * @category licenses
 */
export const licenseId: (arn: string) => string | undefined = license.licenseId

/**
 * Compares two ARNs or ids of licenses by `licenseId`. Texts without an id are equal only if they are identical.
 *
 * @since 0.1.0
 * @category licenses
 */
export const isSameLicense: (a: string, b: string) => boolean = license.isSameLicense
