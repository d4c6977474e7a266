/** What every answer carries beside the members of its own. */
import * as Schema from "effect/Schema"

export const about = {
  requestId: Schema.optional(Schema.String),
  statusCode: Schema.optionalWith(Schema.Number, { default: () => 200 })
}
