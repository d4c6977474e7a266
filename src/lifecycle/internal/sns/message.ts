/** The messages that SNS sends over HTTP. */
import * as Either from "effect/Either"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { Text, timeText } from "../fields.js"
import { firstIssue, type Issue } from "../firstIssue.js"
import { checkNesting, type JsonObject, parseObject } from "../json.js"

/** Text of at most `max` characters. No value of SNS is near these limits. */
const limited = (max: number) =>
  Text.pipe(Schema.maxLength(max)).annotations({ description: `text of 1 to ${max} characters` })

const commonFields = {
  // the signature covers lines: an id of two lines could be an id and a subject
  MessageId: Schema.String.pipe(Schema.pattern(/^[!-~]{1,256}$/)).annotations({
    description: "1 to 256 characters of ASCII without spaces"
  }),
  TopicArn: limited(1024),
  Message: Schema.String,
  // the text is signed, so it is kept as it is
  Timestamp: timeText,
  SignatureVersion: Schema.Literal("1", "2"),
  Signature: Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9+/]{1,1366}={0,2}$/)).annotations({
    description: "base64 of at most 1024 bytes"
  }),
  SigningCertURL: limited(1024)
}

const Notification = Schema.Struct({
  Type: Schema.Literal("Notification"),
  ...commonFields,
  Subject: Schema.optionalWith(Schema.String, { nullable: true })
})

const Confirmation = Schema.Struct({
  Type: Schema.Literal("SubscriptionConfirmation", "UnsubscribeConfirmation"),
  ...commonFields,
  Token: limited(4096),
  SubscribeURL: limited(8192)
})

export type Message = typeof Notification.Type | typeof Confirmation.Type

const decodeNotification = Schema.decodeUnknownEither(Notification)
const decodeConfirmation = Schema.decodeUnknownEither(Confirmation)

const decodeMessage = (json: JsonObject): Either.Either<Message, ParseError> =>
  types.has(json.Type) ? decodeConfirmation(json) : decodeNotification(json)

const types: ReadonlySet<unknown> = new Set(Confirmation.fields.Type.literals)

/** Parses the body of a request. The issue quotes no value of it. */
export const parseMessage = (body: string): Either.Either<Message, Issue> =>
  parseObject(body).pipe(
    // errors of Schema print values by recursion
    Either.flatMap(checkNesting),
    Either.mapLeft((expected): Issue => ({ path: [], expected })),
    Either.flatMap((json) => Either.mapLeft(decodeMessage(json), firstIssue))
  )

/** The names of the signed fields, in their order. An absent one is skipped. */
const signedFields = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  confirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
} as const

/** The fields of a message that its signature covers. */
export type Signed = Readonly<
  Partial<Record<(typeof signedFields)[keyof typeof signedFields][number], string | undefined>>
>

/**
 * The text that SNS signs.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
export const stringToSign = (message: Signed): string => {
  const names =
    message.Type === "Notification" ? signedFields.Notification : signedFields.confirmation
  return names
    .map((name) => (message[name] === undefined ? "" : `${name}\n${message[name]}\n`))
    .join("")
}
