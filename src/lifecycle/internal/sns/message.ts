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
  // the signed text has a field on each line, so an id with a line break could pass as an id and a subject
  MessageId: Schema.String.pipe(Schema.pattern(/^[!-~]{1,256}$/)).annotations({
    description: "1 to 256 characters of ASCII without spaces"
  }),
  TopicArn: limited(1024),
  Message: Schema.String,
  // kept as text, because the signature covers the text
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

/** A message as SNS sends it over HTTP, with the field names of AWS. Its signature is not verified yet. */
export type SnsHttpMessage = typeof Notification.Type | typeof Confirmation.Type

const decodeNotification = Schema.decodeUnknownEither(Notification)
const decodeConfirmation = Schema.decodeUnknownEither(Confirmation)

const decodeMessage = (json: JsonObject): Either.Either<SnsHttpMessage, ParseError> =>
  types.has(json.Type) ? decodeConfirmation(json) : decodeNotification(json)

const types: ReadonlySet<unknown> = new Set(Confirmation.fields.Type.literals)

/** Parses the body of a request. The issue contains no value of the body. */
export const parseMessage = (body: string): Either.Either<SnsHttpMessage, Issue> =>
  parseObject(body).pipe(
    // checked before decoding, because errors of Schema format values recursively
    Either.flatMap(checkNesting),
    Either.mapLeft((expected): Issue => ({ path: [], expected })),
    Either.flatMap((json) => Either.mapLeft(decodeMessage(json), firstIssue))
  )

/** The names of the signed fields, in the order of the signed text. Absent fields are skipped. */
const signedFieldNames = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  confirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
} as const

/** The fields of a message that its signature covers. */
export type SignedFields = Readonly<
  Partial<
    Record<(typeof signedFieldNames)[keyof typeof signedFieldNames][number], string | undefined>
  >
>

/**
 * Returns the text that SNS signs.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
export const stringToSign = (message: SignedFields): string => {
  const names =
    message.Type === "Notification" ? signedFieldNames.Notification : signedFieldNames.confirmation
  return names
    .map((name) => (message[name] === undefined ? "" : `${name}\n${message[name]}\n`))
    .join("")
}
