import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import * as Node from "../../../src/internal/sigv4/sha256.node.js"
import * as WebCrypto from "../../../src/internal/sigv4/sha256.webCrypto.js"

const implementations: ReadonlyArray<readonly [string, typeof Node]> = [
  ["node", Node],
  ["portable", WebCrypto]
]

const repeated = (byte: number, times: number) => new Uint8Array(times).fill(byte)

describe.each(implementations)("sha256.%s", (_, { hmacSha256, hmacSha256Hex, sha256Hex }) => {
  // FIPS 180-4, examples of SHA-256
  it.each([
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ],
    ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"]
  ])("hashes the published messages", async (message, hash) => {
    for (const data of [message, new TextEncoder().encode(message)]) {
      expect(await Effect.runPromise(sha256Hex(data))).toBe(hash)
    }
  })

  // RFC 4231, cases 1, 2, 3 and 6
  it.each([
    [
      repeated(0x0b, 20),
      "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ],
    [
      "Jefe",
      "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ],
    [
      repeated(0xaa, 20),
      repeated(0xdd, 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ],
    [
      repeated(0xaa, 131),
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ]
  ])("authenticates the published messages", async (key, message, code) => {
    expect(await Effect.runPromise(hmacSha256Hex(key, message))).toBe(code)
    const bytes = await Effect.runPromise(hmacSha256(key, message))
    expect(Buffer.from(bytes).toString("hex")).toBe(code)
  })
})

describe("sha256", () => {
  // Any UTF-16 code units: surrogates without a partner too
  const text = FastCheck.string({ unit: FastCheck.nat(0xffff).map((n) => String.fromCharCode(n)) })
  const data = FastCheck.oneof(text, FastCheck.uint8Array({ maxLength: 300 }))

  it("is the same from both", async () => {
    const all = (by: typeof Node, key: string | Uint8Array, message: string | Uint8Array) =>
      Effect.runPromise(
        Effect.all([
          by.sha256Hex(message),
          by.hmacSha256Hex(key, message),
          Effect.map(by.hmacSha256(key, message), (bytes) => Array.from(bytes))
        ])
      )
    // Web Crypto takes no empty key, and none that is made of a secret is
    const keys = data.filter(({ length }) => length > 0)
    await FastCheck.assert(
      FastCheck.asyncProperty(keys, data, async (key, message) => {
        expect(await all(WebCrypto, key, message)).toEqual(await all(Node, key, message))
      })
    )
  })
})
