/** Decodes a message without envelopes. Its `detail-type` or `action` determines the event. */
import * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Opened, Problem } from "./envelopes.js"
import { AgreementNotice, MarketplaceEvent, NoticeType, Role, Unknown } from "./events.js"
import { envelopeFields } from "./fields.js"
import { firstIssue } from "./firstIssue.js"
import { isJsonObject, type JsonObject } from "./json.js"
import { actions, detailTypes, eventSource } from "./wireNames.js"

/** Event tags by SNS action. */
const tagsOfActions: ReadonlyMap<unknown, string> = new Map(
  Object.entries(actions).map(([tag, action]) => [action, tag])
)

/** Event tags and roles by EventBridge detail type. */
const kindsOfDetailTypes: ReadonlyMap<unknown, { readonly _tag: string; readonly role: Role }> =
  new Map(
    Object.entries(detailTypes).flatMap(([_tag, name]) =>
      Role.literals.map((role) => [`${name} - ${role}`, { _tag, role }] as const)
    )
  )

const isNoticeType = Schema.is(NoticeType)

const decodeFields = Schema.decodeUnknownEither(MarketplaceEvent)
const decodeNotice = Schema.decodeUnknownEither(AgreementNotice)

type Decoded = Either.Either<MarketplaceEvent, ParseResult.ParseError>

export const decodeBody = (opened: Opened): Either.Either<MarketplaceEvent, Problem> => {
  const decoded =
    opened.body.source === eventSource ? decodeEvent(opened.body) : decodeAction(opened)
  return Either.mapLeft(
    decoded ?? Either.right(new Unknown({ raw: opened.body })),
    problemOf(opened)
  )
}

const decodeEvent = (body: JsonObject): Decoded | undefined => {
  const { id, time, account, region, resources, detail, "detail-type": detailType } = body
  const envelope = { id, time, account, region, resources }
  const kind = kindsOfDetailTypes.get(detailType)
  // the envelope is spread last, so that no field of the detail replaces it
  if (kind !== undefined) {
    return decodeFields({ ...(isJsonObject(detail) ? detail : {}), ...envelope, ...kind })
  }
  return isNoticeType(detailType)
    ? decodeNotice({ ...envelope, _tag: "AgreementNotice", detailType, detail })
    : undefined
}

const decodeAction = ({ body, id, time }: Opened): Decoded | undefined => {
  const _tag = tagsOfActions.get(body.action)
  return _tag === undefined ? undefined : decodeFields({ ...body, id, time, _tag })
}

/** Converts a decoding error to a problem with the path of the first invalid field. */
const problemOf =
  ({ messageId, path, body }: Opened) =>
  (error: ParseResult.ParseError): Problem => {
    const issue = firstIssue(error)
    const [first = "detail", ...others] = issue.path
    const isDetail =
      body.source === eventSource && !Object.hasOwn(envelopeFields, first) && first !== "detail"
    return {
      ...(messageId !== undefined && { messageId }),
      field: [path, isDetail ? "detail" : "", first, ...others]
        .filter((part) => part !== "")
        .map(String)
        .join("."),
      expected: issue.expected
    }
  }
