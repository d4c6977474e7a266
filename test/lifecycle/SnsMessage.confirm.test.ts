import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { SnsMessage } from "effect-marketplace-metering/lifecycle"
import { captureSpans } from "../support/captureSpans.js"
import { failingConnection, type Stub, stubHttp } from "../support/stubHttp.js"
import { errorOf } from "./support/errorOf.js"
import {
  bodyOf,
  certificate,
  certificateUrl,
  confirmation,
  sentAt,
  subscribeUrl,
  token,
  topicArn
} from "./support/snsSender.js"

/** Verifies a confirmation with this URL and confirms it. Returns the URLs that are requested. */
const confirm = (
  SubscribeURL: string,
  response: Stub = { body: "<ConfirmSubscriptionResponse/>" },
  options: Partial<SnsMessage.Options> = {}
) => {
  const http = stubHttp({ body: certificate }, response)
  return Effect.gen(function* () {
    yield* TestClock.setTime(Date.parse(sentAt))
    const message = yield* SnsMessage.verify(bodyOf({ ...confirmation, SubscribeURL }))
    if (message._tag !== "SubscriptionConfirmation") return expect.fail(message._tag)
    yield* SnsMessage.confirm(message)
    return http.sent.map(({ url }) => url)
  }).pipe(
    Effect.provide(SnsMessage.layer({ topicArns: [topicArn], ...options })),
    Effect.provide(http.layer),
    Effect.mapError((error) => ({ error, requests: http.sent.length }))
  )
}

describe("confirm", () => {
  it.effect("requests the URL of the message", () =>
    Effect.gen(function* () {
      const urls = yield* confirm(subscribeUrl)
      expect(urls).toEqual([certificateUrl, subscribeUrl])
    })
  )

  it.effect("requests an escaped URL of China", () =>
    Effect.gen(function* () {
      const url = `https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription&TopicArn=${encodeURIComponent(topicArn)}&Token=${token}`
      expect((yield* confirm(url)).at(-1)).toBe(url)
    })
  )

  it.effect("requests the URL of a sandbox that is named", () =>
    Effect.gen(function* () {
      const url = subscribeUrl.replace(
        "https://sns.us-east-1.amazonaws.com",
        "http://127.0.0.1:4598/x"
      )
      const options = { sandboxUrl: "http://127.0.0.1:4598" }
      expect((yield* confirm(url, {}, options)).at(-1)).toBe(url)
      const { error } = yield* errorOf(confirm(url))
      expect(error).toHaveProperty("reason", "untrustedUrl")
    })
  )

  it.effect.each([
    subscribeUrl.replace("https:", "http:"),
    subscribeUrl.replace("sns.us-east-1.amazonaws.com", "example.com"),
    subscribeUrl.replace("sns.us-east-1", "sns.us-east-1.example"),
    subscribeUrl.replace("sns.us-east-1", "sqs.us-east-1"),
    subscribeUrl.replace("https://", "https://user:password@"),
    subscribeUrl.replace(".com/", ".com:8443/"),
    subscribeUrl.replace(".com/", ".com/other/"),
    subscribeUrl.replace("amazonaws", "аmazonaws"),
    subscribeUrl.replace("ConfirmSubscription", "Unsubscribe"),
    subscribeUrl.replace("ConfirmSubscription", "confirmSubscription"),
    subscribeUrl.replace(topicArn, "arn:aws:sns:us-east-1:444455556666:foreign"),
    subscribeUrl.replace(token, "other"),
    `${subscribeUrl}&Action=Unsubscribe`,
    `${subscribeUrl}&Token=${token}`,
    `${subscribeUrl}#fragment`,
    ` ${subscribeUrl}`
  ])("rejects %s before any request", (url) =>
    Effect.gen(function* () {
      const { error, requests } = yield* errorOf(confirm(url))
      expect(error).toMatchObject({
        _tag: "SnsConfirmationError",
        reason: "untrustedUrl",
        isRetryable: false
      })
      // the certificate
      expect(requests).toBe(1)
      expect(`${error.message}${JSON.stringify(error)}`).not.toContain(token)
    })
  )

  it.effect.each<readonly [string, string, Stub]>([
    ["a redirect", "status", { status: 302, headers: { location: "https://example.com" } }],
    ["a failure of the service", "status", { status: 500, body: token }],
    ["no connection", "connection", failingConnection("ECONNRESET")],
    ["a response without end", "tooLong", { body: "x".repeat(65_537) }]
  ])("fails for %s, retryable and without the token", ([, reason, response]) =>
    Effect.gen(function* () {
      const { error } = yield* errorOf(confirm(subscribeUrl, response))
      expect(error).toMatchObject({ _tag: "SnsConfirmationError", reason, isRetryable: true })
      expect(`${error.message}${JSON.stringify(error)}`).not.toContain(token)
    })
  )

  it.effect("shows the token in no span and in no message", () =>
    Effect.gen(function* () {
      const { spans, trace } = captureSpans()
      yield* trace(Effect.withSpan(confirm(subscribeUrl), "test"))
      expect(spans.map(({ name }) => name)).toEqual(["test"])
      const http = stubHttp({ body: certificate })
      yield* TestClock.setTime(Date.parse(sentAt))
      const message = yield* SnsMessage.verify(bodyOf(confirmation)).pipe(
        Effect.provide(SnsMessage.layer({ topicArns: [topicArn] })),
        Effect.provide(http.layer)
      )
      expect(JSON.stringify(message)).not.toContain(token)
    })
  )
})
