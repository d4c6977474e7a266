/**
 * Verifies messages that SNS sends over HTTP, and confirms subscriptions. Requires `node:crypto`: Node.js, Bun or Deno.
 *
 * A message is accepted only if it is recent, an allowed topic sent it, and its signature is valid with a certificate of AWS
 * (signature version 1, RSA with SHA-1, or version 2, RSA with SHA-256).
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import { verify as verifySignature } from "node:crypto"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Certificate, makeCertificates } from "./internal/sns/certificates.js"
import { get } from "./internal/sns/get.js"
import { parseMessage, type SnsHttpMessage, stringToSign } from "./internal/sns/message.js"
import { isCertificateUrl, isConfirmationUrl, isOfSandbox } from "./internal/sns/urls.js"
import { Signature } from "./internal/trust.js"
import {
  InvalidSnsMessageError,
  type RejectionReason,
  SnsCertificateError,
  SnsConfirmationError
} from "./SnsError.js"

/**
 * Options of a verifier.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The ARNs of the topics whose messages are accepted, exactly as AWS shows them. The signature alone is not enough, because
   * anyone can create a topic, and SNS signs the messages of every topic.
   */
  readonly topicArns: readonly [string, ...ReadonlyArray<string>]
  /**
   * The maximum age of a message. A clock difference of 5 minutes is allowed in addition. Defaults to 1 hour, the longest
   * time that SNS retries a delivery over HTTP.
   */
  readonly maxAge?: Duration.DurationInput | undefined
  /**
   * The URL of a sandbox, such as `http://127.0.0.1:4598`, for tests. Certificates and confirmation URLs at its origin are
   * also trusted, so the sandbox can send any message. The age of its messages is not checked, because a sandbox has its own
   * clock. Defaults to `undefined`, which trusts only AWS.
   */
  readonly sandboxUrl?: string | undefined
}

/**
 * The fields of every verified message.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageBase {
  /** The message id, which is the same in each delivery of the message. */
  readonly messageId: string
  /** The ARN of the topic, one of the allowed topics. */
  readonly topicArn: string
  /** The time of publication. */
  readonly timestamp: DateTime.Utc
}

/**
 * A verified notification. `MarketplaceEvent.decode(notification, trust)` decodes its event.
 *
 * @since 0.1.0
 * @category models
 */
export interface Notification extends MessageBase {
  readonly _tag: "Notification"
  /** The parsed JSON of the notification, frozen. */
  readonly notification: object
  /** Evidence that exactly this `notification` object was verified. */
  readonly trust: Signature
}

/**
 * A verified request from SNS to confirm a subscription. See `confirm`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SubscriptionConfirmation extends MessageBase {
  readonly _tag: "SubscriptionConfirmation"
  /** The token that confirms the subscription. */
  readonly token: Redacted.Redacted
  /** The URL that confirms the subscription. It contains the token. */
  readonly subscribeUrl: Redacted.Redacted
}

/**
 * A verified message that a subscription has ended. Requesting its `subscribeUrl` subscribes the endpoint again.
 *
 * @since 0.1.0
 * @category models
 */
export interface UnsubscribeConfirmation extends MessageBase {
  readonly _tag: "UnsubscribeConfirmation"
  /** The token that subscribes the endpoint again. */
  readonly token: Redacted.Redacted
  /** The URL that subscribes the endpoint again. It contains the token. */
  readonly subscribeUrl: Redacted.Redacted
}

/**
 * A verified message.
 *
 * @since 0.1.0
 * @category models
 */
export type SnsMessage = Notification | SubscriptionConfirmation | UnsubscribeConfirmation

/**
 * The service of a verifier.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** See `verify`. */
  readonly verify: (
    body: string
  ) => Effect.Effect<SnsMessage, InvalidSnsMessageError | SnsCertificateError>
  /** See `confirm`. */
  readonly confirm: (message: SubscriptionConfirmation) => Effect.Effect<void, SnsConfirmationError>
}

/**
 * Verifies messages of the allowed topics and confirms subscriptions. Caches certificates.
 *
 * @since 0.1.0
 * @category services
 */
export class SnsVerifier extends Context.Tag("effect-marketplace-metering/SnsVerifier")<
  SnsVerifier,
  Service
>() {}

/** Allowed difference between the clocks of this machine and of SNS, in milliseconds. */
const clockTolerance = Duration.toMillis("5 minutes")

const algorithms = { "1": "RSA-SHA1", "2": "RSA-SHA256" } as const

const reject = (reason: RejectionReason, field: string, expected: string) =>
  Effect.fail(new InvalidSnsMessageError({ reason, field, expected }))

/**
 * Makes a verifier that caches at most 32 certificates, each until it expires. A request takes at most 5 seconds, reads at
 * most 64 KiB, and follows no redirects. The `HttpClient` must verify TLS certificates, as every client does by default.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Service, never, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const httpClient = yield* HttpClient.HttpClient
    const certificateOf = yield* makeCertificates(httpClient)
    const topicArns = new Set(options.topicArns)
    const maxAge = Duration.toMillis(options.maxAge ?? "1 hour")
    const { sandboxUrl } = options

    const checkMessage = (message: SnsHttpMessage, now: number) => {
      const age = isOfSandbox(message.SigningCertURL, sandboxUrl)
        ? 0
        : now - DateTime.unsafeMake(message.Timestamp).epochMillis
      if (!topicArns.has(message.TopicArn)) {
        return reject("unknownTopic", "TopicArn", "an allowed topic")
      }
      if (age > maxAge + clockTolerance) {
        return reject("tooOld", "Timestamp", `an age of at most ${Duration.format(maxAge)}`)
      }
      if (age < -clockTolerance) return reject("fromFuture", "Timestamp", "no time in the future")
      return isCertificateUrl(message.SigningCertURL, sandboxUrl)
        ? Effect.void
        : reject("untrustedCertificate", "SigningCertURL", "a certificate of SNS at AWS, by HTTPS")
    }

    const verify: Service["verify"] = (body) =>
      Effect.gen(function* () {
        const message = yield* Effect.catchAll(parseMessage(body), ({ expected, path }) =>
          reject("malformed", path.map(String).join(".") || "body", expected)
        )
        yield* checkMessage(message, yield* Clock.currentTimeMillis)
        const url = message.SigningCertURL
        const certificate = yield* Effect.mapError(
          certificateOf(url),
          (reason) => new SnsCertificateError({ reason, url })
        )
        return isSigned(message, certificate)
          ? toSnsMessage(message)
          : yield* reject("badSignature", "Signature", "the signature of the message")
      })

    const confirm: Service["confirm"] = ({ subscribeUrl, token, topicArn }) => {
      const url = Redacted.value(subscribeUrl)
      const fail = (reason: SnsConfirmationError["reason"]) =>
        new SnsConfirmationError({ reason, topicArn })
      return isConfirmationUrl(url, { token: Redacted.value(token), topicArn }, sandboxUrl)
        ? Effect.asVoid(Effect.mapError(get(httpClient, url), fail))
        : Effect.fail(fail("untrustedUrl"))
    }

    return { verify, confirm }
  })

const isSigned = (message: SnsHttpMessage, { publicKey }: Certificate): boolean =>
  verifySignature(
    algorithms[message.SignatureVersion],
    new TextEncoder().encode(stringToSign(message)),
    publicKey,
    Buffer.from(message.Signature, "base64")
  )

const toSnsMessage = (message: SnsHttpMessage): SnsMessage => {
  const base = {
    messageId: message.MessageId,
    topicArn: message.TopicArn,
    timestamp: DateTime.unsafeMake(message.Timestamp)
  }
  if (message.Type === "Notification") {
    const notification = Object.freeze(message)
    const trust = new Signature(notification, message.TopicArn)
    return { _tag: "Notification", ...base, notification, trust }
  }
  return {
    _tag: message.Type,
    ...base,
    token: Redacted.make(message.Token),
    subscribeUrl: Redacted.make(message.SubscribeURL)
  }
}

/**
 * A layer of the verifier. Requires an `HttpClient`.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Layer } from "effect"
 * import { SnsMessage } from "effect-marketplace-metering/lifecycle"
 *
 * const VerifierLive = SnsMessage.layer({
 *   topicArns: ["arn:aws:sns:us-east-1:123456789012:aws-mp-subscription-notification-4v9hm1u3i5p7l3c0"]
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<SnsVerifier, never, HttpClient.HttpClient> =>
  Layer.effect(SnsVerifier, make(options))

/**
 * Verifies the body of a request from SNS. Pass the text of the body unchanged, and use nothing of a message before this
 * succeeds.
 *
 * Checks in this order: the fields, the topic, the age, and the host and path of the certificate URL. Then the certificate is
 * fetched. It must be issued to SNS and be valid now. The signature is checked last. The certificate chain is not verified,
 * because SNS serves the certificate without its issuer. It is trusted because AWS serves it over HTTPS.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MarketplaceEvent, SnsMessage } from "effect-marketplace-metering/lifecycle"
 *
 * const receive = (body: string) =>
 *   Effect.flatMap(SnsMessage.verify(body), (message) => {
 *     switch (message._tag) {
 *       case "Notification":
 *         return Effect.succeed(MarketplaceEvent.decode(message.notification, message.trust))
 *       case "SubscriptionConfirmation":
 *         return Effect.as(SnsMessage.confirm(message), [])
 *       case "UnsubscribeConfirmation":
 *         return Effect.succeed([])
 *     }
 *   })
 * ```
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 * @since 0.1.0
 * @category verification
 */
export const verify = (
  body: string
): Effect.Effect<SnsMessage, InvalidSnsMessageError | SnsCertificateError, SnsVerifier> =>
  Effect.flatMap(SnsVerifier, (verifier) => verifier.verify(body))

/**
 * Confirms a subscription by requesting the URL of a verified message. The URL must be at an SNS host of AWS, or at the
 * sandbox, and must have the action `ConfirmSubscription` and the topic and token of the message.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
 * @since 0.1.0
 * @category verification
 */
export const confirm = (
  message: SubscriptionConfirmation
): Effect.Effect<void, SnsConfirmationError, SnsVerifier> =>
  Effect.flatMap(SnsVerifier, (verifier) => verifier.confirm(message))
