/**
 * Verifies messages that SNS sends over HTTP, and confirms subscriptions. Requires `node:crypto`: Node.js, Bun or Deno.
 *
 * A message is used only if an allowed topic sent it, not long ago, and a certificate of AWS verifies its signature
 * (version 1, RSA with SHA-1, and version 2, RSA with SHA-256).
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
import { type Message, parseMessage, stringToSign } from "./internal/sns/message.js"
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
   * The topics whose messages are accepted, exactly as AWS shows their ARNs. Everyone can have a topic of their own, and its
   * messages are as well signed.
   */
  readonly topicArns: readonly [string, ...ReadonlyArray<string>]
  /**
   * Maximum age of a message, on top of which 5 minutes of difference between the clocks are allowed. Defaults to 1 hour,
   * the longest time that SNS retries a delivery over HTTP.
   */
  readonly maxAge?: Duration.DurationInput | undefined
  /**
   * The URL of a sandbox, such as `http://127.0.0.1:4598`, for tests. Certificates and confirmations at its origin are
   * trusted as well, so that it can send any message, of any time: a sandbox has a clock of its own. Defaults to none.
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
  /** The id, which is the same in each delivery of the message. */
  readonly messageId: string
  /** One of the allowed topics. */
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
  /** The notification, as JSON that cannot be changed. */
  readonly notification: object
  /** The evidence that this very notification was verified. */
  readonly trust: Signature
}

/**
 * A verified request of SNS to confirm a subscription: see `confirm`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SubscriptionConfirmation extends MessageBase {
  readonly _tag: "SubscriptionConfirmation"
  /** The token that confirms the subscription. */
  readonly token: Redacted.Redacted
  /** The URL that confirms it. It contains the token. */
  readonly subscribeUrl: Redacted.Redacted
}

/**
 * The verified message that a subscription was ended. Its `subscribeUrl` would subscribe the endpoint again.
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
 * A verifier of the messages of some topics, with a cache of certificates.
 *
 * @since 0.1.0
 * @category services
 */
export class SnsVerifier extends Context.Tag("effect-marketplace-metering/SnsVerifier")<
  SnsVerifier,
  Service
>() {}

/** Allowed difference between the clocks of this machine and of SNS. */
const clockTolerance = Duration.toMillis("5 minutes")

const algorithms = { "1": "RSA-SHA1", "2": "RSA-SHA256" } as const

const reject = (reason: RejectionReason, field: string, expected: string) =>
  Effect.fail(new InvalidSnsMessageError({ reason, field, expected }))

/**
 * Makes a verifier with a cache of at most 32 certificates, each until it expires. Requests have a limit of 5 seconds and
 * 64 KiB, and follow no redirect. The `HttpClient` must check certificates of HTTPS, as every client does by default.
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

    const checkMessage = (message: Message, now: number) => {
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

const isSigned = (message: Message, { publicKey }: Certificate): boolean =>
  verifySignature(
    algorithms[message.SignatureVersion],
    new TextEncoder().encode(stringToSign(message)),
    publicKey,
    Buffer.from(message.Signature, "base64")
  )

const toSnsMessage = (message: Message): SnsMessage => {
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
 * A verifier over an `HttpClient`.
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
 * Verifies the body of a request of SNS. It must be the unchanged text of the body. Nothing of a message may be used before.
 *
 * In this order: the fields, the topic, the time, the host and the path of the certificate. Only then is the certificate
 * fetched: its subject is SNS, and it is valid now. At last the signature is checked. The chain of the certificate is not:
 * SNS serves it without its issuer, over HTTPS.
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
 * Confirms a subscription, by the URL of a verified message. The URL must be of SNS at AWS, and name the action
 * `ConfirmSubscription`, the topic and the token of the message.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
 * @since 0.1.0
 * @category verification
 */
export const confirm = (
  message: SubscriptionConfirmation
): Effect.Effect<void, SnsConfirmationError, SnsVerifier> =>
  Effect.flatMap(SnsVerifier, (verifier) => verifier.confirm(message))
