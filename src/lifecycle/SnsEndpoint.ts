/**
 * An HTTP endpoint for an SNS subscription. It confirms the subscription, and passes each verified event to a handler.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { maxTextLength } from "./internal/json.js"
import { readLimitedText } from "./internal/readLimitedText.js"
import { decode, type ReceivedEvent } from "./MarketplaceEvent.js"
import { type Notification, type Service, type SnsMessage, SnsVerifier } from "./SnsMessage.js"

/** Returns a response without a body, because SNS reads only the status. */
const respond = (status: number) => HttpServerResponse.empty({ status })

const ok = respond(200)

/** Logs an error and responds. Errors of this package contain no unchecked value of a message, so they are safe to log. */
const logAndRespond = (status: number) => (error: { readonly message: string }) =>
  Effect.as(Effect.logWarning(error.message), respond(status))

/**
 * Makes an `HttpApp` for an endpoint that is subscribed to the topics of the `SnsVerifier`. Mount it at the subscribed path,
 * for POST.
 *
 * `handle` is called with each event after its message is verified. The response is 200 only after `handle` succeeds. After a
 * failure the response is 500, and SNS sends the message again. SNS may send a message more than once and in any order, so
 * `handle` must be idempotent.
 *
 * | status | after |
 * | ------ | ----- |
 * | 200    | success of `handle`, a confirmed subscription, or the end of a subscription |
 * | 400    | a message without a valid event, or an incomplete body |
 * | 403    | a message or confirmation URL that is not trusted, or a malformed certificate |
 * | 405    | a method other than POST |
 * | 413    | a body of more than 1 MiB. Without a `content-length`, a server may close the connection instead. |
 * | 500    | a failure of `handle`, which is logged with its cause |
 * | 503    | a certificate that could not be fetched or is not valid, or a failed confirmation request |
 *
 * SNS sends a message again after 5xx, up to the limits of the subscription's delivery policy, and never after 4xx. Give the
 * subscription a dead-letter queue.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
 * @example
 * ```ts
 * import { createServer } from "node:http"
 * import { FetchHttpClient, HttpRouter, HttpServer } from "@effect/platform"
 * import { NodeHttpServer } from "@effect/platform-node"
 * import { Effect, Layer } from "effect"
 * import { SnsEndpoint, SnsMessage } from "effect-marketplace-metering/lifecycle"
 *
 * const serve = (port: number) =>
 *   HttpRouter.empty.pipe(
 *     HttpRouter.post(
 *       "/marketplace/events",
 *       SnsEndpoint.httpApp(({ event }) => Effect.logInfo(event._tag))
 *     ),
 *     HttpServer.serve(),
 *     Layer.provide(
 *       SnsMessage.layer({
 *         topicArns: ["arn:aws:sns:us-east-1:123456789012:aws-mp-subscription-notification-4v9hm1u3i5p7l3c0"]
 *       })
 *     ),
 *     Layer.provide([FetchHttpClient.layer, NodeHttpServer.layer(createServer, { port })])
 *   )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const httpApp = <E, R>(
  handle: (received: ReceivedEvent) => Effect.Effect<unknown, E, R>
): HttpApp.Default<never, R | SnsVerifier> => {
  const handleEvent = (received: ReceivedEvent) =>
    handle(received).pipe(
      Effect.as(ok),
      Effect.catchAllCause((cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.interrupt
          : Effect.as(Effect.logError("The handler of an event failed", cause), respond(500))
      )
    )

  const handleNotification = ({ notification, trust }: Notification) =>
    Effect.map(
      Effect.forEach(
        decode(notification, trust),
        Either.match({ onLeft: logAndRespond(400), onRight: handleEvent })
      ),
      (responses) => responses.find(({ status }) => status !== 200) ?? ok
    )

  const handleMessage = (message: SnsMessage, confirm: Service["confirm"]) => {
    switch (message._tag) {
      case "Notification":
        return handleNotification(message)
      case "SubscriptionConfirmation":
        return Effect.matchEffect(confirm(message), {
          onFailure: (error) => logAndRespond(error.isRetryable ? 503 : 403)(error),
          onSuccess: () =>
            Effect.as(Effect.logInfo(`Confirmed the subscription to ${message.topicArn}`), ok)
        })
      case "UnsubscribeConfirmation":
        return Effect.as(Effect.logWarning(`The subscription to ${message.topicArn} was ended`), ok)
    }
  }

  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (request.method !== "POST") {
      return HttpServerResponse.empty({ status: 405, headers: { allow: "POST" } })
    }
    // responds without reading the body, because a server that stops reading it cannot respond
    if (Number(request.headers["content-length"]) > maxTextLength) return respond(413)
    const { confirm, verify } = yield* SnsVerifier
    const body = yield* Effect.either(readLimitedText(request.stream, maxTextLength))
    if (Either.isLeft(body)) return respond(400)
    if (Option.isNone(body.right)) return respond(413)
    return yield* Effect.matchEffect(verify(body.right.value), {
      onFailure: (error) => logAndRespond(error.isRetryable ? 503 : 403)(error),
      onSuccess: (message) => handleMessage(message, confirm)
    })
  })
}
