/** What every answer carries beside the members of its own. */
import * as Schema from "effect/Schema"
import { defaulted } from "./wire.js"

const about = {
  requestId: Schema.optional(Schema.String),
  statusCode: defaulted(Schema.Number, () => 200)
}

/** The members of an answer and those. A spread would keep its class in every bundle; a call can be dropped. */
export const answered = <F extends Schema.Struct.Fields>(fields: F): F & typeof about => ({
  ...fields,
  ...about
})

/** Whether a text says nothing, as one that is absent. */
export const isBlank = (text: string | undefined): boolean => !text?.trim()
