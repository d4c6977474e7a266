/** SNS messages, signed by the sandbox. */
import * as DateTime from "effect/DateTime"
import { encodeSns } from "../../../lifecycle/MarketplaceEvent.js"
import { keyOf, sha256HexSync, uuidOf } from "../model/hash.js"
import type { OutboxEvent } from "../model/outbox.js"
import type { SigningKey } from "../runtime/signingKey.js"

/** The sender of messages: its key, and the public URL of its server. */
export interface Sender {
  readonly key: SigningKey
  readonly baseUrl: string
}

export interface SnsOptions {
  readonly topicArn: string
  readonly signatureVersion: "1" | "2"
}

/** Returns the path of the signing certificate, in the same form as the paths of SNS. */
export const certificatePath = ({ certificate }: SigningKey): string =>
  `/SimpleNotificationService-${sha256HexSync(certificate).slice(0, 32)}.pem`

export const subscriptionArnOf = (topicArn: string, target: string): string =>
  `${topicArn}:${uuidOf(keyOf("subscription", topicArn, target))}`

export const notification = (
  sender: Sender,
  target: string,
  { at, event, number }: OutboxEvent,
  options: SnsOptions
) => {
  const { topicArn } = options
  const id = "id" in event ? event.id : undefined
  const message = encodeSns(event, {
    topicArn,
    messageId: id ?? uuidOf(keyOf("message", number, at)),
    timestamp: DateTime.unsafeMake(at)
  })
  const unsubscribe = new URLSearchParams({
    Action: "Unsubscribe",
    SubscriptionArn: subscriptionArnOf(topicArn, target)
  })
  return {
    ...message,
    ...signatureOf(sender, message, options),
    UnsubscribeURL: `${sender.baseUrl}/?${unsubscribe}`
  }
}

export const confirmation = (
  sender: Sender,
  target: string,
  token: string,
  at: number,
  options: SnsOptions
) => {
  const { topicArn } = options
  const query = new URLSearchParams({
    Action: "ConfirmSubscription",
    TopicArn: topicArn,
    Token: token
  })
  const message = {
    Type: "SubscriptionConfirmation",
    MessageId: uuidOf(keyOf("confirmation", target, token)),
    Token: token,
    TopicArn: topicArn,
    Message: `You have chosen to subscribe to the topic ${topicArn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
    SubscribeURL: `${sender.baseUrl}/?${query}`,
    Timestamp: DateTime.formatIso(DateTime.unsafeMake(at))
  }
  return { ...message, ...signatureOf(sender, message, options) }
}

/** Signs the fields of a message, sorted by name. */
const signatureOf = (
  { baseUrl, key }: Sender,
  message: Readonly<Record<string, string>>,
  { signatureVersion }: SnsOptions
) => {
  const text = Object.keys(message)
    .sort()
    .map((name) => `${name}\n${message[name]}\n`)
    .join("")
  return {
    SignatureVersion: signatureVersion,
    Signature: key.signText(signatureVersion === "1" ? "sha1" : "sha256", text),
    SigningCertURL: `${baseUrl}${certificatePath(key)}`
  }
}
