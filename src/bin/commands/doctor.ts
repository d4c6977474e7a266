/** `doctor`: what would stop metering on this machine. */
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
import * as AwsCredentials from "../../AwsCredentials.js"
import { connectionError } from "../../internal/client/connectionError.js"
import * as MeteringClient from "../../MeteringClient.js"
import * as MeteringConfig from "../../MeteringConfig.js"
import type { OperationName } from "../../MeteringError.js"
import { failed } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import {
  type CheckResult,
  type CheckStatus,
  clockResult,
  credentialsResult,
  probeResults,
  proxyResult,
  regionResult,
  skipped
} from "../internal/doctorChecks.js"
import * as proxies from "../internal/proxies.js"
import { formatJson } from "../output/format.js"

/** Those that can be tried without an effect. RegisterUsage begins to meter a container. */
const probeOperations = ["ResolveCustomer", "BatchMeterUsage", "MeterUsage"] as const

const operations = Options.choice("operation", probeOperations).pipe(
  Options.repeated,
  Options.withDefault([]),
  Options.withDescription(
    "An operation that has to work here, of those that can be tried without an effect; may be given several times. Left out, it is all three: a SaaS seller needs no MeterUsage, an AMI or container seller nothing else. (RegisterUsage cannot be tried: it begins to meter a container.)"
  )
)

const productCode = Options.text("product-code").pipe(
  Options.withPseudoName("code"),
  Options.optional,
  Options.withDescription("Your product, to try calls with; without it one that nobody has.")
)

const asJson = Options.boolean("json").pipe(Options.withDescription("Print one JSON object."))

export const doctor = Command.make(
  "doctor",
  { operations, productCode, ...clientOptions.options, json: asJson },
  (options) =>
    Effect.gen(function* () {
      const wanted = options.operations.length === 0 ? probeOperations : options.operations
      const results = yield* runChecks(
        options,
        wanted,
        Option.getOrElse(options.productCode, () => "doctor")
      )
      const problems = results.filter(({ status }) => status === "problem").length
      yield* Console.log(
        options.json
          ? formatJson({ ok: problems === 0, checks: results })
          : results.map(formatCheck).join("\n")
      )
      if (problems > 0) {
        return yield* failed(
          problems === 1
            ? "1 thing would stop metering."
            : `${problems} things would stop metering.`
        )
      }
    })
).pipe(
  Command.withDescription(
    "Says what would stop metering on this machine, and what to do: credentials, Region, endpoint, clock, permissions. It meters nothing and shows no secret."
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

/** Everything there is to look at, in the order in which one thing needs another. */
const runChecks = (
  options: clientOptions.ClientOptions,
  wanted: ReadonlyArray<OperationName>,
  productCode: string
) =>
  Effect.gen(function* () {
    const [credentials, config] = yield* Effect.all(
      [checkCredentials(options), Effect.either(loadConfig(options))],
      { concurrency: "unbounded" }
    )
    const proxy = checkProxy()
    if (Either.isLeft(config)) {
      const configResults = yield* checkConfiguration(options, config.left.message, wanted)
      return [
        credentials,
        ...configResults,
        ...proxy,
        skipped("permissions", "there is nobody to ask before that is corrected")
      ]
    }
    const region = regionResult(config.right.region, wanted)
    if (proxy.some(({ status }) => status === "problem")) {
      return [
        credentials,
        region,
        ...proxy,
        skipped("endpoint", "it would be called by the proxy"),
        skipped("permissions", "there is nobody to ask before that is corrected")
      ]
    }
    const [endpoint, clock] = yield* checkEndpoint(config.right)
    const permissions =
      endpoint.status !== "problem" && credentials.status === "ok"
        ? yield* Effect.forEach(wanted, (operation) => probe(operation, productCode), {
            concurrency: "unbounded"
          }).pipe(Effect.provide(clientOptions.layer(options)), Effect.orDie)
        : undefined
    return [
      credentials,
      region,
      ...proxy,
      endpoint,
      ...(permissions === undefined
        ? [
            clock,
            skipped("permissions", "they cannot be asked for without credentials and endpoint")
          ]
        : probeResults(clock, permissions))
    ]
  })

const loadConfig = (options: clientOptions.ClientOptions) =>
  MeteringConfig.MeteringConfig.pipe(Effect.provide(clientOptions.config(options)))

/**
 * Which part of the configuration cannot be used: the one in whose place anything else could. A file or a variable may
 * be what is wrong, so the options alone do not tell.
 */
const checkConfiguration = (
  options: clientOptions.ClientOptions,
  advice: string,
  wanted: ReadonlyArray<OperationName>
): Effect.Effect<ReadonlyArray<CheckResult>> =>
  Effect.gen(function* () {
    const withRegion = yield* Effect.option(
      loadConfig({ ...options, region: Option.some("us-east-1") })
    )
    if (Option.isSome(withRegion)) {
      return [
        { check: "region", status: "problem", found: "none that can be used", advice },
        skipped("endpoint", "it depends on the Region")
      ]
    }
    const withEndpoint = yield* Effect.option(
      loadConfig({ ...options, endpoint: Option.some("http://localhost") })
    )
    return Option.isSome(withEndpoint)
      ? [
          regionResult(withEndpoint.value.region, wanted),
          { check: "endpoint", status: "problem", found: "not one that can be called", advice }
        ]
      : [{ check: "configuration", status: "problem", found: "it cannot be used", advice }]
  })

/** Only where there is one, or would be. */
const checkProxy = (): ReadonlyArray<CheckResult> =>
  Either.match(proxies.fromEnvironment(process.env), {
    onLeft: (reason) => [
      {
        check: "proxy",
        status: "problem",
        found: reason,
        advice: "Give it as http://HOST:PORT, or unset the variable."
      }
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
      Effect.succeed<CheckResult>({
        check: "credentials",
        status: "problem",
        found: `none from ${tried.join(", ")}`,
        advice: `${reason}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in and set AWS_PROFILE, or run with a role.`
      })
    ),
    Effect.timeoutTo({
      duration: credentialsTimeout,
      onSuccess: (result) => result,
      onTimeout: (): CheckResult => ({
        check: "credentials",
        status: "problem",
        found: `no answer within ${credentialsTimeout}`,
        advice:
          "A source of them hangs: run the profile's credential_process by hand, and see whether STS, SSO or the metadata service can be reached from here (they are not asked through a proxy)."
      })
    })
  )

/** Whoever answers there, and by which clock. Any answer will do; the request is not signed. */
const checkEndpoint = ({ endpoint, requestTimeout }: MeteringConfig.Service) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const before = yield* Clock.currentTimeMillis
    const { headers, status } = yield* client.get(endpoint)
    const after = yield* Clock.currentTimeMillis
    const isSandbox = headers["x-effect-marketplace-metering-sandbox"] !== undefined
    const reached: CheckResult = {
      check: "endpoint",
      status: "ok",
      found: `${endpoint} answers (HTTP ${status})${isSandbox ? "; it is a sandbox, and bills nobody" : ""}`
    }
    const date = Date.parse(headers.date ?? "")
    return [
      reached,
      Number.isNaN(date)
        ? skipped("clock", "the answer has no date")
        : // a date is cut to the second: half of one, on average
          clockResult((before + after) / 2 - (date + 500))
    ] as const
  }).pipe(
    Effect.timeoutFail({ duration: requestTimeout, onTimeout: () => "no answer in time" as const }),
    Effect.catchAll((error) => {
      const reason =
        typeof error === "string"
          ? error
          : "reason" in error && "cause" in error
            ? connectionError("BatchMeterUsage", endpoint, error).reason
            : "no answer"
      return Effect.succeed([
        {
          check: "endpoint",
          status: "problem",
          found: `${endpoint} does not answer: ${reason}`,
          advice:
            "Look at the Region's name, at DNS, proxy and firewall (HTTPS, port 443), or at --endpoint."
        } satisfies CheckResult,
        skipped("clock", "only an answer tells the service's")
      ] as const)
    }),
    Effect.provide(Layer.orDie(proxies.httpClient))
  )

/** A call that has no effect, whatever it is answered. */
const probe = (operation: OperationName, productCode: string) =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    switch (operation) {
      case "ResolveCustomer":
        return yield* MeteringClient.resolveCustomer({
          registrationToken: Redacted.make("not-a-token")
        })
      case "BatchMeterUsage":
        return yield* MeteringClient.batchMeterUsage({ productCode, usageRecords: [] })
      default:
        return yield* MeteringClient.meterUsageDryRun({
          productCode,
          timestamp,
          usageDimension: "doctor",
          usageQuantity: 0
        })
    }
  }).pipe(
    Effect.match({
      onSuccess: () => ({ operation, error: undefined }),
      onFailure: (error) => ({ operation, error })
    })
  )
