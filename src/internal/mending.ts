/** What may be mended on behalf of one call, and what has to be known for it. */
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import type * as AwsCredentials from "../AwsCredentials.js"
import * as MeteringError from "../MeteringError.js"
import { of } from "./shape.js"

/** A clock that is off by so much is corrected; the service itself refuses from five minutes on. */
export const skewToCorrect = 4 * 60 * 1000

/** The service takes less than a megabyte; where exactly it stops is not documented. */
export const requestSizeLimit = 1_000_000

/** What has already been mended on behalf of one call. */
export interface Mended {
  readonly clock: boolean
  readonly credentials: boolean
}

/** A wrong clock makes a signature stale, and some front doors only say that it is wrong. */
export const mayBeClock = (error: { readonly _tag: string; readonly code?: string }) =>
  error._tag === "ClockSkewError" ||
  (error._tag === "CredentialsRejectedError" &&
    (error.code === "InvalidSignatureException" ||
      error.code === "SignatureDoesNotMatch" ||
      error.code === "AuthFailure"))

/** Reads the secrets of a request, for no other end than to keep them out of sight. */
export const secretsOf = (schema: Schema.Schema.All) => {
  const fields = of(schema).fields.filter(({ shape }) => shape.kind === "secret")
  return (request: object): ReadonlyArray<string> =>
    fields.flatMap(({ name }) => {
      const secret = (request as Record<string, unknown>)[name]
      return Redacted.isRedacted(secret) ? [String(Redacted.value(secret))] : []
    })
}

export const isSame = (a: AwsCredentials.Credentials, b: AwsCredentials.Credentials) =>
  a.accessKeyId === b.accessKeyId &&
  Redacted.value(a.secretAccessKey) === Redacted.value(b.secretAccessKey) &&
  (a.sessionToken && Redacted.value(a.sessionToken)) ===
    (b.sessionToken && Redacted.value(b.sessionToken))

export const forOperation =
  (operation: MeteringError.OperationName) => (error: MeteringError.CredentialsError) =>
    new MeteringError.CredentialsError(
      { operation, tried: error.tried, reason: error.reason },
      true
    )

export const tooLarge = (operation: MeteringError.OperationName, bytes: number) =>
  new MeteringError.InvalidInputError(
    {
      operation,
      violations: [
        {
          field: "request",
          rule: "requestSize",
          expected: `less than ${requestSizeLimit} bytes`,
          value: bytes
        }
      ]
    },
    true
  )
