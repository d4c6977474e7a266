/** The credentials that every AWS SDK and tool on this machine would find. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Credentials } from "../AwsCredentials.js"
import {
  callProvider,
  credentialsError,
  sanitizeMessage
} from "../internal/credentials/credentialProvider.js"
import { loadPackage } from "../internal/optionalPackage.js"
import type { CredentialsError } from "../MeteringError.js"
import type { DefaultChainOptions } from "./index.js"

const chainName = "the default provider chain"

/** The links of the chain, by what the SDK calls them. The one that is missing is only for code. */
const providerNames: ReadonlyMap<string, string> = new Map([
  ["fromEnv", "environment"],
  ["fromIni", "shared config and credentials files"],
  ["fromProcess", "credential_process"],
  ["fromTokenFile", "web identity token"],
  ["remoteProvider", "container or instance metadata"]
])

/** Metadata services fail without a word to the logger. */
const metadataNotes: ReadonlyMap<string, string> = new Map([
  ["fromInstanceMetadata", "no credentials from the EC2 instance metadata service"],
  ["fromHttp", "no credentials from the container credentials endpoint"]
])

/** Notes of a setting that is looked up, not of a source that failed. */
const lookupPattern = /not set in env, checking config file next/

/** What the SDK logs of errors, also of the attempts that a source makes. Anything else is the next step. */
const errorPattern = /^@smithy\/property-provider /

/**
 * The chain tells its steps to a logger only; the error at its end does not know why each one failed. Each step tells
 * whether it is the request to a container's endpoint.
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
 * The SDK's own limit for a container's endpoint only warns. Its attempts and the pauses between them, each of which
 * takes as long as `timeout`, end by then.
 */
const containerLimit = (
  timeout: Duration.DurationInput = "1 second",
  maxRetries = 3
): Duration.Duration => Duration.times(timeout, 2 * maxRetries + 1)

export const library = loadPackage(
  "@aws-sdk/credential-provider-node",
  () => import("@aws-sdk/credential-provider-node")
)

/**
 * One walk along the chain. It is a new chain each time: this one's memory would only hand out what is about
 * to expire.
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
        // a file that a login tool has rewritten is what a renewal is for
        ignoreCache: true,
        ...(profile === undefined ? {} : { profile }),
        ...(configFile === undefined ? {} : { configFilepath: configFile }),
        ...(credentialsFile === undefined ? {} : { filepath: credentialsFile }),
        ...(region === undefined ? {} : { clientConfig: { region } }),
        ...(mfaCode === undefined ? {} : { mfaCodeProvider: mfaCode }),
        ...(maxRetries === undefined ? {} : { maxRetries }),
        ...(timeout === undefined ? {} : { timeout: Duration.toMillis(timeout) })
      })
      /** What follows the container's answer, such as to assume a role with it, is not the container's silence. */
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
