import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { redactor } from "../../../internal/client/redact.js"
import { LedgerConfigError, type LedgerUnavailable } from "../../LedgerError.js"
import { type Connection, connect } from "./connection.js"
import { failureOf, ownFailure, type PgFailure } from "./failure.js"
import { loadPg } from "./pgPackage.js"
import { checkServer, type SessionOptions, setupStatements } from "./sessionSettings.js"
import { unavailable } from "./transactions.js"

export interface ConnectorOptions extends SessionOptions {
  readonly url: Redacted.Redacted<string>
  readonly password: Effect.Effect<Redacted.Redacted<string>, unknown> | undefined
  readonly applicationName: string
  /** Timeouts in milliseconds. */
  readonly connectTimeout: number
  readonly queryTimeout: number
}

interface Connector {
  readonly connect: Effect.Effect<Connection, PgFailure>
  /** The address of the server and the database, without the password. */
  readonly location: string
}

const asText = { getTypeParser: () => (value: string) => value }

/** Checks the server with a first connection, and returns how to open more. */
export const makeConnector = (
  options: ConnectorOptions
): Effect.Effect<Connector, LedgerConfigError | LedgerUnavailable> =>
  Effect.gen(function* () {
    const { makeClient } = yield* loadPg
    const url = yield* parseUrl(options.url)
    const configOf = (password: Redacted.Redacted<string> | undefined) => ({
      connectionString:
        password === undefined ? url.href : withPassword(url, Redacted.value(password)),
      application_name: options.applicationName,
      connectionTimeoutMillis: options.connectTimeout,
      query_timeout: options.queryTimeout,
      keepAlive: true,
      // the application may have changed the global type parsers of `pg`
      types: asText
    })
    const redact = redactor(() => [
      url.password,
      decodeURIComponent(url.password),
      url.searchParams.get("password") ?? ""
    ])
    const { host, port, database } = yield* Effect.try({
      try: () => makeClient(configOf(undefined)),
      catch: (error) =>
        new LedgerConfigError({
          reason: "invalidOptions",
          detail: `the URL of the database cannot be used: ${failureOf(error, redact).reason}`,
          cure: "Correct its parameters (url)"
        })
    })
    const setup = setupStatements(options)
    const password: Effect.Effect<Redacted.Redacted<string> | undefined, PgFailure> =
      options.password === undefined
        ? Effect.succeed(undefined)
        : Effect.mapError(options.password, () =>
            ownFailure("the password of the database could not be determined")
          )
    const open = Effect.flatMap(password, (given) =>
      connect(
        () => makeClient(configOf(given)),
        setup,
        given === undefined ? redact : redactor(() => [Redacted.value(given)])
      )
    )
    // later connections are checked too, because the server behind the address may have changed
    const openChecked = Effect.flatMap(open, ([connection, settings]) =>
      Effect.matchEffect(checkServer(settings, options), {
        onSuccess: () => Effect.succeed(connection),
        onFailure: (error) =>
          Effect.zipRight(connection.close, Effect.fail(ownFailure(error.message)))
      })
    )
    yield* open.pipe(
      Effect.mapError((failure) => unavailable(failure, "no")),
      Effect.flatMap(([connection, settings]) =>
        Effect.ensuring(checkServer(settings, options), connection.close)
      )
    )
    return { connect: openChecked, location: redact(`${host}:${port}/${database ?? ""}`) }
  })

const parseUrl = (url: Redacted.Redacted<string>): Effect.Effect<URL, LedgerConfigError> =>
  Effect.suspend(() => {
    const invalid = (detail: string) =>
      Effect.fail(
        new LedgerConfigError({
          reason: "invalidOptions",
          detail: `the URL of the database ${detail}`,
          cure: "Write it as postgresql://user:password@host:5432/database, and percent-encode @ / : # ? % in the password"
        })
      )
    let parsed: URL
    try {
      parsed = new URL(Redacted.value(url))
      decodeURIComponent(parsed.password)
    } catch {
      // the original error is dropped, because it shows the URL with the password
      return invalid("is not valid")
    }
    if (parsed.protocol !== "postgresql:" && parsed.protocol !== "postgres:") {
      return invalid("does not start with postgresql:")
    }
    // the rest of a password that was not percent-encoded
    if (/[@:#]/.test(parsed.pathname) || parsed.hash !== "") {
      return invalid("is not valid after its host")
    }
    return Effect.succeed(parsed)
  })

const withPassword = (url: URL, password: string): string => {
  const copy = new URL(url)
  copy.password = encodeURIComponent(password)
  return copy.href
}
