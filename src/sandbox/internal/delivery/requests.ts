/** The requests for each type of target, and the rules for retries of failed requests. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { makeSigner } from "../../../internal/sigv4/sign.js"
import { encode } from "../../../lifecycle/MarketplaceEvent.js"
import type { ApiDestinationTarget, SnsTarget, SqsTarget, Target } from "../../EventDelivery.js"
import { defaultTopicArn } from "../../EventDelivery.js"
import { keyOf, uuidOf } from "../model/hash.js"
import type { Delivery, OutboxEvent } from "../model/outbox.js"
import type { PostRequest, PostResult } from "./post.js"
import { confirmation, notification, type Sender, subscriptionArnOf } from "./snsMessage.js"

/** The request that delivers an event to a target. */
export const requestOf = (
  sender: Effect.Effect<Sender>,
  target: Target,
  event: OutboxEvent,
  delivery: Delivery
): Effect.Effect<PostRequest> => {
  switch (target.type) {
    case "sns":
      return Effect.map(sender, (sender) =>
        snsRequest(target, notification(sender, target.name, event, snsOptionsOf(target)))
      )
    case "apiDestination":
      return Effect.succeed(apiDestinationRequest(target, JSON.stringify(encode(event.event))))
    case "sqs":
      return sqsRequest(sender, target, event, delivery)
  }
}

export const snsOptionsOf = ({
  signatureVersion = "1",
  topicArn = defaultTopicArn
}: SnsTarget) => ({
  signatureVersion,
  topicArn
})

export const confirmationRequest = (
  sender: Sender,
  target: SnsTarget,
  token: string,
  at: number
): PostRequest =>
  snsRequest(target, confirmation(sender, target.name, token, at, snsOptionsOf(target)))

const snsRequest = (
  target: SnsTarget,
  message: { readonly Type: string; readonly MessageId: string; readonly TopicArn: string }
): PostRequest => ({
  url: target.url,
  headers: {
    "x-amz-sns-message-type": message.Type,
    "x-amz-sns-message-id": message.MessageId,
    "x-amz-sns-topic-arn": message.TopicArn,
    ...(message.Type === "Notification" && {
      "x-amz-sns-subscription-arn": subscriptionArnOf(message.TopicArn, target.name)
    }),
    "user-agent": "Amazon Simple Notification Service Agent"
  },
  contentType: "text/plain; charset=UTF-8",
  body: JSON.stringify(message),
  timeout: Duration.seconds(15)
})

const apiDestinationRequest = (
  { headerName = "x-api-key", headerValue, url }: ApiDestinationTarget,
  body: string
): PostRequest => ({
  url,
  headers: {
    [headerName.toLowerCase()]: Redacted.value(headerValue),
    "user-agent": "Amazon/EventBridge/ApiDestinations"
  },
  contentType: "application/json; charset=utf-8",
  body,
  timeout: Duration.seconds(5)
})

/** The credentials for SQS. Emulators accept any signature, and AWS rejects this one. */
const credentials = { accessKeyId: "sandbox", secretAccessKey: "sandbox" }

const sqsRequest = (
  sender: Effect.Effect<Sender>,
  target: SqsTarget,
  event: OutboxEvent,
  { number }: Delivery
): Effect.Effect<PostRequest> =>
  Effect.gen(function* () {
    const url = new URL("/", target.endpoint ?? target.url).href
    const contentType = "application/x-amz-json-1.0"
    const body = JSON.stringify({
      QueueUrl: target.url,
      MessageBody: JSON.stringify(yield* sqsBodyOf(sender, target, event)),
      ...(target.url.endsWith(".fifo") && {
        MessageGroupId: event.agreementId,
        MessageDeduplicationId: uuidOf(keyOf("delivery", number, event.at))
      })
    })
    const headers = { "content-type": contentType, "x-amz-target": "AmazonSQS.SendMessage" }
    const sign = makeSigner({ method: "POST", url, region: "us-east-1", service: "sqs" })
    const now = yield* Clock.currentTimeMillis
    const signature = yield* sign({ headers, body, credentials, now })
    return {
      url,
      headers: { ...headers, ...signature },
      contentType,
      body,
      timeout: Duration.seconds(10)
    }
  })

const sqsBodyOf = (
  sender: Effect.Effect<Sender>,
  { envelope = "eventBridge", name }: SqsTarget,
  event: OutboxEvent
): Effect.Effect<unknown> =>
  envelope === "sns"
    ? Effect.map(sender, (sender) =>
        notification(sender, name, event, { topicArn: defaultTopicArn, signatureVersion: "1" })
      )
    : Effect.succeed(encode(event.event))

/** The delays between attempts, in seconds: the three immediate retries of SNS, and the first of its later retries. */
const snsDelays = [0, 0, 0, 1, 1, 1, 2, 3, 4, 6, 8, 11, 14, 17, 20]

/** The delays between attempts, in seconds. EventBridge itself retries for 24 hours, with at most 185 attempts. */
const eventBridgeDelays = [1, 2, 4, 8, 16, 30, 60, 60, 60, 60, 60, 60, 60, 60, 60]

/** The statuses below 500 after which a request is retried. All statuses from 500 are retried. */
const retriedStatuses: { readonly [Type in Target["type"]]: ReadonlyArray<number> } = {
  sns: [429],
  apiDestination: [401, 407, 409, 429],
  sqs: [429]
}

export const isSuccess = ({ status }: PostResult): boolean =>
  status !== undefined && status >= 200 && status < 300

/** Returns the delay before the next attempt, or `undefined` if the request is not retried. */
export const retryDelay = (
  { type }: Target,
  { status }: PostResult,
  attempts: number
): Duration.Duration | undefined => {
  const isRetried = status === undefined || status >= 500 || retriedStatuses[type].includes(status)
  const seconds = (type === "sns" ? snsDelays : eventBridgeDelays)[attempts - 1]
  return isRetried && seconds !== undefined ? Duration.seconds(seconds) : undefined
}
