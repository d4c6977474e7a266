/** Connections that fail before anything is sent, and those that fail after: real ones, over every client. */
import * as Http from "node:http"
import * as Https from "node:https"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import { FetchHttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { NodeHttpHandler } from "@smithy/node-http-handler"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import type { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { Agent, ProxyAgent } from "undici"
import * as certificates from "./support/certificates.js"
import { clientLayer, secrets } from "./support/client.js"
import { operations } from "./support/operations.js"

type At = (endpoint: string, ca?: string) => Layer.Layer<MeteringClient>

const overUndici: At = (endpoint, ca) =>
  clientLayer(
    NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
      Layer.provide(
        Layer.scoped(
          NodeHttpClient.Dispatcher,
          Effect.acquireRelease(
            Effect.sync(() => new Agent(ca === undefined ? {} : { connect: { ca } })),
            (agent) => Effect.promise(() => agent.destroy())
          )
        )
      )
    ),
    { config: { endpoint } }
  )

const overNode: At = (endpoint, ca) =>
  clientLayer(
    NodeHttpClient.layerWithoutAgent.pipe(
      Layer.provide(NodeHttpClient.makeAgentLayer(ca === undefined ? {} : { ca }))
    ),
    { config: { endpoint } }
  )

const overFetch: At = (endpoint) => clientLayer(FetchHttpClient.layer, { config: { endpoint } })

const overSdk: At = (endpoint, ca) =>
  Layer.unwrapScoped(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(
          () =>
            new MarketplaceMeteringClient({
              region: "us-east-1",
              endpoint,
              credentials: { accessKeyId: "AKIDEXAMPLE", ...secrets },
              requestHandler: new NodeHttpHandler({
                httpsAgent: new Https.Agent(ca === undefined ? {} : { ca })
              })
            })
        ),
        (client) => Effect.sync(() => client.destroy())
      ),
      (client) => AwsSdkClient.layerFrom(client)
    )
  ).pipe(Layer.orDie)

const trusting = [
  { client: "undici", at: overUndici },
  { client: "node:http", at: overNode },
  { client: "the SDK", at: overSdk }
]

const clients = [...trusting, { client: "fetch", at: overFetch }]

/** Listens on a free port of loopback for as long as the scope lasts. */
const listening = <Server extends Net.Server>(make: () => Server, scheme = "https") =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: Server; readonly sockets: Set<Net.Socket> }>((resume) => {
      const sockets = new Set<Net.Socket>()
      const server = make()
      server.on("connection", (socket: Net.Socket) => {
        sockets.add(socket)
        socket.on("error", () => {})
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets })))
    }),
    ({ server, sockets }) =>
      Effect.async<void>((resume) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resume(Effect.void))
      })
  ).pipe(
    Effect.map(
      ({ server }) => `${scheme}://127.0.0.1:${(server.address() as Net.AddressInfo).port}`
    )
  )

/** A server over TLS that notes whatever it is sent. */
const secure = (options: Tls.TlsOptions, onData?: (socket: Tls.TLSSocket) => void) => {
  const seen: Array<string> = []
  const server = () => {
    const server = Tls.createServer({ key: certificates.key, ...options }, (socket) => {
      socket.on("error", () => {})
      socket.on("data", (data) => {
        seen.push(String(data))
        onData?.(socket)
      })
    })
    return server.on("tlsClientError", () => {})
  }
  return Effect.map(listening(server), (endpoint) => ({ endpoint, seen }))
}

/** A server that answers a client's hello with these bytes, and hangs up. */
const answering = (bytes: Uint8Array | string) =>
  Effect.map(
    listening(() => Net.createServer((socket) => socket.once("data", () => socket.end(bytes)))),
    (endpoint) => ({ endpoint, seen: [] as Array<string> })
  )

const fatalAlert = (code: number) => Uint8Array.of(21, 3, 3, 0, 2, 2, code)

const { call } = operations.MeterUsage

const errorOf = (at: At, endpoint: string, ca?: string) =>
  Effect.map(Effect.flip(Effect.provide(call(), at(endpoint, ca))), (error) => ({
    ...error,
    isRetryable: error.isRetryable,
    message: error.message
  }))

const versions = ["TLSv1.2", "TLSv1.3"] as const

describe.each(clients)("over $client", ({ at }) => {
  const chain = `${certificates.leaf}\n${certificates.intermediate}`

  it.scopedLive.each<readonly [string, string, string]>([
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", chain, ""],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", certificates.leaf, ""],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", certificates.selfSigned, ""]
  ])("a certificate that is not trusted is final, and nothing was sent: %s", ([reason, cert]) =>
    Effect.gen(function* () {
      for (const version of versions) {
        const { endpoint, seen } = yield* secure({ cert, minVersion: version, maxVersion: version })
        const error = yield* errorOf(at, endpoint)
        assert.deepInclude(error, {
          _tag: "ConnectionError",
          reason,
          delivery: "notSent",
          isRetryable: false
        })
        assert.deepStrictEqual(seen, [])
      }
    })
  )

  it.scopedLive.each<
    readonly [string, () => Effect.Effect<{ readonly endpoint: string }, never, Scope.Scope>]
  >([
    ["by plain HTTP", () => answering("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")],
    ["by an alert about the protocol's version", () => answering(fatalAlert(70))],
    ["by an alert that the handshake failed", () => answering(fatalAlert(40))],
    ["by an alert of an internal error", () => answering(fatalAlert(80))],
    ["by hanging up", () => answering("")],
    [
      "by a version that is too old",
      () =>
        secure({
          cert: certificates.direct,
          minVersion: "TLSv1.1",
          maxVersion: "TLSv1.1",
          ciphers: "DEFAULT@SECLEVEL=0"
        })
    ],
    [
      "by ciphers that the client does not have",
      () => secure({ cert: certificates.direct, maxVersion: "TLSv1.2", ciphers: "AES256-SHA256" })
    ]
  ])("a handshake that is answered %s has sent nothing", ([, start]) =>
    Effect.gen(function* () {
      const { endpoint } = yield* start()
      const error = yield* errorOf(at, endpoint)
      assert.deepInclude(error, {
        _tag: "ConnectionError",
        delivery: "notSent",
        isRetryable: true
      })
    })
  )
})

describe.each(trusting)("over $client, which trusts the server's authority", ({ at }) => {
  it.scopedLive.each<readonly [string, string]>([
    ["CERT_HAS_EXPIRED", certificates.expired],
    ["CERT_NOT_YET_VALID", certificates.future]
  ])("a certificate out of its time is final, and nothing was sent: %s", ([reason, cert]) =>
    Effect.gen(function* () {
      const { endpoint, seen } = yield* secure({ cert })
      const error = yield* errorOf(at, endpoint, certificates.root)
      assert.deepInclude(error, { reason, delivery: "notSent", isRetryable: false })
      assert.deepStrictEqual(seen, [])
    })
  )

  it.scopedLive.each<readonly [(typeof versions)[number], "notSent" | "unknown"]>([
    ["TLSv1.2", "notSent"],
    // the client has done its part of the handshake before the server sees that there is no certificate
    ["TLSv1.3", "unknown"]
  ])(
    "without the certificate that the server wants of a client, by %s: %s",
    ([version, delivery]) =>
      Effect.gen(function* () {
        const { endpoint } = yield* secure({
          cert: certificates.direct,
          ca: certificates.root,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: version,
          maxVersion: version
        })
        const error = yield* errorOf(at, endpoint, certificates.root)
        assert.deepInclude(error, { _tag: "ConnectionError", delivery, isRetryable: true })
      })
  )

  it.scopedLive.each(versions)(
    "what breaks %s after the request leaves open what became of it",
    (version) =>
      Effect.gen(function* () {
        // writes in the clear, below the TLS that it speaks
        const server = () => {
          const carriers = new Map<number, Net.Socket>()
          const inner = Tls.createServer(
            {
              key: certificates.key,
              cert: certificates.direct,
              minVersion: version,
              maxVersion: version
            },
            (socket) => {
              socket.on("error", () => {})
              socket.once("data", () =>
                carriers.get(socket.remotePort ?? 0)?.end("HTTP/1.0 408 Request Time-out\r\n\r\n")
              )
            }
          ).on("tlsClientError", () => {})
          const outer = Net.createServer((socket) => {
            const link = Net.connect((inner.address() as Net.AddressInfo).port, "127.0.0.1", () => {
              carriers.set(link.localPort ?? 0, socket)
              socket.pipe(link).pipe(socket, { end: false })
            })
            link.on("error", () => {})
            socket.on("close", () => link.destroy())
          })
          inner.listen(0, "127.0.0.1")
          return outer.on("close", () => inner.close())
        }
        const endpoint = yield* listening(server)
        const error = yield* errorOf(at, endpoint, certificates.root)
        assert.deepInclude(error, {
          _tag: "ConnectionError",
          delivery: "unknown",
          isRetryable: true
        })
      })
  )
})

describe("through undici's proxy", () => {
  it.scopedLive.each<readonly [number, boolean]>([
    [403, false],
    [407, false],
    [429, true],
    [502, true],
    [503, true]
  ])(
    "a proxy that rejects with %s has sent nothing, and the error has its status",
    ([status, isRetryable]) =>
      Effect.gen(function* () {
        const proxy = yield* listening(
          () =>
            Http.createServer().on("connect", (_, socket: Net.Socket) =>
              socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
            ),
          "http"
        )
        const dispatcher = yield* Effect.acquireRelease(
          Effect.sync(() => new ProxyAgent(proxy)),
          (agent) => Effect.promise(() => agent.destroy())
        )
        const http = NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
          Layer.provide(Layer.succeed(NodeHttpClient.Dispatcher, dispatcher))
        )
        const error = yield* errorOf(
          (endpoint) => clientLayer(http, { config: { endpoint } }),
          "https://127.0.0.1:1"
        )
        assert.deepInclude(error, { _tag: "ConnectionError", delivery: "notSent", isRetryable })
        assert.include(error.message, String(status))
      })
  )
})
