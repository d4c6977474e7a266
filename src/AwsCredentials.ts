/**
 * The AWS credentials that requests are signed with.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { CredentialsError } from "./MeteringError.js"

/**
 * One set of credentials.
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

/**
 * Where credentials come from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The credentials to sign with now. */
  readonly get: Effect.Effect<Credentials, CredentialsError>
  /** Other credentials in place of some that the service has just called expired. */
  readonly refresh: (expired: Credentials) => Effect.Effect<Credentials, CredentialsError>
}

/**
 * The AWS credentials that requests are signed with.
 *
 * @since 0.1.0
 * @category tags
 */
export class AwsCredentials extends Context.Tag("effect-marketplace-metering/AwsCredentials")<
  AwsCredentials,
  Service
>() {}
