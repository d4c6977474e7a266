import * as Schema from "effect/Schema"

/** An action or state file that the sandbox cannot accept, such as an action on an unknown customer. */
export class SandboxError extends Schema.TaggedError<SandboxError>(
  "effect-marketplace-metering/SandboxError"
)(
  "SandboxError",
  { reason: Schema.String },
  { identifier: "SandboxError", description: "The request was rejected: `reason` says why." }
) {
  override get message() {
    return this.reason
  }
}
