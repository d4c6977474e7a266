/** Opens the envelopes around an event, recognized by their shape: Lambda records, SQS messages and SNS notifications. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { parseTime } from "./fields.js"
import { checkNesting, isJsonObject, type JsonObject, parseObject } from "./json.js"

/** Maximum number of envelopes around an event. SNS in SQS has 2. */
const maxDepth = 3

/** Maximum number of records in one invocation. A Lambda function receives at most 10 000 SQS messages. */
const maxRecords = 10_000

/** A message without its envelopes. */
export interface Opened {
  /** The path to the message, such as `Records[0].body`. */
  readonly path: string
  /** The id of the outermost SQS message, for reporting its failure. */
  readonly messageId?: string
  /** The id of the innermost envelope that has one. */
  readonly id?: string
  /** The time of the innermost envelope that has one, in ISO 8601. */
  readonly time?: string
  readonly body: JsonObject
}

/** The reason why a record could not be opened. */
export interface Problem {
  readonly messageId?: string
  readonly field: string
  readonly expected: string
}

type Result = Either.Either<Opened, Problem>

/** The values of the envelopes that were opened so far. */
interface Context extends Omit<Opened, "body"> {
  readonly depth: number
}

/** Opens each record of a batch, or a single message. Each record has its own result. */
export const open = (input: unknown): ReadonlyArray<Result> => {
  const start: Context = { path: "", depth: 0 }
  return Either.match(objectOf(input, start), {
    onLeft: (unreadable) => [Either.left(unreadable)],
    onRight: (object) =>
      Array.isArray(object.Records)
        ? openRecords(object.Records, start)
        : [openObject(object, start)]
  })
}

const openRecords = (records: ReadonlyArray<unknown>, context: Context): ReadonlyArray<Result> =>
  records.length > maxRecords
    ? [Either.left({ field: "Records", expected: `at most ${maxRecords} records` })]
    : records.map((record, i) => openValue(record, { ...context, path: `Records[${i}]` }))

const openValue = (value: unknown, context: Context): Result =>
  Either.flatMap(objectOf(value, context), (object) => openObject(object, context))

const objectOf = (value: unknown, context: Context): Either.Either<JsonObject, Problem> =>
  Either.mapLeft(
    typeof value === "string"
      ? parseObject(value)
      : Either.liftPredicate(value, isJsonObject, () => "a JSON object, or its text"),
    (expected) => problem(context, expected)
  )

const openObject = (value: JsonObject, context: Context): Result => {
  const envelope = envelopeOf(value)
  if (envelope !== undefined) {
    const { content, field, ...ids } = envelope
    return context.depth === maxDepth
      ? Either.left(problem(context, `at most ${maxDepth} envelopes`))
      : openValue(content, {
          ...context,
          ...ids,
          // keeps the id of the outermost record, because an inner one was received by another program
          ...(context.messageId !== undefined && { messageId: context.messageId }),
          path: context.path === "" ? field : `${context.path}.${field}`,
          depth: context.depth + 1
        })
  }
  return checkNesting(value).pipe(
    Either.mapBoth({
      onLeft: (expected) => problem(context, expected),
      onRight: (body) => {
        const { depth, ...opened } = context
        return { ...opened, body }
      }
    })
  )
}

interface Envelope extends Pick<Opened, "messageId" | "id" | "time"> {
  readonly field: string
  readonly content: unknown
}

const envelopeOf = (value: JsonObject): Envelope | undefined => {
  // an SNS record in a Lambda event
  if (isJsonObject(value.Sns)) return { field: "Sns", content: value.Sns }
  if (value.Type === "Notification" && typeof value.Message === "string") {
    return {
      field: "Message",
      content: value.Message,
      ...idOf(value.MessageId),
      ...(isTime(value.Timestamp) && { time: value.Timestamp })
    }
  }
  // an SQS record in a Lambda event
  if (typeof value.body === "string" && typeof value.messageId === "string") {
    return {
      field: "body",
      content: value.body,
      ...queuedMessage(value.messageId, value.attributes)
    }
  }
  // a message that an SQS client receives
  if (typeof value.Body === "string" && typeof value.MessageId === "string") {
    return {
      field: "Body",
      content: value.Body,
      ...queuedMessage(value.MessageId, value.Attributes)
    }
  }
  return undefined
}

const isTime = (time: unknown): time is string =>
  typeof time === "string" && Option.isSome(parseTime(time))

const idOf = (id: unknown) => (typeof id === "string" && id !== "" ? { id } : {})

const queuedMessage = (messageId: string, attributes: unknown) => ({
  messageId,
  ...idOf(messageId),
  ...(isJsonObject(attributes) &&
    Option.match(sentTime(attributes.SentTimestamp), {
      onNone: () => ({}),
      onSome: (time) => ({ time })
    }))
})

/** Converts the `SentTimestamp` of SQS, epoch milliseconds as text, to ISO 8601. */
const sentTime = (millis: unknown): Option.Option<string> =>
  typeof millis === "string" && /^-?\d{1,15}$/.test(millis)
    ? Option.map(DateTime.make(Number(millis)), DateTime.formatIso)
    : Option.none()

const problem = ({ messageId, path }: Context, expected: string): Problem => ({
  ...(messageId !== undefined && { messageId }),
  field: path === "" ? "input" : path,
  expected
})
