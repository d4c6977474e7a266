import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import { LedgerUnavailable } from "../../LedgerError.js"
import type { SqlSession } from "../sql/session.js"
import type { Connection } from "./connection.js"
import type { ConnectionPool } from "./connectionPool.js"
import { isDefect, isEndedWhileIdle, isRepeatable, ownFailure, type PgFailure } from "./failure.js"

/** Maximum number of runs of a transaction that conflicts with others. */
const maxRuns = 5

export interface TransactionKind {
  readonly begin: string
  /** Client-side timeout of each statement, in milliseconds. Longer than the server's timeout. */
  readonly queryTimeout: number
}

/** The result of one run. After `again` the transaction runs again, up to `maxRuns` times. */
type Run<A> =
  | { readonly _tag: "done"; readonly value: A }
  | { readonly _tag: "again"; readonly failure: PgFailure }

export const done = <A>(value: A): Run<A> => ({ _tag: "done", value })
export const again = (failure: PgFailure): Run<never> => ({ _tag: "again", failure })

export const unavailable = (
  failure: PgFailure,
  isStored: LedgerUnavailable["isStored"]
): LedgerUnavailable => new LedgerUnavailable({ reason: failure.reason, isStored })

/** Fails with the failure. Dies if the statement itself is wrong, so that it would fail again. */
export const failWith = (
  failure: PgFailure,
  isStored: LedgerUnavailable["isStored"]
): Effect.Effect<never, LedgerUnavailable> =>
  isDefect(failure)
    ? Effect.die(new Error(failure.reason))
    : Effect.fail(unavailable(failure, isStored))

/** Runs on a connection of the pool, and repeats it after `again`. A run is uninterruptible. */
export const repeat = <A, E>(
  pool: ConnectionPool,
  run: (connection: Connection) => Effect.Effect<Run<A>, E>
): Effect.Effect<A, E | LedgerUnavailable> => {
  const next = (runs: number): Effect.Effect<A, E | LedgerUnavailable> =>
    pool
      .use((connection) => Effect.uninterruptible(Effect.either(run(connection))))
      .pipe(
        // there was no connection, so nothing was sent
        Effect.catchAll((failure) => Effect.fail(unavailable(failure, "no"))),
        Effect.flatMap(
          (result): Effect.Effect<A, E | LedgerUnavailable> =>
            Either.isLeft(result)
              ? Effect.fail(result.left)
              : result.right._tag === "done"
                ? Effect.succeed(result.right.value)
                : runs < maxRuns
                  ? next(runs + 1)
                  : failWith(result.right.failure, "no")
        )
      )
  return next(1)
}

/**
 * Runs a transaction. Only if the response to COMMIT is lost is it unknown whether the transaction is stored.
 */
export const transact = <A, E>(
  pool: ConnectionPool,
  { begin, queryTimeout }: TransactionKind,
  body: (session: SqlSession) => Effect.Effect<A, E>
): Effect.Effect<A, E | LedgerUnavailable> =>
  repeat(pool, (connection) =>
    Effect.gen(function* () {
      const begun = yield* Effect.either(
        connection.run({ text: begin, query_timeout: queryTimeout })
      )
      if (Either.isLeft(begun)) {
        yield* rollback(connection)
        // broken: the connection was lost while it was idle in the pool
        return connection.isBroken() ? again(begun.left) : yield* failWith(begun.left, "no")
      }
      const failures: Array<PgFailure> = []
      const exit = yield* Effect.exit(body(makeSession(connection, queryTimeout, failures)))
      const failure = failures[0]
      if (Exit.isFailure(exit) || failure !== undefined) {
        yield* rollback(connection)
        if (failure !== undefined && isRepeatable(failure)) return again(failure)
        return Exit.isFailure(exit)
          ? yield* Effect.failCause(exit.cause)
          : yield* failWith(failure ?? lostBeforeCommit, "no")
      }
      if (connection.isBroken()) return yield* failWith(lostBeforeCommit, "no")
      return yield* commit(connection, queryTimeout, exit.value)
    })
  )

const lostBeforeCommit = ownFailure("the connection was lost before the commit")

const makeSession = (
  connection: Connection,
  queryTimeout: number,
  failures: Array<PgFailure>
): SqlSession => ({
  query: (text, values) =>
    connection.run({ text, values, query_timeout: queryTimeout }).pipe(
      Effect.map(({ rows }) => rows),
      Effect.catchAll((failure) => {
        failures.push(failure)
        return isRepeatable(failure)
          ? Effect.fail(unavailable(failure, "no"))
          : failWith(failure, "no")
      })
    )
})

const commit = <A>(
  connection: Connection,
  queryTimeout: number,
  value: A
): Effect.Effect<Run<A>, LedgerUnavailable> =>
  Effect.gen(function* () {
    connection.takeWarning()
    const result = yield* Effect.either(
      connection.run({ text: "COMMIT", query_timeout: queryTimeout })
    )
    if (Either.isLeft(result)) {
      // if the session still works, the transaction was rolled back; if the session ended, it may have been committed before
      const isRolledBack = yield* rollback(connection)
      if (!isRolledBack) {
        const isStored = isEndedWhileIdle(result.left) ? "no" : "unknown"
        return yield* Effect.fail(unavailable(result.left, isStored))
      }
      return isRepeatable(result.left) ? again(result.left) : yield* failWith(result.left, "no")
    }
    if (result.right.command !== "COMMIT") return yield* Effect.fail(rolledBackAtCommit)
    if (connection.takeWarning()) return yield* Effect.fail(notReplicated)
    return done(value)
  })

const rolledBackAtCommit = new LedgerUnavailable({
  reason: "PostgreSQL rolled the transaction back",
  isStored: "no"
})

/** If the wait for a synchronous standby is canceled, PostgreSQL commits with a warning. */
export const notReplicated = new LedgerUnavailable({
  reason: "PostgreSQL committed with a warning: a standby may not have it",
  isStored: "unknown"
})

/** Rolls back. Returns true if the session still works, so that nothing was stored. Otherwise closes the connection. */
export const rollback = (connection: Connection): Effect.Effect<boolean> =>
  connection.isBroken()
    ? Effect.succeed(false)
    : connection.run({ text: "ROLLBACK" }).pipe(
        Effect.as(true),
        Effect.catchAll(() => Effect.as(connection.close, false))
      )
