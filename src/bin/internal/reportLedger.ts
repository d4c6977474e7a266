/** Runs a reporter for each Region of a ledger, each with its own client. */
import { hostname } from "node:os"
import * as Console from "effect/Console"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { UsageLedger, UsageLedgerStore, UsageReporter } from "../../ledger/index.js"
import { formatCount, formatTime } from "../output/format.js"
import { type CliError, cannotRun, failed, toCliError } from "./cliError.js"
import * as clientOptions from "./clientOptions.js"
import { toLedgerError } from "./ledgerDatabase.js"

/** Returns the Regions of the ledger's products, or only the Region of `--region`. */
export const regionsOf = (
  options: clientOptions.ClientOptions
): Effect.Effect<ReadonlyArray<string>, CliError, UsageLedgerStore.UsageLedgerStore> =>
  Effect.gen(function* () {
    const store = yield* UsageLedgerStore.UsageLedgerStore
    const products = yield* Effect.mapError(
      store.snapshot((tables) => tables.products),
      toLedgerError
    )
    const regions = [...new Set(products.map(({ region }) => region))].sort()
    if (regions.length === 0) {
      return yield* cannotRun("The ledger has no products: add them by ledger init.")
    }
    if (Option.isNone(options.region)) return regions
    return regions.includes(options.region.value)
      ? [options.region.value]
      : yield* cannotRun(
          `The ledger has no products in ${options.region.value}, but in ${regions.join(", ")}.`
        )
  })

/** Returns a name for this process, which differs between restarts on one machine. */
export const workerName = Effect.map(
  Random.nextIntBetween(0, 36 ** 4),
  (number) => `${hostname()}-${process.pid}-${number.toString(36).padStart(4, "0")}`
)

const clientIn = (region: string, options: clientOptions.ClientOptions) =>
  clientOptions.layer({ ...options, region: Option.some(region) })

export interface Options extends clientOptions.ClientOptions {
  readonly worker: string
  readonly interval: Duration.Duration
}

/** Makes one round in each Region, which ends after everything due was sent. Returns the numbers of unaccepted records. */
export const reportOnce = (regions: ReadonlyArray<string>, options: Options) => {
  /** True once something may have been sent. */
  let isBegun = false
  return Effect.forEach(regions, (region) =>
    Effect.gen(function* () {
      yield* clientOptions.loadCredentials
      const reporter = yield* UsageReporter.make({ region, worker: options.worker })
      const round = yield* Effect.tapError(reporter.report, ({ _tag }) =>
        Effect.sync(() => {
          if (_tag === "LedgerUnavailable") isBegun = true
        })
      )
      isBegun = true
      yield* Console.log(
        round.lease === "other"
          ? `${region}: another worker reports.`
          : `${region}: sealed ${formatCount(round.sealed)}, sent ${formatCount(round.sent)}, accepted ${formatCount(round.accepted)}, expired ${formatCount(round.expired)}.`
      )
      return round.lease === "held" ? round.sent - round.accepted : 0
    }).pipe(
      Effect.scoped,
      Effect.provide(clientIn(region, options)),
      Effect.mapError((error) => {
        if (isBegun)
          return failed(`${error.message}. Records may have been sent: see ledger status.`)
        switch (error._tag) {
          case "LedgerUnavailable":
          case "LedgerConfigError":
            return toLedgerError(error)
          case "LedgerRolledBack":
            return failed(error.message)
          default:
            return toCliError(error)
        }
      })
    )
  )
}

/** Reports in each Region until the scope closes. */
export const reporters = (regions: ReadonlyArray<string>, options: Options) =>
  Effect.forEach(regions, (region) =>
    Layer.build(
      UsageReporter.layer({
        region,
        worker: options.worker,
        interval: options.interval
      }).pipe(
        Layer.mapError(toLedgerError),
        Layer.provide(Layer.effectDiscard(clientOptions.loadCredentials)),
        Layer.provide(clientIn(region, options)),
        Layer.mapError((error) => (error._tag === "CliError" ? error : toCliError(error)))
      )
    )
  )

/** Logs one line with the state of the ledger, and one for each reason why its health is not ok. */
const logState = Effect.gen(function* () {
  const { counts, nextDeadline } = yield* UsageLedger.status
  const { reasons, state } = yield* UsageLedger.health
  const sums = new Map<string, number>()
  for (const { count, state } of counts) sums.set(state, (sums.get(state) ?? 0) + count)
  const entries = [...sums].map(([state, count]) => `${formatCount(count)} ${state}`).join(", ")
  const deadline = nextDeadline === undefined ? "" : `; next deadline ${formatTime(nextDeadline)}`
  yield* Effect.logInfo(`${state}: ${entries === "" ? "no usage" : entries}${deadline}`)
  for (const reason of reasons) yield* Effect.logWarning(reason)
}).pipe(Effect.catchAll((error) => Effect.logError(error.message)))

export const logEveryHour = Effect.repeat(logState, Schedule.spaced("1 hour"))
