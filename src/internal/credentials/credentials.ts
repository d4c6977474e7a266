/** AWS credentials of any origin, validated and with their secrets redacted. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { CredentialsError } from "../../MeteringError.js"

/**
 * One set of credentials: `accessKeyId` and `secretAccessKey`, the `sessionToken` of temporary credentials, and the
 * `expiration` if it is known.
 *
 * @since 0.1.0
 * @category models
 */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
  readonly expiration?: DateTime.Utc | undefined
}

/** Compares the values that requests are signed with. The expiration may differ. */
export const isSameCredentials = (a: Credentials, b: Credentials) =>
  a.accessKeyId === b.accessKeyId &&
  Equal.equals(a.secretAccessKey, b.secretAccessKey) &&
  Equal.equals(a.sessionToken, b.sessionToken)

/** Returns the keys of credentials in plain text. */
export const unredact = ({ accessKeyId, secretAccessKey, sessionToken }: Credentials) => ({
  accessKeyId,
  secretAccessKey: Redacted.value(secretAccessKey),
  ...(sessionToken !== undefined && { sessionToken: Redacted.value(sessionToken) })
})

export const credentialsError = (tried: ReadonlyArray<string>, reason: string) =>
  new CredentialsError({ tried, reason }, true)

/** Matches text that a header can carry. A copied key may end in a line break. */
const printable = /^[ -~]+$/

/** Parses an expiration. Rejects a number, because it could be seconds or milliseconds. */
const parseExpiration = (value: unknown) =>
  typeof value === "string" || value instanceof Date || DateTime.isDateTime(value)
    ? DateTime.make(value)
    : Option.none()

/** Validates credentials of any origin and redacts their secrets. Errors name the field, never its value. */
export const toCredentials = (
  identity: unknown,
  tried: ReadonlyArray<string>
): Either.Either<Credentials, CredentialsError> => {
  // the value may be of any type; each field is validated by itself
  const fields = (identity ?? "") as Record<string, unknown>
  const issues =
    typeof identity === "object" && identity !== null ? [] : ["the credentials are not an object"]

  const textOf = (name: string, isRequired: boolean): string => {
    const raw = fields[name]
    const value: unknown = (Redacted.isRedacted(raw) ? Redacted.value(raw) : raw) ?? ""
    if (typeof value === "string" && printable.test(value)) return value
    if (value !== "") {
      issues.push(
        typeof value === "string"
          ? `${name} holds a line break or another character that no header can carry`
          : `${name} is not a text`
      )
    } else if (isRequired) issues.push(`${name} is missing`)
    return ""
  }

  const accessKeyId = textOf("accessKeyId", true)
  const secretAccessKey = textOf("secretAccessKey", true)
  const sessionToken = textOf("sessionToken", false)
  const { expiration } = fields
  const time = parseExpiration(expiration)
  if (expiration !== undefined && expiration !== null && Option.isNone(time)) {
    issues.push("expiration is not a time")
  }
  const [issue] = issues
  return issue === undefined
    ? Either.right({
        accessKeyId,
        secretAccessKey: Redacted.make(secretAccessKey),
        ...(sessionToken !== "" && { sessionToken: Redacted.make(sessionToken) }),
        ...(Option.isSome(time) && { expiration: DateTime.toUtc(time.value) })
      })
    : Either.left(credentialsError(tried, issue))
}

const validated = new WeakSet<Credentials>()

/** Validates credentials from a custom `AwsCredentials` service. Does not validate the same object twice. */
export const validateCredentials = (
  credentials: Credentials
): Effect.Effect<Credentials, CredentialsError> => {
  if (validated.has(credentials)) return Effect.succeed(credentials)
  return Either.map(toCredentials(credentials, ["the AwsCredentials service"]), (copy) => {
    const result = isSameCredentials(copy, credentials) ? credentials : copy
    validated.add(result)
    return result
  })
}
