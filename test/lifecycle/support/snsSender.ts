/** Messages of SNS, signed as AWS signs them, by a key of the tests. */
import { generateKeyPairSync, sign } from "node:crypto"
import { selfSigned } from "./selfSigned.js"

export const topicArn =
  "arn:aws:sns:us-east-1:123456789012:aws-mp-subscription-notification-4v9hm1u3i5p7l3c0"

export const certificateUrl =
  "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"

export const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })

export const certificate = selfSigned(privateKey, {
  from: "2026-01-01T00:00:00Z",
  to: "2027-01-01T00:00:00Z"
})

/** The time at which messages are sent. */
export const sentAt = "2026-11-25T10:00:00.250Z"

export type Fields = Readonly<Record<string, string>>

export const notification: Fields = {
  Type: "Notification",
  MessageId: "22b80b92-0000-4000-8000-000000000001",
  TopicArn: topicArn,
  Message: JSON.stringify({
    action: "subscribe-success",
    "customer-identifier": "X01EXAMPLEX",
    "product-code": "4v9hm1u3i5p7l3c0"
  }),
  Timestamp: sentAt,
  SignatureVersion: "1",
  SigningCertURL: certificateUrl,
  UnsubscribeURL: "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=x"
}

export const token = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"

export const subscribeUrl = `https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${token}`

export const confirmation: Fields = {
  Type: "SubscriptionConfirmation",
  MessageId: "165545c9-0000-4000-8000-000000000001",
  Token: token,
  TopicArn: topicArn,
  Message:
    "You have chosen to subscribe to the topic.\nTo confirm the subscription, visit the URL.",
  SubscribeURL: subscribeUrl,
  Timestamp: sentAt,
  SignatureVersion: "1",
  SigningCertURL: certificateUrl
}

/** The names of the signed fields, in the order of AWS's documents. */
const signedNames = [
  "Message",
  "MessageId",
  "Subject",
  "SubscribeURL",
  "Timestamp",
  "Token",
  "TopicArn",
  "Type"
]

/** Signs a message by its `SignatureVersion`. */
export const signed = (fields: Fields, key = privateKey): Fields => {
  const text = signedNames.flatMap((name) => (name in fields ? [name, fields[name]] : []))
  const algorithm = fields.SignatureVersion === "2" ? "RSA-SHA256" : "RSA-SHA1"
  const signature = sign(algorithm, Buffer.from(`${text.join("\n")}\n`), key)
  return { ...fields, Signature: signature.toString("base64") }
}

/** The body of a request with a signed message. */
export const bodyOf = (fields: Fields): string => JSON.stringify(signed(fields))
