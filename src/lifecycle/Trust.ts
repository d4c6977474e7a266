/**
 * Evidence that a message comes from AWS. `MarketplaceEvent.decode` requires it, and returns its `_tag` with each event.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Queue, Secret, type Signature } from "./internal/trust.js"

export type { Queue, Secret, Signature } from "./internal/trust.js"

/**
 * Evidence of the sender of a message: a queue, a verified signature, or a shared secret. For an HTTP request, it is the
 * result of `SnsMessage.verify` (a signature) or `checkSecret` (a shared secret).
 *
 * @since 0.1.0
 * @category models
 */
export type Trust = Queue | Signature | Secret

/**
 * States that a message was read from the seller's own queue, or invoked the seller's own Lambda function, and that the
 * resource policy of the queue or function lets only AWS services send. Do not use it for the body of an HTTP request, because
 * anyone can send one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const queue: Queue = new Queue()

/**
 * The header of a request to an API destination is missing or does not match the secret, or the secret of this program is too
 * short. Reject the request, and compare the header of the EventBridge connection with the secret of this program. The error
 * contains neither value.
 *
 * @since 0.1.0
 * @category errors
 */
export class SharedSecretError extends Schema.TaggedError<SharedSecretError>(
  "effect-marketplace-metering/SharedSecretError"
)("SharedSecretError", { reason: Schema.Literal("missing", "mismatch", "tooShort") }) {
  override get message(): string {
    return messages[this.reason]
  }
}

/** Minimum length of a secret, in characters. */
const minSecretLength = 16

const messages = {
  missing: "the header with the secret is missing: reject the request with HTTP 401",
  mismatch:
    "the header has another secret: reject the request with HTTP 401, and compare the header of the EventBridge connection",
  tooShort: `the secret of this program is too short: use at least ${minSecretLength} random characters`
} as const

/**
 * Compares the header of a request with the secret of the connection of an EventBridge API destination, in constant time.
 * The secret must have at least 16 characters.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
 * @example
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { MarketplaceEvent, Trust } from "effect-marketplace-metering/lifecycle"
 *
 * const receive = (body: string, header: string | undefined, secret: Redacted.Redacted) =>
 *   Effect.map(Trust.checkSecret(header, secret), (trust) => MarketplaceEvent.decode(body, trust))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const checkSecret = (
  header: string | undefined,
  secret: Redacted.Redacted
): Effect.Effect<Secret, SharedSecretError> => {
  const expected = Redacted.value(secret)
  const fail = (reason: SharedSecretError["reason"]) =>
    Effect.fail(new SharedSecretError({ reason }))
  if (expected.length < minSecretLength) return fail("tooShort")
  if (header === undefined) return fail("missing")
  return isEqual(header, expected) ? Effect.succeed(new Secret()) : fail("mismatch")
}

/** Compares in constant time: the duration does not depend on where the texts differ. */
const isEqual = (text: string, secret: string): boolean => {
  let difference = text.length ^ secret.length
  for (let i = 0; i < secret.length; i++) difference |= text.charCodeAt(i) ^ secret.charCodeAt(i)
  return difference === 0
}
