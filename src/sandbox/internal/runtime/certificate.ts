/** A self-signed X.509 certificate of an RSA key, in the DER encoding of ASN.1. */
import { createPublicKey, type KeyObject, sign } from "node:crypto"

/** Returns the certificate in PEM: version 3 of RFC 5280, without extensions. Valid until 2049, the last year of UTCTime. */
export const selfSignedCertificate = (privateKey: KeyObject): string => {
  const name = sequence(
    set(sequence(objectIdentifier(commonName), element(0x0c, utf8("sandbox of AWS Marketplace"))))
  )
  const validity = sequence(
    element(0x17, utf8("200101000000Z")),
    element(0x17, utf8("491231235959Z"))
  )
  const body = sequence(
    element(0xa0, element(0x02, Uint8Array.of(2))),
    element(0x02, Uint8Array.of(1)),
    signatureAlgorithm,
    name,
    validity,
    name,
    createPublicKey(privateKey).export({ type: "spki", format: "der" })
  )
  const signature = sign("sha256", body, privateKey)
  const certificate = sequence(body, signatureAlgorithm, element(0x03, Uint8Array.of(0), signature))
  const lines =
    Buffer.from(certificate)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n")
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Encodes an element: its tag, the length of its content, and the content. */
const element = (tag: number, ...contents: ReadonlyArray<Uint8Array>): Uint8Array => {
  const content = Buffer.concat(contents)
  return Buffer.concat([Uint8Array.of(tag), lengthOf(content.length), content])
}

/** Encodes a length: in one byte if it is below 128, otherwise as the number of bytes and the bytes. */
const lengthOf = (length: number): Uint8Array => {
  if (length < 0x80) return Uint8Array.of(length)
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex")
  return Buffer.concat([Uint8Array.of(0x80 | bytes.length), bytes])
}

const sequence = (...contents: ReadonlyArray<Uint8Array>): Uint8Array => element(0x30, ...contents)

const set = (...contents: ReadonlyArray<Uint8Array>): Uint8Array => element(0x31, ...contents)

const objectIdentifier = (bytes: Uint8Array): Uint8Array => element(0x06, bytes)

/** The object identifier 2.5.4.3. */
const commonName = Uint8Array.of(0x55, 0x04, 0x03)

/** sha256WithRSAEncryption, 1.2.840.113549.1.1.11, with NULL as parameters. */
const signatureAlgorithm = sequence(
  objectIdentifier(Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b)),
  Uint8Array.of(0x05, 0x00)
)
