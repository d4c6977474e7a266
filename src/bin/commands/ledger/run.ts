/** `ledger run`: reports what a ledger has recorded. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { UsageLedger, UsageLedgerStore } from "../../../ledger/index.js"
import { cannotRun, failed } from "../../internal/cliError.js"
import * as clientOptions from "../../internal/clientOptions.js"
import * as healthServer from "../../internal/healthServer.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { npxExited } from "../../internal/npx.js"
import { hostOption, numberOption, portOption } from "../../internal/options.js"
import * as reportLedger from "../../internal/reportLedger.js"
import { Signals } from "../../internal/signals.js"
import { formatCount } from "../../output/format.js"
import { logger } from "../../output/terminal.js"

const port = portOption.pipe(
  Options.optional,
  Options.withDescription(
    "A port for GET /health: 200 with ok or atRisk, 503 with stuck, and the reasons. 0 takes any free port. Defaults to none."
  )
)

const region = clientOptions.regionOption.pipe(
  Options.withDescription("Only products in this Region. Defaults to all Regions of the ledger.")
)

const host = hostOption.pipe(
  Options.withDefault("127.0.0.1"),
  Options.withDescription("The address of that port. Defaults to 127.0.0.1.")
)

const interval = numberOption(
  "interval",
  "a number of seconds from 1 to 3600",
  (seconds) => seconds >= 1 && seconds <= 3_600,
  "seconds"
).pipe(
  Options.withDefault(10),
  Options.withDescription("Seconds between two rounds. Defaults to 10.")
)

const once = Options.boolean("once").pipe(
  Options.withDescription("Make one round, wait until all that is due was sent, and end.")
)

/** Logs lines with the time, and with the reason of a failure. */
const processLogger = Logger.replace(
  logger,
  Logger.withConsoleError(
    Logger.make<unknown, string>(({ cause, date, logLevel, message }) => {
      const text = [message].flat().map(String).join(" ")
      const reason = Cause.isEmpty(cause) ? "" : `: ${Cause.pretty(cause).split("\n", 1)[0]}`
      return `${date.toISOString()} ${logLevel.label}: ${text}${reason}`
    })
  )
)

export const run = Command.make(
  "run",
  { ...ledgerDatabase.options, ...clientOptions.options, region, port, host, interval, once },
  (options) =>
    Effect.gen(function* () {
      const { expectSignal } = yield* Signals
      const regions = yield* reportLedger.regionsOf(options)
      const worker = yield* reportLedger.workerName
      const reporting = { ...options, worker, interval: Duration.seconds(options.interval) }
      if (options.once && Option.isSome(options.port)) {
        return yield* cannotRun("--once and --port exclude one another.")
      }
      if (options.once) {
        const left = yield* reportLedger.reportOnce(regions, reporting)
        const notAccepted = left.reduce((sum, count) => sum + count, 0)
        return notAccepted === 0
          ? undefined
          : yield* failed(
              `${formatCount(notAccepted)} records were not accepted. See ledger status.`
            )
      }
      yield* expectSignal
      const store = yield* UsageLedgerStore.UsageLedgerStore
      const { target } = yield* Effect.mapError(UsageLedger.status, ledgerDatabase.toLedgerError)
      yield* Effect.addFinalizer(() => Effect.logInfo("stopped"))
      yield* reportLedger.reporters(regions, reporting)
      yield* Effect.logInfo(
        `${worker} reports ${store.description.location} to the ${target} in ${regions.join(", ")}`
      )
      if (Option.isSome(options.port)) {
        yield* Layer.build(healthServer.layer({ host: options.host, port: options.port.value }))
      }
      // raced inside the scope, because the reporters need the store until their calls have ended
      return yield* reportLedger.logEveryHour.pipe(
        Effect.zipRight(Effect.never),
        Effect.raceFirst(npxExited)
      )
    }).pipe(
      Effect.scoped,
      Effect.provide(ledgerDatabase.ledger(options)),
      Effect.provide(processLogger)
    )
).pipe(
  Command.withDescription(
    "Reports what a ledger has recorded, as a process: seals each hour after its end, and sends its records until they are accepted or their deadline has passed. Any number may run; one sends at a time. It logs a line an hour, and ends within 30 seconds of a signal."
  )
)
