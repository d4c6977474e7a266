/**
 * The errors of messages that SNS sends over HTTP. They contain no unchecked value of a message, because anyone can send one.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Retryable } from "../MeteringError.js"

/**
 * The reason why a message is rejected.
 *
 * @since 0.1.0
 * @category errors
 */
export const RejectionReason = Schema.Literal(
  "malformed",
  "unknownTopic",
  "tooOld",
  "fromFuture",
  "untrustedCertificate",
  "badSignature"
)

/**
 * @since 0.1.0
 * @category errors
 */
export type RejectionReason = typeof RejectionReason.Type

const advice: { readonly [Reason in RejectionReason]: string } = {
  malformed:
    "pass the body of the request unchanged, and turn raw message delivery off: it has no signature",
  unknownTopic: "add the topic to topicArns, or end its subscription to this endpoint",
  tooOld: "check this machine's clock; if deliveries are retried for longer, set maxAge",
  fromFuture: "check this machine's clock",
  untrustedCertificate: "the sender is not SNS; for a sandbox, set sandboxUrl",
  badSignature: "the sender is not SNS, or the body was changed on its way: pass it unchanged"
}

/**
 * A message is not proven to come from SNS and from an allowed topic. Reject it with HTTP 403, after which SNS does not send
 * it again.
 *
 * `reason` is the failed check, `field` the name of the invalid field, and `expected` describes a valid value.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidSnsMessageError
  extends Schema.TaggedError<InvalidSnsMessageError>(
    "effect-marketplace-metering/InvalidSnsMessageError"
  )("InvalidSnsMessageError", {
    reason: RejectionReason,
    field: Schema.String,
    expected: Schema.String
  })
  implements Retryable
{
  override get message(): string {
    return `${this.field}: expected ${this.expected} (${this.reason}): ${advice[this.reason]}`
  }
  get isRetryable(): boolean {
    return false
  }
  get isThrottling(): boolean {
    return false
  }
}

/**
 * The reason why a request to SNS failed: no connection, no response within 5 seconds, a status other than 200 (including
 * redirects), or a response of more than 64 KiB.
 *
 * @since 0.1.0
 * @category errors
 */
export const RequestFailure = Schema.Literal("connection", "timeout", "status", "tooLong")

/**
 * The certificate of a message could not be fetched from AWS (`url`), or is not usable: it is not the certificate of an RSA
 * key (`malformed`), is not issued to SNS (`wrongSubject`), or is not valid now (`expired`). `busy` means that 32 other
 * certificates are being fetched. If `isRetryable` is true, respond with HTTP 503 so that SNS sends the message again, because
 * it may be genuine. The failure is not cached.
 *
 * @since 0.1.0
 * @category errors
 */
export class SnsCertificateError
  extends Schema.TaggedError<SnsCertificateError>(
    "effect-marketplace-metering/SnsCertificateError"
  )("SnsCertificateError", {
    reason: Schema.Literal(
      ...RequestFailure.literals,
      "malformed",
      "wrongSubject",
      "expired",
      "busy"
    ),
    url: Schema.String
  })
  implements Retryable
{
  override get message(): string {
    return `SigningCertURL: the certificate ${this.url} is not usable (${this.reason}): allow outgoing HTTPS to SNS, and check this machine's clock`
  }
  get isRetryable(): boolean {
    return this.reason !== "malformed"
  }
  get isThrottling(): boolean {
    return false
  }
}

/**
 * A subscription could not be confirmed. If `isRetryable` is true, respond with HTTP 503 so that SNS sends the confirmation
 * again. `untrustedUrl` means that `SubscribeURL` is not the confirmation URL of this topic at SNS, and was not requested.
 *
 * @since 0.1.0
 * @category errors
 */
export class SnsConfirmationError
  extends Schema.TaggedError<SnsConfirmationError>(
    "effect-marketplace-metering/SnsConfirmationError"
  )("SnsConfirmationError", {
    reason: Schema.Literal(...RequestFailure.literals, "untrustedUrl"),
    topicArn: Schema.String
  })
  implements Retryable
{
  override get message(): string {
    const advice =
      this.reason === "untrustedUrl"
        ? "do not confirm it; for a sandbox, set sandboxUrl"
        : "allow outgoing HTTPS to SNS, and request the confirmation again"
    return `SubscribeURL: the subscription to ${this.topicArn} is not confirmed (${this.reason}): ${advice}`
  }
  get isRetryable(): boolean {
    return this.reason !== "untrustedUrl"
  }
  get isThrottling(): boolean {
    return false
  }
}
