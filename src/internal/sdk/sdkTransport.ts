/** Transports over clients of the SDK: one that creates its clients, and one that uses a client of the application. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Service as AwsCredentials, Credentials } from "../../AwsCredentials.js"
import type { Service as Config } from "../../MeteringConfig.js"
import { MeteringConfigError } from "../../MeteringError.js"
import type { Attempt, Transport } from "../../Transport.js"
import { describeError } from "../credentials/credentialProvider.js"
import { isSameCredentials, unredact } from "../credentials/credentials.js"
import { type MakeCommand, refreshCredentials, type SdkClient, sendAttempt } from "./sdkCall.js"

/** Options of an SDK client. `requestHandler` and `systemClockOffset` are those of the previous client. */
export interface SdkClientOptions {
  readonly region: string
  readonly endpoint: string
  readonly useFipsEndpoint: false
  readonly useDualstackEndpoint: false
  readonly maxAttempts: 1
  readonly retryMode: "standard"
  readonly credentials: ReturnType<typeof unredact>
  // the type of the handler differs between clients
  readonly requestHandler?: never
  readonly systemClockOffset?: number
}

/**
 * Makes a transport that creates a new client when the credentials change. The clients share connections and the corrected
 * clock.
 */
export const makeTransport = (
  { endpoint, region, requestTimeout }: Config,
  credentials: AwsCredentials,
  makeClient: (options: SdkClientOptions) => SdkClient,
  makeCommand: MakeCommand
): Effect.Effect<Transport, never, Scope.Scope> => {
  let client: SdkClient | undefined
  let last: Credentials | undefined
  const clientFor = (attempt: Attempt) => {
    const credentials = attempt.credentials as Credentials
    if (client && last && isSameCredentials(last, credentials)) return client
    last = credentials
    client = makeClient({
      region,
      endpoint,
      useFipsEndpoint: false,
      useDualstackEndpoint: false,
      maxAttempts: 1,
      retryMode: "standard",
      credentials: unredact(credentials),
      ...(client && {
        requestHandler: client.config.requestHandler as never,
        systemClockOffset: client.config.systemClockOffset
      })
    })
    return client
  }
  const destroy = () => Effect.sync(() => client?.destroy())
  return Effect.as(Effect.addFinalizer(destroy), {
    credentials,
    endpoint,
    region,
    send: (attempt) =>
      sendAttempt(clientFor(attempt), makeCommand, requestTimeout, attempt, endpoint)
  })
}

/** Makes a transport over a client of the application. Does not destroy the client. */
export const transportFrom = (
  client: SdkClient,
  makeCommand: MakeCommand,
  requestTimeout: Duration.DurationInput = Duration.infinity
): Effect.Effect<Transport, MeteringConfigError> => {
  const limit = Duration.decode(requestTimeout)
  return Effect.map(regionOf(client), (region) => ({
    region,
    send: (attempt) => sendAttempt(client, makeCommand, limit, attempt),
    refresh: (response) => refreshCredentials(client, response)
  }))
}

const regionOf = (client: SdkClient): Effect.Effect<string, MeteringConfigError> =>
  Effect.tryPromise({
    try: () => client.config.region(),
    catch: (error) => {
      const reason = `The SDK client has no usable region: ${describeError(error)}`
      return new MeteringConfigError({ reason }, true)
    }
  })
