import { HttpApp, HttpClient, HttpClientRequest, HttpServer } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Fiber, Layer, Logger, TestClock } from "effect"
import {
  type MarketplaceEvent,
  SnsEndpoint,
  SnsMessage
} from "effect-marketplace-metering/lifecycle"
import { failingConnection, type Stub, stubHttp } from "../support/stubHttp.js"
import {
  bodyOf,
  certificate,
  confirmation,
  notification,
  sentAt,
  subscribeUrl,
  token,
  topicArn
} from "./support/snsSender.js"

interface Setup<E> {
  readonly responses?: ReadonlyArray<Stub>
  readonly handle?: (received: MarketplaceEvent.ReceivedEvent) => Effect.Effect<unknown, E>
}

const url = "https://example.com/events"

const post = (body: BodyInit) =>
  new Request(url, {
    method: "POST",
    body,
    headers: { "content-type": "text/plain; charset=UTF-8" },
    ...(typeof body !== "string" && { duplex: "half" })
  })

/** Makes an endpoint, which keeps its events, its requests and its logs. */
const makeEndpoint = <E = never>({ handle, responses = [{ body: certificate }] }: Setup<E> = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.parse(sentAt))
    const http = stubHttp(...responses)
    const events: Array<MarketplaceEvent.ReceivedEvent> = []
    const logs: Array<string> = []
    const logger = Logger.make(({ cause, logLevel, message }) => {
      logs.push(`${logLevel.label} ${message}${Cause.isEmpty(cause) ? "" : Cause.pretty(cause)}`)
    })
    const runtime = yield* Effect.runtime<SnsMessage.SnsVerifier>().pipe(
      Effect.provide(
        Layer.mergeAll(
          Layer.provide(SnsMessage.layer({ topicArns: [topicArn] }), http.layer),
          Logger.replace(Logger.defaultLogger, logger)
        )
      )
    )
    const handler = HttpApp.toWebHandlerRuntime(runtime)(
      SnsEndpoint.httpApp((received) => {
        events.push(received)
        return handle?.(received) ?? Effect.void
      })
    )
    const send = (request: Request) => Effect.promise(() => handler(request))
    const statusOf = (request: Request) => Effect.map(send(request), ({ status }) => status)
    return { events, http, logs, send, statusOf }
  })

describe("httpApp", () => {
  it.effect("hands a verified event to the function, and responds with 200", () =>
    Effect.gen(function* () {
      const { events, send } = yield* makeEndpoint()
      const response = yield* send(post(bodyOf(notification)))
      expect(response.status).toBe(200)
      expect(yield* Effect.promise(() => response.text())).toBe("")
      expect(events).toMatchObject([
        { event: { _tag: "SubscribeSuccess", id: notification.MessageId }, trust: "Signature" }
      ])
    })
  )

  it.effect("responds only after the function succeeded", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const stored = yield* Deferred.make<void>()
      const { statusOf } = yield* makeEndpoint({
        handle: () => Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(stored))
      })
      const fiber = yield* Effect.fork(statusOf(post(bodyOf(notification))))
      yield* Deferred.await(started)
      expect((yield* Fiber.poll(fiber))._tag).toBe("None")
      yield* Deferred.succeed(stored, undefined)
      expect(yield* fiber).toBe(200)
    })
  )

  it.effect.each([
    ["a failure", Effect.fail(new Error("database away"))],
    ["a defect", Effect.die(new Error("database away"))],
    ["a failure that has a response of its own", Effect.fail({ ...new Error(), status: 404 })]
  ] as const)("responds with 500 after %s of the function, and logs it", ([, failure]) =>
    Effect.gen(function* () {
      const { logs, statusOf } = yield* makeEndpoint({ handle: () => failure })
      expect(yield* statusOf(post(bodyOf(notification)))).toBe(500)
      expect(logs).toHaveLength(1)
      expect(logs[0]).toContain("ERROR The handler of an event failed")
    })
  )

  it.effect("confirms a subscription", () =>
    Effect.gen(function* () {
      const { events, http, logs, statusOf } = yield* makeEndpoint()
      expect(yield* statusOf(post(bodyOf(confirmation)))).toBe(200)
      expect(http.sent.at(-1)?.url).toBe(subscribeUrl)
      expect(events).toEqual([])
      expect(logs).toEqual([`INFO Confirmed the subscription to ${topicArn}`])
    })
  )

  it.effect("asks for a confirmation that could not be requested to be sent again", () =>
    Effect.gen(function* () {
      const { logs, statusOf } = yield* makeEndpoint({
        responses: [{ body: certificate }, failingConnection("ECONNREFUSED")]
      })
      expect(yield* statusOf(post(bodyOf(confirmation)))).toBe(503)
      expect(logs.join()).toContain("WARN SubscribeURL")
      expect(logs.join()).not.toContain(token)
    })
  )

  it.effect("does not confirm a URL of another host", () =>
    Effect.gen(function* () {
      const { http, statusOf } = yield* makeEndpoint()
      const SubscribeURL = subscribeUrl.replace("sns.us-east-1.amazonaws.com", "example.com")
      expect(yield* statusOf(post(bodyOf({ ...confirmation, SubscribeURL })))).toBe(403)
      expect(http.sent).toHaveLength(1)
    })
  )

  it.effect("does not subscribe again after the end of a subscription", () =>
    Effect.gen(function* () {
      const { http, logs, statusOf } = yield* makeEndpoint()
      const ended = { ...confirmation, Type: "UnsubscribeConfirmation" }
      expect(yield* statusOf(post(bodyOf(ended)))).toBe(200)
      expect(http.sent).toHaveLength(1)
      expect(logs).toEqual([`WARN The subscription to ${topicArn} was ended`])
    })
  )

  it.effect.each<readonly [string, string]>([
    ["no JSON", "{"],
    ["raw message delivery", notification.Message ?? ""],
    ["a changed message", bodyOf(notification).replace("X01EXAMPLEX", "X02EXAMPLEX")],
    ["a foreign topic", bodyOf({ ...notification, TopicArn: "arn:aws:sns:us-east-1:1:foreign" })],
    ["an old message", bodyOf({ ...notification, Timestamp: "2020-01-01T00:00:00.000Z" })]
  ])("rejects %s with 403", ([, body]) =>
    Effect.gen(function* () {
      const { events, logs, statusOf } = yield* makeEndpoint()
      expect(yield* statusOf(post(body))).toBe(403)
      expect(events).toEqual([])
      expect(logs).toHaveLength(1)
    })
  )

  it.effect("rejects a verified message without a readable event with 400", () =>
    Effect.gen(function* () {
      const { events, logs, statusOf } = yield* makeEndpoint()
      expect(yield* statusOf(post(bodyOf({ ...notification, Message: "hello" })))).toBe(400)
      expect(events).toEqual([])
      expect(logs).toEqual(["WARN Message: expected a JSON object"])
    })
  )

  it.effect("hands on an event of another kind", () =>
    Effect.gen(function* () {
      const { events, statusOf } = yield* makeEndpoint()
      expect(yield* statusOf(post(bodyOf({ ...notification, Message: '{"new":1}' })))).toBe(200)
      expect(events).toMatchObject([{ event: { _tag: "Unknown", raw: { new: 1 } } }])
    })
  )

  it.effect("asks for a message again when its certificate could not be fetched", () =>
    Effect.gen(function* () {
      const { events, statusOf } = yield* makeEndpoint({
        responses: [{ status: 503, body: "" }, { body: certificate }]
      })
      expect(yield* statusOf(post(bodyOf(notification)))).toBe(503)
      expect(yield* statusOf(post(bodyOf(notification)))).toBe(200)
      expect(events).toHaveLength(1)
    })
  )

  it.effect.each(["GET", "PUT", "DELETE", "HEAD"])("rejects %s with 405", (method) =>
    Effect.gen(function* () {
      const { send } = yield* makeEndpoint()
      const response = yield* send(new Request(url, { method }))
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"])
    })
  )

  it.effect("reads no more than 1 MiB", () =>
    Effect.gen(function* () {
      let read = 0
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          read += 65_536
          controller.enqueue(new Uint8Array(65_536))
        }
      })
      const { statusOf } = yield* makeEndpoint()
      expect(yield* statusOf(post(endless))).toBe(413)
      expect(read).toBeLessThan(4_194_304)
    })
  )

  it.effect("responds with 400 to a body that breaks off", () =>
    Effect.gen(function* () {
      const broken = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.error(new Error("closed"))
      })
      const { events, statusOf } = yield* makeEndpoint()
      expect(yield* statusOf(post(broken))).toBe(400)
      expect(events).toEqual([])
    })
  )

  it.scoped("works in a server of Node.js", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse(sentAt))
      const events: Array<string> = []
      yield* HttpServer.serveEffect(
        SnsEndpoint.httpApp(({ event }) => Effect.sync(() => events.push(event._tag)))
      )
      const statusOf = (body: string) =>
        Effect.map(
          HttpClient.execute(HttpClientRequest.bodyText(HttpClientRequest.post("/"), body)),
          ({ status }) => status
        )
      const message = bodyOf({ ...notification, Message: "😀".repeat(1000), SignatureVersion: "2" })
      expect(yield* statusOf(bodyOf(notification))).toBe(200)
      expect(yield* statusOf(message)).toBe(400)
      expect(yield* statusOf("x".repeat(1_048_577))).toBe(413)
      expect(events).toEqual(["SubscribeSuccess"])
    }).pipe(
      Effect.provide(
        Layer.provide(
          SnsMessage.layer({ topicArns: [topicArn] }),
          stubHttp({ body: certificate }).layer
        )
      ),
      Effect.provide(NodeHttpServer.layerTest),
      Effect.provide(Logger.remove(Logger.defaultLogger))
    )
  )
})
