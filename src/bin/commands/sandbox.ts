/** `sandbox`: runs the service on this machine, for any AWS SDK in any language. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import { MeteringSandbox, SandboxServer, Scenario } from "../../sandbox/index.js"
import { annotation } from "../../sandbox/internal/server/accessLog.js"
import * as builtIn from "../../sandbox/internal/server/builtIn.js"
import { type CliError, cannotRun } from "../internal/cliError.js"
import { toFileError } from "../internal/fileErrors.js"
import { toListenError } from "../internal/listenErrors.js"
import { npxExited } from "../internal/npx.js"
import { hostOption, portOption, timeOption, validatedOption } from "../internal/options.js"
import * as readyFile from "../internal/readyFile.js"
import { Signals } from "../internal/signals.js"
import * as stateFileLock from "../internal/stateFileLock.js"
import { describeSandbox } from "../output/describeSandbox.js"
import { bulletList } from "../output/format.js"
import { logger } from "../output/terminal.js"

const defaults = { host: "127.0.0.1", port: 4598 }

const port = portOption.pipe(
  Options.withDefault(defaults.port),
  Options.withDescription(
    `The port to listen on, or 0 for any free port. Defaults to ${defaults.port}.`
  )
)

const host = hostOption.pipe(
  Options.withDefault(defaults.host),
  Options.withDescription(
    `The address to listen on. Defaults to ${defaults.host}. With 0.0.0.0 other machines can reach it.`
  )
)

const publicUrl = validatedOption(
  "public-url",
  "url",
  "a URL of http or https, such as http://sandbox:4598",
  (text) => URL.canParse(text) && /^https?:/i.test(text)
).pipe(
  Options.optional,
  Options.withDescription(
    "The sandbox's address in SNS messages and for browsers, if they do not reach the one it listens on. Defaults to that one."
  )
)

const scenario = Options.file("scenario").pipe(
  Options.optional,
  Options.withDescription(
    "A JSON file with products, customers, access keys, service behavior, targets of events and faults. Defaults to a small built-in scenario."
  )
)

const state = Options.file("state").pipe(
  Options.optional,
  Options.withDescription(
    "A file for the sandbox's state, from which the next start continues. It survives a kill, and holds registration tokens. Defaults to no file."
  )
)

const readyFileOption = Options.file("ready-file").pipe(
  Options.optional,
  Options.withDescription(
    "A file to write when the sandbox listens, and to remove when it stops: JSON with its url and pid. It appears at once as a whole. Defaults to no file."
  )
)

const anyCredentials = Options.boolean("any-credentials").pipe(
  Options.withDescription("Accept any credentials. No signature is checked.")
)

const quota = Options.boolean("quota").pipe(
  Options.withDescription("Throttle as AWS documents it: 10 calls a second, RegisterUsage 5.")
)

const verbose = Options.boolean("verbose").pipe(
  Options.withDescription(
    "Print a line for every call: time, operation, status, outcome, request id, duration."
  )
)

const now = timeOption("now").pipe(
  Options.optional,
  Options.withDescription(
    "The sandbox's time at the start, such as 2026-11-30T23:30:00Z. It applies to usage, agreements and tokens. Signatures use the machine's clock. Defaults to the machine's clock."
  )
)

export const sandbox = Command.make(
  "sandbox",
  {
    port,
    host,
    publicUrl,
    scenario,
    state,
    readyFile: readyFileOption,
    anyCredentials,
    quota,
    now,
    verbose
  },
  (options) =>
    Effect.gen(function* () {
      const { expectSignal } = yield* Signals
      yield* expectSignal
      if (Option.isSome(options.readyFile)) yield* readyFile.clear(options.readyFile.value)
      const loaded = yield* loadScenario(options.scenario)
      const scenario: Scenario.Scenario = {
        // the built-in receiver shows events on the pages
        targets: builtIn.targets,
        ...loaded,
        ...(options.quota && { quotas: Scenario.documentedQuotas })
      }
      const sandbox = Option.match(options.state, {
        onNone: () => MeteringSandbox.layer(scenario),
        onSome: (file) =>
          Layer.provide(
            Layer.mapError(MeteringSandbox.layerFile(file, scenario), toStateError(file)),
            Layer.scopedDiscard(stateFileLock.acquire(file))
          )
      })
      const server = Layer.mapError(
        SandboxServer.layerNode({
          port: options.port,
          host: options.host,
          anyCredentials: options.anyCredentials,
          publicUrl: Option.getOrUndefined(options.publicUrl)
        }),
        toListenError("The sandbox", options)
      )
      return yield* serve(scenario, options).pipe(
        // closes this scope first, so that the ready file is removed while the server still listens
        Effect.scoped,
        Effect.provide(Layer.provideMerge(server, sandbox)),
        options.verbose ? Effect.provide(callLog) : identity,
        Effect.raceFirst(npxExited)
      )
    })
).pipe(
  Command.withDescription(
    "Runs a sandbox of AWS Marketplace Metering on this machine, for any AWS SDK and the AWS CLI. It behaves like the service, and bills nothing."
  )
)

interface ServeOptions {
  readonly host: string
  readonly now: Option.Option<DateTime.Utc>
  readonly anyCredentials: boolean
  readonly readyFile: Option.Option<string>
}

const serve = (scenario: Scenario.Scenario, options: ServeOptions) =>
  Effect.gen(function* () {
    const sandbox = yield* MeteringSandbox.MeteringSandbox
    const { url } = yield* SandboxServer.SandboxServer
    // set after loading, because the state file may contain another time
    if (Option.isSome(options.now)) {
      yield* Effect.mapError(sandbox.control.setTime(options.now.value), ({ message }) =>
        cannotRun(message)
      )
    }
    yield* Console.log(
      describeSandbox({
        url,
        scenario,
        now: yield* sandbox.control.now,
        customers: yield* sandbox.marketplace.customers,
        anyCredentials: options.anyCredentials
      })
    )
    const unknownCodes = yield* unknownProducts(sandbox, scenario)
    if (unknownCodes.length > 0) {
      yield* Console.error(
        `\nWarning: the state file has products that the scenario does not have: ${unknownCodes.join(", ")}. It seems to belong to another scenario.`
      )
    }
    if (!isLoopback(options.host)) {
      yield* Console.error(
        `\nWarning: the sandbox listens on ${options.host}. Other machines may reach it, and control it without credentials.`
      )
    }
    if (Option.isSome(options.readyFile)) yield* readyFile.write(options.readyFile.value, url)
    return yield* Effect.never
  })

/** Returns the codes of products that occur in the usage or agreements of the state, but not in the scenario. */
const unknownProducts = (sandbox: MeteringSandbox.Service, { products }: Scenario.Scenario) =>
  Effect.map(
    Effect.all([sandbox.report.billed, sandbox.marketplace.customers]),
    ([billed, customers]) => {
      const known = new Set(products.map(({ code }) => code))
      const agreements = customers.flatMap(({ agreements }) => agreements)
      const storedCodes = new Set([...billed, ...agreements].map(({ productCode }) => productCode))
      return [...storedCodes].filter((code) => !known.has(code))
    }
  )

const isLoopback = (host: string) => /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(host)

const loadScenario = (file: Option.Option<string>) =>
  Effect.gen(function* () {
    if (Option.isNone(file)) return yield* Effect.orDie(Scenario.make({}))
    const path = file.value
    const fs = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(
      fs.readFileString(path),
      toFileError(`${path} cannot be read`)
    )
    return yield* Effect.mapError(Scenario.fromJson(text), ({ problems }) =>
      cannotRun(bulletList(`${path} is not a valid scenario:`, problems))
    )
  })

const toStateError =
  (file: string) =>
  (error: MeteringSandbox.SandboxError | Scenario.ScenarioError | PlatformError): CliError =>
    error._tag === "SandboxError" || error._tag === "ScenarioError"
      ? cannotRun(error.message)
      : stateFileLock.toStateFileError(file)(error)

const callLogger = Logger.withConsoleLog(
  Logger.make<unknown, string>(({ date, message }) => `${date.toISOString()} ${message}`)
)

/** Logs calls to standard output. Other messages are logged as usual. */
const callLog = Layer.merge(
  Logger.minimumLogLevel(LogLevel.Debug),
  Logger.replace(
    logger,
    Logger.make((entry) => {
      if (HashMap.has(entry.annotations, annotation)) callLogger.log(entry)
      else if (LogLevel.greaterThanEqual(entry.logLevel, LogLevel.Info)) logger.log(entry)
    })
  )
)
