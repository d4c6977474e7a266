import { generateKeyPairSync, X509Certificate } from "node:crypto"
import { assert, it } from "@effect/vitest"
import { selfSignedCertificate } from "../../../../src/sandbox/internal/runtime/certificate.js"

it.each([2048, 3072])(
  "a certificate of a key of %i bits can be parsed and verified",
  (modulusLength) => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength })
    const pem = selfSignedCertificate(privateKey)
    const certificate = new X509Certificate(pem)
    assert.isTrue(certificate.verify(publicKey))
    assert.isTrue(certificate.checkIssued(certificate))
    assert.isTrue(certificate.checkPrivateKey(privateKey))
    assert.strictEqual(certificate.subject, "CN=sandbox of AWS Marketplace")
    assert.strictEqual(certificate.validFrom, "Jan  1 00:00:00 2020 GMT")
    assert.strictEqual(certificate.validTo, "Dec 31 23:59:59 2049 GMT")
    assert.match(
      pem,
      /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n$/
    )
    // the same key has the same certificate, so that its URL stays
    assert.strictEqual(selfSignedCertificate(privateKey), pem)
  }
)
