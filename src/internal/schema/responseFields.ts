/** What every answer carries beside the members of its own. */
import * as Schema from "effect/Schema"
import { optionalWithDefault } from "./fields.js"

const metadataFields = {
  requestId: Schema.optional(Schema.String),
  statusCode: optionalWithDefault(Schema.Number, () => 200)
}

/** The members of an answer and those. A spread would keep its class in every bundle; a call can be dropped. */
export const responseFields = <F extends Schema.Struct.Fields>(
  fields: F
): F & typeof metadataFields => ({
  ...fields,
  ...metadataFields
})

/** Whether a text says nothing, as one that is absent. */
export const isBlank = (text: string | undefined): boolean => !text?.trim()
