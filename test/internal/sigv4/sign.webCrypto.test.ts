/** Signing where there is no node:crypto, and everything has to be waited for. */
import { SignatureV4 } from "@smithy/signature-v4"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it, vi } from "vitest"
import { makeSigner } from "../../../src/internal/sigv4/sign.js"
import { verifySignature } from "../../../src/sandbox/internal/protocol/verifySignature.js"
import { sdkClient } from "../../differential/harness.js"

vi.mock(
  "../../../src/internal/sigv4/sha256.node.js",
  () => import("../../../src/internal/sigv4/sha256.webCrypto.js")
)

const target = {
  method: "POST",
  url: "https://metering.marketplace.us-east-1.amazonaws.com/",
  region: "us-east-1",
  service: "aws-marketplace"
}
const { host } = new URL(target.url)
const headers = {
  "content-type": "application/x-amz-json-1.1",
  "x-amz-target": "AWSMPMeteringService.BatchMeterUsage"
}

const day = 86_400_000

/** Few secrets and days, so that many a key is asked for while another is being made. */
const anyRequest = FastCheck.record({
  body: FastCheck.oneof(FastCheck.string(), FastCheck.uint8Array({ maxLength: 100 })),
  credentials: FastCheck.record({
    accessKeyId: FastCheck.constantFrom("AKID1", "AKID2"),
    secretAccessKey: FastCheck.constantFrom("secret-1", "secret-2", "secret-3"),
    sessionToken: FastCheck.constantFrom(undefined, "token")
  }),
  now: FastCheck.constantFrom(0, 999, 1000, day - 1, day, 2 * day)
})

type Request = Parameters<ReturnType<typeof makeSigner>>[0]

const { sha256 } = sdkClient(() => ({ status: 200, headers: {}, body: "{}" })).client.config

const bySmithy = async ({ body, credentials, now }: Omit<Request, "headers">) => {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const signer = new SignatureV4({
    applyChecksum: false,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
    region: target.region,
    service: target.service,
    sha256
  })
  const signed = await signer.sign(
    {
      method: target.method,
      protocol: "https:",
      hostname: host,
      path: "/",
      query: {},
      headers: { host, ...headers },
      body
    },
    { signingDate: new Date(now) }
  )
  return signed.headers.authorization
}

describe("by Web Crypto", () => {
  it("is what @smithy/signature-v4 does, and verifies, however many are signed at once", async () => {
    await FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.array(anyRequest, { minLength: 1, maxLength: 10 }),
        async (requests) => {
          const sign = makeSigner(target)
          const signing = requests.map((request) => sign({ headers, ...request }))
          // made in one order, run in the other
          const signed = await Effect.runPromise(
            Effect.all([...signing].reverse(), { concurrency: "unbounded" })
          )
          const found = signed.reverse()
          expect(found.map(({ authorization }) => authorization)).toEqual(
            await Promise.all(requests.map(bySmithy))
          )
          const verdicts = requests.map(({ body, credentials, now }, i) =>
            verifySignature(
              { method: "POST", url: "/", headers: { host, ...headers, ...found[i] }, body },
              {
                credentials: (id) => (id === credentials.accessKeyId ? credentials : undefined),
                service: target.service,
                now
              }
            )
          )
          for (const { _tag } of await Effect.runPromise(Effect.all(verdicts))) {
            expect(_tag).toBe("Verified")
          }
        }
      )
    )
  })

  it("has to be waited for", () => {
    const signing = makeSigner(target)({
      headers,
      body: "",
      credentials: { accessKeyId: "AKID", secretAccessKey: "secret" },
      now: 0
    })
    expect(() => Effect.runSync(signing)).toThrow(/cannot be resolved synchronously/)
  })
})
