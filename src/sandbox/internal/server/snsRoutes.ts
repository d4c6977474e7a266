/** The routes of the URLs in SNS messages: the signing certificate, and the confirmation of a subscription. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import { snsOptionsOf } from "../delivery/requests.js"
import { certificatePath, subscriptionArnOf } from "../delivery/snsMessage.js"
import { targetsOf } from "../model/emission.js"
import { change } from "../model/state.js"
import type { SandboxRuntime } from "../runtime/runtime.js"
import { pathAndQueryOf, pathOf } from "./requestReader.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

const queryOf = (request: Request): URLSearchParams =>
  new URLSearchParams(pathAndQueryOf(request).split("?").slice(1).join("?"))

export const isSnsRequest = (request: Request): boolean =>
  request.method === "GET" &&
  (/^\/SimpleNotificationService-[0-9a-f]+\.pem$/.test(pathOf(request)) ||
    (pathOf(request) === "/" && queryOf(request).has("Action")))

export const make =
  (runtime: SandboxRuntime, notFound: Effect.Effect<Response>) =>
  (request: Request): Effect.Effect<Response> =>
    Effect.gen(function* () {
      const path = pathOf(request)
      if (path !== "/") {
        const key = yield* runtime.keyPair
        return path === certificatePath(key)
          ? HttpServerResponse.text(key.certificate, { contentType: "application/x-pem-file" })
          : yield* notFound
      }
      const query = queryOf(request)
      return query.get("Action") === "ConfirmSubscription"
        ? yield* confirm(runtime, query.get("TopicArn") ?? "", query.get("Token") ?? "")
        : unknownAction
    })

/** Confirms the subscription of a target by the token in its `SubscriptionConfirmation`. */
export const confirm = (runtime: SandboxRuntime, topicArn: string, token: string) =>
  runtime.modify((state): readonly [Response, typeof state] => {
    const found = targetsOf(state).find(
      (target) =>
        target.type === "sns" &&
        snsOptionsOf(target).topicArn === topicArn &&
        HashMap.get(state.outbox.subscriptions, target.name).pipe(
          (one) => one._tag === "Some" && one.value.token === token
        )
    )
    const subscription = found && HashMap.unsafeGet(state.outbox.subscriptions, found.name)
    if (found === undefined || subscription === undefined) {
      return [unknownSubscription, state]
    }
    return [
      xml(200, confirmedBody(subscriptionArnOf(topicArn, found.name))),
      change(state, {
        _tag: "Outbox",
        change: {
          _tag: "Subscription",
          target: found.name,
          subscription: { ...subscription, state: "confirmed" }
        }
      })
    ]
  })

const xml = (status: number, body: string): Response =>
  HttpServerResponse.text(body, { status, contentType: "text/xml" })

const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

const errorBody = (code: string, message: string): string =>
  `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`

const unknownSubscription = xml(
  400,
  errorBody("InvalidParameter", "Invalid parameter: Token or TopicArn")
)

const unknownAction = xml(
  400,
  errorBody(
    "InvalidAction",
    "The sandbox has ConfirmSubscription only. Unlike SNS it does not end a subscription by its UnsubscribeURL: remove the target from the scenario."
  )
)

const confirmedBody = (arn: string): string =>
  `<ConfirmSubscriptionResponse xmlns="${namespace}"><ConfirmSubscriptionResult><SubscriptionArn>${escapeXml(arn)}</SubscriptionArn></ConfirmSubscriptionResult></ConfirmSubscriptionResponse>`

const escapeXml = (text: string): string =>
  text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`)
