/** The database of a ledger: `--database`, or an environment variable. */
import { existsSync } from "node:fs"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import {
  LedgerError,
  PgLedgerStore,
  SqliteLedgerStore,
  UsageLedger,
  UsageLedgerStore
} from "../../ledger/index.js"
import { requireLedger } from "../../ledger/internal/transactions/lease.js"
import { type CliError, cannotRun, failed } from "./cliError.js"

const variable = "LEDGER_DATABASE_URL"

const database = Options.text("database").pipe(
  Options.withPseudoName("url"),
  Options.optional,
  Options.withDescription(
    `The database: sqlite:usage.db, or postgres://host/name. Defaults to the environment variable ${variable}, which hides a password from lists of processes.`
  )
)

export const options = { database }

interface DatabaseOptions {
  readonly database: Option.Option<string>
}

const expected = "expected sqlite:FILE, such as sqlite:usage.db, or postgres://HOST/NAME"

type Database =
  | { readonly _tag: "Sqlite"; readonly file: string }
  | { readonly _tag: "Postgres"; readonly url: Redacted.Redacted<string> }

/** Errors do not repeat the text, which may have a password. */
const parse = (text: string, source: string): Effect.Effect<Database, CliError> => {
  const [, sqlite] = /^sqlite:(?:\/\/)?(.+)$/i.exec(text) ?? []
  if (sqlite !== undefined) return Effect.succeed({ _tag: "Sqlite", file: sqlite })
  return /^postgres(?:ql)?:\/\//i.test(text)
    ? Effect.succeed({ _tag: "Postgres", url: Redacted.make(text) })
    : cannotRun(`${source}: ${expected}.`)
}

const databaseOf = ({ database }: DatabaseOptions): Effect.Effect<Database, CliError> => {
  const given = Option.getOrUndefined(database)
  const stored = process.env[variable]
  if (given !== undefined) return parse(given, "--database")
  return stored === undefined || stored === ""
    ? cannotRun(
        `There is no database: give --database, or set ${variable}: ${expected}. Nothing was done.`
      )
    : parse(stored, variable)
}

/** Converts the failure of a ledger command. The exit code is 2 only if nothing was stored. */
export const toLedgerError = (
  error: LedgerError.LedgerConfigError | LedgerError.LedgerUnavailable
): CliError =>
  error._tag === "LedgerUnavailable" && error.isStored === "unknown"
    ? failed(`${error.message}. It is not known whether it was stored; to run it again is safe.`)
    : cannotRun(error.message)

/** Converts the failure of a command that changes the ledger. Only after `LedgerUnavailable` may the change be stored. */
export const toChangeError = (
  error: LedgerError.LedgerUnavailable | { readonly _tag: string; readonly message: string }
): CliError =>
  error instanceof LedgerError.LedgerUnavailable
    ? toLedgerError(error)
    : cannotRun(`${error.message}. Nothing was stored.`)

const layerOf = (database: Database): Layer.Layer<UsageLedgerStore.UsageLedgerStore, CliError> =>
  Layer.mapError(
    database._tag === "Sqlite"
      ? SqliteLedgerStore.layer({ file: database.file })
      : PgLedgerStore.layer({ url: database.url }),
    toLedgerError
  )

/** The store, which is created if it does not exist. */
export const newStore = (options: DatabaseOptions) =>
  Layer.unwrapEffect(Effect.map(databaseOf(options), layerOf))

/** The store, and the ledger that it contains. Fails if there is no ledger. */
export const ledger = (
  options: DatabaseOptions
): Layer.Layer<UsageLedger.UsageLedger | UsageLedgerStore.UsageLedgerStore, CliError> =>
  Layer.unwrapEffect(
    Effect.filterOrFail(
      databaseOf(options),
      (database) => database._tag !== "Sqlite" || existsSync(database.file),
      (database) =>
        cannotRun(
          `There is no file ${database._tag === "Sqlite" ? database.file : ""}. Make a ledger by ledger init.`
        )
    ).pipe(Effect.map((database) => Layer.provideMerge(storedLedger, layerOf(database))))
  )

/** The ledger, with the seller and the target from its initialization. */
const storedLedger = Layer.unwrapEffect(
  Effect.flatMap(UsageLedgerStore.UsageLedgerStore, (store) => store.snapshot(requireLedger)).pipe(
    Effect.map(({ seller, target }) => UsageLedger.layer({ seller, target })),
    Effect.mapError(toLedgerError)
  )
).pipe(Layer.mapError((error) => (error._tag === "CliError" ? error : toLedgerError(error))))
