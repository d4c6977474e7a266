/** What a look at this machine has found: how it is, and what to do. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { Credentials } from "../../AwsCredentials.js"
import type { OperationName } from "../../MeteringError.js"
import { formatProxy, type Proxies } from "./proxies.js"
import * as regions from "./regions.js"
import type { CallError } from "./toCliError.js"

/** A `problem` would stop metering; a `warning` may. What could not be looked at is `skipped`. */
export type CheckStatus = "ok" | "warning" | "problem" | "skipped"

export interface CheckResult {
  readonly check: string
  readonly status: CheckStatus
  readonly found: string
  /** What to do about it. */
  readonly advice?: string | undefined
}

export const skipped = (check: string, found: string): CheckResult => ({
  check,
  status: "skipped",
  found
})

/** What the ids of access keys begin with. */
const accessKeyKinds: ReadonlyArray<readonly [prefix: string, kind: string]> = [
  ["AKIA", "long-lived keys of an IAM user"],
  ["ASIA", "temporary credentials of a role or session"],
  ["sandbox", "the key pair of a sandbox"]
]

/** From the SDK's marks on credentials, to what it is that they mark. */
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

/** Who signs, and where that comes from. Of an access key's id only its ends are shown, of a secret nothing. */
export const credentialsResult = (
  credentials: Credentials,
  sourceIds: ReadonlyArray<string>,
  now: DateTime.Utc
): CheckResult => {
  const { accessKeyId, expiration } = credentials
  const kind =
    accessKeyKinds.find(([prefix]) => accessKeyId.startsWith(prefix))?.[1] ??
    "an access key of unknown kind"
  const known = sourceIds.flatMap((sourceId) => sourceDescriptions[sourceId] ?? [])
  const from = known.length === 0 ? "" : ` from ${known.join(", ")}`
  const until = expiration === undefined ? "" : `, until ${DateTime.formatIso(expiration)}`
  const found = `${maskAccessKeyId(accessKeyId)}: ${kind}${from}${until}`
  return expiration !== undefined && DateTime.lessThanOrEqualTo(expiration, now)
    ? {
        check: "credentials",
        status: "problem",
        found,
        advice: "They have expired: renew the session that they come from."
      }
    : { check: "credentials", status: "ok", found }
}

const maskAccessKeyId = (id: string) => (id.length <= 10 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`)

/** Whether AWS documents the operations in a Region. */
export const regionResult = (
  region: string,
  operations: ReadonlyArray<OperationName>
): CheckResult => {
  const missing = operations.filter((name) => regions.isDocumented(name, region) === false)
  return missing.length === 0
    ? { check: "region", status: "ok", found: region }
    : {
        check: "region",
        status: "warning",
        found: `${region}, where this version knows of no ${missing.join(" and no ")}`,
        advice: `See whether it has come since: ${regions.documentationUrl}`
      }
}

/** So far off, a signature is refused; the client corrects its own clock from 4 minutes on. */
const maxClockSkew = Duration.minutes(5)
const warningClockSkew = Duration.minutes(1)

const clockAdvice =
  "Set it by NTP. Usage carries this machine's time: with a wrong hour it is billed in a wrong hour."

/** This machine's clock, by how far it is ahead of the service's. The `Date` of an answer has whole seconds. */
export const clockResult = (aheadMillis: number): CheckResult => {
  const off = Duration.millis(Math.abs(aheadMillis))
  const found =
    Math.abs(aheadMillis) < 2000
      ? "agrees with the service's"
      : `${Duration.format(Duration.seconds(Math.round(Duration.toSeconds(off))))} ${aheadMillis > 0 ? "ahead of" : "behind"} the service's`
  const advice = clockAdvice
  return Duration.greaterThanOrEqualTo(off, maxClockSkew)
    ? { check: "clock", status: "problem", found, advice }
    : Duration.greaterThanOrEqualTo(off, warningClockSkew)
      ? { check: "clock", status: "warning", found, advice }
      : { check: "clock", status: "ok", found }
}

/** Through whom calls go. */
export const proxyResult = ({ http, https }: Proxies): CheckResult => {
  const all = [
    ...(https === undefined ? [] : [`https by ${formatProxy(https)}`]),
    ...(http === undefined ? [] : [`http by ${formatProxy(http)}`])
  ]
  return {
    check: "proxy",
    status: "ok",
    found: `${all.join(", ")}; but for this machine, the hosts in NO_PROXY, and sources of credentials`
  }
}

/** A harmless call, and what it failed with. */
export interface ProbeResult {
  readonly operation: OperationName
  readonly error: CallError | undefined
}

/**
 * The clock, and what the answers say of permissions. Whoever refuses the clock has looked at nothing else, and to a front
 * door a signature by a wrong clock may be one by a wrong key.
 */
export const probeResults = (
  clock: CheckResult,
  probes: ReadonlyArray<ProbeResult>
): ReadonlyArray<CheckResult> => {
  const isRejected = probes.some(({ error }) => error?._tag === "ClockSkewError")
  const checkedClock: CheckResult =
    isRejected && clock.status !== "problem"
      ? { ...clock, status: "problem", found: "refused by the service", advice: clockAdvice }
      : clock
  const isSkewed = checkedClock.status === "problem"
  return [
    checkedClock,
    ...probes.map(({ error, operation }) =>
      error?._tag === "ClockSkewError" || (isSkewed && error?._tag === "CredentialsRejectedError")
        ? skipped(
            `permission for ${operation}`,
            "the service may refuse the clock only: set it, and ask again"
          )
        : permissionResult(operation, error)
    )
  ]
}

/** What an answer to a harmless call says of the right to make real ones. */
export const permissionResult = (
  operation: OperationName,
  error: CallError | undefined
): CheckResult => {
  const check = `permission for ${operation}`
  if (error === undefined) return { check, status: "ok", found: "granted" }
  const rule = permissionRules[error._tag]
  if (rule === undefined) {
    return { check, status: "problem", found: error._tag, advice: error.message }
  }
  const { advice, status } = rule
  return {
    check,
    status,
    found: status === "ok" ? `granted (the answer was ${error._tag}, as it should be)` : error._tag,
    ...(status === "ok" ? {} : { advice: advice ?? error.message })
  }
}

interface PermissionRule {
  readonly status: CheckStatus
  readonly advice?: string
}

const granted: PermissionRule = { status: "ok" }

/** Refusals that only somebody meets who may call; and those that tell something else. */
const permissionRules: { readonly [Tag in CallError["_tag"]]?: PermissionRule } = {
  InvalidTokenException: granted,
  ExpiredTokenException: granted,
  InvalidUsageDimensionException: granted,
  TimestampOutOfBoundsException: granted,
  DuplicateRequestException: granted,
  InvalidProductCodeException: {
    status: "warning",
    advice:
      "The call is permitted; the product code is not one that may be used here. Give yours by --product-code."
  },
  CustomerNotEntitledException: {
    status: "warning",
    advice: "The call is permitted; this account has no subscription for the product."
  },
  InvalidEndpointRegionException: { status: "problem" },
  ThrottlingException: {
    status: "warning",
    advice: "The call is permitted, but there are too many of them now: look what else calls."
  }
}
