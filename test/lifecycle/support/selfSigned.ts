/** A self-signed certificate of an RSA key, in DER written by hand: neither Node.js nor its runtime makes any. */
import { createPublicKey, type KeyObject, sign } from "node:crypto"

const tlv = (tag: number, ...contents: ReadonlyArray<Buffer>): Buffer => {
  const content = Buffer.concat(contents)
  const { length } = content
  const size =
    length < 128
      ? Buffer.of(length)
      : length < 256
        ? Buffer.of(0x81, length)
        : Buffer.of(0x82, length >> 8, length & 0xff)
  return Buffer.concat([Buffer.of(tag), size, content])
}

const sequence = (...contents: ReadonlyArray<Buffer>) => tlv(0x30, ...contents)

const sha256WithRsa = sequence(
  Buffer.from("06092a864886f70d01010b", "hex"), // 1.2.840.113549.1.1.11
  Buffer.of(0x05, 0)
)

const commonName = (name: string) =>
  sequence(
    tlv(
      0x31,
      sequence(
        Buffer.from("0603550403", "hex"), // 2.5.4.3
        tlv(0x0c, Buffer.from(name))
      )
    )
  )

/** GeneralizedTime, such as 20261125100000Z. */
const time = (iso: string) => tlv(0x18, Buffer.from(`${iso.replace(/\D/g, "").slice(0, 14)}Z`))

export interface Validity {
  readonly from: string
  readonly to: string
}

/** Makes a certificate in PEM. Times are in ISO 8601 and UTC. */
export const selfSigned = (
  privateKey: KeyObject,
  { from, to }: Validity,
  certifiedKey: KeyObject = createPublicKey(privateKey),
  subject = "sns.amazonaws.com"
): string => {
  const name = commonName(subject)
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.of(1)),
    sha256WithRsa,
    name,
    sequence(time(from), time(to)),
    name,
    certifiedKey.export({ type: "spki", format: "der" })
  )
  const signature = sign("RSA-SHA256", toBeSigned, privateKey)
  const der = sequence(toBeSigned, sha256WithRsa, tlv(0x03, Buffer.of(0), signature))
  const lines = der.toString("base64").match(/.{1,64}/g) ?? []
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n")
}
