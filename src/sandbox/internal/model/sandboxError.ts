/** What a sandbox says when it is asked for what it does not have. */
import * as Schema from "effect/Schema"

export class SandboxError extends Schema.TaggedError<SandboxError>(
  "effect-marketplace-metering/SandboxError"
)(
  "SandboxError",
  { reason: Schema.String },
  { identifier: "SandboxError", description: "The sandbox's world does not have it." }
) {
  override get message() {
    return this.reason
  }
}
