/** `sandbox`: the service on this machine, for any AWS SDK in any language. */
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as Console from "effect/Console"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { MeteringSandbox, SandboxServer, Scenario } from "../../sandbox/index.js"
import { type CliError, cannotRun } from "../internal/cliError.js"
import { fileErrorReason } from "../internal/fileError.js"
import * as lockFile from "../internal/lockFile.js"
import { timeOption } from "../internal/options.js"
import * as parentProcess from "../internal/parentProcess.js"
import * as callLog from "../output/callLog.js"
import * as describeSandbox from "../output/describeSandbox.js"

const defaults = { host: "127.0.0.1", port: 4598 }

const port = Options.integer("port").pipe(
  Options.mapEffect((port) =>
    port >= 0 && port <= 65_535
      ? Effect.succeed(port)
      : Effect.fail(
          ValidationError.invalidValue(
            HelpDoc.p(`--port: expected a port from 0 to 65535, got ${port}`)
          )
        )
  ),
  Options.withDefault(defaults.port),
  Options.withDescription(`Where it listens, ${defaults.port} unless given; 0 takes any free port.`)
)

const host = Options.text("host").pipe(
  Options.withDefault(defaults.host),
  Options.withDescription(
    `The address that it listens on, ${defaults.host} unless given. With 0.0.0.0 other machines can reach it.`
  )
)

const scenario = Options.file("scenario").pipe(
  Options.optional,
  Options.withDescription(
    "A JSON file with products, customers, key pairs, rules and faults. Without one there is a small world to call at once."
  )
)

const state = Options.file("state").pipe(
  Options.optional,
  Options.withDescription(
    "A file to remember everything in, and to go on from at the next start. It survives a kill, and holds registration tokens."
  )
)

const anyCredentials = Options.boolean("any-credentials").pipe(
  Options.withDescription("Let everybody in; check no signature.")
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
    "The time by its calendar, such as 2026-11-30T23:30:00Z, from which it goes on. Only usage, agreements and tokens know it; signatures keep to the machine's clock."
  )
)

export const sandbox = Command.make(
  "sandbox",
  { port, host, scenario, state, anyCredentials, quota, now, verbose },
  (options) =>
    Effect.gen(function* () {
      const loaded = yield* loadScenario(options.scenario)
      const scenario: Scenario.Scenario = {
        ...loaded,
        ...(options.quota && { quotas: Scenario.documentedQuotas })
      }
      const sandbox = Option.match(options.state, {
        onNone: () => MeteringSandbox.layer(scenario),
        onSome: (file) =>
          Layer.provide(
            Layer.mapError(MeteringSandbox.layerFile(file, scenario), toStateError(file)),
            Layer.scopedDiscard(lockFile.acquire(file))
          )
      })
      const server = Layer.mapError(
        SandboxServer.layerNode({
          port: options.port,
          host: options.host,
          anyCredentials: options.anyCredentials
        }),
        toListenError(options)
      )
      return yield* serve(scenario, options).pipe(
        Effect.provide(Layer.provideMerge(server, sandbox)),
        options.verbose ? Effect.provide(callLog.layer) : identity,
        Effect.raceFirst(parentProcess.npxExited)
      )
    })
).pipe(
  Command.withDescription(
    "Runs a sandbox of AWS Marketplace Metering on this machine, for any AWS SDK and the AWS CLI. It behaves as the service does, and bills nobody."
  )
)

interface ServeOptions {
  readonly host: string
  readonly now: Option.Option<DateTime.Utc>
  readonly anyCredentials: boolean
}

/** Tells what there is, and stays until it is interrupted. */
const serve = (scenario: Scenario.Scenario, options: ServeOptions) =>
  Effect.gen(function* () {
    const sandbox = yield* MeteringSandbox.MeteringSandbox
    const { url } = yield* SandboxServer.SandboxServer
    // also where a state's file has another calendar
    if (Option.isSome(options.now)) {
      yield* Effect.mapError(sandbox.control.setTime(options.now.value), ({ message }) =>
        cannotRun(message)
      )
    }
    yield* Console.log(
      describeSandbox.describe({
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
        `\nWarning: the state's file knows products that the scenario does not have: ${unknownCodes.join(", ")}. It seems to be of another scenario.`
      )
    }
    if (!isLoopback(options.host)) {
      yield* Console.error(
        `\nWarning: it listens on ${options.host}; other machines may reach it, and control it without credentials.`
      )
    }
    return yield* Effect.never
  })

/** Products of what is remembered, by usage and agreements, that are no longer in the world. */
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

/** The scenario of a file, or the one that is built in. */
const loadScenario = (file: Option.Option<string>) =>
  Option.match(file, {
    onNone: () => Effect.orDie(Scenario.make({})),
    onSome: (path) =>
      Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(path)).pipe(
        Effect.mapError((error) => cannotRun(`${path} cannot be read: ${fileErrorReason(error)}.`)),
        Effect.flatMap((text) =>
          Either.mapLeft(Scenario.fromJson(text), ({ problems }) =>
            cannotRun(
              [`${path} is not a scenario:`, ...problems.map((problem) => `- ${problem}`)].join(
                "\n"
              )
            )
          )
        )
      )
  })

const toStateError =
  (file: string) =>
  (error: MeteringSandbox.SandboxError | Scenario.ScenarioError | PlatformError): CliError =>
    cannotRun(
      error._tag === "SandboxError" || error._tag === "ScenarioError"
        ? error.message
        : `${file} cannot be used for its state: ${fileErrorReason(error)}.`
    )

const toListenError =
  ({ host, port }: { readonly host: string; readonly port: number }) =>
  ({ cause }: ServeError): CliError => {
    const code = Predicate.hasProperty(cause, "code") ? String(cause.code) : "unknown fault"
    return cannotRun(
      `It cannot listen on ${host}, port ${port}: ${listenErrors[code] ?? `${code}.`}`
    )
  }

const listenErrors: { readonly [code: string]: string } = {
  EADDRINUSE: "somebody does already. Give another by --port; --port 0 takes any that is free.",
  EACCES: "that needs more rights. Give a port from 1024 on by --port.",
  EADDRNOTAVAIL: "this machine does not have that address.",
  ENOTFOUND: "there is no such host."
}
