/** Fetches the certificates of SNS signatures, and caches each until it expires. */
import { type KeyObject, X509Certificate } from "node:crypto"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { singleFlight } from "../../../internal/credentials/singleFlight.js"
import { type GetFailure, get } from "./get.js"
import { certificateNamesOf } from "./urls.js"

export interface Certificate {
  readonly publicKey: KeyObject
  /** The validity period, in epoch milliseconds. */
  readonly validFrom: number
  readonly validTo: number
  /** Returns true if the certificate is issued to this host name. A wildcard does not match. */
  readonly isOf: (name: string) => boolean
}

/** A shared request, and the number of messages that wait for it. */
interface Flight {
  readonly run: Effect.Effect<Certificate, CertificateFailure>
  waiting: number
}

export type CertificateFailure = GetFailure | "malformed" | "wrongSubject" | "expired" | "busy"

/** Maximum number of cached certificates. SNS has one in each Region, and replaces it once a year. */
const maxCached = 32

/** Maximum number of concurrent requests. Limited because any sender can name certificates that do not exist. */
const maxRequests = 4

/** Maximum number of running and waiting requests. Limited because messages that wait for a request are kept in memory. */
const maxFlights = 32

const parseCertificate = Option.liftThrowable((pem: string): Certificate => {
  const certificate = new X509Certificate(pem)
  return {
    publicKey: certificate.publicKey,
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
    isOf: (name) => certificate.checkHost(name) === name
  }
})

/** Returns true for every certificate of a sandbox, because it is not issued to SNS. */
const isOfSns = ({ isOf }: Certificate, url: string) => certificateNamesOf(url)?.some(isOf) ?? true

const isValidAt = ({ validFrom, validTo }: Certificate, now: number) =>
  validFrom <= now && now <= validTo

/**
 * Makes a function that returns the certificate at a URL. Concurrent calls for one URL share a request. Failures and expired
 * certificates are not cached.
 */
export const makeCertificates = (httpClient: HttpClient.HttpClient) =>
  Effect.map(Effect.makeSemaphore(maxRequests), (requests) => {
    const cached = new Map<string, Certificate>()
    const flights = new Map<string, Flight>()

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
                  if (!isOfSns(certificate, url)) return Effect.fail("wrongSubject" as const)
                  if (!isValidAt(certificate, now)) return Effect.fail("expired" as const)
                  store(url, certificate)
                  return Effect.succeed(certificate)
                })
            }
          )
        )
      )

    const enter = (url: string) =>
      Effect.flatMap(singleFlight(fetch(url)), (run): Effect.Effect<Flight, "busy"> => {
        const flight = flights.get(url) ?? { run, waiting: 0 }
        if (flight.waiting === 0 && flights.size >= maxFlights) return Effect.fail("busy")
        flights.set(url, flight)
        flight.waiting += 1
        return Effect.succeed(flight)
      })

    const leave = (url: string, flight: Flight) =>
      Effect.sync(() => {
        flight.waiting -= 1
        if (flight.waiting === 0) flights.delete(url)
      })

    const join = (url: string) =>
      Effect.acquireUseRelease(
        enter(url),
        ({ run }) => run,
        (flight) => leave(url, flight)
      )

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
