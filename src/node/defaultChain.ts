/** The credentials that the AWS SDKs and tools on this machine would find. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { callProvider, sanitizeMessage } from "../internal/credentials/credentialProvider.js"
import { type Credentials, credentialsError } from "../internal/credentials/credentials.js"
import { type LoadError, loadPackage } from "../internal/optionalPackage.js"
import type { CredentialsError } from "../MeteringError.js"
import type { SharedFilesOptions } from "./sharedConfig.js"

/**
 * Options of the default provider chain.
 *
 * @since 0.1.0
 * @category models
 */
export interface DefaultChainOptions extends SharedFilesOptions {
  /** The Region of STS and SSO for credentials of a role. Defaults to the Region that the SDK finds. */
  readonly region?: string | undefined
  /** Returns the code of the MFA device with this serial number. */
  readonly mfaCode?: ((serialNumber: string) => Promise<string>) | undefined
  /**
   * Maximum duration of one request to the metadata of a container or an instance. Defaults to 1 second. The search for
   * credentials of a container takes at most `timeout` times `2 * maxRetries + 1`, pauses included.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Maximum number of retries of such a request. Defaults to 3 for a container, and to the SDK's own default for an
   * instance.
   */
  readonly maxRetries?: number | undefined
}

const chainName = "the default provider chain"

/**
 * Descriptions of the chain's providers, by their names in the log. `fromSSO` is omitted, because it applies only to SSO
 * options in code.
 */
const providerNames: ReadonlyMap<string, string> = new Map([
  ["fromEnv", "environment"],
  ["fromIni", "shared config and credentials files"],
  ["fromProcess", "credential_process"],
  ["fromTokenFile", "web identity token"],
  ["remoteProvider", "container or instance metadata"]
])

/** Notes for the metadata providers, which do not log their errors, by their names in the log. */
const metadataNotes: ReadonlyMap<string, string> = new Map([
  ["fromInstanceMetadata", "no credentials from the EC2 instance metadata service"],
  ["fromHttp", "no credentials from the container credentials endpoint"]
])

/** Matches notes about a setting, rather than about a source that failed. */
const lookupPattern = /not set in env, checking config file next/

/** Matches log entries of errors, including those of single attempts. Any other entry begins the next step of the chain. */
const errorPattern = /^@smithy\/property-provider /

/**
 * Reads from the chain's log which providers were tried and why they failed, because the chain's error does not say so.
 * Calls `onStep` at each step, with true if the step is the request to the container credentials endpoint.
 */
const makeChainLogger = (onStep: (isContainer: boolean) => void) => {
  const tried: Array<string> = []
  const notes: Array<string> = []
  const warnings: Array<string> = []
  let current: string | undefined
  const debug = (entry: unknown) => {
    const text = String(entry)
    if (!errorPattern.test(text)) onStep(text === "@aws-sdk/credential-provider-http - fromHttp")
    const provider = / - defaultProvider::(\w+)/.exec(text)?.[1]
    if (provider !== undefined) {
      current = providerNames.get(provider)
      if (current !== undefined) tried.push(current)
    }
    const note =
      metadataNotes.get(/ - remoteProvider::(\w+)/.exec(text)?.[1] ?? "") ??
      /^@smithy\/property-provider (?:->|\(!\)) (.*)/.exec(text)?.[1]
    if (note !== undefined && current !== undefined && !lookupPattern.test(note)) {
      notes.push(sanitizeMessage(note))
    }
  }
  const warn = (text: unknown) => {
    warnings.push(sanitizeMessage(String(text).replace(/\s+/g, " ")))
  }
  const ignore = () => {}
  const logger = { debug, warn, error: warn, info: ignore, trace: ignore }
  const search = {
    notes,
    get tried() {
      return tried.length === 0 ? [chainName] : tried
    }
  }
  return { search, warnings, logger }
}

/**
 * Maximum duration of the requests to the container credentials endpoint: `maxRetries + 1` attempts and `maxRetries` pauses
 * of `timeout` each. The SDK's own limit only logs a warning.
 */
const containerLimit = (
  timeout: Duration.DurationInput = "1 second",
  maxRetries = 3
): Duration.Duration => Duration.times(timeout, 2 * maxRetries + 1)

// annotated, because an inferred type would name types that only newer versions of the package export
export const library: Effect.Effect<typeof import("@aws-sdk/credential-provider-node"), LoadError> =
  loadPackage(
    "@aws-sdk/credential-provider-node",
    () => import("@aws-sdk/credential-provider-node")
  )

/**
 * Searches the chain for credentials. Makes a new chain each time, because the chain's cache would return credentials that
 * are about to expire.
 */
export const resolve = (
  options: DefaultChainOptions
): Effect.Effect<Credentials, CredentialsError> =>
  library.pipe(
    Effect.mapError(({ reason }) => credentialsError([chainName], reason)),
    Effect.zip(Queue.unbounded<boolean>()),
    Effect.flatMap(([{ defaultProvider }, steps]) => {
      const { configFile, credentialsFile, maxRetries, mfaCode, profile, region, timeout } = options
      const { logger, search, warnings } = makeChainLogger((isContainer) =>
        steps.unsafeOffer(isContainer)
      )
      const limit = containerLimit(timeout, maxRetries)
      const provider = defaultProvider({
        logger,
        // a login tool may have rewritten the files
        ignoreCache: true,
        ...(profile === undefined ? {} : { profile }),
        ...(configFile === undefined ? {} : { configFilepath: configFile }),
        ...(credentialsFile === undefined ? {} : { filepath: credentialsFile }),
        ...(region === undefined ? {} : { clientConfig: { region } }),
        ...(mfaCode === undefined ? {} : { mfaCodeProvider: mfaCode }),
        ...(maxRetries === undefined ? {} : { maxRetries }),
        ...(timeout === undefined ? {} : { timeout: Duration.toMillis(timeout) })
      })
      /** Limits only the step of the container, because a later step, such as assuming a role, may take longer. */
      const containerTimeout = (isContainer: boolean): Effect.Effect<never, CredentialsError> => {
        const next = Queue.take(steps)
        return Effect.flatMap(
          isContainer
            ? Effect.timeoutFail(next, {
                duration: limit,
                onTimeout: () =>
                  credentialsError(
                    [...search.tried],
                    `no response from the container credentials endpoint within ${Duration.format(limit)}`
                  )
              })
            : next,
          containerTimeout
        )
      }
      return Effect.ensuring(
        Effect.raceFirst(callProvider(provider, search), containerTimeout(false)),
        Effect.suspend(() => Effect.forEach(warnings, (text) => Effect.logWarning(text)))
      )
    })
  )
