/**
 * The events that AWS Marketplace sends to a seller over Amazon SNS and Amazon EventBridge, as one union.
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
 * A decoded event, with the evidence of its sender and its original JSON.
 *
 * @since 0.1.0
 * @category decoding
 */
export interface ReceivedEvent {
  /** The event. */
  readonly event: MarketplaceEvent
  /** The kind of evidence of the sender: a queue, a verified signature, or a shared secret. */
  readonly trust: Trust["_tag"]
  /** The message id of the SQS record, for `batchItemFailures` of a Lambda function. Absent for other envelopes. */
  readonly messageId?: string
  /** The JSON of the event without its envelopes. Includes the fields that this version does not know. */
  readonly body: { readonly [name: string]: unknown }
}

/**
 * A record could not be decoded as an event. The other records of its batch are not affected.
 *
 * `field` is the path of the invalid field, such as `Records[1].body.detail.agreement.id`, and `expected` describes a valid
 * value. `messageId` is the message id of the SQS record. Report it in `batchItemFailures`, so that the queue delivers the
 * record again and finally moves it to its dead-letter queue. The error contains no value of the record.
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
 * Decodes the events of a message, and returns one result for each record. The envelopes are recognized by their shape:
 *
 * - SQS: the body of a message, or a message of the AWS SDK (`Body`, `MessageId`, `Attributes`). The body is an EventBridge
 *   event, an SNS notification, or the message of a notification with raw message delivery.
 * - Lambda: an event of SQS (`Records[].body`), of SNS (`Records[].Sns`), or of EventBridge.
 * - HTTP: the `notification` that `SnsMessage.verify` returned, or the body of a request to an API destination.
 *
 * Each of these may be parsed JSON or its text. Only `notification` must be the object itself. `trust` is the evidence of the
 * sender. Its `_tag` is part of each result.
 *
 * The `id` and `time` of an SNS action come from the innermost SNS or SQS envelope that has them, so a notification that was
 * forwarded in another notification keeps its own. `messageId` is the id of the outermost SQS message. An EventBridge event
 * has its own id and time.
 *
 * A JSON object of an unknown kind decodes to an `Unknown` event, and never fails. A record fails, without affecting the other
 * records, if its text is not a JSON object, or if it is an event of a known kind with a missing or invalid required field. An
 * invalid optional field is absent from the event, and remains in `body`.
 *
 * Limits: 1 MiB (1 048 576 characters) per text, 3 envelopes around an event, 64 levels of nested JSON, 10 000 records.
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
 * Encodes an event as AWS sends it, without an envelope: the message of an SNS action, an EventBridge event, or the
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
 * The values of an SNS notification, except for its message.
 *
 * @since 0.1.0
 * @category encoding
 */
export interface SnsOptions {
  /** The ARN of the topic, such as `arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-4v9hm1u3i5p7l3c0`. */
  readonly topicArn: string
  /** The message id. The `id` of an SNS action is decoded from it. */
  readonly messageId: string
  /** The time of publication, to the millisecond. The `time` of an SNS action is decoded from it. */
  readonly timestamp: DateTime.Utc
}

/**
 * Encodes an event as an SNS notification without a signature. It is the body of an SQS message that SNS sends. With a
 * signature, it is the body of an HTTP request that SNS sends.
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
 * Encodes an SNS notification, without a signature, as a record in the `Records` that a Lambda function receives.
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
 * The values of an SQS message, except for its body.
 *
 * @since 0.1.0
 * @category encoding
 */
export interface SqsOptions {
  /** The ARN of the queue, such as `arn:aws:sqs:us-east-1:111122223333:marketplace-events`. */
  readonly queueArn: string
  /** The message id. With raw delivery, the `id` of an SNS action is decoded from it. */
  readonly messageId: string
  /** The time at which the message was sent. With raw delivery, the `time` of an SNS action is decoded from it. */
  readonly timestamp: DateTime.Utc
}

/**
 * Encodes an SQS message as a record in the `Records` that a Lambda function receives. `content` is the body of the message:
 * the result of `encode` or `encodeSns`.
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
 * Returns the id of a license, such as `l-0123456789abcdef0123456789abcdef`: the last part of its ARN, in lower case. AWS
 * prints the ARN of a license in several forms (with and without `arn:`, account or Region), which all have the same id.
 * Returns `undefined` if the text has no license id.
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
 * Compares two license ARNs or ids by `licenseId`. Texts without an id are equal only if they are identical.
 *
 * @since 0.1.0
 * @category licenses
 */
export const isSameLicense: (a: string, b: string) => boolean = license.isSameLicense
