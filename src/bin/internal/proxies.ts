/** The proxy that the environment names, by the variables that most tools know. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { MeteringConfigError } from "../../MeteringError.js"

export interface Proxy {
  /** The variable that names it. */
  readonly variable: string
  readonly url: URL
}

export interface Proxies {
  readonly http?: Proxy | undefined
  readonly https?: Proxy | undefined
  /** Hosts that are reached without, as undici reads such a list. */
  readonly noProxy: string
}

type Environment = { readonly [name: string]: string | undefined }

/** Lower case goes first, as with curl. */
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
    : // it may hold a password
      Either.left(`${variable} is not the URL of an http or https proxy`)
}

/** A sandbox on this machine is not reached through a proxy. */
const loopbackHosts = ["localhost", "127.0.0.1", "[::1]"]

/** The proxies of the environment, or its fault; nothing where every host is reached without a proxy. */
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

/** A proxy without the name and the password in its URL. */
export const formatProxy = ({ url, variable }: Proxy) => `${url.origin} (${variable})`

/** The HTTP client of every call of a command. */
export const httpClient: Layer.Layer<HttpClient.HttpClient, MeteringConfigError> =
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const proxies = yield* Either.mapLeft(
        fromEnvironment(process.env),
        (reason) => new MeteringConfigError({ reason }, true)
      )
      if (proxies === undefined) return FetchHttpClient.layer
      // Node's own fetch takes no proxy in all versions; this one is only loaded where there is one
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
      // the same function in another version, by whose types it differs
      const fetch = ((url: string, options: object) =>
        undici.fetch(url, { ...options, dispatcher })) as unknown as typeof globalThis.fetch
      return Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fetch))
    })
  )
