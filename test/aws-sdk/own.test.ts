/** The way through an SDK client of its own, where the SDK is not quite as it is on Node. */
import { ResolveCustomerCommand } from "@aws-sdk/client-marketplace-metering"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as own from "../../src/aws-sdk/internal/own.js"
import type { AttemptState, Send } from "../../src/aws-sdk/internal/sdkCall.js"
import { sdkClient } from "../differential/harness.js"

const answering = () => sdkClient(() => ({ status: 200, headers: {}, body: "{}" }))

type Client = ReturnType<typeof answering>["client"]

/** What was seen of one request. */
const sending = (send: Send, body: string) => {
  const seen: AttemptState = {}
  return Effect.as(
    Effect.promise((abortSignal) =>
      send({
        name: "ResolveCustomer",
        input: JSON.parse(body),
        body,
        length: body.length,
        abortSignal,
        state: seen
      })
    ),
    seen
  )
}

const bodies = ['{"RegistrationToken":"t"}', '{"RegistrationToken":"another"}']

describe("without the SDK's middleware for traces, as in a browser", () => {
  it.effect("each request has its own body, length and signature, and the first one's head", () =>
    Effect.gen(function* () {
      const { client, sent } = answering()
      client.middlewareStack.remove("recursionDetectionMiddleware")
      const send = own.makeSend(client)
      for (const body of bodies) {
        const { response: answer } = yield* sending(send, body)
        assert.deepStrictEqual(answer, { status: 200, headers: {}, body: "{}" })
      }
      assert.deepStrictEqual(
        sent.map(({ body }) => body),
        bodies
      )
      const [first = {}, second = {}] = sent.map(({ headers }) => headers)
      assert.strictEqual(second["content-length"], String(bodies[1]?.length))
      for (const name of ["authorization", "amz-sdk-invocation-id"]) {
        assert.isDefined(second[name])
        assert.notStrictEqual(second[name], first[name], name)
      }
      for (const name of ["content-type", "host", "user-agent", "x-amz-target"]) {
        assert.isDefined(second[name])
        assert.strictEqual(second[name], first[name], name)
      }
    })
  )
})

describe("with an SDK of another make", () => {
  const calls = (change: (client: Client) => void) =>
    Effect.gen(function* () {
      const { client, sent } = answering()
      change(client)
      const send = own.makeSend(client)
      for (const body of bodies) yield* sending(send, body)
      return sent
    })

  it.effect("a middleware that nobody knows runs for each call", () =>
    Effect.gen(function* () {
      let count = 0
      const sent = yield* calls((client) =>
        client.middlewareStack.add(
          (next) => (args) => {
            count += 1
            const { headers } = args.request as { readonly headers: Record<string, string> }
            headers["x-count"] = String(count)
            return next(args)
          },
          { name: "ofTomorrow", step: "build" }
        )
      )
      assert.deepStrictEqual(
        sent.map(({ headers }) => headers["x-count"]),
        ["1", "2"]
      )
      assert.deepStrictEqual(
        sent.map(({ body }) => JSON.parse(body)),
        [{ RegistrationToken: "t" }, { RegistrationToken: "another" }]
      )
    })
  )

  it.effect("one that the SDK itself puts into each command does so too", () =>
    Effect.gen(function* () {
      let count = 0
      const resolve = ResolveCustomerCommand.prototype.resolveMiddleware
      const sent = yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          ResolveCustomerCommand.prototype.resolveMiddleware = function (...args) {
            this.middlewareStack.add(
              (next) => (args) => {
                count += 1
                const { headers } = args.request as { readonly headers: Record<string, string> }
                headers["x-count"] = String(count)
                return next(args)
              },
              { name: "ofTomorrow", step: "build", override: true }
            )
            return resolve.apply(this, args)
          }
        }),
        () => calls(() => {}),
        () =>
          Effect.sync(() => {
            ResolveCustomerCommand.prototype.resolveMiddleware = resolve
          })
      )
      assert.deepStrictEqual(
        sent.map(({ headers }) => headers["x-count"]),
        ["1", "2"]
      )
    })
  )

  it.effect("so does one in the place of the SDK's own", () =>
    Effect.gen(function* () {
      let count = 0
      yield* calls((client) =>
        client.middlewareStack.add(
          (next) => (args) => {
            count += 1
            return next(args)
          },
          { name: "hostHeaderMiddleware", step: "build", priority: "low", override: true }
        )
      )
      assert.strictEqual(count, 2)
    })
  )
})
