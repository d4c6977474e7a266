import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Connection } from "./connection.js"
import type { PgFailure } from "./failure.js"

export interface ConnectionPool {
  /**
   * Runs `use` with exclusive access to a connection. Waits while all connections are in use. A broken connection is closed, and the
   * next call opens a new one.
   */
  readonly use: <A, E>(
    use: (connection: Connection) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | PgFailure>
}

/** Makes a pool of up to `size` connections, which are closed with the scope. */
export const makeConnectionPool = (
  connect: Effect.Effect<Connection, PgFailure>,
  size: number
): Effect.Effect<ConnectionPool, never, Scope.Scope> =>
  Effect.gen(function* () {
    const permits = yield* Effect.makeSemaphore(size)
    const idle: Array<Connection> = []
    let isClosed = false
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        isClosed = true
        return Effect.forEach(idle.splice(0), ({ close }) => close, { discard: true })
      })
    )
    const take = Effect.suspend(() => {
      for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
        if (!connection.isBroken()) return Effect.succeed(connection)
      }
      return connect
    })
    const giveBack = (connection: Connection) =>
      Effect.suspend(() => {
        if (connection.isBroken() || isClosed) return connection.close
        idle.push(connection)
        return Effect.void
      })
    return {
      use: (use) => permits.withPermits(1)(Effect.acquireUseRelease(take, use, giveBack))
    }
  })
