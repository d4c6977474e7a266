import { createHash, createHmac } from "node:crypto"
import {
  MarketplaceMeteringClient,
  ResolveCustomerCommand
} from "@aws-sdk/client-marketplace-metering"
import { SignatureV4 } from "@smithy/signature-v4"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import type { Body, SigningCredentials } from "../../../src/internal/sigv4/canonicalRequest.js"
import {
  makeSigner as makeEffectfulSigner,
  type SignatureHeaders
} from "../../../src/internal/sigv4/sign.js"
import {
  type ReceivedRequest,
  type SignatureOptions,
  verifySignature as verifyEffect
} from "../../../src/sandbox/internal/protocol/verifySignature.js"

// where there is node:crypto, nothing is waited for

const makeSigner = (...target: Parameters<typeof makeEffectfulSigner>) => {
  const sign = makeEffectfulSigner(...target)
  return (...request: Parameters<typeof sign>) => Effect.runSync(sign(...request))
}

const verify = (...request: Parameters<typeof verifyEffect>) =>
  Effect.runSync(verifyEffect(...request))

/** The hash interface of @smithy/signature-v4. */
class Sha256 {
  private readonly hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash =
      secret === undefined
        ? createHash("sha256")
        : createHmac("sha256", typeof secret === "string" ? secret : toBytes(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView) {
    this.hash.update(typeof data === "string" ? data : toBytes(data))
  }
  async digest() {
    return new Uint8Array(this.hash.digest())
  }
  reset() {}
}

const toBytes = (data: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)

interface Wire {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
  readonly credentials: SigningCredentials
  readonly region: string
  readonly service: string
  readonly now: number
}

/** The official signer's headers, all that it was given among them. */
const bySmithy = async (wire: Wire, applyChecksum = false): Promise<Record<string, string>> => {
  const { accessKeyId, secretAccessKey, sessionToken } = wire.credentials
  const signer = new SignatureV4({
    applyChecksum,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
    region: wire.region,
    service: wire.service,
    sha256: Sha256
  })
  const query = new Map<string, Array<string>>()
  for (const [name, value] of wire.query) query.set(name, [...(query.get(name) ?? []), value])
  const { headers } = await signer.sign(
    {
      method: wire.method,
      protocol: "https:",
      hostname: wire.host,
      path: wire.path,
      query: Object.fromEntries(query),
      headers: { host: wire.host, ...wire.headers },
      body: wire.body
    },
    { signingDate: new Date(wire.now) }
  )
  return headers
}

const urlOf = ({ path, query }: Wire): string => {
  const pairs = query.map((pair) => pair.map(encodeURIComponent).join("="))
  return pairs.length === 0 ? path : `${path}?${pairs.join("&")}`
}

const sign = (wire: Wire): SignatureHeaders =>
  makeSigner({ ...wire, url: `https://${wire.host}${urlOf(wire)}` })({
    ...wire,
    headers: lowerCased(wire.headers)
  })

const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const received = (wire: Wire, added: Readonly<Record<string, string>>): ReceivedRequest => ({
  method: wire.method,
  url: urlOf(wire),
  headers: { host: wire.host, ...lowerCased(wire.headers), ...lowerCased(added) },
  body: wire.body
})

const expecting = ({ credentials, now, service }: Wire): SignatureOptions => ({
  credentials: (id) => (id === credentials.accessKeyId ? credentials : undefined),
  now,
  service
})

const published: Wire = {
  method: "GET",
  host: "example.amazonaws.com",
  path: "/",
  query: [],
  headers: {},
  body: "",
  credentials: {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
  },
  region: "us-east-1",
  service: "service",
  now: Date.UTC(2015, 7, 30, 12, 36)
}

const metering: Wire = {
  ...published,
  method: "POST",
  host: "metering.marketplace.us-east-1.amazonaws.com",
  headers: {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "AWSMPMeteringService.BatchMeterUsage"
  },
  body: '{"UsageRecords":[],"ProductCode":"p-1"}',
  service: "aws-marketplace"
}

const unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const form = { "Content-Type": "application/x-www-form-urlencoded" }
const suiteToken =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

const withToken = (sessionToken: string): Partial<Wire> => ({
  credentials: { ...published.credentials, sessionToken }
})

// aws-sig-v4-test-suite, its newer form in awslabs/aws-c-auth, and the IAM user guide's ListUsers.
const vectors: ReadonlyArray<
  readonly [name: string, request: Partial<Wire>, signedHeaders: string, signature: string]
> = [
  [
    "get-vanilla",
    {},
    "host;x-amz-date",
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
  ],
  [
    "get-header-key-duplicate",
    { headers: { "My-Header1": "value2,value2,value1" } },
    "host;my-header1;x-amz-date",
    "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"
  ],
  [
    "get-header-value-multiline",
    { headers: { "My-Header1": "value1\n  value2\n     value3" } },
    "host;my-header1;x-amz-date",
    "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd"
  ],
  [
    "get-header-value-order",
    { headers: { "My-Header1": "value4,value1,value3,value2" } },
    "host;my-header1;x-amz-date",
    "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"
  ],
  [
    "get-header-value-trim",
    { headers: { "My-Header1": " value1", "My-Header2": ' "a   b   c"' } },
    "host;my-header1;my-header2;x-amz-date",
    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
  ],
  [
    "get-relative",
    { path: "/example/.." },
    "host;x-amz-date",
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
  ],
  [
    "get-relative-relative",
    { path: "/example1/example2/../.." },
    "host;x-amz-date",
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
  ],
  [
    "get-slash-dot-slash",
    { path: "/./" },
    "host;x-amz-date",
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
  ],
  [
    "get-slash-pointless-dot",
    { path: "/./example" },
    "host;x-amz-date",
    "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"
  ],
  [
    "get-slash",
    { path: "//" },
    "host;x-amz-date",
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
  ],
  [
    "get-slashes",
    { path: "//example//" },
    "host;x-amz-date",
    "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"
  ],
  [
    "get-unreserved",
    { path: `/${unreserved}` },
    "host;x-amz-date",
    "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"
  ],
  [
    "get-vanilla-empty-query-key",
    { query: [["Param1", "value1"]] },
    "host;x-amz-date",
    "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"
  ],
  [
    "get-vanilla-query-order-encoded",
    {
      query: [
        ["Param-3", "Value3"],
        ["Param", "Value2"],
        ["ሴ", "Value1"]
      ]
    },
    "host;x-amz-date",
    "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"
  ],
  [
    "get-vanilla-query-order-key",
    {
      query: [
        ["Param1", "value2"],
        ["Param1", "Value1"]
      ]
    },
    "host;x-amz-date",
    "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"
  ],
  [
    "get-vanilla-query-order-key-case",
    {
      query: [
        ["Param2", "value2"],
        ["Param1", "value1"]
      ]
    },
    "host;x-amz-date",
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
  ],
  [
    "get-vanilla-query-order-value",
    {
      query: [
        ["Param1", "value2"],
        ["Param1", "value1"]
      ]
    },
    "host;x-amz-date",
    "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"
  ],
  [
    "get-vanilla-query-unreserved",
    { query: [[unreserved, unreserved]] },
    "host;x-amz-date",
    "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"
  ],
  [
    "get-vanilla-utf8-query",
    { query: [["ሴ", "bar"]] },
    "host;x-amz-date",
    "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"
  ],
  [
    "get-vanilla-with-session-token",
    withToken("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"),
    "host;x-amz-date;x-amz-security-token",
    "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"
  ],
  [
    "post-vanilla",
    { method: "POST" },
    "host;x-amz-date",
    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
  ],
  [
    "post-vanilla-query",
    { method: "POST", query: [["Param1", "value1"]] },
    "host;x-amz-date",
    "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"
  ],
  [
    "post-header-key-sort",
    { method: "POST", headers: { "My-Header1": "value1" } },
    "host;my-header1;x-amz-date",
    "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"
  ],
  [
    "post-header-value-case",
    { method: "POST", headers: { "My-Header1": "VALUE1" } },
    "host;my-header1;x-amz-date",
    "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"
  ],
  [
    "post-sts-header-before",
    { method: "POST", ...withToken(suiteToken) },
    "host;x-amz-date;x-amz-security-token",
    "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
  ],
  [
    "post-x-www-form-urlencoded",
    { method: "POST", headers: form, body: "Param1=value1" },
    "content-type;host;x-amz-date",
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
  ],
  [
    "post-x-www-form-urlencoded-parameters",
    {
      method: "POST",
      headers: { "Content-Type": `${form["Content-Type"]}; charset=utf8` },
      body: "Param1=value1"
    },
    "content-type;host;x-amz-date",
    "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"
  ],
  [
    "post-x-www-form-urlencoded, its body signed",
    {
      method: "POST",
      headers: {
        ...form,
        "Content-Length": "13",
        "x-amz-content-sha256": "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
      },
      body: "Param1=value1"
    },
    "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
    "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"
  ],
  [
    "IAM ListUsers",
    {
      host: "iam.amazonaws.com",
      service: "iam",
      query: [
        ["Action", "ListUsers"],
        ["Version", "2010-05-08"]
      ],
      headers: { "Content-Type": `${form["Content-Type"]}; charset=utf-8` }
    },
    "content-type;host;x-amz-date",
    "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
  ]
]

const authorizationOf = (wire: Wire, signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=${wire.credentials.accessKeyId}/20150830/${wire.region}/${wire.service}/aws4_request, SignedHeaders=${signedHeaders}, Signature=${signature}`

describe("published vectors", () => {
  it.each(vectors)("%s", async (_, request, signedHeaders, signature) => {
    const wire: Wire = { ...published, ...request }
    const authorization = authorizationOf(wire, signedHeaders, signature)
    expect((await bySmithy(wire)).authorization).toBe(authorization)
    const signed = sign(wire)
    expect(signed).toEqual({
      authorization,
      "x-amz-date": "20150830T123600Z",
      ...(wire.credentials.sessionToken
        ? { "x-amz-security-token": wire.credentials.sessionToken }
        : {})
    })
    expect(verify(received(wire, { ...signed, authorization }), expecting(wire))).toEqual({
      _tag: "Verified",
      accessKeyId: "AKIDEXAMPLE",
      region: "us-east-1",
      signedHeaders: signedHeaders.split(";")
    })
  })

  // The suite puts these paths on the wire as they are. A URL cannot hold them, so no client can sign them.
  it.each([
    [
      "get-space",
      "/example space/",
      "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"
    ],
    ["get-utf8", "/ሴ", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"]
  ])("%s", async (_, path, signature) => {
    const wire: Wire = { ...published, path }
    const authorization = authorizationOf(wire, "host;x-amz-date", signature)
    expect((await bySmithy(wire)).authorization).toBe(authorization)
    const request = received(wire, { authorization, "x-amz-date": "20150830T123600Z" })
    expect(verify(request, expecting(wire))._tag).toBe("Verified")
  })

  it("post-sts-header-after", () => {
    const wire: Wire = { ...published, method: "POST", ...withToken(suiteToken) }
    const request = received(wire, {
      authorization: authorizationOf(
        wire,
        "host;x-amz-date",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
      ),
      "x-amz-date": "20150830T123600Z",
      "x-amz-security-token": suiteToken
    })
    expect(verify(request, expecting(wire))._tag).toBe("Verified")
  })
})

const unicode = FastCheck.string({ unit: "binary" })
const line = FastCheck.string({
  unit: FastCheck.oneof(
    FastCheck.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    FastCheck.constantFrom(" ", "  ", "\t")
  )
})
const segment = FastCheck.oneof(
  FastCheck.constantFrom("", ".", "..", "%", "%2F", "a b", "a+b", "*'()!", "~-_.", "=&"),
  unicode
).map((text) => encodeURIComponent(text))

const anyWire: FastCheck.Arbitrary<Wire> = FastCheck.record({
  method: FastCheck.constantFrom("POST", "GET"),
  host: FastCheck.constantFrom(metering.host, "localhost:8080", "127.0.0.1"),
  path: FastCheck.array(segment).map((segments) => `/${segments.join("/")}`),
  query: FastCheck.array(
    FastCheck.tuple(
      FastCheck.oneof(FastCheck.constantFrom("a", "a-b", "A", ""), unicode),
      FastCheck.oneof(FastCheck.constantFrom("", "1", "a b+c"), unicode)
    )
  ).filter((pairs) => pairs.every(([name]) => name !== "__proto__" && !/^x-amz-sig/i.test(name))),
  headers: FastCheck.dictionary(FastCheck.stringMatching(/^[xX]-[a-z0-9-]{1,8}$/), line).map(
    (headers) => lowerCased({ ...metering.headers, ...headers })
  ),
  body: FastCheck.oneof(unicode, FastCheck.uint8Array()),
  credentials: FastCheck.record(
    {
      accessKeyId: FastCheck.stringMatching(/^[A-Z0-9]{4,20}$/),
      secretAccessKey: FastCheck.string({ minLength: 1 }),
      sessionToken: FastCheck.stringMatching(/^[A-Za-z0-9+/]{1,40}={0,2}$/)
    },
    { requiredKeys: ["accessKeyId", "secretAccessKey"] }
  ),
  region: FastCheck.stringMatching(/^[a-z]{2}-[a-z]{2,8}-[1-9]$/),
  service: FastCheck.constantFrom("aws-marketplace", "service"),
  now: FastCheck.integer({ min: 0, max: Date.UTC(2100, 0) })
})

describe("sign", () => {
  it("is what @smithy/signature-v4 does, and verifies", async () => {
    await FastCheck.assert(
      FastCheck.asyncProperty(anyWire, async (wire) => {
        const signed = sign(wire)
        // The path that a URL has, not the one that it was made of.
        const path = new URL(`https://${wire.host}${wire.path}`).pathname
        const theirs = await bySmithy({ ...wire, path })
        expect(signed).toEqual({
          authorization: theirs.authorization,
          "x-amz-date": theirs["x-amz-date"],
          ...(wire.credentials.sessionToken
            ? { "x-amz-security-token": wire.credentials.sessionToken }
            : {})
        })
        const verification = verify(received({ ...wire, path }, signed), expecting(wire))
        expect(verification).toMatchObject({
          _tag: "Verified",
          accessKeyId: wire.credentials.accessKeyId,
          region: wire.region
        })
      }),
      { numRuns: 300 }
    )
  })

  it("signs the content type, host, date and target of a call, and nothing else", () => {
    expect(sign(metering).authorization).toContain(
      "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
    )
    expect(Object.keys(sign(metering)).sort()).toEqual(["authorization", "x-amz-date"])
  })

  it("leaves out the port that a client leaves out of the host header", () => {
    const { host, ...target } = metering
    const at = (url: string) => makeSigner({ ...target, url })(metering).authorization
    expect(at(`https://${host}:443/`)).toBe(at(`https://${host}`))
    expect(at(`https://${host}:8443/`)).not.toBe(at(`https://${host}`))
  })

  it("signs another host header when one will be sent", () => {
    const wire: Wire = { ...metering, headers: { ...metering.headers, Host: "proxied.example" } }
    expect(verify(received(wire, sign(wire)), expecting(wire))._tag).toBe("Verified")
    expect(verify({ ...received(metering, sign(wire)) }, expecting(wire))._tag).not.toBe("Verified")
  })

  it("keeps no key longer than it fits", () => {
    const days = FastCheck.constantFrom(0, 1, 86_399_999, 86_400_000, 86_400_001)
    const secrets = FastCheck.constantFrom("one", "two")
    const signer = makeSigner({ ...metering, url: `https://${metering.host}/` })
    FastCheck.assert(
      FastCheck.property(days, secrets, (millis, secretAccessKey) => {
        const wire: Wire = {
          ...metering,
          credentials: { accessKeyId: "AKID", secretAccessKey },
          now: metering.now + millis
        }
        expect(signer(wire)).toEqual(sign(wire))
      })
    )
  })

  it("takes an empty token for none", () => {
    const credentials = { ...metering.credentials, sessionToken: "" }
    expect(sign({ ...metering, credentials })).toEqual(sign(metering))
  })

  it("never throws a secret", () => {
    expect(() => sign({ ...metering, now: Number.NaN })).toThrow(/^Invalid time value$/)
  })
})

/** As the official client hands it to its request handler. */
interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: Body
}

const clientHeaders = {
  "accept-encoding": "gzip, deflate",
  "aws-sdk-invocation-id": "0f1d7f0e8f5a4a8e9d645c4a5d4e3e0f",
  "aws-sdk-retry": "0/0",
  "amz-sdk-invocation-id": "5c4a5d4e-3e0f-4a8e-9d64-0f1d7f0e8f5a",
  "amz-sdk-request": "attempt=1; max=3",
  "content-length": "39",
  "content-type": "application/x-amz-json-1.1",
  "x-amz-target": "AWSMPMeteringService.BatchMeterUsage",
  "x-amz-user-agent": "aws-sdk-js/3.1138.0"
}

/** Requests of clients in several languages, with the headers that each signs. */
const headerSets = [
  "host;x-amz-date;x-amz-target",
  "content-type;host;x-amz-date;x-amz-target",
  "content-type;host;x-amz-date;x-amz-target;x-amz-user-agent",
  "content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target",
  "aws-sdk-invocation-id;aws-sdk-retry;host;x-amz-date;x-amz-target",
  "accept-encoding;amz-sdk-request;content-type;host;x-amz-date;x-amz-target",
  "amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-date;x-amz-target",
  "amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target;x-amz-user-agent"
].map((signed) => {
  const sent = Object.entries(clientHeaders).filter(([name]) => signed.split(";").includes(name))
  return [signed, Object.fromEntries(sent)] as const
})

describe("verify", () => {
  describe.each(headerSets)("%s", (names, headers) => {
    it.each([undefined, "dG9rZW4="])("with the token %s", async (sessionToken) => {
      const wire: Wire = {
        ...metering,
        headers,
        credentials: { ...metering.credentials, sessionToken }
      }
      const theirs = await bySmithy(wire, names.includes("x-amz-content-sha256"))
      const token = sessionToken ? ["x-amz-security-token"] : []
      const signedHeaders = [...names.split(";"), ...token].sort()
      expect(theirs.authorization).toContain(`SignedHeaders=${signedHeaders.join(";")},`)
      expect(verify(received(wire, theirs), expecting(wire))).toMatchObject({
        _tag: "Verified",
        signedHeaders
      })
    })
  })

  it("accepts any path, query and headers that @smithy/signature-v4 has signed", async () => {
    const rawPath = FastCheck.string({
      unit: FastCheck.oneof(
        FastCheck.constantFrom("/", ".", "/..", "/./", "//", "%20", "%2f", "%", "+", " "),
        FastCheck.integer({ min: 0x21, max: 0x7e })
          .map((code) => String.fromCharCode(code))
          .filter((char) => char !== "?")
      )
    }).map((text) => `/${text}`)
    await FastCheck.assert(
      FastCheck.asyncProperty(
        anyWire,
        rawPath,
        FastCheck.boolean(),
        async (any, path, checksum) => {
          const wire = { ...any, path }
          const request = received(wire, await bySmithy(wire, checksum))
          expect(verify(request, expecting(wire))._tag).toBe("Verified")
        }
      ),
      { numRuns: 300 }
    )
  })

  it("accepts what the official client sends", async () => {
    let sent: Sent | undefined
    const client = new MarketplaceMeteringClient({
      region: "eu-west-1",
      credentials: { ...metering.credentials, sessionToken: "token" },
      maxAttempts: 1,
      requestHandler: {
        handle: (request: Sent) => {
          sent = request
          return Promise.reject(new Error("stopped"))
        }
      }
    })
    await expect(
      client.send(new ResolveCustomerCommand({ RegistrationToken: "r" }))
    ).rejects.toThrow("stopped")
    if (!sent) throw new Error("nothing was sent")
    const request = { ...sent, url: sent.path, headers: lowerCased(sent.headers) }
    const verification = verify(request, {
      credentials: () => ({ ...metering.credentials, sessionToken: "token" }),
      now: Date.now(),
      service: "aws-marketplace"
    })
    expect(verification).toMatchObject({ _tag: "Verified", region: "eu-west-1" })
  })
})

/** Puts another character in one place of a text. */
const tampered = (text: string, at: number, char: string): string => {
  const index = at % text.length
  FastCheck.pre(text[index] !== char)
  return text.slice(0, index) + char + text.slice(index + 1)
}

type Tamper = (request: ReceivedRequest, at: number, char: string) => ReceivedRequest

const tamperedHeader = (request: ReceivedRequest, name: string, at: number, char: string) => ({
  ...request,
  headers: { ...request.headers, [name]: tampered(request.headers[name] ?? "", at, char) }
})

/** Alters one part of the authorization header, and nothing that is there for separation only. */
const tamperedPart =
  (part: RegExp): Tamper =>
  (request, at, char) => ({
    ...request,
    headers: {
      ...request.headers,
      authorization: request.headers.authorization?.replace(part, (text) =>
        tampered(text, at, char)
      )
    }
  })

const withoutHeader = (request: ReceivedRequest, name: string): ReceivedRequest => ({
  ...request,
  headers: Object.fromEntries(Object.entries(request.headers).filter(([other]) => other !== name))
})

const tamperings: ReadonlyArray<readonly [string, Tamper]> = [
  [
    "the body",
    (request, at, char) => ({ ...request, body: tampered(String(request.body), at, char) })
  ],
  ["the end of the body", (request, _, char) => ({ ...request, body: request.body + char })],
  [
    "the method",
    (request, at, char) => ({ ...request, method: tampered(request.method, at, char) })
  ],
  [
    "the path",
    (request, at, char) => {
      const [path = "", query] = request.url.split("?")
      // The first slash is not the client's to choose.
      return { ...request, url: `/${tampered(path.slice(1), at, char)}?${query}` }
    }
  ],
  [
    "the query",
    (request, at, char) => {
      const [path, query = ""] = request.url.split("?")
      return { ...request, url: `${path}?${tampered(query, at, char)}` }
    }
  ],
  ["the query's end", (request) => ({ ...request, url: `${request.url}&z` })],
  ["the signature", tamperedPart(/(?<=Signature=).*/)],
  ["the credential and its scope", tamperedPart(/(?<=Credential=)[^,]*/)],
  [
    "the names of the signed headers",
    (request, at, char) => {
      const lower = char.toLowerCase()
      return tamperedPart(/(?<=SignedHeaders=)[^,]*/)(request, at, lower)
    }
  ]
]

describe("tampering", () => {
  const alphanumeric = (minLength: number) =>
    FastCheck.string({ unit: FastCheck.constantFrom(..."abcXYZ019"), minLength, maxLength: 12 })
  const printable = FastCheck.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c))
  const signedHeaders = [
    "content-type",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-target",
    "x-own"
  ]

  const anyRequest = FastCheck.record({
    segments: FastCheck.array(alphanumeric(1), { minLength: 1, maxLength: 4 }),
    query: FastCheck.array(FastCheck.tuple(alphanumeric(1), alphanumeric(1)), {
      minLength: 1,
      maxLength: 4
    }),
    own: alphanumeric(1),
    body: FastCheck.string({ unit: printable, minLength: 1 })
  }).map(({ body, own, query, segments }): ReceivedRequest => {
    const wire: Wire = {
      ...metering,
      path: `/${segments.join("/")}`,
      query,
      headers: {
        ...metering.headers,
        "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
        "x-own": own
      },
      body,
      credentials: { ...metering.credentials, sessionToken: "token" }
    }
    return received(wire, sign(wire))
  })

  const options = expecting({
    ...metering,
    credentials: { ...metering.credentials, sessionToken: "token" }
  })

  const expectRejected = (tamper: Tamper) =>
    FastCheck.assert(
      FastCheck.property(anyRequest, FastCheck.nat(), printable, (request, at, char) => {
        const altered = tamper(request, at, char)
        expect(verify(request, options)._tag).toBe("Verified")
        expect(verify(altered, options)._tag).not.toBe("Verified")
      }),
      { numRuns: 200 }
    )

  it.each(tamperings)("with %s is rejected", (_, tamper) => expectRejected(tamper))

  describe.each(signedHeaders)("with %s", (name) => {
    it("altered is rejected", () => {
      expectRejected((request, at, char) => tamperedHeader(request, name, at, char))
    })

    it("dropped is rejected", () => {
      expectRejected((request) => withoutHeader(request, name))
    })

    it("listed as unsigned is rejected", () => {
      expectRejected(({ headers, ...request }) => {
        const names = new RegExp(`(?<=[=;])${name};|;${name}(?=,)`)
        const authorization = headers.authorization?.replace(names, "")
        expect(authorization).not.toBe(headers.authorization)
        return { ...request, headers: { ...headers, authorization } }
      })
    })
  })

  it("with an empty signed header dropped is rejected", () => {
    const wire: Wire = { ...metering, headers: { ...metering.headers, "x-own": " " } }
    const request = received(wire, sign(wire))
    expect(verify(request, options)._tag).not.toBe("Verified")
    expect(verify(request, expecting(wire))._tag).toBe("Verified")
    expect(verify(withoutHeader(request, "x-own"), expecting(wire))).toMatchObject({
      _tag: "InvalidSignatureException"
    })
  })

  it("with bytes of the query that are not UTF-8 is rejected", () => {
    const url = `https://${metering.host}/?a=%FF`
    const request = { ...received(metering, makeSigner({ ...metering, url })(metering)) }
    expect(verify({ ...request, url: "/?a=%FF" }, options)._tag).not.toBe("Verified")
    expect(verify({ ...request, url: "/?a=%FF" }, expecting(metering))._tag).toBe("Verified")
    expect(verify({ ...request, url: "/?a=%ff" }, expecting(metering))._tag).toBe("Verified")
    expect(verify({ ...request, url: "/?a=%FE" }, expecting(metering))._tag).not.toBe("Verified")
  })
})

describe("rejections", () => {
  const good = received(metering, sign(metering))
  const options = expecting(metering)
  const withHeader = (name: string, value: string): ReceivedRequest => ({
    ...good,
    headers: { ...good.headers, [name]: value }
  })
  const reauthorized = (from: string | RegExp, to: string) =>
    withHeader("authorization", good.headers.authorization?.replace(from, to) ?? "")
  const resigned = (change: Partial<Wire>) => {
    const wire: Wire = { ...metering, ...change }
    return received(wire, sign(wire))
  }

  it("none", () => {
    expect(verify(good, options)._tag).toBe("Verified")
  })

  it.each([
    ["commas without spaces", reauthorized(/, /g, ",")],
    ["spaces without commas", reauthorized(/, /g, " ")],
    ["many spaces", reauthorized(/[ ,]+/g, " ,   ")],
    ["names in any case", reauthorized("content-type;host", "Content-Type;HOST")],
    ["names in any order", reauthorized("content-type;host", "host;content-type")],
    ["spaces in a header", withHeader("content-type", "  application/x-amz-json-1.1 ")],
    [
      "HTTP/2",
      {
        ...withoutHeader(good, "host"),
        headers: { ...withoutHeader(good, "host").headers, ":authority": metering.host }
      }
    ],
    ["the body as bytes", { ...good, body: new TextEncoder().encode(String(good.body)) }]
  ])("none for %s", (_, request) => {
    expect(verify(request, options)._tag).toBe("Verified")
  })

  it.each([
    ["no authorization", withoutHeader(good, "authorization")],
    ["an empty one", withHeader("authorization", " ")],
    ["another scheme", withHeader("authorization", "Bearer AWS4-HMAC-SHA256")]
  ])("MissingAuthenticationToken for %s", (_, request) => {
    expect(verify(request, options)).toEqual({
      _tag: "MissingAuthenticationToken",
      message: "Request is missing Authentication Token"
    })
  })

  it.each([
    ["Credential", /requires 'Credential' parameter\.$/, reauthorized(/Credential=[^,]*,/, "")],
    ["SignedHeaders", /requires 'SignedHeaders' p/, reauthorized(/SignedHeaders=[^,]*,/, "")],
    ["Signature", /requires 'Signature' parameter\.$/, reauthorized(/Signature=.*/, "Signature=")],
    [
      "all",
      /'Credential' .*'Signature' .*'SignedHeaders' .*'X-Amz-Date'/,
      withoutHeader(withHeader("authorization", "AWS4-HMAC-SHA256"), "x-amz-date")
    ],
    ["x-amz-date", /'X-Amz-Date' header/, withoutHeader(good, "x-amz-date")],
    [
      "a basic date",
      /Got '2015-08-30T12:36:00Z'/,
      withHeader("x-amz-date", "2015-08-30T12:36:00Z")
    ],
    ["a real date", /'basic format'/, withHeader("x-amz-date", "20150231T123600Z")],
    ["a date", /'basic format'/, withHeader("x-amz-date", "Sun, 30 Aug 2015 12:36:00 GMT")],
    ["host signed", /'Host' or ':authority' must be/, reauthorized("host;", "")],
    ["the algorithm", /'AWS4-HMAC-SHA512' \(only/, reauthorized("SHA256", "SHA512")],
    ["four slashes", /exactly 5 slash-delimited/, reauthorized("/aws4_request", "")],
    ["no more slashes", /exactly 5 slash-delimited/, reauthorized("aws4_request", "aws4_request/")]
  ])("IncompleteSignature without %s", (_, message, request) => {
    expect(verify(request, options)).toEqual({
      _tag: "IncompleteSignature",
      message: expect.stringMatching(message)
    })
  })

  const tokenOf = (sessionToken: string | undefined): SignatureOptions => ({
    ...options,
    credentials: () => ({ ...metering.credentials, sessionToken })
  })

  it.each([
    [
      "an unknown key",
      resigned({ credentials: { ...metering.credentials, accessKeyId: "AKIDOTHER" } }),
      options
    ],
    ["a token too few", good, tokenOf("token")],
    ["a token too many", resigned(withToken("token")), options],
    ["a wrong token", resigned(withToken("tokem")), tokenOf("token")],
    ["a longer token", resigned(withToken("tokens")), tokenOf("token")]
  ])("UnrecognizedClientException for %s", (_, request, options) => {
    expect(verify(request, options)).toEqual({
      _tag: "UnrecognizedClientException",
      message: "The security token included in the request is invalid."
    })
  })

  it.each([
    [
      "another service",
      resigned({ service: "s3" }),
      "Credential should be scoped to correct service: 'aws-marketplace'."
    ],
    [
      "another region",
      resigned({ region: "us-west-2" }),
      "Credential should be scoped to a valid region, not 'us-west-2'."
    ],
    [
      "no region",
      resigned({ region: "" }),
      "Credential should be scoped to a valid region, not ''."
    ],
    [
      "another terminator",
      reauthorized("aws4_request", "aws5_request"),
      "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."
    ],
    [
      "another day",
      reauthorized("/20150830/", "/20150829/"),
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'."
    ],
    [
      "all of them",
      reauthorized(/(?<=EXAMPLE)[^,]*/, "/a/b/c/d"),
      "Credential should be scoped to a valid region, not 'b'. Credential should be scoped to correct service: 'aws-marketplace'. Credential should be scoped with a valid terminator: 'aws4_request', not 'd'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'a' != '20150830', from '20150830T123600Z'."
    ]
  ])("InvalidSignatureException for %s in the scope", (_, request, message) => {
    expect(verify(request, { ...options, regions: ["us-east-1"] })).toEqual({
      _tag: "InvalidSignatureException",
      message
    })
  })

  it("InvalidSignatureException for no region where any will do", () => {
    expect(verify(resigned({ region: "" }), options)).toMatchObject({
      _tag: "InvalidSignatureException",
      message: "Credential should be scoped to a valid region, not ''."
    })
  })

  const mismatch = {
    _tag: "InvalidSignatureException",
    message: expect.stringMatching(/^The request signature we calculated does not match/)
  }

  it("InvalidSignatureException for a wrong secret", () => {
    const credentials = { ...metering.credentials, secretAccessKey: "other" }
    expect(verify(resigned({ credentials }), options)).toEqual(mismatch)
  })

  it.each(["constructor", "__proto__", "toString", "", "x-absent"])(
    "InvalidSignatureException for a signed header %j that is not there",
    (name) => {
      expect(verify(reauthorized("host;", `host;${name};`), options)).toEqual(mismatch)
    }
  )

  it.each(["UNSIGNED-PAYLOAD", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"])(
    "InvalidSignatureException for the payload hash %s, signed or not",
    (hash) => {
      const rejection = {
        _tag: "InvalidSignatureException",
        message: "The provided 'x-amz-content-sha256' header does not match what was computed."
      }
      const headers = { ...metering.headers, "x-amz-content-sha256": hash }
      expect(verify(resigned({ headers }), options)).toEqual(rejection)
      expect(verify(withHeader("x-amz-content-sha256", hash), options)).toEqual(rejection)
    }
  )

  const at = (offset: number): SignatureOptions => ({ ...options, now: metering.now + offset })

  it("InvalidSignatureException once it is older than 5 minutes", () => {
    expect(verify(good, at(300_999))._tag).toBe("Verified")
    expect(verify(good, at(301_000))).toEqual({
      _tag: "InvalidSignatureException",
      message:
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    })
  })

  it("InvalidSignatureException as long as it is 5 minutes in the future", () => {
    expect(verify(good, at(-300_000))._tag).toBe("Verified")
    expect(verify(good, at(-300_001))).toEqual({
      _tag: "InvalidSignatureException",
      message:
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    })
  })

  it("allows another skew", () => {
    const allowedSkew = 900_000
    expect(verify(good, { ...at(900_000), allowedSkew })._tag).toBe("Verified")
    expect(verify(good, { ...at(901_000), allowedSkew })).toMatchObject({
      message: expect.stringMatching(/ - 15 min\.\)$/)
    })
  })

  it.each([
    ["a=b+c", "a=b%20c"],
    ["a=%7Eb%41&%2f", "%2F=&a=~bA"],
    ["a", "a="],
    ["a&&b&", "a=&b="],
    ["a==", "a=%3D"],
    ["a=%zz%", "a=%25zz%25"]
  ])("none for the query %s, signed as %s", (url, signed) => {
    const target = { ...metering, url: `https://${metering.host}/?${signed}` }
    const request = received(metering, makeSigner(target)(metering))
    expect(verify({ ...request, url: `/?${url}` }, options)._tag).toBe("Verified")
    expect(verify({ ...request, url: `/?${url}%2B` }, options)).toEqual(mismatch)
  })

  it("never throws, and never shows a secret", () => {
    const junk = FastCheck.oneof(
      FastCheck.string({ unit: FastCheck.nat(0xffff).map((n) => String.fromCharCode(n)) }),
      FastCheck.string({
        unit: FastCheck.constantFrom("%", "f", "=", "&", "/", ".", ";", ",", "\ud800")
      })
    )
    const parts = FastCheck.array(
      FastCheck.oneof(
        junk,
        FastCheck.constantFrom(
          "Credential=AKIDEXAMPLE/20150830/us-east-1/aws-marketplace/aws4_request",
          "SignedHeaders=host;x-amz-date",
          "Signature=00"
        )
      )
    )
    const date = FastCheck.oneof(junk, FastCheck.constant("20150830T123600Z"))
    const tags = new Set<string>()
    FastCheck.assert(
      FastCheck.property(junk, junk, parts, date, (method, url, parts, date) => {
        const authorization = `AWS4-HMAC-SHA256 ${parts.join(", ")}`
        const headers = { authorization, host: metering.host, "x-amz-date": date }
        const verification = verify({ method, url, headers, body: "" }, options)
        tags.add(verification._tag)
        expect(JSON.stringify(verification)).not.toContain(metering.credentials.secretAccessKey)
      }),
      { numRuns: 500 }
    )
    expect(tags).toEqual(new Set(["IncompleteSignature", "InvalidSignatureException"]))
  })
})
