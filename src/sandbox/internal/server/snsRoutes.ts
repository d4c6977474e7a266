/** The addresses in SNS messages: the certificate, and the confirmation of a subscription. */

import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import { snsOptionsOf } from "../delivery/requests.js"
import { certificatePath, subscriptionArnOf } from "../delivery/snsMessage.js"
import { targetsOf } from "../model/emission.js"
import { change } from "../model/state.js"
import type { SandboxRuntime } from "../runtime/runtime.js"
import { pathAndQueryOf, pathOf } from "./request.js"

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
      const key = yield* runtime.keyPair
      if (pathOf(request) === certificatePath(key)) {
        return HttpServerResponse.text(key.certificate, {
          contentType: "application/x-pem-file"
        })
      }
      const query = queryOf(request)
      const token = query.get("Token") ?? ""
      return query.get("Action") === "ConfirmSubscription"
        ? yield* confirm(runtime, query.get("TopicArn") ?? "", token)
        : yield* notFound
    })

/** Confirms a subscription of a target by the token that was sent to it. */
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
      return [xml(400, errorBody), state]
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

const errorBody = `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>Invalid parameter: Token or TopicArn</Message></Error></ErrorResponse>`

const confirmedBody = (arn: string): string =>
  `<ConfirmSubscriptionResponse xmlns="${namespace}"><ConfirmSubscriptionResult><SubscriptionArn>${escapeXml(arn)}</SubscriptionArn></ConfirmSubscriptionResult></ConfirmSubscriptionResponse>`

const escapeXml = (text: string): string =>
  text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`)
