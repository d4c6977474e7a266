import { generateKeyPairSync } from "node:crypto"
import { FetchHttpClient, HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { afterEach, describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Option, TestClock } from "effect"
import { SnsMessage } from "effect-marketplace-metering/lifecycle"
import { vi } from "vitest"
import { serve } from "../support/loopbackServer.js"
import { failingConnection, type Stub, stubHttp } from "../support/stubHttp.js"
import { errorOf } from "./support/errorOf.js"
import { npmVerifiers, stubHttps } from "./support/npmVerifiers.js"
import { selfSigned } from "./support/selfSigned.js"
import {
  bodyOf,
  certificate,
  certificateUrl,
  notification,
  privateKey,
  sentAt,
  topicArn
} from "./support/snsSender.js"

const now = Date.parse(sentAt)
const body = bodyOf(notification)

afterEach(() => {
  vi.restoreAllMocks()
})

/** Runs with one verifier over these responses, at the time that messages are sent. */
const withResponses = <A, E>(
  stubs: ReadonlyArray<Stub>,
  run: (sent: ReturnType<typeof stubHttp>["sent"]) => Effect.Effect<A, E, SnsMessage.SnsVerifier>
) =>
  Effect.suspend(() => {
    const http = stubHttp(...stubs)
    return Effect.zipRight(TestClock.setTime(now), run(http.sent)).pipe(
      Effect.provide(SnsMessage.layer({ topicArns: [topicArn], maxAge: "365 days" })),
      Effect.provide(http.layer)
    )
  })

const reasonOf = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(errorOf(self), (error) => {
    expect(error).toHaveProperty("_tag", "SnsCertificateError")
    return (error as { readonly reason?: string }).reason
  })

const ok: Stub = { body: certificate }

/** Verifies a message with a certificate of its own. */
const verifyWith = (i: number) =>
  SnsMessage.verify(
    bodyOf({ ...notification, SigningCertURL: certificateUrl.replace(/-\w+\.pem/, `-${i}.pem`) })
  )

describe("the cache of certificates", () => {
  it.effect("fetches a certificate once", () =>
    withResponses([ok], (sent) =>
      Effect.gen(function* () {
        for (let i = 0; i < 3; i++) yield* SnsMessage.verify(body)
        expect(sent.map(({ url }) => url)).toEqual([certificateUrl])
      })
    )
  )

  it.effect("caches no failure, as sns-payload-validator does", () =>
    withResponses([{ status: 503, body: "Unavailable" }, ok], (sent) =>
      Effect.gen(function* () {
        const { message, isRetryable } = yield* errorOf(SnsMessage.verify(body))
        expect(isRetryable).toBe(true)
        expect(message).toContain("(status)")
        expect((yield* SnsMessage.verify(body))._tag).toBe("Notification")
        expect(sent).toHaveLength(2)

        const responses = [{ status: 503, body: "Unavailable" }]
        stubHttps(() => responses.pop() ?? { status: 200, body: certificate })
        const accepts = npmVerifiers()["sns-payload-validator"]
        expect(yield* Effect.promise(() => accepts(body))).toBe(false)
        expect(yield* Effect.promise(() => accepts(body))).toBe(false)
      })
    )
  )

  it.effect("is bounded, other than that of sns-validator", () => {
    const bodies = Array.from({ length: 34 }, (_, i) =>
      bodyOf({
        ...notification,
        SigningCertURL: `https://sns.us-east-1.amazonaws.com/SimpleNotificationService-${i}.pem`
      })
    )
    const [first = ""] = bodies
    return withResponses([ok], (sent) =>
      Effect.gen(function* () {
        for (const one of bodies) yield* SnsMessage.verify(one)
        expect(sent).toHaveLength(34)
        // the last ones are still there, the first ones are not
        for (const one of bodies.slice(2)) yield* SnsMessage.verify(one)
        expect(sent).toHaveLength(34)
        yield* SnsMessage.verify(first)
        expect(sent).toHaveLength(35)
      })
    )
  })

  it.effect("fetches again when the certificate has expired", () => {
    const renewed = selfSigned(privateKey, {
      from: "2026-12-01T00:00:00Z",
      to: "2027-12-01T00:00:00Z"
    })
    return withResponses([ok, { body: renewed }], (sent) =>
      Effect.gen(function* () {
        yield* SnsMessage.verify(body)
        yield* TestClock.setTime(Date.parse("2027-01-01T00:00:00Z"))
        yield* SnsMessage.verify(body)
        expect(sent).toHaveLength(1)
        yield* TestClock.setTime(Date.parse("2027-01-01T00:00:01Z"))
        yield* SnsMessage.verify(body)
        expect(sent).toHaveLength(2)
      })
    )
  })

  it.effect("shares a request between concurrent messages, also if the first is interrupted", () =>
    Effect.gen(function* () {
      const response = yield* Deferred.make<void>()
      const started = yield* Deferred.make<void>()
      const stub: Stub = () =>
        Effect.as(Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(response)), {
          body: certificate
        })
      yield* withResponses([stub], (sent) =>
        Effect.gen(function* () {
          const first = yield* Effect.fork(SnsMessage.verify(body))
          const others = yield* Effect.fork(
            Effect.all(
              Array.from({ length: 5 }, () => SnsMessage.verify(body)),
              { concurrency: "unbounded" }
            )
          )
          yield* Deferred.await(started)
          yield* Fiber.interrupt(first)
          yield* Deferred.succeed(response, undefined)
          expect(yield* others).toHaveLength(5)
          expect(sent).toHaveLength(1)
        })
      )
    })
  )

  it.effect("sends at most 4 requests at a time", () =>
    Effect.gen(function* () {
      let running = 0
      let maximum = 0
      const stub: Stub = () =>
        Effect.gen(function* () {
          maximum = Math.max(maximum, ++running)
          yield* Effect.yieldNow()
          running--
          return { body: certificate }
        })
      const bodies = Array.from({ length: 20 }, (_, i) =>
        bodyOf({
          ...notification,
          SigningCertURL: certificateUrl.replace(/-\w+\.pem/, `-${i}.pem`)
        })
      )
      yield* withResponses([stub], () =>
        Effect.forEach(bodies, SnsMessage.verify, { concurrency: "unbounded" })
      )
      expect(maximum).toBe(4)
    })
  )

  it.effect("waits for no certificate whose messages were interrupted at any step", () =>
    withResponses([() => Effect.never], (sent) =>
      Effect.gen(function* () {
        for (let i = 0; i < 100; i++) {
          const fiber = yield* Effect.fork(verifyWith(i))
          for (let step = 0; step < i % 10; step++) yield* Effect.yieldNow()
          yield* Fiber.interrupt(fiber)
        }
        const { length } = sent
        const fiber = yield* Effect.fork(reasonOf(verifyWith(100)))
        yield* TestClock.adjust("5 seconds")
        expect(yield* Fiber.join(fiber)).toBe("timeout")
        expect(sent).toHaveLength(length + 1)
      })
    )
  )

  it.effect("lets no more than 32 certificates be waited for", () => {
    return withResponses([() => Effect.never], (sent) =>
      Effect.gen(function* () {
        const waiting = yield* Effect.fork(
          Effect.forEach(
            Array.from({ length: 32 }, (_, i) => verifyWith(i)),
            Effect.exit,
            {
              concurrency: "unbounded"
            }
          )
        )
        for (let i = 0; sent.length < 4 && i < 1_000; i++) yield* Effect.yieldNow()
        const error = yield* errorOf(verifyWith(32))
        expect(error).toMatchObject({ reason: "busy", isRetryable: true })
        const another = yield* Effect.fork(reasonOf(verifyWith(31)))
        // each request takes 5 seconds
        for (let i = 0; i < 8; i++) yield* TestClock.adjust("5 seconds")
        expect(yield* Fiber.join(another)).toBe("timeout")
        expect(yield* Fiber.join(waiting)).toHaveLength(32)
        expect(sent).toHaveLength(32)
        const last = yield* Effect.fork(reasonOf(verifyWith(32)))
        yield* TestClock.adjust("5 seconds")
        expect(yield* Fiber.join(last)).toBe("timeout")
      })
    )
  })
})

describe("the request of a certificate", () => {
  const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const other = { from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z" }

  it.effect.each<readonly [string, string, Stub]>([
    ["a status of an error", "status", { status: 404, body: certificate }],
    ["another success", "status", { status: 203, body: certificate }],
    ["a redirect", "status", { status: 302, headers: { location: certificateUrl } }],
    ["an opaque redirect", "status", { status: 0 }],
    ["no connection", "connection", failingConnection("ECONNREFUSED")],
    ["64 KiB and one byte", "tooLong", { body: certificate.padEnd(65_537) }],
    ["an empty body", "malformed", { body: "" }],
    ["a page", "malformed", { body: "<html></html>" }],
    ["a public key", "malformed", { body: certificate.replaceAll("CERTIFICATE", "PUBLIC KEY") }],
    [
      "a certificate of another algorithm",
      "malformed",
      { body: selfSigned(privateKey, other, elliptic.publicKey) }
    ],
    ...[
      "seller.example",
      "sns.amazonaws.com.seller.example",
      "*.amazonaws.com",
      "sns.eu-west-1.amazonaws.com",
      "sns-signing.me-south-1.amazonaws.com",
      "sns-us-gov-west-1.amazonaws.com",
      ""
    ].map((subject): [string, string, Stub] => [
      `a certificate of ${JSON.stringify(subject)}`,
      "wrongSubject",
      { body: selfSigned(privateKey, other, undefined, subject) }
    ]),
    [
      "an expired certificate",
      "expired",
      { body: selfSigned(privateKey, { ...other, to: "2026-11-25T09:59:59Z" }) }
    ],
    [
      "a certificate of the future",
      "expired",
      { body: selfSigned(privateKey, { ...other, from: "2026-11-25T10:00:01Z" }) }
    ]
  ])("fails for %s, and works again after it", ([, reason, stub]) =>
    withResponses([stub, ok], (sent) =>
      Effect.gen(function* () {
        expect(yield* reasonOf(SnsMessage.verify(body))).toBe(reason)
        expect((yield* SnsMessage.verify(body))._tag).toBe("Notification")
        expect(sent).toHaveLength(2)
      })
    )
  )

  // the names that certificates of SNS have, by Region
  it.effect.each<readonly [host: string, subject: string]>([
    ["sns.us-east-1.amazonaws.com", "sns.us-east-1.amazonaws.com"],
    ["sns.af-south-1.amazonaws.com", "sns-signing.af-south-1.amazonaws.com"],
    ["sns.us-gov-west-1.amazonaws.com", "sns-us-gov-west-1.amazonaws.com"],
    ["sns.us-gov-east-1.amazonaws.com", "sns-us-gov-west-1.amazonaws.com"],
    ["sns.cn-north-1.amazonaws.com.cn", "sns-cn-north-1.amazonaws.com.cn"]
  ])("accepts at %s a certificate of %s", ([host, subject]) => {
    const SigningCertURL = certificateUrl.replace("sns.us-east-1.amazonaws.com", host)
    const stub = { body: selfSigned(privateKey, other, undefined, subject) }
    return withResponses([stub], () =>
      Effect.gen(function* () {
        const { _tag } = yield* SnsMessage.verify(bodyOf({ ...notification, SigningCertURL }))
        expect(_tag).toBe("Notification")
      })
    )
  })

  it.effect("accepts 64 KiB", () =>
    withResponses([{ body: certificate.padEnd(65_536) }], () =>
      Effect.map(SnsMessage.verify(body), ({ _tag }) => expect(_tag).toBe("Notification"))
    )
  )

  it.effect("has a limit of 5 seconds", () =>
    withResponses([() => Effect.never, ok], () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(reasonOf(SnsMessage.verify(body)))
        yield* TestClock.adjust("4999 millis")
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
        yield* TestClock.adjust("1 millis")
        expect(yield* fiber).toBe("timeout")
        expect((yield* SnsMessage.verify(body))._tag).toBe("Notification")
      })
    )
  )

  it.effect("is the redirect's status with a client that fails for it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const client = HttpClient.filterStatusOk(
        HttpClient.make((request) =>
          Effect.succeed(HttpClientResponse.fromWeb(request, new Response("", { status: 302 })))
        )
      )
      const reason = yield* reasonOf(SnsMessage.verify(body)).pipe(
        Effect.provide(SnsMessage.layer({ topicArns: [topicArn] })),
        Effect.provideService(HttpClient.HttpClient, client)
      )
      expect(reason).toBe("status")
    })
  )

  it.effect("fails with a client that follows redirects by itself", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const client = HttpClient.followRedirects(
        HttpClient.make((request, url) =>
          Effect.succeed(
            HttpClientResponse.fromWeb(
              request,
              url.href === certificateUrl
                ? new Response(null, { status: 302, headers: { location: "https://example.com/" } })
                : new Response(certificate)
            )
          )
        )
      )
      const reason = yield* reasonOf(SnsMessage.verify(body)).pipe(
        Effect.provide(SnsMessage.layer({ topicArns: [topicArn] })),
        Effect.provideService(HttpClient.HttpClient, client)
      )
      expect(reason).toBe("status")
    })
  )

  it.effect("keeps no part of a failed request", () =>
    Effect.gen(function* () {
      const stub: Stub = (_, request) =>
        Effect.fail(
          new HttpClientError.RequestError({
            request,
            reason: "Transport",
            cause: new Error("proxy-password")
          })
        )
      const exit = yield* Effect.exit(withResponses([stub], () => SnsMessage.verify(body)))
      expect(Exit.isFailure(exit)).toBe(true)
      expect(JSON.stringify(exit) + String(exit)).not.toContain("proxy-password")
    })
  )
})

describe.each([
  ["fetch", FetchHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici],
  ["node:http", NodeHttpClient.layer]
] as const)("a sandbox, over %s", (_, client) => {
  const withSandbox = <A, E>(
    run: (url: string) => Effect.Effect<A, E, SnsMessage.SnsVerifier>,
    requested: Array<string> = []
  ) =>
    Effect.gen(function* () {
      const url = yield* serve((request, response) => {
        requested.push(request.url ?? "")
        const isMoved = request.url === "/moved.pem"
        response.writeHead(isMoved ? 302 : 200, isMoved ? { location: "/certificate.pem" } : {})
        response.end(isMoved ? "" : certificate)
      })
      yield* TestClock.setTime(now)
      return yield* run(url).pipe(
        Effect.provide(
          Layer.provide(SnsMessage.layer({ topicArns: [topicArn], sandboxUrl: url }), client)
        )
      )
    })

  it.scoped("is trusted where it is named", () =>
    withSandbox((url) =>
      Effect.gen(function* () {
        const fields = { ...notification, SigningCertURL: `${url}/certificate.pem` }
        expect((yield* SnsMessage.verify(bodyOf(fields)))._tag).toBe("Notification")
      })
    )
  )

  it.scoped("has a clock of its own", () =>
    withSandbox((url) =>
      Effect.gen(function* () {
        for (const Timestamp of ["2020-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z"]) {
          const fields = { ...notification, Timestamp }
          const ofSandbox = { ...fields, SigningCertURL: `${url}/certificate.pem` }
          expect((yield* SnsMessage.verify(bodyOf(ofSandbox)))._tag).toBe("Notification")
          const error = yield* errorOf(SnsMessage.verify(bodyOf(fields)))
          expect(error).toHaveProperty("field", "Timestamp")
        }
      })
    )
  )

  it.scoped("is not trusted at another origin, or with a user", () =>
    withSandbox((url) =>
      Effect.gen(function* () {
        for (const other of [
          url.replace("127.0.0.1", "localhost"),
          url.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)),
          url.replace("http:", "https:"),
          url.replace("//", "//user@"),
          `${url}@example.com`
        ]) {
          const fields = { ...notification, SigningCertURL: `${other}/certificate.pem` }
          const error = yield* errorOf(SnsMessage.verify(bodyOf(fields)))
          expect(error).toHaveProperty("reason", "untrustedCertificate")
        }
      })
    )
  )

  it.scoped("sends no other request after a redirect", () => {
    const requested: Array<string> = []
    return withSandbox(
      (url) =>
        Effect.gen(function* () {
          const fields = { ...notification, SigningCertURL: `${url}/moved.pem` }
          expect(yield* reasonOf(SnsMessage.verify(bodyOf(fields)))).toBe("status")
          expect(requested).toEqual(["/moved.pem"])
        }),
      requested
    )
  })
})
