/** Runs the statements of the current transaction as effects. */
import * as Effect from "effect/Effect"
import { LedgerUnavailable } from "../../LedgerError.js"
import type { SqlSession } from "../sql/session.js"
import type { Connection } from "./connection.js"
import { unavailability } from "./sqliteError.js"

export interface Session extends SqlSession {
  readonly start: () => void
  /** Later statements die, because each would run in its own transaction. */
  readonly end: () => void
  /** The failure of the first failed statement. SQLite may have rolled back, so later statements and the commit have to fail too. */
  readonly failure: () => Effect.Effect<never, LedgerUnavailable> | undefined
}

export const makeSession = (connection: Connection, onError: (error: unknown) => void): Session => {
  let failure: Effect.Effect<never, LedgerUnavailable> | undefined = outside
  return {
    start: () => {
      failure = undefined
    },
    end: () => {
      failure = outside
    },
    failure: () => failure,
    query: (sql, params) =>
      Effect.suspend(() => {
        if (failure !== undefined) {
          return failure
        }
        try {
          return Effect.succeed(connection.query(sql, params))
        } catch (error) {
          onError(error)
          failure = failureOf(error, "no")
          return failure
        }
      })
  }
}

const outside = Effect.dieMessage("a statement was run outside of its transaction")

/** Fails with `LedgerUnavailable` for errors of the environment, such as a full disk. Dies for errors of the statement. */
export const failureOf = (
  error: unknown,
  isStored: LedgerUnavailable["isStored"]
): Effect.Effect<never, LedgerUnavailable> => {
  const reason = unavailability(error)
  return reason === undefined
    ? Effect.die(error)
    : Effect.fail(new LedgerUnavailable({ reason, isStored }))
}
