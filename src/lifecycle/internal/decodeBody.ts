/** Decodes a message without envelopes, by its `detail-type` or its `action`. */
import * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Opened, Problem } from "./envelopes.js"
import { AgreementNotice, MarketplaceEvent, NoticeType, Role, Unknown } from "./events.js"
import { envelopeFields } from "./fields.js"
import { firstIssue } from "./firstIssue.js"
import { isJsonObject, type JsonObject } from "./json.js"
import { actions, detailTypes, eventSource } from "./wireNames.js"

/** The tags of SNS actions. */
const tagsOfActions: ReadonlyMap<unknown, string> = new Map(
  Object.entries(actions).map(([tag, action]) => [action, tag])
)

/** The tags and roles of detail types. */
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
  // fields of the detail never replace those of the envelope
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

/** Names the first invalid field. */
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
