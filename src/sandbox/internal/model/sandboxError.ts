import * as Schema from "effect/Schema"

/** A request that the sandbox rejects, such as one for an unknown customer. */
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
