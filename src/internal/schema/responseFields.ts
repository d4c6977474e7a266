/** The fields that all responses share. */
import * as Schema from "effect/Schema"
import { optionalWithDefault } from "./fields.js"

const metadataFields = {
  requestId: Schema.optional(Schema.String),
  statusCode: optionalWithDefault(Schema.Number, () => 200)
}

/**
 * Adds the metadata to a response's fields. A function, because a bundler drops an unused call but keeps an unused spread.
 */
export const responseFields = <F extends Schema.Struct.Fields>(
  fields: F
): F & typeof metadataFields => ({
  ...fields,
  ...metadataFields
})

/** Returns whether a text is absent, empty or only white space. */
export const isBlank = (text: string | undefined): boolean => !text?.trim()
