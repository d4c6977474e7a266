import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as ResolveCustomer from "effect-marketplace-metering/ResolveCustomer"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"
import { post, type RawRequest } from "./sandbox/http.js"
import { captureSpans } from "./support/captureSpans.js"
import { clientLayer, credentials, secrets } from "./support/client.js"
import {
  allOperations,
  jwt,
  type OperationCase,
  operations,
  registrationToken
} from "./support/operations.js"
import {
  exceptionResponse,
  failingConnection,
  type SentRequest,
  type Stub,
  type StubResponse,
  stubHttp
} from "./support/stubHttp.js"

/** All that must not be seen anywhere, of a call that has sent this. The answer alone may hold a JWT. */
const secretsOf = (sent: ReadonlyArray<SentRequest>) =>
  new Map([
    ["secret key", secrets.secretAccessKey],
    ["session token", secrets.sessionToken],
    ...Object.entries(
      sent.every(isResolveCustomer) ? { "registration token": registrationToken } : {}
    ),
    ...sent.map((one, i): [string, string] => [`signature ${i}`, signatureOf(one)])
  ])

const isResolveCustomer = ({ headers }: SentRequest) =>
  headers["x-amz-target"]?.endsWith("ResolveCustomer") === true

const signatureOf = ({ headers }: SentRequest) =>
  headers.authorization?.slice(-64) ?? "no signature"

/** Fragments of a secret with this length count as the secret. */
const recognisable = 16

const assertClean = (texts: ReadonlyMap<string, string>, sent: ReadonlyArray<SentRequest>) => {
  for (const [secret, value] of [...secretsOf(sent), ["JWT", jwt] as const]) {
    for (const form of [value, encodeURIComponent(value)]) {
      for (const [where, text] of texts) {
        assert(
          !text.includes(form.slice(0, recognisable)),
          `${secret} in ${where}: ${text.slice(0, 2000)}`
        )
      }
    }
  }
}

/** Everything that can be made of an effect by its outcome: text, logs of every format, spans. */
const observed = <E>(
  effect: Effect.Effect<object, E, MeteringClient.MeteringClient>,
  replies: ReadonlyArray<Stub>
) =>
  Effect.gen(function* () {
    const http = stubHttp(...replies)
    const tracing = captureSpans()
    const texts = new Map<string, string>()
    const write = (where: string, text: unknown) =>
      void texts.set(
        where,
        `${texts.get(where) ?? ""}\n${typeof text === "string" ? text : inspect(text, all)}`
      )
    const fiber = yield* effect.pipe(
      Effect.tapErrorCause((cause) => Effect.logError("failed", cause)),
      Effect.tapErrorCause((cause) => Effect.logError(Cause.squash(cause))),
      Effect.tapError((error) => Effect.annotateLogs(Effect.logWarning("failed"), { error })),
      Effect.withLogSpan("call"),
      Effect.withSpan("app"),
      Effect.provide(
        clientLayer(http.layer, { credentials: { refresh: () => Effect.succeed(credentials) } })
      ),
      Logger.withMinimumLogLevel(LogLevel.All),
      Effect.provide(loggers(write)),
      tracing.trace,
      Effect.exit,
      Effect.fork
    )
    yield* TestClock.adjust("1 minute")
    const exit = yield* Fiber.join(fiber)
    for (const { attributes, events, name, status } of tracing.spans) {
      write("spans", [name, attributes, events])
      // the exit of the app's own span is the app's own value
      if (name !== "app" || Exit.isFailure(exit)) write("span status", status)
    }
    if (Exit.isFailure(exit)) {
      const { cause } = exit
      const error = Cause.squash(cause)
      write("Cause.pretty", Cause.pretty(cause, { renderErrorCause: true }))
      write("inspect of the cause", cause)
      write("JSON of the cause", JSON.stringify(cause))
      write("JSON", JSON.stringify(error))
      write("String", String(error))
      write("inspect", error)
      write("stack", error instanceof Error ? (error.stack ?? "") : "")
      write("fields", JSON.stringify({ ...(error as object) }))
    }
    return { exit, texts, sent: http.sent, spans: tracing.spans }
  })

const all = { depth: null, showHidden: true, maxStringLength: null, maxArrayLength: null } as const

const loggers = (write: (where: string, text: unknown) => void) => {
  const console = Console.Console.of({
    ...Effect.runSync(Console.consoleWith(Effect.succeed)),
    unsafe: new Proxy(globalThis.console, {
      get:
        () =>
        (...parts: ReadonlyArray<unknown>) =>
          write("pretty log", parts)
    })
  })
  return Logger.replace(
    Logger.defaultLogger,
    Logger.make((entry) => {
      write("string log", Logger.stringLogger.log(entry))
      write("logfmt log", Logger.logfmtLogger.log(entry))
      write("JSON log", Logger.jsonLogger.log(entry))
      write("structured log", Logger.structuredLogger.log(entry))
      Effect.runSync(
        Effect.log(...[entry.message].flat()).pipe(
          Effect.provide(
            Logger.replace(Logger.defaultLogger, Logger.prettyLogger({ mode: "tty" }))
          ),
          Effect.withConsole(console)
        )
      )
    })
  )
}

/** Texts of a hostile response: the request, whole and in parts, and other secrets that a server may know. */
const echo = (sent: SentRequest) =>
  [
    JSON.stringify(sent.headers),
    ...Object.entries(sent.headers).map(([name, value]) => `${name}: ${value}`),
    sent.body,
    signatureOf(sent),
    ...cutOff(sent, 1000).map(encodeURIComponent)
  ].join(" \n ")

/** The first characters of each secret, as where a text was cut off. */
const cutOff = (sent: SentRequest, length: number) =>
  [...secretsOf([sent]).values()].map((one) => one.slice(0, length))

const html = (text: string) => `<html><body>403 <pre>${text}</pre></body></html>`

const headerValue = (text: string) => text.replace(/[^\x20-\x7e]/g, " ")

/** Answers to one request, each with its secrets somewhere else. */
const hostile: Record<string, (sent: SentRequest, code: string) => StubResponse> = {
  message: (sent, code) => exceptionResponse(code, { message: echo(sent) }),
  Message: (sent, code) => ({ status: 400, body: { __type: code, Message: echo(sent) } }),
  "a canonical request": (sent, code) =>
    exceptionResponse(code, {
      status: 403,
      message: `The request signature we calculated does not match. The Canonical String for this request should have been\n'POST\n/\n\n${echo(sent)}'`
    }),
  "a message that was cut off": (sent, code) =>
    exceptionResponse(code, { message: cutOff(sent, 20).join(" ") }),
  "a message in quotes": (sent, code) =>
    exceptionResponse(code, {
      message: cutOff(sent, 1000)
        .map((one) => `got '${one}', "${one}", <${one}>`)
        .join()
    }),
  "the code": (sent) => ({
    status: 400,
    body: { __type: `com.amazon#${echo(sent)}`, message: "m" }
  }),
  "the code in a header": (sent) => ({
    status: 400,
    body: "",
    headers: { "x-amzn-errortype": cutOff(sent, 1000).join("-") }
  }),
  "the code's namespace": (sent, code) => ({
    status: 400,
    body: { __type: `${cutOff(sent, 1000).join(".")}#${code}` }
  }),
  HTML: (sent) => ({
    status: 403,
    body: html(echo(sent)),
    headers: { "content-type": "text/html" }
  }),
  "a body of status 200": (sent) => ({ body: html(`${echo(sent)} ${jwt}`) }),
  "JSON that was cut off": (sent) => ({
    body: `{"Signature":"${jwt}","x":"${sent.headers.authorization}`
  }),
  "the content type": (sent) => ({
    status: 502,
    body: "",
    headers: { "content-type": headerValue(`text/html; ${cutOff(sent, 1000).join("; ")}`) }
  }),
  "the start of the content type": (sent) => ({
    status: 502,
    body: "",
    headers: { "content-type": cutOff(sent, 1000)[1] ?? "" }
  }),
  ...Object.fromEntries(
    [0, 1, 2, 3].map((i) => [
      `the request id, ${i}`,
      (sent: SentRequest, code: string) =>
        exceptionResponse(code, { headers: { "x-amzn-requestid": cutOff(sent, 60)[i] ?? "" } })
    ])
  ),
  "a long request id": (sent, code) =>
    exceptionResponse(code, { headers: { "x-amzn-requestid": headerValue(echo(sent)) } }),
  "any header": (sent, code) =>
    exceptionResponse(code, {
      headers: Object.fromEntries(
        [
          "retry-after",
          "date",
          "location",
          "server",
          "x-amz-retry-after",
          "x-amz-id-2",
          "set-cookie"
        ].map((name) => [name, headerValue(echo(sent))])
      )
    }),
  "a redirect": (sent) => ({ status: 307, headers: { location: headerValue(echo(sent)) } })
}

/** Where only the words differ, one code of each kind will do. */
const someCodes = [
  "ThrottlingException",
  "com.amazon.coral.service#ExpiredTokenException",
  "AccessDeniedException"
]

const everyCode = (operation: OperationCase) => [
  ...operation.exceptions,
  "com.amazon.coral.service#ExpiredTokenException",
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "AccessDeniedException",
  "RequestTimeTooSkewed",
  "UnknownException"
]

const seenTags = new Set<string>()

const tagOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit)
    ? Option.match(Cause.failureOption(exit.cause), {
        onNone: () => "defect",
        onSome: (error) => (error as { readonly _tag: string })._tag
      })
    : "success"

const runClean = (
  call: Effect.Effect<object, unknown, MeteringClient.MeteringClient>,
  ...replies: ReadonlyArray<Stub>
) =>
  Effect.map(observed(call, replies), (seen) => {
    assertClean(seen.texts, seen.sent)
    const tag = tagOf(seen.exit)
    seenTags.add(tag)
    return { ...seen, tag }
  })

describe.each(allOperations)(
  "no secret of $name reaches an error, a log or a span",
  (operation) => {
    it.effect.each(Object.entries(hostile))(
      "when the service repeats the request in %s",
      ([where, answer]) =>
        Effect.gen(function* () {
          for (const code of where === "message" ? everyCode(operation) : someCodes) {
            const { tag } = yield* runClean(operation.call(), (sent) => answer(sent, code))
            assert.notInclude(["defect", "success"], tag)
          }
        })
    )

    it.effect("when the connection fails with an error that holds the request", () =>
      Effect.gen(function* () {
        const { sent, tag } = yield* runClean(operation.call(), failingConnection("ECONNRESET"))
        assert.strictEqual(tag, "ConnectionError")
        assert.include(inspect(sent, all), secrets.sessionToken)
      })
    )

    it.effect("when no answer comes", () =>
      Effect.gen(function* () {
        const { tag } = yield* runClean(operation.call(), () => Effect.never)
        assert.strictEqual(tag, "RequestTimeoutError")
      })
    )

    it.effect("when it is rejected before it is sent", () =>
      Effect.gen(function* () {
        for (const fields of [
          registrationToken,
          { registrationToken },
          { registrationToken: [registrationToken] }
        ]) {
          if (operation.name !== "ResolveCustomer" && typeof fields === "string") continue
          const { sent, tag } = yield* runClean(operation.call(fields))
          assert.strictEqual(tag, "InvalidInputError")
          assert.lengthOf(sent, 0)
        }
      })
    )

    it.effect("when it succeeds", () =>
      Effect.gen(function* () {
        const { spans, tag } = yield* runClean(operation.call(), (sent) => ({
          body: operation.wireResponse,
          headers: {
            "x-amzn-requestid": signatureOf(sent).slice(0, 40),
            "set-cookie": headerValue(echo(sent))
          }
        }))
        assert.strictEqual(tag, "success")
        assert.deepStrictEqual(
          spans.map(({ status }) => status._tag),
          ["Ended", "Ended", "Ended"]
        )
      })
    )
  }
)

describe("every class of errors", () => {
  it.effect("that has not come up yet leaks nothing either", () =>
    Effect.gen(function* () {
      const { layer } = stubHttp({})
      const none = new MeteringError.CredentialsError({
        tried: ["environment"],
        reason: "none set"
      })
      const exit = yield* operations.MeterUsage.call().pipe(
        Effect.provide(clientLayer(layer, { credentials: { get: Effect.fail(none) } })),
        Effect.exit
      )
      seenTags.add(tagOf(exit))
    })
  )

  it("has come up", () => {
    const classes = Object.entries(MeteringError)
      .filter(([name]) => /(Exception|Error)$/.test(name) && name !== "MeteringConfigError")
      .map(([name]) => name)
    assert.lengthOf(classes, 29)
    assert.deepStrictEqual(
      classes.filter((name) => !seenTags.has(name)),
      []
    )
  })
})

describe("values that hold a secret do not show it", () => {
  it.effect("requests, credentials, the client itself", () =>
    Effect.gen(function* () {
      const { layer, sent } = stubHttp({})
      const client = yield* Effect.provide(MeteringClient.MeteringClient, clientLayer(layer))
      const request = ResolveCustomer.make({ registrationToken: Redacted.make(registrationToken) })
      yield* client.resolveCustomer(request)
      const texts = new Map<string, string>()
      for (const [name, value] of Object.entries({ client, request, credentials })) {
        texts.set(`inspect of ${name}`, inspect(value, all))
        texts.set(`JSON of ${name}`, JSON.stringify(value))
        texts.set(`text of ${name}`, String(value))
      }
      assert.include(sent[0]?.body, registrationToken)
      assertClean(texts, sent)
    })
  )
})

describe("a sandbox behind HTTP", () => {
  const keyPair = {
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    sessionToken: Redacted.make(secrets.sessionToken)
  }
  const signer = {
    accessKeyId: keyPair.accessKeyId,
    secretAccessKey: secrets.secretAccessKey,
    sessionToken: secrets.sessionToken
  }

  it.effect("shows no secret of its scenario, of its callers and of its buyers", () => {
    const texts = new Map<string, string>()
    const tracing = captureSpans()
    const write = (where: string, text: unknown) =>
      void texts.set(where, `${texts.get(where) ?? ""}\n${inspect(text, all)}`)
    const control = (path: string, method = "GET", body?: string, type = "application/json") =>
      Effect.flatMap(SandboxServer.SandboxServer, ({ url }) =>
        Effect.promise(async () => {
          const headers = { "content-type": type }
          const response = await fetch(`${url}/_sandbox/${path}`, {
            method,
            ...(body !== undefined && { body, headers })
          })
          return response.text()
        })
      )
    const mint = Effect.map(
      control("tokens", "POST", "{}"),
      (text): string => JSON.parse(text).registrationToken
    )

    return Effect.gen(function* () {
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const token = yield* mint
      const resolve = JSON.stringify({ RegistrationToken: token })
      const requests: ReadonlyArray<RawRequest> = [
        { ...signer, operation: "ResolveCustomer", body: resolve },
        {
          ...signer,
          operation: "ResolveCustomer",
          body: JSON.stringify({ RegistrationToken: [token] })
        },
        { ...signer, operation: "ResolveCustomer", body: resolve.slice(0, -1) },
        { ...signer, operation: "ResolveCustomer", secretAccessKey: "other", body: resolve },
        { ...signer, operation: "ResolveCustomer", sessionToken: "", body: resolve },
        { ...signer, operation: token, body: resolve },
        { ...signer, operation: "MeterUsage", body: resolve },
        { ...signer, operation: "BatchMeterUsage", body: resolve },
        { ...signer, operation: "ResolveCustomer", body: resolve, path: "/else" },
        { ...signer, operation: "ResolveCustomer", body: resolve.padEnd(1_000_000) },
        {
          ...signer,
          altered: { headers: { authorization: `AWS4-HMAC-SHA256 ${secrets.sessionToken}` } }
        }
      ]
      for (const request of requests) {
        const { headers, text } = yield* post(request)
        write("answers", [text, [...headers]])
      }
      yield* sandbox.control.setFaults({
        chances: [{ fault: "clockSkew", ahead: "1 hour", probability: 1 }]
      })
      write("answers", (yield* post({ ...signer, body: resolve })).text)
      for (const body of ["{", '{"customerIdentifier":"x"}', "[]"]) {
        write("errors of the control", yield* control("tokens", "POST", body))
      }
      write("errors of the control", yield* control("state", "PUT", "{}"))
      write("log", yield* sandbox.report.log)
      for (const path of [
        "log",
        "billed",
        "records",
        "calls",
        "customers",
        "openapi.json",
        "docs"
      ]) {
        write(`/_sandbox/${path}`, yield* control(path))
      }
      assert.lengthOf(yield* sandbox.report.log, requests.length + 1)
      yield* sandbox.report.publicKey
      const state = yield* control("state")
      const privateKey =
        (yield* sandbox.control.save).split("PRIVATE KEY-----")[1]?.slice(2, 80) ?? ""
      assert.isAbove(privateKey.length, 70)
      for (const path of ["state", "st%61te", "state/"]) {
        for (const body of [state, JSON.stringify({ state }), JSON.stringify(state)]) {
          for (const type of [
            "application/json",
            "text/plain",
            "application/octet-stream",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x"
          ]) {
            write("errors of a state", yield* control(path, "PUT", body, type))
          }
        }
      }
      write("the sandbox", sandbox)
      write("the server", yield* SandboxServer.SandboxServer)
      write("spans", tracing.spans)
      for (const [where, text] of texts) {
        for (const secret of [secrets.secretAccessKey, secrets.sessionToken, token, privateKey]) {
          assert.notInclude(text, secret.slice(0, recognisable), where)
        }
      }

      // what is saved is to be loaded again, so it has tokens; but the scenario is not part of it
      const saved = yield* control("state")
      assert.include(saved, token)
      assert.notInclude(saved, secrets.secretAccessKey)
      assert.notInclude(saved, secrets.sessionToken)
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          SandboxServer.layerNode(),
          MeteringSandbox.layer({ credentials: [keyPair] })
        )
      ),
      Logger.withMinimumLogLevel(LogLevel.All),
      Effect.provide(loggers(write)),
      tracing.trace
    )
  })
})

describe("the search for leaks", () => {
  it.effect("finds one in each place that it looks at", () =>
    Effect.gen(function* () {
      const leak = new MeteringError.UnknownServiceError({
        operation: "MeterUsage",
        code: registrationToken,
        serviceMessage: secrets.sessionToken
      })
      const leaking = Effect.fail(leak).pipe(
        Effect.withSpan("leak", { attributes: { token: registrationToken } }),
        Effect.tapErrorCause(() => Effect.logInfo(registrationToken)),
        Effect.timeout(Duration.seconds(1))
      )
      const { texts } = yield* observed(leaking, [])
      for (const [where, text] of texts) {
        assert.include(text, registrationToken.slice(0, recognisable), where)
      }
      assert.sameMembers(
        [...texts.keys()],
        [
          "string log",
          "logfmt log",
          "JSON log",
          "structured log",
          "pretty log",
          "spans",
          "span status",
          "Cause.pretty",
          "inspect of the cause",
          "JSON of the cause",
          "JSON",
          "String",
          "inspect",
          "stack",
          "fields"
        ]
      )
    })
  )
})
