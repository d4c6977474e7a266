/**
 * Events of a sandbox: their targets, their deliveries, and faults of delivery.
 *
 * A change of an agreement causes the messages that AWS Marketplace would send: SNS messages with the legacy actions for
 * customers with a legacy identifier, and EventBridge events. Each target receives the events of its kind, by default in order
 * and once. `Purchase Agreement Ending` is sent to the proposer of an agreement 180, 120, 90, 60 and 30 days before its end.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-notification.html
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-eventbridge-integration.html
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  DelayInput,
  field,
  HttpUrl,
  NonEmptyText,
  optionalField,
  ReceiverUrl,
  Share,
  Time
} from "./internal/scenario/scenarioFields.js"

const name = field(NonEmptyText, "The name of the target in reports. Unique.")

/**
 * A URL that receives SNS messages by HTTP, signed by the key of the sandbox.
 *
 * The sandbox first sends a `SubscriptionConfirmation`, and holds messages back until its `SubscribeURL` is opened. The built-in
 * receiver gets the `SubscriptionConfirmation` only when there is a first message. The `SigningCertURL` of each message
 * returns the certificate. The response must arrive within 15 seconds.
 *
 * - `name`: the name in reports
 * - `url`: the receiver. A path is on the sandbox's server: `/_sandbox/built-in/receiver` shows events on its pages.
 * - `topicArn`: the topic in messages. Defaults to `defaultTopicArn`.
 * - `signatureVersion`: `1` for SHA1withRSA, `2` for SHA256withRSA. Defaults to `1`, as SNS does.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
 * @since 0.1.0
 * @category models
 */
export const SnsTarget = Schema.Struct({
  type: field(Schema.Literal("sns"), "SNS messages by HTTP."),
  name,
  url: field(
    ReceiverUrl,
    "The receiver. A path such as /_sandbox/built-in/receiver is on the sandbox's server."
  ),
  topicArn: optionalField(
    NonEmptyText,
    "The topic in messages. Defaults to a topic of AWS Marketplace."
  ),
  signatureVersion: optionalField(
    Schema.Literal("1", "2"),
    "The signature: 1 for SHA1withRSA, 2 for SHA256withRSA. Defaults to 1."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface SnsTarget extends Schema.Schema.Type<typeof SnsTarget> {}

/**
 * A URL that receives EventBridge events as an API destination does. The response must arrive within 5 seconds.
 *
 * - `name`: the name in reports
 * - `url`: the receiver. A path is on the sandbox's server: `/_sandbox/built-in/receiver` shows events on its pages.
 * - `headerName`, `headerValue`: the header with the secret of the connection. The name defaults to `x-api-key`.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
 * @since 0.1.0
 * @category models
 */
export const ApiDestinationTarget = Schema.Struct({
  type: field(Schema.Literal("apiDestination"), "EventBridge events by HTTP."),
  name,
  url: field(
    ReceiverUrl,
    "The receiver. A path such as /_sandbox/built-in/receiver is on the sandbox's server."
  ),
  headerName: optionalField(
    Schema.String.pipe(Schema.pattern(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/)).annotations({
      identifier: "HeaderName",
      description: "the name of an HTTP header"
    }),
    "The header with the secret. Defaults to x-api-key."
  ),
  headerValue: field(
    Schema.Redacted(
      Schema.String.pipe(
        Schema.pattern(/^[\x21-\x7e]([\x20-\x7e]{0,4094}[\x21-\x7e])?$/)
      ).annotations({ description: "1 to 4096 printable ASCII characters" })
    ),
    "The secret."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface ApiDestinationTarget extends Schema.Schema.Type<typeof ApiDestinationTarget> {}

/**
 * An SQS queue, usually of an emulator. Requests are signed with the access key `sandbox` / `sandbox`, so queues of AWS
 * reject them.
 *
 * - `name`: the name in reports
 * - `url`: the URL of the queue
 * - `envelope`: the form of message bodies: `eventBridge` for EventBridge events, `sns` for SNS messages in their envelope,
 *   `raw` for SNS messages by raw delivery. Defaults to `eventBridge`.
 * - `endpoint`: the address that receives the requests. Defaults to the origin of `url`.
 *
 * @since 0.1.0
 * @category models
 */
export const SqsTarget = Schema.Struct({
  type: field(Schema.Literal("sqs"), "An SQS queue."),
  name,
  url: field(HttpUrl, "The URL of the queue."),
  envelope: optionalField(
    Schema.Literal("eventBridge", "sns", "raw"),
    "EventBridge events, SNS messages in their envelope, or SNS messages by raw delivery. Defaults to eventBridge."
  ),
  endpoint: optionalField(
    HttpUrl,
    "The address that receives the requests. Defaults to the origin of the URL."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface SqsTarget extends Schema.Schema.Type<typeof SqsTarget> {}

/**
 * A receiver of events.
 *
 * @example
 * ```ts
 * import { Redacted } from "effect"
 * import type { EventDelivery } from "effect-marketplace-metering/sandbox"
 *
 * const targets: ReadonlyArray<EventDelivery.Target> = [
 *   { type: "sns", name: "messages", url: "http://127.0.0.1:3000/sns" },
 *   {
 *     type: "apiDestination",
 *     name: "events",
 *     url: "http://127.0.0.1:3000/events",
 *     headerValue: Redacted.make("the secret of the connection")
 *   },
 *   { type: "sqs", name: "queue", url: "http://127.0.0.1:9324/000000000000/events" }
 * ]
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const Target = Schema.Union(SnsTarget, ApiDestinationTarget, SqsTarget)

/**
 * @since 0.1.0
 * @category models
 */
export type Target = typeof Target.Type

/**
 * The default topic of SNS messages. Its account was observed to own the topics of AWS Marketplace.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultTopicArn =
  "arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-sandbox"

/**
 * Faults of delivery. SNS and EventBridge may lose, repeat, delay and reorder events. Delays pass on the sandbox's clock.
 *
 * An event gets at most one fault, so the sum of the shares should be at most 1. The faults are drawn in the order `drop`,
 * `duplicate`, `delay`, `reorder`.
 *
 * - `duplicate`, `drop`, `reorder`: the share of events that are sent twice, never, or after the next one, from 0 to 1.
 *   An event with no next event is sent after one minute. Default to 0.
 * - `delay`: delays a `share` of events by `duration`, at most 1 day. Defaults to none.
 * - `afterLanding`: true holds back the events of an agreement until ResolveCustomer has resolved a registration token of
 *   the agreement, or of an agreement that it renews or replaces. Defaults to false: events may arrive before the buyer.
 * - `seed`: the seed of the faults. The same events in the same order get the same faults. Defaults to 0.
 *
 * @example
 * ```ts
 * import type { EventDelivery } from "effect-marketplace-metering/sandbox"
 *
 * // a program that is right with these is right with SNS and EventBridge
 * const faults: EventDelivery.DeliveryFaults = { duplicate: 0.2, drop: 0.1, reorder: 0.2, seed: 7 }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const DeliveryFaults = Schema.Struct({
  duplicate: optionalField(Share, "The share of events that are sent twice. Defaults to 0."),
  drop: optionalField(Share, "The share of events that are never sent. Defaults to 0."),
  reorder: optionalField(
    Share,
    "The share of events that are sent after the next one. Defaults to 0."
  ),
  delay: optionalField(
    Schema.Struct({
      share: field(Share, "The share of events that are delayed."),
      duration: field(DelayInput, "The delay, at most 1 day.")
    }),
    "The delay of a share of events. Defaults to none."
  ),
  afterLanding: optionalField(
    Schema.Boolean,
    "True holds back the events of an agreement until its registration token was resolved. Defaults to false."
  ),
  seed: optionalField(Schema.Int, "The seed of the faults. Defaults to 0.")
})

/**
 * @since 0.1.0
 * @category models
 */
export interface DeliveryFaults extends Schema.Schema.Type<typeof DeliveryFaults> {}

/**
 * An attempt to deliver an event.
 *
 * - `at`: the time by the sandbox's clock
 * - `status`: the HTTP status of the response. Absent if no response arrived.
 * - `error`: the reason for the failure. Absent after a success.
 *
 * @since 0.1.0
 * @category models
 */
export const Attempt = Schema.Struct({
  at: Time,
  status: Schema.optional(Schema.Number),
  error: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Attempt extends Schema.Schema.Type<typeof Attempt> {}

/**
 * The delivery of an event to a target.
 *
 * - `deliveryId`: the id
 * - `target`: the name of the target
 * - `state`: `pending`, `delivered`, or `failed` after the last attempt
 * - `attempts`: the attempts, the oldest first
 *
 * @since 0.1.0
 * @category models
 */
export const Delivery = Schema.Struct({
  deliveryId: Schema.String,
  target: Schema.String,
  state: Schema.Literal("pending", "delivered", "failed"),
  attempts: Schema.Array(Attempt)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Delivery extends Schema.Schema.Type<typeof Delivery> {}

/**
 * An event that AWS Marketplace would have sent.
 *
 * - `eventId`: the id: the `id` of an EventBridge event, or the `MessageId` of an SNS message
 * - `at`: the time by the sandbox's clock
 * - `channel`: `sns` or `eventBridge`
 * - `name`: the action of an SNS message, or the detail type of an EventBridge event
 * - `agreementId`: the agreement
 * - `body`: the JSON that is sent, without the envelope of SNS
 * - `fault`: the fault of delivery. Absent without a fault.
 * - `deliveries`: the deliveries so far
 *
 * @since 0.1.0
 * @category models
 */
export const SentEvent = Schema.Struct({
  eventId: Schema.String,
  at: Time,
  channel: Schema.Literal("sns", "eventBridge"),
  name: Schema.String,
  agreementId: Schema.String,
  body: Schema.Unknown,
  fault: Schema.optional(Schema.Literal("duplicate", "drop", "reorder", "delay", "afterLanding")),
  deliveries: Schema.Array(Delivery.annotations({ identifier: "Delivery" }))
})

/**
 * @since 0.1.0
 * @category models
 */
export interface SentEvent extends Schema.Schema.Type<typeof SentEvent> {}

/**
 * A page of the last events, the oldest first. The sandbox keeps the last 1000 events, and older events that are held back or
 * not yet delivered, at most 5000 in all.
 *
 * - `events`: the events
 * - `next`: `after` of the next page. Absent on the last page.
 *
 * @since 0.1.0
 * @category models
 */
export const EventsPage = Schema.Struct({
  events: Schema.Array(SentEvent.annotations({ identifier: "SentEvent" })),
  next: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface EventsPage extends Schema.Schema.Type<typeof EventsPage> {}

/**
 * An event that will be sent later, by the sandbox's clock.
 *
 * - `at`: the time. Absent for an event that `afterLanding` holds back.
 * - `name`: the action or detail type, or `Start`, `End` or `Fail` for the start, the end or the failed payment of an agreement
 * - `agreementId`: the agreement
 *
 * @since 0.1.0
 * @category models
 */
export const ScheduledEvent = Schema.Struct({
  at: Schema.optional(Time),
  name: Schema.String,
  agreementId: Schema.String
})

/**
 * @since 0.1.0
 * @category models
 */
export interface ScheduledEvent extends Schema.Schema.Type<typeof ScheduledEvent> {}

/**
 * A page of the scheduled events, in the order of their times.
 *
 * - `events`: the events
 * - `next`: `after` of the next page. Absent on the last page.
 *
 * @since 0.1.0
 * @category models
 */
export const ScheduledPage = Schema.Struct({
  events: Schema.Array(ScheduledEvent.annotations({ identifier: "ScheduledEvent" })),
  next: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface ScheduledPage extends Schema.Schema.Type<typeof ScheduledPage> {}

/**
 * A target and its state.
 *
 * - `name`, `type`, `url`: the target
 * - `subscription`: `pending` until the receiver has confirmed the subscription, then `confirmed`. Only for type `sns`.
 * - `attempts`: the last attempts to send the `SubscriptionConfirmation`, the oldest first. Only for type `sns`.
 * - `pending`: the number of pending deliveries
 *
 * @since 0.1.0
 * @category models
 */
export const TargetState = Schema.Struct({
  name: Schema.String,
  type: Schema.Literal("sns", "apiDestination", "sqs"),
  url: ReceiverUrl,
  subscription: Schema.optional(Schema.Literal("pending", "confirmed")),
  attempts: Schema.optional(Schema.Array(Attempt)),
  pending: Schema.Number
})

/**
 * @since 0.1.0
 * @category models
 */
export interface TargetState extends Schema.Schema.Type<typeof TargetState> {}

/**
 * Sends an event again.
 *
 * - `eventId`: the event
 * - `target`: the name of the target. Defaults to all targets of the event's kind.
 *
 * @since 0.1.0
 * @category models
 */
export const Resend = Schema.Struct({
  eventId: NonEmptyText,
  target: Schema.optional(NonEmptyText)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Resend extends Schema.Schema.Type<typeof Resend> {}

/**
 * Selects a target.
 *
 * - `target`: the name of the target
 *
 * @since 0.1.0
 * @category models
 */
export const TargetSelector = Schema.Struct({ target: NonEmptyText })

/**
 * @since 0.1.0
 * @category models
 */
export interface TargetSelector extends Schema.Schema.Type<typeof TargetSelector> {}
