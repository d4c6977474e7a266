/**
 * An HTTP endpoint for a subscription of SNS: it confirms the subscription, and hands each verified event to a function.
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

/** A response without a body: SNS reads the status only. */
const respond = (status: number) => HttpServerResponse.empty({ status })

const ok = respond(200)

/** Logs an error and responds. Errors of this package hold no value of a message. */
const logAndRespond = (status: number) => (error: { readonly message: string }) =>
  Effect.as(Effect.logWarning(error.message), respond(status))

/**
 * Makes an `HttpApp` for the URL that is subscribed to the topics of a `SnsVerifier`. Mount it at that path, for POST.
 *
 * `handle` receives each event once it is verified. The response is 200 only after it succeeded; after a failure it is 500,
 * and SNS sends the message again. SNS can send a message twice, and in any order: `handle` must accept an event again.
 *
 * | status | after |
 * | ------ | ----- |
 * | 200    | `handle`, a confirmation, or the end of a subscription |
 * | 400    | a message without a readable event, or a body that breaks off |
 * | 403    | a message that is not verified |
 * | 405    | another method than POST |
 * | 413    | a body of more than 1 MiB. Without a `content-length`, a server may close the connection instead. |
 * | 500    | a failure of `handle`, which is logged with its cause |
 * | 503    | a certificate or a confirmation that could not be requested |
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
    // without reading, since a server that stops to read cannot respond
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
