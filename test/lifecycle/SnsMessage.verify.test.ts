import { generateKeyPairSync } from "node:crypto"
import { afterEach, describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc, TestClock } from "effect"
import { MarketplaceEvent, SnsMessage } from "effect-marketplace-metering/lifecycle"
import { beforeEach, vi } from "vitest"
import { stubHttp } from "../support/stubHttp.js"
import { errorOf } from "./support/errorOf.js"
import { npmVerifiers, stubHttps } from "./support/npmVerifiers.js"
import {
  bodyOf,
  certificate,
  certificateUrl,
  confirmation,
  type Fields,
  notification,
  sentAt,
  signed,
  token,
  topicArn
} from "./support/snsSender.js"

const now = Date.parse(sentAt)

/** Verifies at the time that messages are sent. */
const verify = (body: string, options: Partial<SnsMessage.Options> = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(now)
    return yield* SnsMessage.verify(body)
  }).pipe(
    Effect.provide(SnsMessage.layer({ topicArns: [topicArn], ...options })),
    Effect.provide(stubHttp({ body: certificate }).layer)
  )

const rejectionOf = (body: string, options: Partial<SnsMessage.Options> = {}) =>
  Effect.map(errorOf(verify(body, options)), (error) => {
    expect(error._tag).toBe("InvalidSnsMessageError")
    return error as Extract<typeof error, { _tag: "InvalidSnsMessageError" }>
  })

beforeEach(() => {
  stubHttps(() => ({ status: 200, body: certificate }))
})
afterEach(() => {
  vi.restoreAllMocks()
})

const oracles = Object.entries(npmVerifiers())

/** Asks each verifier of npm. */
const byOracles = (body: string) =>
  Effect.promise(async () =>
    Object.fromEntries(
      await Promise.all(
        oracles.map(async ([name, accepts]) => [name, await accepts(body)] as const)
      )
    )
  )

const allAccept = { "sns-validator": true, "sns-payload-validator": true }
const noneAccepts = { "sns-validator": false, "sns-payload-validator": false }

const messages: Readonly<Record<string, Fields>> = {
  "a notification": notification,
  "a notification with a subject": { ...notification, Subject: "Subject\nof two lines" },
  "a notification with an empty message": { ...notification, Message: "" },
  "a notification in Unicode": { ...notification, Message: "Größe 大小 😀 \u0000", Subject: "é" },
  "a request to confirm": confirmation
}

describe.each(["1", "2"])("verify of signature version %s", (SignatureVersion) => {
  it.effect.each(Object.entries(messages))("accepts %s, as the verifiers of npm do", ([, fields]) =>
    Effect.gen(function* () {
      const body = bodyOf({ ...fields, SignatureVersion })
      const message = yield* verify(body)
      expect(message).toMatchObject({
        _tag: fields.Type,
        messageId: fields.MessageId,
        topicArn,
        timestamp: { epochMillis: now }
      })
      expect(yield* byOracles(body)).toEqual(allAccept)
    })
  )

  it.effect.each(["Message", "MessageId", "Subject", "Timestamp", "Type"])(
    "rejects a notification with another %s, as the verifiers of npm do",
    (name) =>
      Effect.gen(function* () {
        const fields = { ...notification, Subject: "Subject", SignatureVersion }
        const others: Fields = {
          Timestamp: "2026-11-25T10:00:00.251Z",
          Type: "UnsubscribeConfirmation"
        }
        const body = JSON.stringify({
          ...signed(fields),
          Token: token,
          SubscribeURL: "x",
          [name]: others[name] ?? "other"
        })
        const { reason } = yield* rejectionOf(body)
        expect(reason).toBe("badSignature")
        expect(yield* byOracles(body)).toEqual(noneAccepts)
      })
  )

  it.effect.each(["Token", "SubscribeURL", "Message"])(
    "rejects a request to confirm with another %s, as the verifiers of npm do",
    (name) =>
      Effect.gen(function* () {
        const body = JSON.stringify({
          ...signed({ ...confirmation, SignatureVersion }),
          [name]: "other"
        })
        expect((yield* rejectionOf(body)).reason).toBe("badSignature")
        expect(yield* byOracles(body)).toEqual(noneAccepts)
      })
  )

  it.effect("rejects the signature of another key, as the verifiers of npm do", () =>
    Effect.gen(function* () {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
      const body = JSON.stringify(signed({ ...notification, SignatureVersion }, privateKey))
      expect((yield* rejectionOf(body)).reason).toBe("badSignature")
      expect(yield* byOracles(body)).toEqual(noneAccepts)
    })
  )

  it.effect("rejects the signature of the other version, as the verifiers of npm do", () =>
    Effect.gen(function* () {
      const other = SignatureVersion === "1" ? "2" : "1"
      const body = JSON.stringify({
        ...signed({ ...notification, SignatureVersion }),
        SignatureVersion: other
      })
      expect((yield* rejectionOf(body)).reason).toBe("badSignature")
      expect(yield* byOracles(body)).toEqual(noneAccepts)
    })
  )
})

describe("verify", () => {
  it.effect.prop(
    "agrees with the verifiers of npm about any text",
    [fc.string({ unit: "binary" }), fc.option(fc.string({ unit: "binary" })), fc.boolean()],
    ([Message, Subject, isChanged]) =>
      Effect.gen(function* () {
        const fields = signed({ ...notification, Message, ...(Subject !== null && { Subject }) })
        const body = JSON.stringify({ ...fields, ...(isChanged && { Message: `${Message} ` }) })
        const isAccepted = yield* Effect.isSuccess(verify(body))
        expect(isAccepted).toBe(!isChanged)
        expect(yield* byOracles(body)).toEqual(isChanged ? noneAccepts : allAccept)
      }),
    { fastCheck: { numRuns: 50 } }
  )

  // the documents list the token, which sns-validator leaves out
  it.effect("accepts the end of a subscription, with its token", () =>
    Effect.gen(function* () {
      const body = bodyOf({ ...confirmation, Type: "UnsubscribeConfirmation" })
      expect((yield* verify(body))._tag).toBe("UnsubscribeConfirmation")
      expect((yield* byOracles(body))["sns-payload-validator"]).toBe(true)
    })
  )

  it.effect("reads a subject of null as absent", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ ...signed(notification), Subject: null })
      expect((yield* verify(body))._tag).toBe("Notification")
    })
  )

  it.effect("returns a notification that is decoded with its evidence, and no other", () =>
    Effect.gen(function* () {
      const message = yield* verify(bodyOf(notification))
      if (message._tag !== "Notification") return expect.fail(message._tag)
      const { notification: verified, trust } = message
      expect(Object.isFrozen(verified)).toBe(true)
      expect(trust.topicArn).toBe(topicArn)
      expect(MarketplaceEvent.decode(verified, trust)).toMatchObject([
        { right: { event: { _tag: "SubscribeSuccess" }, trust: "Signature" } }
      ])
      for (const other of [{ ...verified }, bodyOf(notification), undefined]) {
        expect(MarketplaceEvent.decode(other, trust)).toMatchObject([
          { left: { _tag: "InvalidMessageError", field: "input" } }
        ])
      }
    })
  )
})

describe("the topics of verify", () => {
  const foreign = { ...notification, TopicArn: "arn:aws:sns:us-east-1:444455556666:foreign" }

  it.effect("rejects a foreign topic, which the verifiers of npm accept", () =>
    Effect.gen(function* () {
      const { message, reason } = yield* rejectionOf(bodyOf(foreign))
      expect(reason).toBe("unknownTopic")
      expect(message).not.toContain("foreign")
      expect(yield* byOracles(bodyOf(foreign))).toEqual(allAccept)
    })
  )

  it.effect.each([topicArn.toUpperCase(), `${topicArn} `, `${topicArn}\n`, topicArn.slice(0, -1)])(
    "rejects %j",
    (TopicArn) =>
      Effect.gen(function* () {
        const { reason } = yield* rejectionOf(bodyOf({ ...notification, TopicArn }))
        expect(reason).toBe("unknownTopic")
      })
  )

  it.effect("accepts each of several topics", () =>
    Effect.gen(function* () {
      const options = { topicArns: [topicArn, foreign.TopicArn] } as const
      for (const fields of [notification, foreign]) {
        expect((yield* verify(bodyOf(fields), options)).topicArn).toBe(fields.TopicArn)
      }
    })
  )
})

describe("the time of verify", () => {
  const hour = 3_600_000
  const tolerance = 300_000
  const at = (millis: number) =>
    bodyOf({ ...notification, Timestamp: new Date(millis).toISOString() })

  it.effect("accepts an age of 1 hour and 5 minutes, and no more", () =>
    Effect.gen(function* () {
      yield* verify(at(now - hour - tolerance))
      const { field, reason } = yield* rejectionOf(at(now - hour - tolerance - 1))
      expect([reason, field]).toEqual(["tooOld", "Timestamp"])
      // the verifiers of npm accept a message of any age
      expect(yield* byOracles(at(0))).toEqual(allAccept)
    })
  )

  it.effect("accepts a clock that is 5 minutes behind, and no more", () =>
    Effect.gen(function* () {
      yield* verify(at(now + tolerance))
      expect((yield* rejectionOf(at(now + tolerance + 1))).reason).toBe("fromFuture")
    })
  )

  it.effect("has another maximum age by option", () =>
    Effect.gen(function* () {
      const options = { maxAge: "1 minute" } as const
      yield* verify(at(now - 60_000 - tolerance), options)
      const { reason } = yield* rejectionOf(at(now - 60_001 - tolerance), options)
      expect(reason).toBe("tooOld")
    })
  )
})

describe("malformed messages", () => {
  it.effect.each<readonly [string, string, string]>([
    ["no JSON", "x", "body"],
    ["a list", "[]", "body"],
    ["an empty object", "{}", "Type"],
    ["raw message delivery", notification.Message ?? "", "Type"],
    [
      "a type of another case",
      JSON.stringify({ ...signed(notification), Type: "notification" }),
      "Type"
    ],
    ["no signature", JSON.stringify(notification), "Signature"],
    [
      "a signature in base64url",
      JSON.stringify({ ...signed(notification), Signature: "_-8" }),
      "Signature"
    ],
    [
      "a long signature",
      JSON.stringify({ ...notification, Signature: "A".repeat(1369) }),
      "Signature"
    ],
    ["version 3", bodyOf({ ...notification, SignatureVersion: "3" }), "SignatureVersion"],
    [
      "a version that is a number",
      JSON.stringify({ ...signed(notification), SignatureVersion: 1 }),
      "SignatureVersion"
    ],
    [
      "a time without a zone",
      bodyOf({ ...notification, Timestamp: "2026-11-25T10:00:00" }),
      "Timestamp"
    ],
    ["a long topic", bodyOf({ ...notification, TopicArn: "x".repeat(1025) }), "TopicArn"],
    [
      "a message that is no text",
      JSON.stringify({ ...signed(notification), Message: {} }),
      "Message"
    ],
    ["nested lists", `{"Type":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "body"],
    [
      "a confirmation without a token",
      JSON.stringify({ ...signed(confirmation), Token: "" }),
      "Token"
    ]
  ])("rejects %s", ([, body, field]) =>
    Effect.gen(function* () {
      const error = yield* rejectionOf(body)
      expect([error.reason, error.field]).toEqual(["malformed", field])
      expect(error.message).toContain("pass the body of the request unchanged")
    })
  )

  // the same text is signed, so that a message could be sent again with another id
  it.effect("rejects an id that contains the subject, which the verifiers of npm accept", () =>
    Effect.gen(function* () {
      const { Subject, ...fields } = signed({ ...notification, Subject: "subject" })
      const MessageId = `${fields.MessageId}\nSubject\n${Subject}`
      const body = JSON.stringify({ ...fields, MessageId })
      const error = yield* rejectionOf(body)
      expect([error.reason, error.field]).toEqual(["malformed", "MessageId"])
      expect(yield* byOracles(body)).toEqual(allAccept)
    })
  )

  it.effect("rejects a body of more than 1 MiB", () =>
    Effect.gen(function* () {
      const body = bodyOf({ ...notification, Message: "x".repeat(1_048_576) })
      const { expected } = yield* rejectionOf(body)
      expect(expected).toBe("JSON of at most 1048576 characters")
    })
  )

  it.effect("shows no token and no URL of a rejected message", () =>
    Effect.gen(function* () {
      const url = "https://example.com/"
      for (const fields of [
        { ...confirmation, SignatureVersion: "3" },
        { ...confirmation, SigningCertURL: url },
        { ...confirmation, TopicArn: "foreign" },
        { ...confirmation, Timestamp: "2020-01-01T00:00:00Z" }
      ]) {
        const error = yield* rejectionOf(bodyOf(fields))
        expect(`${error.message}${JSON.stringify(error)}`).not.toMatch(
          new RegExp(`${token}|${url}|foreign|2020`)
        )
      }
    })
  )
})

/** URLs of certificates that are not of AWS, or could be made by others. */
const untrustedUrls: ReadonlyArray<readonly [url: string, oracles: Record<string, boolean>]> = [
  [
    "https://s3.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
    noneAccepts
  ],
  [
    "https://sns.us-east-1.amazonaws.com.example.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
    noneAccepts
  ],
  [certificateUrl.replace("https:", "http:"), noneAccepts],
  [certificateUrl.replace("https:", "HTTPS:"), { ...noneAccepts, "sns-validator": true }],
  [
    certificateUrl.replace("https://", "https://user:password@"),
    { ...noneAccepts, "sns-validator": true }
  ],
  [certificateUrl.replace(".com/", ".com:8443/"), noneAccepts],
  [certificateUrl.replace("https://", "https://example.com\\@"), noneAccepts],
  [certificateUrl.replace("amazonaws", "аmazonaws"), noneAccepts],
  [certificateUrl.replace("us-east-1", "us-east-1。example"), noneAccepts],
  [certificateUrl.replace("us-east-1", "evil"), allAccept],
  [certificateUrl.replace("us-east-1", "cn-north-1"), allAccept],
  [certificateUrl.replace(".com/", ".com.cn/"), allAccept],
  [
    certificateUrl.replace("SimpleNotificationService-", "other/"),
    { ...noneAccepts, "sns-validator": true }
  ],
  [
    certificateUrl.replace("/Simple", "/topic/../Simple"),
    { ...noneAccepts, "sns-validator": true }
  ],
  [certificateUrl.replace("/Simple", "//Simple"), { ...noneAccepts, "sns-validator": true }],
  [certificateUrl.replace("/Simple", "/%53imple"), { ...noneAccepts, "sns-validator": true }],
  [`${certificateUrl}?x=.pem`, { ...noneAccepts, "sns-validator": true }],
  [`${certificateUrl}#.pem`, { ...noneAccepts, "sns-validator": true }],
  [`${certificateUrl}\n`, { ...noneAccepts, "sns-validator": true }],
  [` ${certificateUrl}`, { ...noneAccepts, "sns-validator": true }],
  ["data:application/x-pem-file,certificate.pem", noneAccepts],
  ["file:///etc/ssl/cert.pem", noneAccepts]
]

describe("the certificate of verify", () => {
  it.effect.each(untrustedUrls)("rejects %s before any request", ([SigningCertURL, accepted]) =>
    Effect.gen(function* () {
      const http = stubHttp({ body: certificate })
      const body = bodyOf({ ...notification, SigningCertURL })
      const error = yield* Effect.gen(function* () {
        yield* TestClock.setTime(now)
        return yield* errorOf(SnsMessage.verify(body))
      }).pipe(
        Effect.provide(SnsMessage.layer({ topicArns: [topicArn] })),
        Effect.provide(http.layer)
      )
      expect(error).toMatchObject({ reason: "untrustedCertificate", field: "SigningCertURL" })
      expect(http.sent).toEqual([])
      expect(yield* byOracles(body)).toEqual(accepted)
    })
  )

  it.effect("trusts no other scheme, whatever the URL of the sandbox lacks", () =>
    Effect.gen(function* () {
      for (const sandboxUrl of ["localhost:4598", "file:///sandbox", ""]) {
        for (const SigningCertURL of [
          "data:,certificate",
          "file:///c.pem",
          "localhost:4598/c.pem"
        ]) {
          const body = bodyOf({ ...notification, SigningCertURL })
          const { reason } = yield* rejectionOf(body, { sandboxUrl })
          expect(reason).toBe("untrustedCertificate")
        }
      }
    })
  )

  it.effect.each([
    "https://sns.eu-west-3.amazonaws.com/SimpleNotificationService-0.pem",
    "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-0123456789ABCDEF.pem",
    "https://sns.cn-northwest-1.amazonaws.com.cn/SimpleNotificationService-0.pem"
  ])("accepts %s", (SigningCertURL) =>
    Effect.gen(function* () {
      expect((yield* verify(bodyOf({ ...notification, SigningCertURL })))._tag).toBe("Notification")
    })
  )
})
