/** The credentials that every AWS SDK and tool on this machine would find. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Credentials } from "../AwsCredentials.js"
import { ask, conceal, credentialsError } from "../internal/identity.js"
import { load } from "../internal/load.js"
import type { CredentialsError } from "../MeteringError.js"
import type { DefaultChainOptions } from "./index.js"

const chain = "the default provider chain"

/** The links of the chain, by what the SDK calls them. The one that is missing is only for code. */
const links: ReadonlyMap<string, string> = new Map([
  ["fromEnv", "environment"],
  ["fromIni", "shared config and credentials files"],
  ["fromProcess", "credential_process"],
  ["fromTokenFile", "web identity token"],
  ["remoteProvider", "container or instance metadata"]
])

/** The chain tells its steps to a logger only; the error at its end does not know why each one failed. */
const listen = () => {
  const tried: Array<string> = []
  const notes: Array<string> = []
  const warnings: Array<string> = []
  let current: string | undefined
  const debug = (text: unknown) => {
    const link = / - defaultProvider::(\w+)/.exec(String(text))?.[1]
    if (link !== undefined) {
      current = links.get(link)
      if (current !== undefined) tried.push(current)
    }
    const note = /^@smithy\/property-provider (?:->|\(!\)) (.*)/.exec(String(text))?.[1]
    if (note !== undefined && current !== undefined) notes.push(conceal(note))
  }
  const warn = (text: unknown) => {
    warnings.push(conceal(String(text).replace(/\s+/g, " ")))
  }
  const ignore = () => {}
  const logger = { debug, warn, error: warn, info: ignore, trace: ignore }
  const search = {
    notes,
    get tried() {
      return tried.length === 0 ? [chain] : tried
    }
  }
  return { search, warnings, logger }
}

export const library = load(
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
    Effect.mapError(({ reason }) => credentialsError([chain], reason)),
    Effect.flatMap(({ defaultProvider }) => {
      const { logger, search, warnings } = listen()
      const { configFile, credentialsFile, maxRetries, mfaCode, profile, region, timeout } = options
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
      return Effect.ensuring(
        ask(provider, search),
        Effect.suspend(() => Effect.forEach(warnings, (text) => Effect.logWarning(text)))
      )
    })
  )
