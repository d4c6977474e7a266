/** Results of the checks of `doctor`. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { Credentials } from "../../AwsCredentials.js"
import type { OperationName } from "../../MeteringError.js"
import type { CallError } from "./cliError.js"
import { formatProxy, type Proxies } from "./proxies.js"

/** A `problem` would stop metering, a `warning` may. A `skipped` check depends on another. */
export type CheckStatus = "ok" | "warning" | "problem" | "skipped"

export interface CheckResult {
  readonly check: string
  readonly status: CheckStatus
  readonly found: string
  readonly advice?: string | undefined
}

const result =
  (status: CheckStatus) =>
  (check: string, found: string, advice?: string): CheckResult => ({
    check,
    status,
    found,
    ...(advice !== undefined && { advice })
  })

export const ok = result("ok")
export const problem = result("problem")
export const skipped = result("skipped")
const warning = result("warning")

export const isProblem = ({ status }: CheckResult) => status === "problem"

/** Kinds of access keys, by the prefix of their id. */
const accessKeyKinds: ReadonlyArray<readonly [prefix: string, kind: string]> = [
  ["AKIA", "long-lived keys of an IAM user"],
  ["ASIA", "temporary credentials of a role or session"],
  ["sandbox", "the access key of a sandbox"]
]

/** Descriptions of the sources of credentials, by the id of the source in the AWS SDK. */
const sourceDescriptions: { readonly [mark: string]: string } = {
  CREDENTIALS_ENV_VARS: "the environment",
  CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN: "a web identity token that the environment names",
  CREDENTIALS_PROFILE: "a profile of the shared files",
  CREDENTIALS_PROFILE_SOURCE_PROFILE: "a profile with a source profile",
  CREDENTIALS_PROFILE_NAMED_PROVIDER: "a profile with a credential source",
  CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN: "a profile with a web identity token",
  CREDENTIALS_PROFILE_SSO: "a profile with single sign-on",
  CREDENTIALS_PROFILE_SSO_LEGACY: "a profile with single sign-on",
  CREDENTIALS_PROFILE_PROCESS: "a profile with a credential process",
  CREDENTIALS_PROFILE_LOGIN: "a profile with a login session",
  CREDENTIALS_PROCESS: "a credential process",
  CREDENTIALS_SSO: "single sign-on",
  CREDENTIALS_SSO_LEGACY: "single sign-on",
  CREDENTIALS_STS_ASSUME_ROLE: "a role assumed by STS",
  CREDENTIALS_STS_ASSUME_ROLE_WEB_ID: "a role assumed with a web identity",
  CREDENTIALS_HTTP: "the container's credential endpoint",
  CREDENTIALS_IMDS: "the instance metadata service",
  CREDENTIALS_LOGIN: "a login session"
}

/** Reports the kind and the source of credentials. Shows the ends of the access key id, and no secret. */
export const credentialsResult = (
  { accessKeyId, expiration }: Credentials,
  sourceIds: ReadonlyArray<string>,
  now: DateTime.Utc
): CheckResult => {
  const kind =
    accessKeyKinds.find(([prefix]) => accessKeyId.startsWith(prefix))?.[1] ??
    "an access key of unknown kind"
  const known = sourceIds.flatMap((sourceId) => sourceDescriptions[sourceId] ?? [])
  const from = known.length === 0 ? "" : ` from ${known.join(", ")}`
  const until = expiration === undefined ? "" : `, until ${DateTime.formatIso(expiration)}`
  const found = `${maskAccessKeyId(accessKeyId)}: ${kind}${from}${until}`
  return expiration !== undefined && DateTime.lessThanOrEqualTo(expiration, now)
    ? problem("credentials", found, "They have expired: renew the session that they come from.")
    : ok("credentials", found)
}

const maskAccessKeyId = (id: string) => (id.length <= 10 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`)

const regionsUrl =
  "https://docs.aws.amazon.com/marketplace/latest/APIReference/metering-regions.html"

const commercialRegions = [
  "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2",
  "ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ca-central-1 eu-central-1",
  "eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1",
  "me-central-1 me-south-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2"
].flatMap((line) => line.split(" "))

/** Regions that AWS documents, by operation, as known to this version. */
const documentedRegions: { readonly [Name in OperationName]?: ReadonlySet<string> } = {
  BatchMeterUsage: new Set([...commercialRegions, "cn-northwest-1"]),
  // the Regions for EC2: containers have fewer
  MeterUsage: new Set([...commercialRegions, "us-gov-east-1", "us-gov-west-1"])
}

/** Warns of operations that AWS does not document in the Region. */
export const regionResult = (
  region: string,
  operations: ReadonlyArray<OperationName>
): CheckResult => {
  const missing = operations.filter((name) => documentedRegions[name]?.has(region) === false)
  return missing.length === 0
    ? ok("region", region)
    : warning(
        "region",
        `${region}, where this version knows of no ${missing.join(" and no ")}`,
        `AWS may have added it since: see ${regionsUrl}`
      )
}

/** Clock difference from which the service rejects signatures. The client corrects its clock from 4 minutes on. */
const maxClockSkew = Duration.minutes(5)
const warningClockSkew = Duration.minutes(1)

const clockAdvice =
  "Set it by NTP. Usage carries this machine's time: in a wrong hour it is billed in that hour."

/** Clock difference that is ignored, in milliseconds, because the `Date` of a response has whole seconds. */
const clockTolerance = 2_000

/** Reports the clock of this machine. `aheadMillis` is how far it is ahead of the service's clock, in milliseconds. */
export const clockResult = (aheadMillis: number): CheckResult => {
  const skew = Duration.millis(Math.abs(aheadMillis))
  if (Duration.lessThan(skew, clockTolerance)) return ok("clock", "agrees with the service's")
  const rounded = Duration.seconds(Math.round(Duration.toSeconds(skew)))
  const direction = aheadMillis > 0 ? "ahead of" : "behind"
  const found = `${Duration.format(rounded)} ${direction} the service's`
  if (Duration.lessThan(skew, warningClockSkew)) return ok("clock", found)
  return Duration.lessThan(skew, maxClockSkew)
    ? warning("clock", found, clockAdvice)
    : problem("clock", found, clockAdvice)
}

export const proxyResult = ({ http, https }: Proxies): CheckResult => {
  const all = Object.entries({ https, http }).flatMap(([scheme, proxy]) =>
    proxy === undefined ? [] : [`${scheme} by ${formatProxy(proxy)}`]
  )
  return ok(
    "proxy",
    `${all.join(", ")}; except for this machine, the hosts in NO_PROXY, and sources of credentials`
  )
}

/** The result of a call that has no effect. */
interface ProbeResult {
  readonly operation: OperationName
  readonly error: CallError | undefined
}

/**
 * Reports the clock and the permissions, by the responses to calls that have no effect. The service rejects a wrong clock
 * before it checks anything else, and may report it as a wrong key.
 */
export const probeResults = (
  clock: CheckResult,
  probes: ReadonlyArray<ProbeResult>
): ReadonlyArray<CheckResult> => {
  const isRejected = probes.some(({ error }) => error?._tag === "ClockSkewError")
  const checkedClock =
    isRejected && !isProblem(clock)
      ? problem("clock", "rejected by the service", clockAdvice)
      : clock
  return [
    checkedClock,
    ...probes.map(({ error, operation }) =>
      error?._tag === "ClockSkewError" ||
      (isProblem(checkedClock) && error?._tag === "CredentialsRejectedError")
        ? skipped(
            `permission for ${operation}`,
            "the clock may be the only problem: set it, and check again"
          )
        : permissionResult(operation, error)
    )
  ]
}

/** Reports the permission to make real calls, by the response to a call that has no effect. */
export const permissionResult = (
  operation: OperationName,
  error: CallError | undefined
): CheckResult => {
  const check = `permission for ${operation}`
  if (error === undefined) return ok(check, "granted")
  if (expectedErrors.has(error._tag)) {
    return ok(check, `granted (the response was ${error._tag}, as expected)`)
  }
  const advice = permittedErrors[error._tag]
  return advice === undefined
    ? problem(check, error._tag, error.message)
    : warning(check, error._tag, `The call is permitted, but ${advice}`)
}

/** Errors that a permitted call without effect returns. */
const expectedErrors: ReadonlySet<CallError["_tag"]> = new Set([
  "InvalidTokenException",
  "ExpiredTokenException",
  "InvalidUsageDimensionException",
  "TimestampOutOfBoundsException",
  "DuplicateRequestException"
])

/** Errors of a permitted call that real calls may return as well. */
const permittedErrors: { readonly [Tag in CallError["_tag"]]?: string } = {
  InvalidProductCodeException:
    "the product code is not valid here. Give that of your product with --product-code.",
  CustomerNotEntitledException: "this account has no subscription for the product.",
  ThrottlingException: "too many calls are made now. Look for other callers."
}
