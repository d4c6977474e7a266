/** The store in a SQLite file. Each connection runs one transaction at a time. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import type * as Scope from "effect/Scope"
import { type LedgerConfigError, LedgerUnavailable } from "../../LedgerError.js"
import type { Service } from "../../UsageLedgerStore.js"
import { Changed, checkpoint, close, type Database, openDatabase, rollback } from "./database.js"
import type { Driver } from "./driver.js"
import { isInMemory } from "./fileChecks.js"
import { messageOf } from "./openFiles.js"
import { recordEvents } from "./recordEvents.js"
import { failureOf } from "./session.js"
import { codeOf } from "./sqliteError.js"
import { type Waiting, whenUnlocked } from "./whenUnlocked.js"

interface StoreOptions {
  readonly file: string
  /** Milliseconds. */
  readonly busyTimeout: number
}

/** A connection that is used by one transaction at a time, and is reopened after an error. */
interface Channel {
  readonly semaphore: Effect.Semaphore
  database: Database
  isClosed: boolean
}

export const makeStore = (
  driver: Driver,
  options: StoreOptions
): Effect.Effect<Service, LedgerConfigError | LedgerUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const writer = yield* makeChannel(driver, options)
    const { path, journal } = writer.database
    yield* Effect.logDebug(`${path} is open through ${driver.name}, journal mode ${journal}`)
    if (isInMemory(path)) {
      yield* Effect.logWarning(`${path} is on a disk in memory: a restart of the machine loses it`)
    }
    // a second connection is useful with the write-ahead log only, where readers and the writer do not block each other
    const reader = writer.database.journal === "wal" ? yield* makeChannel(driver, options) : writer
    const runOn =
      (channel: Channel, mode: Mode) =>
      <A, E>(body: (database: Database) => Effect.Effect<A, E>, isKept?: (value: A) => boolean) =>
        runTransaction(driver, options, channel, mode, body, isKept)
    const write = runOn(writer, "IMMEDIATE")
    const read = runOn(reader, "DEFERRED")
    return {
      transaction: (body) => write(({ tables }) => body(tables)),
      snapshot: (body) => read(({ tables }) => body(tables)),
      recordEvents: (events, now) =>
        write(
          ({ connection, onError }) =>
            Effect.suspend(() => {
              try {
                return Effect.succeed(recordEvents(connection, events, now))
              } catch (error) {
                onError(error)
                return failureOf(error, "no")
              }
            }),
          ({ _tag }) => _tag === "Recorded"
        ),
      description: { kind: "sqlite", location: path }
    }
  })

const makeChannel = (
  driver: Driver,
  { file, busyTimeout }: StoreOptions
): Effect.Effect<Channel, LedgerConfigError | LedgerUnavailable, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(
      openDatabase(driver, file, { busyTimeout, restore: identity }),
      (database): Channel => ({
        semaphore: Effect.unsafeMakeSemaphore(1),
        database,
        isClosed: false
      })
    ),
    (channel) =>
      channel.semaphore.withPermits(1)(
        Effect.sync(() => {
          channel.isClosed = true
          close(channel.database)
        })
      )
  )

/** A `DEFERRED` transaction only reads, and is always rolled back. */
type Mode = "IMMEDIATE" | "DEFERRED"

const runTransaction = <A, E>(
  driver: Driver,
  options: StoreOptions,
  channel: Channel,
  mode: Mode,
  body: (database: Database) => Effect.Effect<A, E>,
  isKept: (value: A) => boolean = () => true
): Effect.Effect<A, E | LedgerUnavailable> =>
  Effect.uninterruptibleMask((restore) => {
    const waiting: Waiting = { busyTimeout: options.busyTimeout, restore }
    return Effect.zipRight(
      restore(channel.semaphore.take(1)),
      Effect.ensuring(
        Effect.flatMap(begin(driver, channel, mode, waiting), (database) =>
          Effect.flatMap(
            Effect.exit(mode === "DEFERRED" ? restore(body(database)) : body(database)),
            (exit): Effect.Effect<A, E | LedgerUnavailable> => {
              const failure = database.session.failure()
              database.session.end()
              if (mode === "IMMEDIATE" && Exit.isSuccess(exit) && !failure && isKept(exit.value)) {
                // the commit is uninterruptible, so that the caller learns its outcome
                return Effect.as(commit(database, { ...waiting, restore: identity }), exit.value)
              }
              rollback(database)
              return failure !== undefined && Exit.isSuccess(exit) ? failure : exit
            }
          )
        ),
        channel.semaphore.release(1)
      )
    )
  })

/** Begins a transaction. Reopens the connection if it is not usable any more. */
const begin = (
  driver: Driver,
  channel: Channel,
  mode: Mode,
  waiting: Waiting
): Effect.Effect<Database, LedgerUnavailable> => {
  const attempt = Effect.suspend(() => {
    const { database } = channel
    return Effect.as(
      whenUnlocked(() => database.begin(mode), waiting),
      database
    )
  })
  return Effect.suspend(() => {
    if (channel.isClosed) {
      return notStored("the store is closed")
    }
    return channel.database.isUsable()
      ? attempt
      : Effect.zipRight(reopen(driver, channel, waiting), attempt)
  }).pipe(
    Effect.catchIf(
      (error) => error instanceof Changed && error.canReopen,
      () => Effect.zipRight(reopen(driver, channel, waiting), attempt)
    ),
    Effect.catchAll((error) => {
      if (error instanceof LedgerUnavailable) {
        return Effect.fail(error)
      }
      if (error instanceof Changed) {
        return notStored(error.message)
      }
      channel.database.onError(error)
      return failureOf(error, "no")
    })
  )
}

/** Opens the connection again. Fails if the file was removed, because opening would create an empty ledger. */
const reopen = (
  driver: Driver,
  channel: Channel,
  waiting: Waiting
): Effect.Effect<void, LedgerUnavailable> =>
  Effect.suspend(() => {
    const { fileChange, path } = channel.database
    const change = fileChange()
    if (change !== undefined && change !== "replaced") {
      return notStored(messageOf(change, path))
    }
    close(channel.database)
    return openDatabase(driver, path, waiting).pipe(
      Effect.catchTag("LedgerConfigError", ({ message }) => notStored(message)),
      Effect.flatMap((database) =>
        Effect.map(rewriteLog(database, waiting), () => {
          channel.database = database
          return undefined
        })
      )
    )
  })

/**
 * Writes the write-ahead log to the database before it is used again. After a failed flush, the operating system may not write the
 * same bytes again, and a gap in the log would cut off all later commits.
 */
const rewriteLog = (
  database: Database,
  waiting: Waiting
): Effect.Effect<void, LedgerUnavailable> =>
  database.journal !== "wal"
    ? Effect.void
    : Effect.catchAll(
        whenUnlocked(() => checkpoint(database.connection), waiting),
        (error) => {
          close(database)
          return failureOf(error, "no")
        }
      )

const notStored = (reason: string) => Effect.fail(new LedgerUnavailable({ reason, isStored: "no" }))

/**
 * Commits, or rolls back and reports whether the transaction may be stored. After an I/O error during the commit, it is unknown which
 * bytes were written. If the disk was full, nothing is stored, because the end of the commit was not written.
 */
const commit = (database: Database, waiting: Waiting): Effect.Effect<void, LedgerUnavailable> =>
  Effect.catchAll(
    whenUnlocked(() => database.connection.exec("COMMIT"), waiting),
    (error) => {
      const code = codeOf(error)
      const isOpen = database.connection.inTransaction()
      database.onError(error)
      rollback(database)
      const isCertain = code === "FULL" || (isOpen && code !== "IOERR" && database.isUsable())
      return failureOf(error, isCertain ? "no" : "unknown")
    }
  )
