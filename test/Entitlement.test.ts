import { constants, createHmac, generateKeyPairSync, sign } from "node:crypto"
import { fileURLToPath } from "node:url"
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Entitlement from "effect-marketplace-metering/Entitlement"
import * as RegisterUsage from "effect-marketplace-metering/RegisterUsage"
import { build } from "esbuild"

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 })
const otherKeys = generateKeyPairSync("rsa", { modulusLength: 2048 })
const pem = keys.publicKey.export({ format: "pem", type: "spki" }).toString()
const jwk = keys.publicKey.export({ format: "jwk" })

/** Long past, so that a check against the machine's clock rejects each token. */
const now = DateTime.unsafeMake("2021-03-04T05:06:07.000Z")
const iat = now.epochMillis / 1000
const nonce = "0b6f4e4e-nonce-of-this-instance"

const claims = { productCode: "a1b2c3", publicKeyVersion: 1, nonce, iat }
const options: Entitlement.VerifyOptions = {
  productCode: "a1b2c3",
  publicKeyVersion: 1,
  nonce,
  publicKey: pem
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

type Signer = (input: string) => Buffer

const rsa =
  (pair = keys, hash = "sha256", saltLength = 32): Signer =>
  (input) =>
    sign(hash, Buffer.from(input), {
      key: pair.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength
    })

const pkcs1: Signer = (input) => sign("sha256", Buffer.from(input), keys.privateKey)

const hmac =
  (secret: string | Buffer, hash = "sha256"): Signer =>
  (input) =>
    createHmac(hash, secret).update(input).digest()

const unsigned: Signer = () => Buffer.alloc(0)

/** Made without the library under test. */
const token = (
  payload: unknown = claims,
  header: unknown = { alg: "PS256", typ: "JWT" },
  signer = rsa()
) => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signer(input).toString("base64url")}`
}

const without = (...names: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)))

const verifyAt = (
  at: DateTime.Utc,
  jwt: string | Redacted.Redacted | undefined,
  overrides?: Partial<Entitlement.VerifyOptions>
) => Effect.zipRight(TestClock.setTime(at), Entitlement.verify(jwt, { ...options, ...overrides }))

const genuine = token()

describe("what is accepted", () => {
  const accepted: ReadonlyArray<
    readonly [
      name: string,
      jwt: string | Redacted.Redacted,
      overrides?: Partial<Entitlement.VerifyOptions>
    ]
  > = [
    ["claims in lower case", genuine],
    [
      "claims in upper case, as AWS documents them",
      token({ ProductCode: "a1b2c3", PublicKeyVersion: 1, Nonce: nonce, iat })
    ],
    ["both cases that agree", token({ ...claims, ProductCode: "a1b2c3", PublicKeyVersion: "1" })],
    ["null in one case", token({ ...without("nonce"), nonce: null, Nonce: nonce })],
    ["the version as text", token({ ...claims, publicKeyVersion: "1" })],
    ["a redacted token", Redacted.make(genuine)],
    ["unknown claims and headers", token({ ...claims, sub: "x" }, { alg: "PS256", kid: "1" })],
    ["a claim's name as a value", token({ ...claims, toString: "x" })],
    ["no `typ`", token(claims, { alg: "PS256" })],
    ["a padded signature", `${genuine}${"=".repeat(2)}`],
    ["a nonce that was not asked for", genuine, { nonce: undefined }],
    [
      "a nonce that cannot be read and was not asked for",
      token({ ...claims, nonce: 7 }),
      { nonce: undefined }
    ],
    ["no nonce", token(without("nonce")), { nonce: undefined }],
    ["a PEM with CRLF", genuine, { publicKey: pem.replaceAll("\n", "\r\n") }],
    ["a PEM with literal \\n", genuine, { publicKey: pem.replaceAll("\n", "\\n") }],
    ["a PEM on one line", genuine, { publicKey: pem.replaceAll("\n", "") }],
    ["a PEM between spaces", genuine, { publicKey: `\n  ${pem}  \n` }],
    ["bare base64", genuine, { publicKey: pem.replace(/-----[^-]+-----|\n/g, "") }],
    ["a JWK", genuine, { publicKey: jwk }],
    ["a JWK for PS256", genuine, { publicKey: { ...jwk, alg: "PS256", use: "sig", kid: "1" } }],
    ["a frozen JWK", genuine, { publicKey: Object.freeze({ ...jwk }) }],
    ["a KeyObject", genuine, { publicKey: keys.publicKey }],
    ["a record with the version", genuine, { publicKey: { 1: pem, 2: "not a key" } }],
    ["a record of JWKs", genuine, { publicKey: { 1: jwk } }],
    ["`exp` ahead and `nbf` behind", token({ ...claims, exp: iat + 1, nbf: iat })]
  ]

  for (const [name, jwt, overrides] of accepted) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const entitlement = yield* verifyAt(now, jwt, overrides)
        assert.instanceOf(entitlement, Entitlement.Entitlement)
        assert.strictEqual(entitlement.productCode, "a1b2c3")
        assert.strictEqual(entitlement.publicKeyVersion, 1)
        assert.deepStrictEqual(entitlement.issuedAt, now)
      })
    )
  }

  it.effect("a CryptoKey", () =>
    Effect.gen(function* () {
      const publicKey = yield* importCryptoKey("RSA-PSS", "SHA-256")
      assert.strictEqual((yield* verifyAt(now, genuine, { publicKey })).nonce, nonce)
    })
  )

  it.effect("the request itself, spread", () =>
    Effect.gen(function* () {
      const request = RegisterUsage.make({ productCode: "a1b2c3", publicKeyVersion: 1, nonce })
      yield* TestClock.setTime(now)
      yield* Entitlement.verify(genuine, { ...request, publicKey: pem })
    })
  )

  it.effect("a JWK is left as it was", () =>
    Effect.gen(function* () {
      const publicKey = { ...jwk }
      yield* verifyAt(now, genuine, { publicKey })
      assert.isFalse(Object.isFrozen(publicKey))
    })
  )

  it.effect("the entitlement is made of the claims, and survives JSON", () =>
    Effect.gen(function* () {
      const entitlement = yield* verifyAt(now, genuine)
      const json = JSON.stringify(yield* Schema.encode(Entitlement.Entitlement)(entitlement))
      assert.deepStrictEqual(JSON.parse(json), {
        productCode: "a1b2c3",
        publicKeyVersion: 1,
        nonce,
        issuedAt: "2021-03-04T05:06:07.000Z"
      })
      const schema = Schema.parseJson(Entitlement.Entitlement)
      assert.deepStrictEqual(yield* Schema.decode(schema)(json), entitlement)
    })
  )
})

const importCryptoKey = (
  name: string,
  hash: string,
  usages: ReadonlyArray<KeyUsage> = ["verify"]
) =>
  Effect.promise(() =>
    crypto.subtle.importKey(
      "spki",
      new Uint8Array(keys.publicKey.export({ format: "der", type: "spki" })),
      { name, hash },
      true,
      usages
    )
  )

interface Rejected {
  readonly name: string
  readonly jwt: string | undefined
  readonly with?: Partial<Entitlement.VerifyOptions>
  readonly is: {
    readonly reason: Entitlement.RejectionReason
    readonly claim?: string
    readonly expected?: string
    readonly found?: string
  }
}

const key1 = "version 1 of the key"
const usable =
  "version 1: RSA of at least 2048 bits for PS256, as PEM (PUBLIC KEY), JWK or CryptoKey"

const malformed = (name: string, jwt: string): Rejected => ({
  name,
  jwt,
  is: { reason: "malformedToken" }
})

const badKey = (name: string, publicKey: unknown): Rejected => ({
  name,
  jwt: genuine,
  // what a caller without types could pass
  with: { publicKey: publicKey as Entitlement.PublicKey },
  is: { reason: "badPublicKey", expected: usable }
})

const algorithm = (name: string, alg: unknown, signer: Signer, found?: string): Rejected => ({
  name,
  jwt: token(claims, { alg, typ: "JWT" }, signer),
  is: { reason: "wrongAlgorithm", expected: "PS256", ...(found !== undefined && { found }) }
})

const forged = (name: string, jwt: string): Rejected => ({
  name,
  jwt,
  is: { reason: "badSignature", expected: key1 }
})

const claim = (
  name: string,
  payload: unknown,
  reason: Entitlement.RejectionReason,
  at: string
): Rejected => ({ name, jwt: token(payload), is: { reason, claim: at } })

const [header = "", payload = "", signature = ""] = genuine.split(".")
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const der = keys.publicKey.export({ format: "der", type: "spki" })

/** The one in AWS's own example, of 1024 bits. */
const sampleOfAws = `-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdlatRjRjogo3WojgGHFHYLugd
UWAY9iR3fy4arWNA1KoS8kVw33cJibXr8bvwUAUparCwlvdbH6dvEOfou0/gCFQs
HUfQrSDv+MuSUMAe8jzKE4qW+jK+xQU9a03GUnKHkkle+Q0pX/g6jXZ7r1/xAK5D
o2kQ+X5xK9cipRgEKwIDAQAB
-----END PUBLIC KEY-----`

const rejected: ReadonlyArray<Rejected> = [
  { name: "no signature in the response", jwt: undefined, is: { reason: "missingToken" } },

  malformed("empty text", ""),
  malformed("text that is no token", "this-is-not-a-token-at-all"),
  malformed("two segments", `${header}.${payload}`),
  malformed("four segments", `${genuine}.${signature}`),
  malformed("five segments, as encrypted ones have", `${genuine}.${signature}.${signature}`),
  malformed("a header that is not base64url", `!!${header}.${payload}.${signature}`),
  malformed("a header that is not JSON", `${"A".repeat(20)}.${payload}.${signature}`),
  malformed("a header that is a list", token(claims, ["PS256"])),
  malformed("no algorithm", token(claims, { typ: "JWT" })),
  malformed("an algorithm that is no text", token(claims, { alg: ["PS256"] })),
  malformed("a payload that is text", token("a1b2c3-in-a-text")),
  malformed("a payload that is a list", token([claims])),
  malformed("a payload that is null", token(null)),
  malformed("an unencoded payload", token(claims, { alg: "PS256", crit: ["b64"], b64: false })),
  malformed(
    "an extension that must be known",
    token(claims, { alg: "PS256", crit: ["exp"], exp: 1 })
  ),
  malformed("a signature with a space", `${header}.${payload}.${signature} `),
  malformed("a signature with a line break", `${header}.${payload}.\n${signature}`),
  malformed("a signature that is not base64url", `${header}.${payload}.${signature}!`),

  algorithm("alg none, no signature", "none", unsigned, "none"),
  algorithm("alg none, signed", "none", rsa(), "none"),
  algorithm("alg None", "None", unsigned),
  algorithm("HS256 with the PEM as secret", "HS256", hmac(pem), "HS256"),
  algorithm("HS256 with the trimmed PEM as secret", "HS256", hmac(pem.trim()), "HS256"),
  algorithm("HS256 with the DER as secret", "HS256", hmac(der), "HS256"),
  algorithm("HS512 with the PEM as secret", "HS512", hmac(pem, "sha512"), "HS512"),
  algorithm("RS256 by the right key", "RS256", pkcs1, "RS256"),
  algorithm("PS384 by the right key", "PS384", rsa(keys, "sha384", 48), "PS384"),
  algorithm("PS512 by the right key", "PS512", rsa(keys, "sha512", 64), "PS512"),
  algorithm("ps256", "ps256", rsa()),
  algorithm("an algorithm that is a piece of the token", signature.slice(0, 32), rsa()),

  forged("PS256 by another key", token(claims, { alg: "PS256" }, rsa(otherKeys))),
  forged(
    "a key in the header",
    token(
      claims,
      {
        alg: "PS256",
        jwk: otherKeys.publicKey.export({ format: "jwk" }),
        jku: "https://example.com"
      },
      rsa(otherKeys)
    )
  ),
  forged("PKCS #1 v1.5 called PS256", token(claims, { alg: "PS256" }, pkcs1)),
  forged("HMAC called PS256", token(claims, { alg: "PS256" }, hmac(pem))),
  forged(
    "PS256 with another salt length",
    token(claims, { alg: "PS256" }, rsa(keys, "sha256", 20))
  ),
  forged("SHA-384 called PS256", token(claims, { alg: "PS256" }, rsa(keys, "sha384"))),
  forged("no signature", `${header}.${payload}.`),
  forged("a short signature", `${header}.${payload}.${signature.slice(0, 100)}`),
  forged("a signature of zeros", `${header}.${payload}.${"A".repeat(signature.length)}`),
  forged(
    "the signature of another token",
    `${header}.${encode({ ...claims, productCode: "x" })}.${signature}`
  ),
  {
    name: "the key of another version",
    jwt: genuine,
    with: { publicKey: { 1: otherKeys.publicKey, 2: pem } },
    is: { reason: "badSignature", expected: key1 }
  },

  badKey("no key", undefined),
  badKey("empty text for a key", ""),
  badKey("text that is no key", "not a key"),
  badKey("a PEM cut short", pem.slice(0, 200)),
  badKey("a PKCS #1 PEM", keys.publicKey.export({ format: "pem", type: "pkcs1" })),
  badKey("a private PEM", keys.privateKey.export({ format: "pem", type: "pkcs8" })),
  badKey("a private KeyObject", keys.privateKey),
  badKey("a private JWK", keys.privateKey.export({ format: "jwk" })),
  badKey("a key of 1024 bits", weak.publicKey.export({ format: "pem", type: "spki" })),
  badKey("the key in AWS's example", sampleOfAws),
  badKey("an EC PEM", ec.publicKey.export({ format: "pem", type: "spki" })),
  badKey("an EC JWK", ec.publicKey.export({ format: "jwk" })),
  badKey("an EC KeyObject", ec.publicKey),
  badKey("a symmetric JWK", { kty: "oct", k: Buffer.from(pem).toString("base64url") }),
  badKey("a JWK for RS256", { ...jwk, alg: "RS256" }),
  badKey("a JWK for encryption", { ...jwk, use: "enc" }),
  badKey("a JWK for signing", { ...jwk, key_ops: ["sign"] }),
  badKey("a JWK without a modulus", { kty: "RSA", e: "AQAB" }),
  badKey("bytes", new Uint8Array(der)),
  badKey("a record without the version", { 2: pem }),

  ...["productCode", "publicKeyVersion", "nonce", "iat"].flatMap((name) => [
    claim(`no ${name}`, without(name), "missingClaim", name),
    claim(
      `${name} in capitals`,
      { ...without(name), [name.toUpperCase()]: 1 },
      "missingClaim",
      name
    ),
    claim(`${name} is a list`, { ...claims, [name]: ["a1b2c3"] }, "malformedClaim", name)
  ]),
  ...["productCode", "publicKeyVersion", "nonce"].flatMap((name) => [
    claim(`${name} is null`, { ...claims, [name]: null }, "missingClaim", name),
    claim(`${name} is true`, { ...claims, [name]: true }, "malformedClaim", name)
  ]),
  claim(
    "an inherited claim",
    { ...without("nonce"), ["__proto__"]: { nonce } },
    "missingClaim",
    "nonce"
  ),
  claim("two products", { ...claims, ProductCode: "x" }, "malformedClaim", "productCode"),
  claim("two versions", { ...claims, PublicKeyVersion: 2 }, "malformedClaim", "publicKeyVersion"),
  claim("two nonces", { ...claims, Nonce: "x" }, "malformedClaim", "nonce"),
  claim("two times", { ...claims, Iat: iat + 1 }, "malformedClaim", "iat"),
  claim("one case cannot be read", { ...claims, Nonce: 7 }, "malformedClaim", "nonce"),
  claim("a number for the product", { ...claims, productCode: 7 }, "malformedClaim", "productCode"),
  claim("version 1.5", { ...claims, publicKeyVersion: 1.5 }, "malformedClaim", "publicKeyVersion"),
  claim("version 01", { ...claims, publicKeyVersion: "01" }, "malformedClaim", "publicKeyVersion"),
  claim(
    "version 0x1",
    { ...claims, publicKeyVersion: "0x1" },
    "malformedClaim",
    "publicKeyVersion"
  ),
  claim(
    "no text for a version",
    { ...claims, publicKeyVersion: "" },
    "malformedClaim",
    "publicKeyVersion"
  ),
  claim("iat as text", { ...claims, iat: String(iat) }, "malformedClaim", "iat"),
  claim("iat beyond all dates", { ...claims, iat: 1e15 }, "malformedClaim", "iat"),
  claim("exp as text", { ...claims, exp: "soon" }, "malformedClaim", "exp"),
  claim("expired", { ...claims, exp: iat - 300 }, "tooOld", "exp"),
  claim("not valid yet", { ...claims, nbf: iat + 301 }, "issuedInFuture", "nbf"),

  {
    name: "another product",
    jwt: token({ ...claims, productCode: "A1b2c3" }),
    is: {
      reason: "productCodeMismatch",
      claim: "productCode",
      expected: "a1b2c3",
      found: "A1b2c3"
    }
  },
  {
    name: "another version",
    jwt: token({ ...claims, publicKeyVersion: "2" }),
    is: {
      reason: "publicKeyVersionMismatch",
      claim: "publicKeyVersion",
      expected: "1",
      found: "2"
    }
  },
  ...[`${nonce} `, nonce.toUpperCase(), ""].map(
    (other): Rejected => ({
      name: `another nonce: ${JSON.stringify(other)}`,
      jwt: token({ ...claims, nonce: other }),
      is: { reason: "nonceMismatch", claim: "nonce" }
    })
  ),
  {
    name: "a nonce where an empty one was asked for",
    jwt: genuine,
    with: { nonce: "" },
    is: { reason: "nonceMismatch", claim: "nonce" }
  },
  {
    name: "milliseconds for seconds",
    jwt: token({ ...claims, iat: iat * 1000 }),
    is: {
      reason: "issuedInFuture",
      claim: "iat",
      expected: "at most 2021-03-04T05:11:07.000Z",
      found: "+053142-01-24T13:56:40.000Z"
    }
  },
  {
    name: "too old",
    jwt: token({ ...claims, iat: iat - 3901 }),
    is: {
      reason: "tooOld",
      claim: "iat",
      expected: "at least 2021-03-04T04:01:07.000Z",
      found: "2021-03-04T04:01:06.000Z"
    }
  },
  {
    name: "an expired key",
    jwt: genuine,
    with: { publicKeyRotationTimestamp: now },
    is: {
      reason: "keyRotated",
      claim: "iat",
      expected: "before 2021-03-04T05:06:07.000Z",
      found: "2021-03-04T05:06:07.000Z"
    }
  }
]

describe("rejected tokens", () => {
  for (const { name, jwt, with: overrides, is } of rejected) {
    it.effect(`${is.reason}: ${name}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(verifyAt(now, jwt, overrides))
        assert.strictEqual(error._tag, "InvalidEntitlementError")
        const { reason, claim, expected, found } = error
        assert.deepStrictEqual(
          { reason, claim, expected, found },
          { claim: undefined, expected: undefined, found: undefined, ...is }
        )
        assert.isFalse(error.isRetryable || error.isThrottling)
      })
    )
  }

  it("every reason is in the table", () => {
    assert.sameMembers(
      [...new Set(rejected.map(({ is }) => is.reason))],
      [...Entitlement.RejectionReason.literals]
    )
  })

  it.effect("a CryptoKey for something else", () =>
    Effect.forEach(
      [
        ["RSASSA-PKCS1-v1_5", "SHA-256"],
        ["RSA-PSS", "SHA-384"],
        ["RSA-OAEP", "SHA-256"]
      ] as const,
      ([name, hash]) =>
        Effect.gen(function* () {
          const usages = name === "RSA-OAEP" ? (["encrypt"] as const) : (["verify"] as const)
          const publicKey = yield* importCryptoKey(name, hash, usages)
          const error = yield* Effect.flip(verifyAt(now, genuine, { publicKey }))
          assert.strictEqual(error.reason, "badPublicKey")
        })
    )
  )

  it.effect("the message says what to look at", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(verifyAt(now, token({ ...claims, productCode: "other" })))
      assert.strictEqual(
        error.message,
        "No proof of entitlement: the token is for another product (productCode): expected a1b2c3, found other."
      )
      const missing = yield* Effect.flip(verifyAt(now, undefined))
      assert.strictEqual(missing.message, "No proof of entitlement: the response has no Signature.")
    })
  )
})

describe("time", () => {
  const later = (offset: Duration.DurationInput) => DateTime.addDuration(now, offset)
  const earlier = (offset: Duration.DurationInput) => DateTime.subtractDuration(now, offset)

  const moments: ReadonlyArray<
    readonly [
      name: string,
      at: DateTime.Utc,
      overrides: Partial<Entitlement.VerifyOptions>,
      reason?: Entitlement.RejectionReason
    ]
  > = [
    ["1 h 5 min later, as the defaults have it", later("65 minutes"), {}],
    ["a millisecond more", later(65 * 60_000 + 1), {}, "tooOld"],
    ["5 min before, as the default has it", earlier("5 minutes"), {}],
    ["a millisecond less", earlier(5 * 60_000 + 1), {}, "issuedInFuture"],
    [
      "exactly maxAge, no tolerance",
      later("10 seconds"),
      { maxAge: "10 seconds", clockTolerance: 0 }
    ],
    ["a millisecond more", later(10_001), { maxAge: "10 seconds", clockTolerance: 0 }, "tooOld"],
    ["exactly now, nothing allowed", now, { maxAge: 0, clockTolerance: 0 }],
    ["a millisecond later, nothing allowed", later(1), { maxAge: 0, clockTolerance: 0 }, "tooOld"],
    ["a millisecond before", earlier(1), { maxAge: 0, clockTolerance: 0 }, "issuedInFuture"],
    ["any age", later("36500 days"), { maxAge: Duration.infinity }],
    ["any clock", earlier("3650 days"), { clockTolerance: Duration.infinity }],
    ["a rotation a millisecond later", now, { publicKeyRotationTimestamp: later(1) }],
    ["a rotation at the same time", now, { publicKeyRotationTimestamp: now }, "keyRotated"],
    [
      "a rotation since, seen when it has been",
      later("10 minutes"),
      { publicKeyRotationTimestamp: later("1 minute") }
    ],
    ["a rotation long ago", now, { publicKeyRotationTimestamp: earlier("1 day") }, "keyRotated"],
    ["no rotation", now, { publicKeyRotationTimestamp: undefined }]
  ]

  for (const [name, moment, overrides, reason] of moments) {
    it.effect(`${reason ?? "accepted"}: ${name}`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(verifyAt(moment, genuine, overrides))
        const outcome = Exit.match(exit, {
          onSuccess: () => undefined,
          onFailure: (cause) => Cause.squash(cause)
        })
        assert.strictEqual(
          outcome instanceof Entitlement.InvalidEntitlementError ? outcome.reason : outcome,
          reason
        )
      })
    )
  }

  it.effect("fractions of a second survive", () =>
    Effect.gen(function* () {
      const entitlement = yield* verifyAt(now, token({ ...claims, iat: iat - 0.25 }))
      assert.strictEqual(entitlement.issuedAt.epochMillis, now.epochMillis - 250)
    })
  )

  it.effect("each run looks at the clock again", () =>
    Effect.gen(function* () {
      const verify = Entitlement.verify(genuine, options)
      yield* TestClock.setTime(now)
      yield* verify
      yield* TestClock.adjust("2 hours")
      assert.strictEqual((yield* Effect.flip(verify)).reason, "tooOld")
    })
  )
})

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

const replaced = (index: number, character: string) =>
  genuine.slice(0, index) + character + genuine.slice(index + 1)

const isRejected = (jwt: string) =>
  Effect.map(Effect.flip(verifyAt(now, jwt)), ({ reason }) => {
    assert.include(["malformedToken", "badSignature", "wrongAlgorithm"], reason)
  })

describe("tampering", () => {
  it.effect("another character anywhere", () =>
    Effect.forEach(
      Array.from(genuine, (character, index) => replaced(index, character === "A" ? "B" : "A")),
      isRejected
    )
  )

  // its lowest four bits are not part of any byte
  it.effect("every other last character of the signature", () =>
    Effect.gen(function* () {
      const others = [...alphabet].filter((character) => !genuine.endsWith(character))
      yield* Effect.forEach(others, (character) =>
        isRejected(replaced(genuine.length - 1, character))
      )
      const same = others.filter((character) =>
        Buffer.from(signature, "base64url").equals(
          Buffer.from(signature.slice(0, -1) + character, "base64url")
        )
      )
      assert.lengthOf(same, 15)
    })
  )

  it.effect.prop(
    "any characters, replaced, left out or put in",
    [
      FastCheck.nat(genuine.length - 1),
      FastCheck.nat(3),
      FastCheck.string({
        unit: FastCheck.constantFrom(...alphabet, ".", "+", "/", " ", "\n"),
        maxLength: 3
      })
    ],
    ([index, length, text]) => {
      const jwt = genuine.slice(0, index) + text + genuine.slice(index + length)
      return jwt === genuine ? Effect.void : isRejected(jwt)
    },
    { fastCheck: { numRuns: 200 } }
  )

  it.effect.prop(
    "any other claims under the same signature",
    [FastCheck.dictionary(FastCheck.constantFrom(...Object.keys(claims)), FastCheck.jsonValue())],
    ([changes]) => {
      const changed = encode({ ...claims, ...changes })
      return changed === payload ? Effect.void : isRejected(`${header}.${changed}.${signature}`)
    }
  )

  it.effect.prop(
    "any text at all fails, and nothing dies",
    [
      FastCheck.oneof(
        FastCheck.string(),
        FastCheck.array(FastCheck.base64String()).map((parts) => parts.join("."))
      )
    ],
    ([text]) => isRejected(text)
  )
})

describe("no leak", () => {
  const pieces = (text: string) => text.split(/[^\w-]+/).filter((piece) => piece.length >= 16)
  const secretsOf = ({ jwt = "", with: overrides }: Rejected): ReadonlyArray<string> => {
    const publicKey = overrides?.publicKey ?? pem
    return [
      ...pieces(jwt),
      ...pieces(jwt).map((piece) => piece.slice(0, 16)),
      ...jwt.split(".").map((segment) => Buffer.from(segment, "base64url").toString()),
      ...(typeof publicKey === "string"
        ? pieces(publicKey.replaceAll(/-----[^-]+-----/g, ""))
        : []),
      ...(typeof jwk.n === "string" ? [jwk.n] : []),
      nonce
    ].filter((secret) => secret.length >= 16)
  }

  it.effect("in any failure, however it is shown", () =>
    Effect.forEach(rejected, (row) =>
      Effect.gen(function* () {
        const jwt = row.jwt === undefined ? undefined : Redacted.make(row.jwt)
        const cause = yield* verifyAt(now, jwt, row.with).pipe(
          Effect.withSpan("start"),
          Effect.sandbox,
          Effect.flip
        )
        const error = Cause.squash(cause)
        assert.instanceOf(error, Entitlement.InvalidEntitlementError)
        const shown = [error, error.stack, error.cause, cause].flatMap((value) => [
          String(value),
          String(JSON.stringify(value)),
          inspect(value, { depth: null, showHidden: true })
        ])
        shown.push(Cause.pretty(cause, { renderErrorCause: true }))
        for (const secret of secretsOf(row)) {
          for (const text of shown) assert.notInclude(text, secret, row.name)
        }
      })
    )
  )
})

it("jose comes with the first call, and nothing of it that verifying does not take", async () => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL("../src/Entitlement.ts", import.meta.url))],
    bundle: true,
    splitting: true,
    format: "esm",
    outdir: "out",
    write: false,
    metafile: true,
    external: ["effect"]
  })
  const chunks = Object.values(metafile.outputs).map(({ entryPoint, inputs }) => ({
    isEntry: entryPoint?.endsWith("src/Entitlement.ts") === true,
    jose: Object.keys(inputs).filter((path) => /\bjose\b/.test(path) && inputs[path]?.bytesInOutput)
  }))
  assert.deepStrictEqual(
    chunks.filter(({ jose }) => jose.length > 0).map(({ isEntry }) => isEntry),
    [false]
  )
  assert.isEmpty(chunks.flatMap(({ jose }) => jose.filter((path) => /jwks|encrypt/.test(path))))
})
