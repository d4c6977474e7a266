/** Reads the proxies from the environment variables that most tools use. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { MeteringConfigError } from "../../MeteringError.js"

interface Proxy {
  /** The environment variable. */
  readonly variable: string
  readonly url: URL
}

export interface Proxies {
  readonly http?: Proxy | undefined
  readonly https?: Proxy | undefined
  /** Hosts that are reached directly, in the format of undici. */
  readonly noProxy: string
}

type Environment = { readonly [name: string]: string | undefined }

/** Lower case takes precedence, as in curl. */
const findVariable = (environment: Environment, name: string) =>
  [name.toLowerCase(), name].flatMap((variable) => {
    const value = environment[variable]?.trim()
    return value ? [{ variable, value }] : []
  })[0]

const parseProxy = (environment: Environment, name: string) => {
  const found = findVariable(environment, name)
  if (found === undefined) return Either.right(undefined)
  const { value, variable } = found
  const text = value.includes("://") ? value : `http://${value}`
  return URL.canParse(text) && /^https?:/i.test(text)
    ? Either.right({ variable, url: new URL(text) })
    : // without the value, which may have a password
      Either.left(`${variable} is not the URL of an http or https proxy`)
}

/** Hosts that are always reached directly, because a sandbox may run on this machine. */
const loopbackHosts = ["localhost", "127.0.0.1", "[::1]"]

/** Returns the proxies of the environment, or `undefined` if every host is reached directly. Fails on an invalid URL. */
export const fromEnvironment = (
  environment: Environment
): Either.Either<Proxies | undefined, string> =>
  Either.gen(function* () {
    const http = yield* parseProxy(environment, "HTTP_PROXY")
    const https = (yield* parseProxy(environment, "HTTPS_PROXY")) ?? http
    const noProxy = findVariable(environment, "NO_PROXY")?.value ?? ""
    if (noProxy === "*" || (http ?? https) === undefined) return undefined
    return { http, https, noProxy: [noProxy, ...loopbackHosts].join(",") }
  })

/** Formats a proxy without its user name and password. */
export const formatProxy = ({ url, variable }: Proxy) => `${url.origin} (${variable})`

/** The HTTP client of all calls of a command. */
export const httpClient: Layer.Layer<HttpClient.HttpClient, MeteringConfigError> =
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const proxies = yield* Either.mapLeft(
        fromEnvironment(process.env),
        (reason) => new MeteringConfigError({ reason }, true)
      )
      if (proxies === undefined) return FetchHttpClient.layer
      // Node's own fetch supports proxies only in newer versions; undici is loaded only for a proxy
      const undici = yield* Effect.promise(() => import("@effect/platform-node/Undici"))
      const dispatcher = yield* Effect.acquireRelease(
        Effect.sync(
          () =>
            new undici.EnvHttpProxyAgent({
              httpProxy: proxies.http?.url.href ?? "",
              httpsProxy: proxies.https?.url.href ?? "",
              noProxy: proxies.noProxy
            })
        ),
        (dispatcher) => Effect.promise(() => dispatcher.destroy())
      )
      // compatible with the global fetch, but with the types of another version of undici
      const fetch = ((url: string, options: object) =>
        undici.fetch(url, { ...options, dispatcher })) as unknown as typeof globalThis.fetch
      return Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fetch))
    })
  )
