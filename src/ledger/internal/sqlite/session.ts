/** Statements of the current transaction as effects. */
import * as Effect from "effect/Effect"
import { LedgerUnavailable } from "../../LedgerError.js"
import type { SqlSession } from "../sql/session.js"
import type { Connection } from "./connection.js"
import { unavailability } from "./sqliteError.js"

export interface Session extends SqlSession {
  readonly start: () => void
  /** Statements that come later fail: they would be transactions of their own. */
  readonly end: () => void
  /** The first statement that failed. SQLite may have rolled back then, so there is nothing more to run or to commit. */
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

/** An error of the place is `LedgerUnavailable`. Any other one is a defect of the statement, or a violated invariant. */
export const failureOf = (
  error: unknown,
  isStored: LedgerUnavailable["isStored"]
): Effect.Effect<never, LedgerUnavailable> => {
  const reason = unavailability(error)
  return reason === undefined
    ? Effect.die(error)
    : Effect.fail(new LedgerUnavailable({ reason, isStored }))
}
