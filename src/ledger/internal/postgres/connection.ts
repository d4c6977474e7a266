import * as Effect from "effect/Effect"
import { failureOf, type PgFailure } from "./failure.js"
import type { PgClient, PgResult, PgStatement } from "./pgPackage.js"

/** One session of the server. Statements run one after another. */
export interface Connection {
  readonly run: (statement: PgStatement) => Effect.Effect<PgResult, PgFailure>
  /** True if the connection was lost, or its state is unknown. */
  readonly isBroken: () => boolean
  /** True if the server has sent a warning since the last call of `takeWarning`. */
  readonly takeWarning: () => boolean
  readonly close: Effect.Effect<void>
}

/** Connects, and runs the statements of `setup`. Returns the connection and the last result. */
export const connect = (
  makeClient: () => PgClient,
  setup: string,
  redact: (text: string) => string
): Effect.Effect<readonly [Connection, PgResult], PgFailure> =>
  Effect.suspend(() => {
    const client = makeClient()
    let isBroken = false
    let isWarned = false
    const fail = (error: unknown): PgFailure => {
      const failure = failureOf(error, redact)
      // also after a client-side timeout, because the statement is still running
      if (failure.sqlState === undefined) isBroken = true
      return failure
    }
    // emitted between statements if the connection is lost, or the server ends the session
    client.on("error", () => {
      isBroken = true
    })
    client.on("end", () => {
      isBroken = true
    })
    client.on("notice", ({ code }) => {
      if (code?.startsWith("01")) isWarned = true
    })
    const connection: Connection = {
      isBroken: () => isBroken,
      takeWarning: () => {
        const wasWarned = isWarned
        isWarned = false
        return wasWarned
      },
      run: (statement) =>
        Effect.async((resume) => {
          client.query(statement, (error, result) =>
            resume(error ? Effect.fail(fail(error)) : Effect.succeed(lastOf(result)))
          )
        }),
      close: Effect.sync(() => {
        isBroken = true
        client.end(() => {})
        // a server that does not respond must not keep the process alive
        client.unref?.()
      })
    }
    return Effect.async<void, PgFailure>((resume) =>
      client.connect((error) => resume(error ? Effect.fail(fail(error)) : Effect.void))
    ).pipe(
      Effect.zipRight(connection.run({ text: setup })),
      Effect.map((result) => [connection, result] as const),
      Effect.tapError(() => connection.close)
    )
  })

/** Returns the last result of a text with several statements. */
const lastOf = (result: PgResult | Array<PgResult>): PgResult =>
  Array.isArray(result) ? (result.at(-1) ?? { command: "", rows: [] }) : result
