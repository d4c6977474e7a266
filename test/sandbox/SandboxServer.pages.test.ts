/** The pages over HTTP, and the built-in registration page and receiver. */
import { request } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Record, Redacted } from "effect"
import { MeteringSandbox, SandboxServer, type Scenario } from "../../src/sandbox/index.js"
import { eventually } from "./http.js"
import { acme, acmeLicense, analytics } from "./support.js"

const receiver = "/_sandbox/built-in/receiver"

const scenario: Partial<Scenario.Scenario> = {
  products: [
    {
      code: analytics,
      dimensions: ["api-calls"],
      landingUrl: "http://seller.example:3000/sign-up?plan=a;b,c'"
    },
    { code: "other", dimensions: ["hosts"], landingUrl: "http://seller.example:3000/other" },
    { code: "third", dimensions: ["hosts"] }
  ],
  customers: [
    {
      customerAWSAccountId: acme,
      customerIdentifier: "cust-acme",
      agreements: [{ productCode: analytics, licenseArn: acmeLicense }]
    }
  ],
  targets: [{ type: "sns", name: "built-in", url: receiver }]
}

const live = Layer.provideMerge(SandboxServer.layerNode(), MeteringSandbox.layer(scenario))

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a request with any headers, which `fetch` would not allow. */
const send = (path: string, { body, headers = {}, method = "GET" }: Sent = {}) =>
  Effect.flatMap(SandboxServer.SandboxServer, ({ url }) =>
    Effect.promise(
      () =>
        new Promise<{
          readonly status: number | undefined
          readonly headers: Readonly<Record<string, unknown>>
          readonly text: string
        }>((resolve, reject) => {
          request(url + path, { method, headers })
            .on("response", (response) => {
              let text = ""
              response.setEncoding("utf8").on("data", (chunk: string) => {
                text += chunk
              })
              response.on("end", () =>
                resolve({ status: response.statusCode, headers: response.headers, text })
              )
            })
            .on("error", reject)
            .end(body)
        })
    )
  )

const html = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" }

describe("the pages", () => {
  it.effect("load only files of the server, in no frame, and post only to the seller", () =>
    Effect.gen(function* () {
      for (const path of ["/_sandbox/", "/_sandbox/docs"]) {
        const { headers, status, text } = yield* send(path, { headers: html })
        assert.strictEqual(status, 200)
        assert.strictEqual(headers["x-effect-marketplace-metering-sandbox"], "true")
        assert.deepStrictEqual(String(headers["content-security-policy"]).split("; "), [
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "img-src 'self'",
          "connect-src 'self'",
          "form-action 'self' http://seller.example:3000",
          "frame-ancestors 'none'",
          "base-uri 'none'"
        ])
        const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = ""]) => file)
        assert.lengthOf(files, 3)
        for (const file of files) assert.match(file, /^\/_sandbox\/pages\//)
        assert.notMatch(text, /<script[^>]*>[^<]|style=| on\w+=/)
      }
    }).pipe(Effect.provide(live))
  )

  it.effect("are the same for clients that accept anything, such as curl", () =>
    Effect.gen(function* () {
      const { text } = yield* send("/_sandbox/", { headers: html })
      for (const headers of [{}, { accept: "*/*" }]) {
        const page = yield* send("/_sandbox/", { headers })
        assert.deepStrictEqual([page.status, page.text], [200, text])
        const redirect = yield* send("/_sandbox", { headers })
        assert.deepStrictEqual([redirect.status, redirect.headers.location], [302, "/_sandbox/"])
      }
    }).pipe(Effect.provide(live))
  )

  it.effect("post to any page if redirects are allowed by hand", () =>
    Effect.gen(function* () {
      for (const [query, expected] of [
        ["?redirects=any", "form-action 'self' http: https:;"],
        ["?redirects=", "form-action 'self' http://seller.example:3000;"]
      ] as const) {
        const { headers } = yield* send(`/_sandbox/${query}`, { headers: html })
        assert.include(String(headers["content-security-policy"]), expected)
      }
    }).pipe(Effect.provide(live))
  )

  it.effect("post by the scheme of a host that a policy cannot name", () =>
    Effect.gen(function* () {
      const { headers } = yield* send("/_sandbox/", { headers: html })
      assert.include(
        String(headers["content-security-policy"]),
        "form-action 'self' http: https://seller.example; frame-ancestors 'none';"
      )
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          SandboxServer.layerNode(),
          MeteringSandbox.layer({
            products: [
              "http://[::1]:3000/",
              "http://seller.example;sandbox/",
              "http://seller.example,other/",
              "http://*/",
              "https://seller.example/"
            ].map((landingUrl, i) => ({ code: `product${i}`, dimensions: ["hosts"], landingUrl }))
          })
        )
      )
    )
  )

  it.effect("have a script, a style and an icon with their types", () =>
    Effect.gen(function* () {
      for (const [file, type, content] of [
        ["script.js", "text/javascript", /\/_sandbox\/billed/],
        ["style.css", "text/css", /prefers-color-scheme/],
        ["icon.svg", "image/svg+xml", /^<svg/]
      ] as const) {
        const { headers, status, text } = yield* send(`/_sandbox/pages/${file}`)
        assert.strictEqual(status, 200)
        assert.include(String(headers["content-type"]), type)
        assert.strictEqual(headers["x-content-type-options"], "nosniff")
        assert.match(text, content)
        assert.notMatch(text, /https?:\/\/(?!www\.w3\.org)/)
      }
    }).pipe(Effect.provide(live))
  )

  it.effect("have the license of the library in the script", () =>
    Effect.gen(function* () {
      const { text } = yield* send("/_sandbox/pages/script.js")
      assert.match(text, /preact \d+[\s\S]+MIT License[\s\S]+Copyright/)
    }).pipe(Effect.provide(live))
  )

  it.effect("are not for foreign host names, which may lead to this machine", () =>
    Effect.gen(function* () {
      for (const path of [
        "/_sandbox/",
        "/_sandbox/docs",
        "/_sandbox/pages/script.js",
        "/_sandbox/built-in/registrations",
        "/_sandbox/built-in/messages"
      ]) {
        const { status } = yield* send(path, { headers: { ...html, host: "evil.example" } })
        assert.strictEqual(status, 403, path)
      }
    }).pipe(Effect.provide(live))
  )

  it.effect("leave the address that confirms a subscription to a browser as well", () =>
    Effect.gen(function* () {
      const { status } = yield* send("/?Action=ConfirmSubscription&TopicArn=t&Token=x", {
        headers: html
      })
      assert.strictEqual(status, 400)
      assert.strictEqual((yield* send("/", { headers: html })).status, 302)
    }).pipe(Effect.provide(live))
  )
})

const landing = "/_sandbox/built-in/landing"
const form = { "content-type": "application/x-www-form-urlencoded" }

const registrations = Effect.map(send("/_sandbox/built-in/registrations"), ({ text }) =>
  JSON.parse(text)
)

describe("the built-in registration page", () => {
  it.effect("resolves the token of the form, and keeps no token", () =>
    Effect.gen(function* () {
      const { marketplace } = yield* MeteringSandbox.MeteringSandbox
      const { registrationToken } = JSON.parse(
        (yield* send("/_sandbox/tokens", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: '{"customerIdentifier":"cust-acme"}'
        })).text
      )
      const body = new URLSearchParams({
        "x-amzn-marketplace-token": registrationToken,
        "x-amzn-marketplace-offer-type": "free-trial"
      }).toString()
      const { headers, status } = yield* send(landing, { method: "POST", headers: form, body })
      assert.deepStrictEqual([status, headers.location], [303, "/_sandbox/#/seller"])
      const [registration, ...others] = yield* registrations
      assert.lengthOf(others, 0)
      assert.deepInclude(registration, {
        id: 1,
        isFreeTrial: true,
        customer: {
          customerAWSAccountId: acme,
          customerIdentifier: "cust-acme",
          productCode: analytics,
          licenseArn: acmeLicense
        }
      })
      assert.notInclude(JSON.stringify(registration), registrationToken)
      const [agreement] = yield* marketplace.agreements
      assert.isTrue(agreement?.registered)
    }).pipe(Effect.provide(live))
  )

  it.effect("shows what GetEntitlements returns now, without a call", () =>
    Effect.gen(function* () {
      const { control, marketplace, report } = yield* MeteringSandbox.MeteringSandbox
      const now = yield* control.now
      const seats = { dimension: "api-calls", value: { integerValue: 25 } }
      const { fields } = yield* marketplace.buy({
        customerAWSAccountId: "555566667777",
        productCode: analytics,
        startsAt: DateTime.add(now, { hours: 1 }),
        entitlements: [seats]
      })
      const body = new URLSearchParams(Record.map(fields, Redacted.value)).toString()
      yield* send(landing, { method: "POST", headers: form, body })
      const entitlements = Effect.map(registrations, ([registration]) => registration.entitlements)
      assert.deepStrictEqual(yield* entitlements, [])
      yield* control.advance("1 hour")
      const [entitlement, ...others] = yield* entitlements
      assert.lengthOf(others, 0)
      assert.deepInclude(entitlement, seats)
      yield* marketplace.cancel({ customerAWSAccountId: "555566667777" })
      assert.deepStrictEqual(yield* entitlements, [])
      assert.include(yield* report.callCounts, { GetEntitlements: 0, ResolveCustomer: 1 })
    }).pipe(Effect.provide(live))
  )

  it.effect("says why a token is not resolved", () =>
    Effect.gen(function* () {
      for (const body of ["x-amzn-marketplace-token=unknown", "", "a".repeat(1_000)]) {
        yield* send(landing, { method: "POST", headers: form, body })
      }
      const [long, empty, unknown] = yield* registrations
      assert.match(unknown.error, /token/i)
      assert.strictEqual(empty.error, "The form has no x-amzn-marketplace-token.")
      assert.strictEqual(long.error, empty.error)
    }).pipe(Effect.provide(live))
  )

  it.effect("keeps the last 100, and reads no endless form", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 102; i++) yield* send(landing, { method: "POST", headers: form })
      const all = yield* registrations
      assert.lengthOf(all, 100)
      assert.strictEqual(all[0].id, 102)
      const body = "a".repeat(300_001)
      assert.strictEqual(
        (yield* send(landing, { method: "POST", headers: form, body })).status,
        413
      )
    }).pipe(Effect.provide(live))
  )
})

describe("forms of other sites", () => {
  const paths = [landing, receiver]
  for (const path of paths) {
    it.effect(`are rejected at ${path}`, () =>
      Effect.gen(function* () {
        for (const origin of ["http://evil.example", "null", "http://localhost:1"]) {
          for (const type of ["application/x-www-form-urlencoded", "text/plain"]) {
            const headers = { origin, "content-type": type }
            const { status } = yield* send(path, { method: "POST", headers, body: "a=b" })
            assert.strictEqual(status, 403, `${origin} ${type}`)
          }
        }
        assert.deepStrictEqual(yield* registrations, [])
      }).pipe(Effect.provide(live))
    )
  }
})

describe("the built-in receiver", () => {
  const messages = Effect.map(send("/_sandbox/built-in/messages"), ({ text }) => JSON.parse(text))

  it.live("confirms the subscription, and shows what came", () =>
    Effect.gen(function* () {
      const { events, marketplace } = yield* MeteringSandbox.MeteringSandbox
      yield* marketplace.buy({
        customerAWSAccountId: "555566667777",
        customerIdentifier: "cust-new",
        productCode: analytics
      })
      const received = yield* eventually(messages, (all) =>
        all.some(({ snsType }: { readonly snsType?: string }) => snsType === "Notification")
      )
      assert.strictEqual(received.at(-1).snsType, "SubscriptionConfirmation")
      const notification = JSON.parse(received[0].body)
      assert.strictEqual(JSON.parse(notification.Message).action, "subscribe-success")
      const [target] = yield* events.targets
      assert.strictEqual(target?.subscription, "confirmed")
    }).pipe(Effect.provide(live))
  )

  it.effect("keeps a limited number of characters", () =>
    Effect.gen(function* () {
      const bodies = [10, 150_000, 150_000, 150_000, 150_000, 10].map((size) => "a".repeat(size))
      for (const body of bodies) yield* send(receiver, { method: "POST", body })
      const lengths = (yield* messages).map(({ body }: { readonly body: string }) => body.length)
      assert.deepStrictEqual(lengths, [10, 150_000, 150_000, 150_000])
      // escaped, it is longer than the limit
      yield* send(receiver, { method: "POST", body: "\u0001".repeat(200_000) })
      assert.lengthOf(yield* messages, 1)
    }).pipe(Effect.provide(Layer.provideMerge(SandboxServer.layerNode(), MeteringSandbox.layer())))
  )

  it.live("is reached where the sandbox does not reach its public address", () =>
    Effect.gen(function* () {
      const { events, marketplace } = yield* MeteringSandbox.MeteringSandbox
      yield* marketplace.buy({
        customerAWSAccountId: "555566667777",
        customerIdentifier: "cust-new",
        productCode: analytics
      })
      const received = yield* eventually(messages, (all) => all.length > 0)
      const { SubscribeURL } = JSON.parse(received.at(-1).body)
      assert.match(SubscribeURL, /^http:\/\/sandbox\.invalid:4598\/\?Action=ConfirmSubscription&/)
      const [target] = yield* eventually(events.targets, ([one]) => one?.attempts?.length !== 0)
      assert.deepInclude(target, { subscription: "confirmed", url: receiver })
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          SandboxServer.layerNode({ publicUrl: "http://sandbox.invalid:4598" }),
          MeteringSandbox.layer(scenario)
        )
      )
    )
  )

  it.effect("takes any text", () =>
    Effect.gen(function* () {
      const headers = { "x-amz-sns-message-type": "SubscriptionConfirmation" }
      for (const body of ["{", "[]", '{"TopicArn":"t","Token":"x"}', "<script>"]) {
        const { status } = yield* send(receiver, { method: "POST", headers, body })
        assert.strictEqual(status, 200)
      }
      assert.lengthOf(
        (yield* messages).filter(({ body }: { readonly body: string }) => body.length < 100),
        4
      )
    }).pipe(Effect.provide(live))
  )
})

describe("HEAD", () => {
  it.effect("of a page has the headers of GET, and no body", () =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* send("/_sandbox/", { method: "HEAD" })
      assert.deepStrictEqual([status, text], [200, ""])
      assert.match(String(headers["content-type"]), /^text\/html/)
    }).pipe(Effect.provide(live))
  )
})
