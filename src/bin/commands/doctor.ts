/** `doctor`: checks this machine for problems that would stop metering. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Struct from "effect/Struct"
import * as AwsCredentials from "../../AwsCredentials.js"
import { connectionError } from "../../internal/client/connectionError.js"
import * as MeteringClient from "../../MeteringClient.js"
import * as MeteringConfig from "../../MeteringConfig.js"
import type { MeteringError, OperationName } from "../../MeteringError.js"
import { failed } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import {
  type CheckResult,
  type CheckStatus,
  clockResult,
  credentialsResult,
  isProblem,
  ok,
  probeResults,
  problem,
  proxyResult,
  regionResult,
  skipped
} from "../internal/doctorChecks.js"
import { jsonOption, productCodeOption } from "../internal/options.js"
import * as proxies from "../internal/proxies.js"
import { formatJson } from "../output/format.js"

/** Metering operations that have a call without effect. RegisterUsage has none, because it begins to meter a container. */
type ProbeOperation = Exclude<OperationName, "RegisterUsage" | "GetEntitlements">

type Probe = (
  productCode: string,
  timestamp: DateTime.Utc
) => Effect.Effect<unknown, MeteringError, MeteringClient.MeteringClient>

const probes: { readonly [Name in ProbeOperation]: Probe } = {
  ResolveCustomer: () =>
    MeteringClient.resolveCustomer({ registrationToken: Redacted.make("not-a-token") }),
  BatchMeterUsage: (productCode) =>
    MeteringClient.batchMeterUsage({ productCode, usageRecords: [] }),
  MeterUsage: (productCode, timestamp) =>
    MeteringClient.meterUsageDryRun({
      productCode,
      timestamp,
      usageDimension: "doctor",
      usageQuantity: 0
    })
}

const probeOperations = Struct.keys(probes)

const operations = Options.choice("operation", probeOperations).pipe(
  Options.repeated,
  Options.withDescription(
    "An operation that must work here; may be given several times. Defaults to all three: a SaaS seller needs no MeterUsage, an AMI or container seller nothing else. (RegisterUsage cannot be checked: it begins to meter a container.)"
  )
)

const productCode = productCodeOption.pipe(
  Options.withDefault("doctor"),
  Options.withDescription("Your product, for the calls. Defaults to a product that does not exist.")
)

export const doctor = Command.make(
  "doctor",
  { operations, productCode, ...clientOptions.options, json: jsonOption() },
  (options) =>
    Effect.gen(function* () {
      const results = yield* runChecks(
        options,
        options.operations.length === 0 ? probeOperations : options.operations,
        options.productCode
      )
      const problems = results.filter(isProblem).length
      yield* Console.log(
        options.json
          ? formatJson({ ok: problems === 0, checks: results })
          : results.map(formatCheck).join("\n")
      )
      if (problems > 0) {
        const things = problems === 1 ? "1 thing" : `${problems} things`
        return yield* failed(`${things} would stop metering.`)
      }
    })
).pipe(
  Command.withDescription(
    "Finds problems that would stop metering on this machine, and says how to fix them: credentials, Region, endpoint, clock, permissions. It meters nothing and shows no secret."
  )
)

const statusLabels: { readonly [S in CheckStatus]: string } = {
  ok: "ok     ",
  warning: "warning",
  problem: "PROBLEM",
  skipped: "skipped"
}

const formatCheck = ({ advice, check, found, status }: CheckResult) =>
  `${statusLabels[status]}  ${check}: ${found}${advice === undefined ? "" : `\n         ${advice}`}`

/** Runs all checks, each after the checks that it depends on. */
const runChecks = (
  options: clientOptions.ClientOptions,
  operations: ReadonlyArray<ProbeOperation>,
  productCode: string
) =>
  Effect.gen(function* () {
    const [credentials, config] = yield* Effect.all(
      [checkCredentials(options), Effect.either(loadConfig(options))],
      { concurrency: "unbounded" }
    )
    const proxy = checkProxy()
    const unchecked = skipped("permissions", "fix the problems above first")
    if (Either.isLeft(config)) {
      const configuration = yield* checkConfiguration(options, config.left.message, operations)
      return [credentials, ...configuration, ...proxy, unchecked]
    }
    const region = regionResult(config.right.region, operations)
    if (proxy.some(isProblem)) {
      const endpoint = skipped("endpoint", "it is called through the proxy")
      return [credentials, region, ...proxy, endpoint, unchecked]
    }
    const [endpoint, clock] = yield* checkEndpoint(config.right)
    const results = [credentials, region, ...proxy, endpoint]
    if (isProblem(endpoint) || isProblem(credentials)) return [...results, clock, unchecked]
    const probes = yield* Effect.forEach(operations, (operation) => probe(operation, productCode), {
      concurrency: "unbounded"
    }).pipe(Effect.provide(clientOptions.layer(options)), Effect.orDie)
    return [...results, ...probeResults(clock, probes)]
  })

const loadConfig = (options: clientOptions.ClientOptions) =>
  MeteringConfig.MeteringConfig.pipe(Effect.provide(clientOptions.config(options)))

/** Finds the invalid part by replacing first the Region and then the endpoint, because a file or a variable may be the cause. */
const checkConfiguration = (
  options: clientOptions.ClientOptions,
  advice: string,
  operations: ReadonlyArray<ProbeOperation>
): Effect.Effect<ReadonlyArray<CheckResult>> =>
  Effect.gen(function* () {
    const withRegion = yield* Effect.option(
      loadConfig({ ...options, region: Option.some("us-east-1") })
    )
    if (Option.isSome(withRegion)) {
      return [
        problem("region", "none that can be used", advice),
        skipped("endpoint", "it depends on the Region")
      ]
    }
    const withEndpoint = yield* Effect.option(
      loadConfig({ ...options, endpoint: Option.some("http://localhost") })
    )
    return Option.isSome(withEndpoint)
      ? [
          regionResult(withEndpoint.value.region, operations),
          problem("endpoint", "not one that can be called", advice)
        ]
      : [problem("configuration", "it cannot be used", advice)]
  })

/** Checks the proxy. Empty if the environment has none. */
const checkProxy = (): ReadonlyArray<CheckResult> =>
  Either.match(proxies.fromEnvironment(process.env), {
    onLeft: (reason) => [
      problem("proxy", reason, "Give it as http://HOST:PORT, or unset the variable.")
    ],
    onRight: (found) => (found === undefined ? [] : [proxyResult(found)])
  })

/** Time limit of a source of credentials. Other commands wait longer. */
const credentialsTimeout = "10 seconds"

const checkCredentials = (options: clientOptions.ClientOptions): Effect.Effect<CheckResult> =>
  Effect.gen(function* () {
    const { get } = yield* AwsCredentials.AwsCredentials
    const credentials = yield* get
    const sourceIds = yield* clientOptions.credentialSourceIds(options)
    return credentialsResult(credentials, sourceIds, yield* DateTime.now)
  }).pipe(
    Effect.provide(clientOptions.credentials(options)),
    Effect.catchAll(({ reason, tried }) =>
      Effect.succeed(
        problem(
          "credentials",
          `none from ${tried.join(", ")}`,
          `${reason}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in and set AWS_PROFILE, or run with a role.`
        )
      )
    ),
    Effect.timeoutTo({
      duration: credentialsTimeout,
      onSuccess: (result) => result,
      onTimeout: () =>
        problem(
          "credentials",
          `no response within ${credentialsTimeout}`,
          "A source of credentials hangs: run the profile's credential_process by hand, and check that STS, SSO or the metadata service can be reached without a proxy."
        )
    })
  )

/** Checks that the endpoint responds, with any status, because the request is not signed. Compares the clocks. */
const checkEndpoint = ({ endpoint, requestTimeout }: MeteringConfig.Service) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const before = yield* Clock.currentTimeMillis
    const { headers, status } = yield* Effect.mapError(
      client.get(endpoint),
      (error) => connectionError("BatchMeterUsage", endpoint, error).reason
    )
    const after = yield* Clock.currentTimeMillis
    const isSandbox = headers["x-effect-marketplace-metering-sandbox"] !== undefined
    const note = isSandbox ? "; it is a sandbox, and bills nothing" : ""
    const date = Date.parse(headers.date ?? "")
    return [
      ok("endpoint", `${endpoint} responds (HTTP ${status})${note}`),
      Number.isNaN(date)
        ? skipped("clock", "the response has no date")
        : // the date has whole seconds, so it is half a second early on average
          clockResult((before + after) / 2 - (date + 500))
    ] as const
  }).pipe(
    Effect.timeoutFail({ duration: requestTimeout, onTimeout: () => "no response in time" }),
    Effect.catchAll((reason) =>
      Effect.succeed([
        problem(
          "endpoint",
          `${endpoint} does not respond: ${reason}`,
          "Check the Region's name, DNS, proxy and firewall (HTTPS, port 443), or --endpoint."
        ),
        skipped("clock", "the service's time comes with a response")
      ] as const)
    ),
    Effect.provide(Layer.orDie(proxies.httpClient))
  )

const probe = (operation: ProbeOperation, productCode: string) =>
  Effect.gen(function* () {
    const result = yield* Effect.either(probes[operation](productCode, yield* DateTime.now))
    return { operation, error: Option.getOrUndefined(Either.getLeft(result)) }
  })
