/**
 * SHA-256 as Signature Version 4 needs it, where there is no node:crypto. Web Crypto would make every signature a
 * promise, and a library of hashes is a fifth of all that a bundle with this client has to carry.
 *
 * FIPS 180-4, https://csrc.nist.gov/pubs/fips/180-4/upd1/final, and RFC 2104 for HMAC.
 */

const encoder = new TextEncoder()

const toBytes = (data: string | Uint8Array): Uint8Array =>
  typeof data === "string" ? encoder.encode(data) : data

const blockLength = 64

/** The first 64 primes: the smallest number that none of those before divides, again and again. */
const primes = Array.from({ length: 64 }).reduce<ReadonlyArray<number>>((primes) => {
  let next = (primes.at(-1) ?? 1) + 1
  while (primes.some((prime) => next % prime === 0)) next++
  return [...primes, next]
}, [])

/** The first 32 bits of a fraction. */
const fraction = (number: number) => (number % 1) * 2 ** 32

const constants = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)))
const initial = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)))

const at = (words: Int32Array, i: number): number => words[i] ?? 0

const rotate = (word: number, by: number) => (word >>> by) | (word << (32 - by))

/** What the 64 rounds make of a block and of the state before it. */
const compress = (state: Int32Array, words: Int32Array, view: DataView, block: number) => {
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(block + 4 * i)
  for (let i = 16; i < 64; i++) {
    const early = at(words, i - 15)
    const late = at(words, i - 2)
    words[i] =
      (rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)) +
      (rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)) +
      at(words, i - 16) +
      at(words, i - 7)
  }
  let a = at(state, 0)
  let b = at(state, 1)
  let c = at(state, 2)
  let d = at(state, 3)
  let e = at(state, 4)
  let f = at(state, 5)
  let g = at(state, 6)
  let h = at(state, 7)
  for (let i = 0; i < 64; i++) {
    const first =
      h +
      (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
      ((e & f) ^ (~e & g)) +
      at(constants, i) +
      at(words, i)
    const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  const added = [a, b, c, d, e, f, g, h]
  for (let i = 0; i < 8; i++) state[i] = at(state, i) + (added[i] ?? 0)
}

const hash = (head: Uint8Array, tail: Uint8Array): Uint8Array => {
  const length = head.length + tail.length
  // the message, a bit, zeros, and the length in bits as 64 of them
  const message = new Uint8Array(Math.ceil((length + 9) / blockLength) * blockLength)
  message.set(head)
  message.set(tail, head.length)
  message[length] = 0x80
  const view = new DataView(message.buffer)
  view.setUint32(message.length - 8, length / 2 ** 29)
  view.setUint32(message.length - 4, length * 8)
  const state = initial.slice()
  const words = new Int32Array(64)
  for (let block = 0; block < message.length; block += blockLength) {
    compress(state, words, view, block)
  }
  for (let i = 0; i < 8; i++) view.setInt32(4 * i, at(state, i))
  return message.slice(0, 32)
}

const nothing = new Uint8Array()

const toHex = (bytes: Uint8Array): string => {
  let hex = ""
  for (const byte of bytes) hex += (byte + 256).toString(16).slice(1)
  return hex
}

export const sha256Hex = (data: string | Uint8Array): string => toHex(hash(toBytes(data), nothing))

export const hmacSha256 = (key: string | Uint8Array, data: string | Uint8Array): Uint8Array => {
  const given = toBytes(key)
  const short = given.length > blockLength ? hash(given, nothing) : given
  const padded = (by: number) => {
    const block = new Uint8Array(blockLength).fill(by)
    for (let i = 0; i < short.length; i++) block[i] = (short[i] ?? 0) ^ by
    return block
  }
  return hash(padded(0x5c), hash(padded(0x36), toBytes(data)))
}

export const hmacSha256Hex = (key: string | Uint8Array, data: string | Uint8Array): string =>
  toHex(hmacSha256(key, data))
