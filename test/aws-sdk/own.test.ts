/** The way through an SDK client of its own, where the SDK is not quite as it is on Node. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Seen } from "../../src/aws-sdk/internal/exchange.js"
import * as own from "../../src/aws-sdk/internal/own.js"
import { sdkClient } from "../differential/harness.js"

describe("without the SDK's middleware for traces, as in a browser", () => {
  it.effect("each request has its own body, length and signature, and the first one's head", () =>
    Effect.gen(function* () {
      const { client, sent } = sdkClient(() => ({ status: 200, headers: {}, body: "{}" }))
      client.middlewareStack.remove("recursionDetectionMiddleware")
      const send = own.makeSend(client)
      const bodies = ['{"RegistrationToken":"t"}', '{"RegistrationToken":"another"}']
      for (const body of bodies) {
        const seen: Seen = {}
        yield* Effect.promise((abortSignal) =>
          send({
            name: "ResolveCustomer",
            input: JSON.parse(body),
            body,
            length: body.length,
            abortSignal,
            seen
          })
        )
        assert.deepStrictEqual(seen.answer, { status: 200, headers: {}, body: "{}" })
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
