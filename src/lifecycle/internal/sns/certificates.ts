/** The certificates that SNS signs with, fetched once and cached until they expire. */
import { type KeyObject, X509Certificate } from "node:crypto"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { singleFlight } from "../../../internal/credentials/singleFlight.js"
import { type GetFailure, get } from "./get.js"

export interface Certificate {
  readonly publicKey: KeyObject
  /** Times of its validity, in milliseconds since 1970. */
  readonly validFrom: number
  readonly validTo: number
}

export type CertificateFailure = GetFailure | "malformed" | "expired"

/** Maximum number of cached certificates. SNS has one in each Region, and changes it once a year. */
const maxCached = 32

/** Maximum number of concurrent requests. Any sender can name a certificate that does not exist. */
const maxRequests = 4

const parseCertificate = Option.liftThrowable((pem: string): Certificate => {
  const { publicKey, validFrom, validTo } = new X509Certificate(pem)
  return { publicKey, validFrom: Date.parse(validFrom), validTo: Date.parse(validTo) }
})

const isValidAt = ({ validFrom, validTo }: Certificate, now: number) =>
  validFrom <= now && now <= validTo

/**
 * Makes a function that gets the certificate of a URL. Concurrent calls for one URL share a request. A failure is not
 * cached, nor is an expired certificate.
 */
export const makeCertificates = (httpClient: HttpClient.HttpClient) =>
  Effect.map(Effect.makeSemaphore(maxRequests), (requests) => {
    const cached = new Map<string, Certificate>()
    const flights = new Map<string, Effect.Effect<Certificate, CertificateFailure>>()

    const store = (url: string, certificate: Certificate) => {
      const [oldest] = cached.keys()
      if (oldest !== undefined && cached.size >= maxCached) cached.delete(oldest)
      cached.set(url, certificate)
    }

    const fetch = (url: string): Effect.Effect<Certificate, CertificateFailure> =>
      get(httpClient, url).pipe(
        requests.withPermits(1),
        Effect.flatMap((pem) =>
          Option.match(
            Option.filter(parseCertificate(pem), (c) => c.publicKey.asymmetricKeyType === "rsa"),
            {
              onNone: () => Effect.fail("malformed" as const),
              onSome: (certificate) =>
                Effect.flatMap(Clock.currentTimeMillis, (now) => {
                  if (!isValidAt(certificate, now)) return Effect.fail("expired" as const)
                  store(url, certificate)
                  return Effect.succeed(certificate)
                })
            }
          )
        ),
        Effect.ensuring(Effect.sync(() => flights.delete(url)))
      )

    const join = (url: string) => {
      const flight = flights.get(url)
      return flight === undefined
        ? Effect.flatMap(singleFlight(fetch(url)), (started) => {
            flights.set(url, started)
            return started
          })
        : flight
    }

    return (url: string): Effect.Effect<Certificate, CertificateFailure> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const certificate = cached.get(url)
        if (certificate !== undefined && isValidAt(certificate, now)) {
          return Effect.succeed(certificate)
        }
        cached.delete(url)
        return join(url)
      })
  })
