/** Deliveries of events to receivers on loopback. */
import { FetchHttpClient, FileSystem, HttpApiClient } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  Chunk,
  Clock,
  Effect,
  Either,
  Layer,
  Logger,
  Redacted,
  type Scope,
  TestClock
} from "effect"
import { MarketplaceEvent, SnsMessage } from "../../src/lifecycle/index.js"
import type { MeteringClient } from "../../src/MeteringClient.js"
import {
  EventDelivery,
  MeteringSandbox,
  SandboxApi,
  SandboxServer,
  type Scenario
} from "../../src/sandbox/index.js"
import { closedEndpoint } from "../support/loopbackServer.js"
import { fullWhile } from "./fullDisk.js"
import { eventually } from "./http.js"
import { makeReceiver, type Respond, status } from "./receiver.js"
import { analytics, at, record, setTime, statusesOf } from "./support.js"

const now = "2026-11-24T10:30:00Z"

const buyer = "777788889999"

type Services = MeteringClient | MeteringSandbox.MeteringSandbox | SandboxServer.SandboxServer

/** Runs a program with a sandbox and its server. */
const serving = <A, E>(
  options: Scenario.Options,
  program: Effect.Effect<A, E, Services | Scope.Scope>
) =>
  Effect.zipRight(
    setTime(now),
    Effect.scoped(program).pipe(
      Effect.provide(Layer.provideMerge(SandboxServer.layerNode(), MeteringSandbox.layer(options)))
    )
  )

const sandbox = MeteringSandbox.MeteringSandbox

/** A purchase without a license: one EventBridge event and one SNS message. */
const buy = (customerAWSAccountId = buyer) =>
  Effect.flatMap(sandbox, ({ marketplace }) =>
    marketplace.buy({
      customerAWSAccountId,
      customerIdentifier: `cust-${customerAWSAccountId}`,
      productCode: analytics,
      licenseArn: null
    })
  )

/** The deliveries to a target, in the order of the events. */
const deliveriesTo = (name: string) =>
  Effect.gen(function* () {
    const { events } = yield* (yield* sandbox).events.list()
    return events.flatMap(({ deliveries }) => deliveries.filter(({ target }) => target === name))
  })

/** Waits until no delivery to a target is pending. */
const delivered = (name: string) =>
  eventually(
    deliveriesTo(name),
    (deliveries) => deliveries.length > 0 && deliveries.every(({ state }) => state !== "pending")
  )

/** Waits until a delivery has a number of attempts. */
const attempted = (name: string, count: number) =>
  eventually(deliveriesTo(name), ([first]) => (first?.attempts.length ?? 0) >= count)

/** Lets seconds pass as soon as something waits for just as long. */
const pass = (seconds: number) =>
  Effect.flatMap(Clock.currentTimeMillis, (time) =>
    eventually(TestClock.sleeps(), (sleeps) => Chunk.contains(sleeps, time + seconds * 1000))
  ).pipe(Effect.zipRight(TestClock.adjust(`${seconds} seconds`)))

const secret = "a-secret-of-the-connection"

const apiDestination = (url: string, name = "app"): EventDelivery.Target => ({
  type: "apiDestination",
  name,
  url,
  headerValue: Redacted.make(secret)
})

const api = Effect.flatMap(SandboxServer.SandboxServer, ({ url }) =>
  HttpApiClient.make(SandboxApi.Api, { baseUrl: url })
).pipe(Effect.provide(FetchHttpClient.layer))

const get = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url)
    return { status: response.status, text: await response.text() }
  })

describe("an API destination", () => {
  it.effect("gets the event of EventBridge, and the secret in its header", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver()
      yield* serving(
        { targets: [apiDestination(`${receiver.url}/events?a=1`)] },
        Effect.gen(function* () {
          yield* buy()
          const { body, headers, path } = yield* receiver.next
          assert.strictEqual(path, "/events?a=1")
          assert.strictEqual(headers["x-api-key"], secret)
          assert.strictEqual(headers["content-type"], "application/json; charset=utf-8")
          assert.notProperty(headers, "traceparent")
          const [delivery] = yield* delivered("app")
          assert.deepStrictEqual(delivery?.attempts, [{ at: at(now), status: 200 }])
          const { events } = yield* (yield* sandbox).events.list()
          assert.deepStrictEqual(JSON.parse(body), events[0]?.body)
        })
      )
    }).pipe(Effect.scoped)
  )

  const close: Respond = (response) => {
    response.destroy()
  }
  const never: Respond = () => {}
  const redirect: Respond = (response) => {
    response.writeHead(302, { location: "http://127.0.0.1:1/" })
    response.end()
  }
  const endless: Respond = (response) => {
    response.writeHead(200)
    const write = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    }
    response.on("drain", write)
    write()
  }
  const unfinished: Respond = (response) => {
    response.writeHead(200, { "content-length": "10" })
    response.write("x")
  }

  it.effect("that fails is tried again, and holds back later events, but no metering", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver(status(500), close, never, unfinished, status(429))
      yield* serving(
        { targets: [apiDestination(receiver.url)] },
        Effect.gen(function* () {
          yield* buy()
          yield* buy("888899990000")
          for (const [i, delay] of [1, 2, 4, 8, 16].entries()) {
            yield* receiver.next
            // a call is handled meanwhile
            assert.deepStrictEqual(yield* statusesOf([record(at("2026-11-24T10:05:00Z"))]), [
              "Success"
            ])
            // the limit of a response
            if (i === 2 || i === 3) yield* pass(5)
            yield* attempted("app", i + 1)
            yield* pass(delay)
          }
          const [first, second] = yield* delivered("app")
          assert.deepStrictEqual(
            first?.attempts.map(({ error, status }) => error ?? status),
            [
              "the status is 500",
              "the connection failed: UND_ERR_SOCKET",
              "no response within 5s",
              "no response within 5s",
              "the status is 429",
              200
            ]
          )
          assert.strictEqual(second?.state, "delivered")
          assert.lengthOf(second?.attempts ?? [], 1)
          const bodies = [yield* receiver.next, yield* receiver.next].map(
            ({ body }) => JSON.parse(body).detail.acceptor.accountId
          )
          assert.deepStrictEqual(bodies, [buyer, "888899990000"])
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("that rejects an event does not get it again", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver(status(400), redirect)
      yield* serving(
        { targets: [apiDestination(receiver.url)] },
        Effect.gen(function* () {
          yield* buy()
          yield* buy("888899990000")
          yield* buy("999900001111")
          const deliveries = yield* delivered("app")
          assert.deepStrictEqual(
            deliveries.map(({ attempts, state }) => [state, attempts.map(({ status }) => status)]),
            [
              ["failed", [400]],
              ["failed", [302]],
              ["delivered", [200]]
            ]
          )
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("whose response does not end is cut off", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver(endless)
      yield* serving(
        { targets: [apiDestination(receiver.url)] },
        Effect.gen(function* () {
          yield* buy()
          const [delivery] = yield* delivered("app")
          assert.strictEqual(delivery?.state, "delivered")
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("that is not there fails after the last attempt, and can be tried again", () =>
    Effect.gen(function* () {
      const url = yield* closedEndpoint
      yield* serving(
        { targets: [apiDestination(url)] },
        Effect.gen(function* () {
          yield* buy()
          for (const [i, delay] of [1, 2, 4, 8, 16, 30, ...Array<number>(9).fill(60)].entries()) {
            yield* attempted("app", i + 1)
            yield* pass(delay)
          }
          const [delivery] = yield* delivered("app")
          assert.strictEqual(delivery?.state, "failed")
          assert.lengthOf(delivery?.attempts ?? [], 16)
          assert.deepStrictEqual(
            [...new Set(delivery?.attempts.map(({ error }) => error))],
            ["the connection failed: ECONNREFUSED"]
          )
          const { events } = yield* sandbox
          const [event] = (yield* events.list()).events
          const sent = yield* events.resend({ eventId: event?.eventId ?? "" })
          assert.deepStrictEqual(
            sent.deliveries.map(({ state }) => state),
            ["failed", "pending"]
          )
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("gets an event that is sent again after those that wait", () =>
    Effect.gen(function* () {
      const held: Array<() => void> = []
      const receiver = yield* makeReceiver((response) => {
        held.push(() => response.end())
      })
      yield* serving(
        { targets: [apiDestination(receiver.url)] },
        Effect.gen(function* () {
          const { events } = yield* sandbox
          yield* buy()
          yield* buy("888899990000")
          const first = yield* receiver.next
          const [event] = (yield* events.list()).events
          yield* events.resend({ eventId: event?.eventId ?? "" })
          for (const release of held) release()
          const [second, third] = [yield* receiver.next, yield* receiver.next]
          assert.notStrictEqual(second.body, first.body)
          assert.strictEqual(third.body, first.body)
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("gets an event again on request, alone or with the others of its kind", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* makeReceiver(), yield* makeReceiver()]
      yield* serving(
        { targets: [apiDestination(one.url, "one"), apiDestination(other.url, "other")] },
        Effect.gen(function* () {
          const client = yield* api
          yield* buy()
          const { body } = yield* one.next
          yield* other.next
          const { events } = yield* client.events.list({ urlParams: {} })
          const [event, message] = events
          const eventId = event?.eventId ?? ""
          yield* client.events.resend({ payload: { eventId, target: "other" } })
          assert.strictEqual((yield* other.next).body, body)
          yield* client.events.resend({ payload: { eventId } })
          assert.strictEqual((yield* one.next).body, body)
          assert.strictEqual((yield* other.next).body, body)
          yield* delivered("one")
          yield* delivered("other")
          const [again] = (yield* client.events.list({ urlParams: {} })).events
          assert.deepStrictEqual(
            again?.deliveries.map(({ target }) => target),
            ["one", "other", "other", "one", "other"]
          )
          const rejected = [
            [{ eventId: "x" }, /^eventId: there is no event x/],
            [{ eventId, target: "x" }, /^target: there is no target x/],
            [
              { eventId: message?.eventId ?? "", target: "one" },
              /^target: one does not receive events of the channel sns/
            ]
          ] as const
          for (const [payload, expected] of rejected) {
            const error = yield* Effect.flip(client.events.resend({ payload }))
            assert.match(error.message, expected)
          }
        })
      )
    }).pipe(Effect.scoped)
  )
})

const sns = (url: string, signatureVersion?: "1" | "2"): EventDelivery.Target => ({
  type: "sns",
  name: "topic",
  url,
  ...(signatureVersion !== undefined && { signatureVersion })
})

/** Verifies a message as a seller does, and an altered one. */
const verified = (body: string) =>
  Effect.gen(function* () {
    const { url } = yield* SandboxServer.SandboxServer
    const verifier = yield* SnsMessage.make({
      topicArns: [EventDelivery.defaultTopicArn],
      sandboxUrl: url
    })
    const altered = JSON.stringify({ ...JSON.parse(body), Message: "{}" })
    const error = yield* Effect.flip(verifier.verify(altered))
    assert.propertyVal(error, "reason", "badSignature")
    return { message: yield* verifier.verify(body), verifier }
  }).pipe(Effect.provide(FetchHttpClient.layer))

describe("an SNS target", () => {
  for (const version of ["1", "2"] as const) {
    it.effect(`confirms its subscription and gets messages of signature version ${version}`, () =>
      Effect.gen(function* () {
        const receiver = yield* makeReceiver()
        yield* serving(
          { targets: [sns(receiver.url, version)] },
          Effect.gen(function* () {
            const { events } = yield* sandbox
            yield* buy()
            const first = yield* receiver.next
            const confirmation = JSON.parse(first.body)
            assert.strictEqual(confirmation.Type, "SubscriptionConfirmation")
            assert.strictEqual(confirmation.SignatureVersion, version)
            assert.strictEqual(confirmation.TopicArn, EventDelivery.defaultTopicArn)
            assert.deepInclude(first.headers, {
              "content-type": "text/plain; charset=UTF-8",
              "x-amz-sns-message-type": "SubscriptionConfirmation",
              "x-amz-sns-message-id": confirmation.MessageId,
              "x-amz-sns-topic-arn": EventDelivery.defaultTopicArn
            })
            const { message: request, verifier } = yield* verified(first.body)
            const pending = yield* eventually(
              events.targets,
              ([target]) => target?.attempts?.length === 1
            )
            assert.deepStrictEqual(pending, [
              {
                name: "topic",
                type: "sns",
                url: receiver.url,
                subscription: "pending",
                attempts: [{ at: at(now), status: 200 }],
                pending: 1
              }
            ])

            assert(request._tag === "SubscriptionConfirmation")
            yield* verifier.confirm(request)
            const confirmed = yield* get(confirmation.SubscribeURL)
            assert.strictEqual(confirmed.status, 200)
            assert.include(confirmed.text, `<SubscriptionArn>${EventDelivery.defaultTopicArn}:`)
            const second = yield* receiver.next
            const message = JSON.parse(second.body)
            assert.strictEqual(second.headers["x-amz-sns-message-type"], "Notification")
            assert.include(
              confirmed.text,
              `<SubscriptionArn>${second.headers["x-amz-sns-subscription-arn"]}</SubscriptionArn>`
            )
            const notification = (yield* verified(second.body)).message
            assert(notification._tag === "Notification")
            const [decoded] = MarketplaceEvent.decode(
              notification.notification,
              notification.trust
            ).map(Either.getOrThrow)
            assert.strictEqual(decoded?.event._tag, "SubscribeSuccess")
            const list = yield* events.list()
            const sent = list.events.find(({ channel }) => channel === "sns")
            assert.deepStrictEqual(JSON.parse(message.Message), sent?.body)
            assert.strictEqual(message.MessageId, sent?.eventId)
            assert.strictEqual(message.Timestamp, "2026-11-24T10:30:00.000Z")
            yield* delivered("topic")
            assert.strictEqual((yield* events.targets)[0]?.subscription, "confirmed")
          })
        )
      }).pipe(Effect.scoped)
    )
  }

  it.effect("gets messages that are verified by any time of the sandbox's clock", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver()
      yield* serving(
        { targets: [sns(receiver.url)] },
        Effect.gen(function* () {
          yield* (yield* sandbox).control.advance("3 hours")
          const request = JSON.parse((yield* receiver.next).body)
          yield* get(request.SubscribeURL)
          yield* buy()
          const { body } = yield* receiver.next
          assert.strictEqual(JSON.parse(body).Timestamp, "2026-11-24T13:30:00.000Z")
          assert.strictEqual((yield* verified(body)).message._tag, "Notification")
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("that fails to confirm gets the confirmation again, then on request", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver(status(500), status(503), status(403))
      yield* serving(
        { targets: [sns(receiver.url)] },
        Effect.gen(function* () {
          const { events } = yield* sandbox
          const [target] = yield* eventually(
            events.targets,
            ([target]) => target?.attempts?.length === 3
          )
          assert.deepStrictEqual(
            target?.attempts?.map(({ status }) => status),
            [500, 503, 403]
          )
          const tokens = []
          for (let i = 0; i < 3; i++) tokens.push(JSON.parse((yield* receiver.next).body).Token)
          yield* events.subscribe({ target: "topic" })
          tokens.push(JSON.parse((yield* receiver.next).body).Token)
          assert.strictEqual(new Set(tokens).size, 1)
          const error = yield* Effect.flip(events.subscribe({ target: "x" }))
          assert.match(error.message, /^target: there is no target x/)
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("is not ended by its UnsubscribeURL, which says so", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver()
      yield* serving(
        { targets: [sns(receiver.url)] },
        Effect.gen(function* () {
          yield* get(JSON.parse((yield* receiver.next).body).SubscribeURL)
          yield* buy()
          const { UnsubscribeURL } = JSON.parse((yield* receiver.next).body)
          const { status, text } = yield* get(UnsubscribeURL)
          assert.strictEqual(status, 400)
          assert.include(text, "<Code>InvalidAction</Code>")
          assert.include(text, "remove the target from the scenario")
          assert.strictEqual((yield* (yield* sandbox).events.targets)[0]?.subscription, "confirmed")
        })
      )
    }).pipe(Effect.scoped)
  )

  it.effect("is not confirmed by another token, topic or host", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver()
      yield* serving(
        { targets: [sns(receiver.url)] },
        Effect.gen(function* () {
          const { SubscribeURL, SigningCertURL, Token } = JSON.parse((yield* receiver.next).body)
          const spoilt = [
            SubscribeURL.replace(Token, "0".repeat(64)),
            SubscribeURL.replace(Token, ""),
            SubscribeURL.replace("aws-mp", "other")
          ]
          for (const address of spoilt) assert.strictEqual((yield* get(address)).status, 400)
          const other = SigningCertURL.replace(/-[0-9a-f]+/, "-0")
          assert.strictEqual((yield* get(other)).status, 404)
          const foreign = yield* Effect.promise(async () => {
            const { request } = await import("node:http")
            return new Promise<number | undefined>((resolve, reject) => {
              request(SubscribeURL, { headers: { host: "evil.example" } })
                .on("response", (response) => resolve(response.resume().statusCode))
                .on("error", reject)
                .end()
            })
          })
          assert.strictEqual(foreign, 403)
          assert.strictEqual((yield* (yield* sandbox).events.targets)[0]?.subscription, "pending")
        })
      )
    }).pipe(Effect.scoped)
  )
})

describe("an SQS queue", () => {
  const sqs = (url: string, envelope?: "eventBridge" | "sns" | "raw"): EventDelivery.Target => ({
    type: "sqs",
    name: "queue",
    url,
    ...(envelope !== undefined && { envelope })
  })

  for (const envelope of [undefined, "raw", "sns"] as const) {
    it.effect(`gets ${envelope ?? "EventBridge"} messages`, () =>
      Effect.gen(function* () {
        const receiver = yield* makeReceiver()
        const queueUrl = `${receiver.url}/000000000000/events`
        yield* serving(
          { targets: [sqs(queueUrl, envelope)] },
          Effect.gen(function* () {
            yield* buy()
            const { body, headers, path } = yield* receiver.next
            assert.strictEqual(path, "/")
            assert.strictEqual(headers["x-amz-target"], "AmazonSQS.SendMessage")
            assert.strictEqual(headers["content-type"], "application/x-amz-json-1.0")
            assert.match(
              headers.authorization ?? "",
              /^AWS4-HMAC-SHA256 Credential=sandbox\/20261124\/us-east-1\/sqs\/aws4_request/
            )
            const request = JSON.parse(body)
            assert.deepStrictEqual(Object.keys(request), ["QueueUrl", "MessageBody"])
            assert.strictEqual(request.QueueUrl, queueUrl)
            const message = JSON.parse(request.MessageBody)
            if (envelope === "sns") yield* verified(request.MessageBody)
            const content = envelope === "sns" ? JSON.parse(message.Message) : message
            const channel = envelope === undefined ? "eventBridge" : "sns"
            const { events } = yield* (yield* sandbox).events.list()
            assert.deepStrictEqual(content, events.find((event) => event.channel === channel)?.body)
          })
        )
      }).pipe(Effect.scoped)
    )
  }

  it.effect("that is FIFO gets a group and an id of its own for each delivery", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver()
      yield* serving(
        { targets: [sqs(`${receiver.url}/0/events.fifo`)], deliveryFaults: { duplicate: 1 } },
        Effect.gen(function* () {
          const { agreement } = yield* buy()
          const requests = [yield* receiver.next, yield* receiver.next].map(({ body }) =>
            JSON.parse(body)
          )
          assert.deepStrictEqual(
            requests.map(({ MessageGroupId }) => MessageGroupId),
            [agreement.agreementId, agreement.agreementId]
          )
          assert.strictEqual(
            new Set(requests.map(({ MessageDeduplicationId }) => MessageDeduplicationId)).size,
            2
          )
        })
      )
    }).pipe(Effect.scoped)
  )
})

describe("the seller's page", () => {
  it.effect("gets the form by the sandbox itself on request", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver((response) => {
        response.writeHead(303, { location: "/welcome" })
        response.end()
      })
      yield* serving(
        {},
        Effect.gen(function* () {
          const client = yield* api
          const purchase = { customerAWSAccountId: buyer, productCode: analytics }
          const landing = yield* client.marketplace.buy({
            payload: { ...purchase, landingUrl: `${receiver.url}/landing`, post: true }
          })
          assert.deepStrictEqual([landing.status, landing.location], [303, "/welcome"])
          const { body, headers, path } = yield* receiver.next
          assert.strictEqual(path, "/landing")
          assert.match(headers["content-type"] ?? "", /^application\/x-www-form-urlencoded/)
          const token = landing.fields["x-amzn-marketplace-token"]
          assert.strictEqual(
            new URLSearchParams(body).get("x-amzn-marketplace-token"),
            token && Redacted.value(token)
          )
          const without = yield* client.marketplace.buy({ payload: { ...purchase, post: true } })
          assert.match(without.error ?? "", /landingUrl/)
        })
      )
    }).pipe(Effect.scoped)
  )
})

describe("a state file", () => {
  it.effect("goes on with pending deliveries and confirmed subscriptions", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const file = `${folder}/state`
      const receiver = yield* makeReceiver()
      const targets = [
        sns(receiver.url),
        apiDestination(yield* closedEndpoint, "closed"),
        apiDestination(receiver.url)
      ]
      const run = <A, E>(
        program: Effect.Effect<A, E, Services>,
        targets: ReadonlyArray<EventDelivery.Target>
      ) =>
        program.pipe(
          Effect.provide(
            Layer.provideMerge(
              SandboxServer.layerNode(),
              MeteringSandbox.layerFile(file, { targets })
            )
          )
        )
      yield* setTime(now)
      yield* run(
        Effect.gen(function* () {
          const { SubscribeURL } = JSON.parse((yield* receiver.next).body)
          yield* get(SubscribeURL)
          yield* buy()
          yield* Effect.all([receiver.next, receiver.next])
          yield* delivered("topic")
          yield* delivered("app")
          yield* attempted("closed", 1)
        }),
        targets
      )
      const text = yield* fs.readFileString(file)
      assert.notInclude(text, secret)
      yield* run(
        Effect.gen(function* () {
          // under the name of the closed target, which was changed
          const { headers } = yield* receiver.next
          assert.strictEqual(headers["x-api-key"], secret)
          const [delivery] = yield* delivered("closed")
          assert.strictEqual(delivery?.state, "delivered")
          const { events } = yield* sandbox
          assert.strictEqual((yield* events.targets)[0]?.subscription, "confirmed")
          assert.deepStrictEqual(
            (yield* events.list()).events.map(({ name }) => name),
            ["Purchase Agreement Created - Proposer", "subscribe-success"]
          )
        }),
        [sns(receiver.url), apiDestination(receiver.url, "closed")]
      )
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})

describe("a target with another URL than in its state file", () => {
  it.effect("is subscribed again", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/state`
      const receiver = yield* makeReceiver()
      yield* setTime(now)
      const run = <A, E>(path: string, program: Effect.Effect<A, E, Services>) =>
        program.pipe(
          Effect.provide(
            Layer.provideMerge(
              SandboxServer.layerNode(),
              MeteringSandbox.layerFile(file, { targets: [sns(`${receiver.url}${path}`)] })
            )
          )
        )
      yield* run(
        "/one",
        Effect.flatMap(receiver.next, ({ body }) => get(JSON.parse(body).SubscribeURL))
      )
      yield* run(
        "/two",
        Effect.gen(function* () {
          const { events } = yield* sandbox
          assert.strictEqual((yield* events.targets)[0]?.subscription, "pending")
          const { body, path } = yield* receiver.next
          assert.deepStrictEqual(
            [path, JSON.parse(body).Type],
            ["/two", "SubscriptionConfirmation"]
          )
        })
      )
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})

describe("a state file that cannot be written", () => {
  it.effect("does not repeat an event whose delivery is to be recorded", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      let isFull = false
      const receiver = yield* makeReceiver((response) => {
        isFull = true
        response.end()
      })
      yield* setTime(now)
      yield* Effect.gen(function* () {
        yield* buy()
        yield* receiver.next
        yield* pass(1)
        yield* pass(2)
        yield* pass(4)
        isFull = false
        yield* pass(8)
        const [delivery] = yield* delivered("app")
        assert.strictEqual(delivery?.attempts.length, 1)
        assert.strictEqual(yield* receiver.requests.size, 0)
      }).pipe(
        Effect.provide(
          Layer.provideMerge(
            SandboxServer.layerNode(),
            MeteringSandbox.layerFile(`${folder}/state`, {
              targets: [apiDestination(receiver.url)]
            })
          )
        ),
        Effect.provide(fullWhile(() => isFull)),
        Effect.provide(Logger.remove(Logger.defaultLogger))
      )
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})

describe("secrets", () => {
  it.effect("of targets are in no report", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver(status(400))
      yield* serving(
        { targets: [apiDestination(receiver.url)] },
        Effect.gen(function* () {
          const { url } = yield* SandboxServer.SandboxServer
          yield* buy()
          yield* delivered("app")
          for (const path of ["events", "targets", "state", "log", "openapi.json"]) {
            const { status, text } = yield* get(`${url}/_sandbox/${path}`)
            assert.strictEqual(status, 200)
            assert.notInclude(text, secret)
          }
        })
      )
    }).pipe(Effect.scoped)
  )
})
