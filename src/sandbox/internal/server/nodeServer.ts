/** The HTTP server of Node.js. Responds to malformed requests with AWS JSON errors. */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import { loadPackage } from "../../../internal/optionalPackage.js"
import { contentType } from "../../../internal/protocol/awsJson.js"
import { commonErrorResponse } from "../model/serviceResponse.js"
import { sandboxHeaders } from "./httpResponse.js"

const library = loadPackage(
  "@effect/platform-node",
  () => import("@effect/platform-node/NodeHttpServer")
)

export interface Options {
  readonly port: number
  readonly host: string
  readonly requestTimeout: Duration.DurationInput
}

/** Listens until the scope closes, and then closes all connections. */
export const layer = ({ host, port, requestTimeout }: Options) =>
  Layer.scoped(
    HttpServer.HttpServer,
    Effect.gen(function* () {
      const NodeHttpServer = yield* Effect.mapError(
        library,
        ({ reason }) =>
          new HttpServerError.ServeError({
            cause: new Error(`The sandbox's server cannot be started: ${reason}`)
          })
      )
      const http = yield* Effect.promise(() => import("node:http"))
      const timeoutMillis = Duration.toMillis(requestTimeout)
      const server = http.createServer({
        requestTimeout: timeoutMillis,
        headersTimeout: timeoutMillis,
        connectionsCheckingInterval: Math.max(1, Math.min(timeoutMillis / 4, 5000)),
        // Node.js would reject a request without a Host header with a response that is not AWS JSON
        requireHostHeader: false
      })
      server.on("clientError", rejectConnection)
      server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) =>
        server.emit("request", request, response)
      )
      const served = yield* NodeHttpServer.make(() => server, { port, host, backlog: 1024 })
      yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
      // without a listener, Node.js ignores an upgrade to HTTP/2 and responds by HTTP/1.1
      const serve = (app: HttpApp.Default<unknown>) =>
        Effect.tap(served.serve(app), () => server.removeAllListeners("upgrade"))
      return HttpServer.make({ address: served.address, serve })
    })
  )

/** Responds to a request that is malformed or has timed out, unless a response was already begun, and closes the connection. */
const rejectConnection = (error: Error, socket: Duplex) => {
  const hasNoResponse = hasProperty(socket, "bytesWritten") && socket.bytesWritten === 0
  if (socket.writable && hasNoResponse) socket.write(rejectionOf(error))
  socket.destroy()
}

const rejectionOf = (error: Error): string => {
  const code = hasProperty(error, "code") ? String(error.code) : ""
  const { body, status } = rejections.get(code) ?? malformed
  const headers = {
    ...sandboxHeaders,
    connection: "close",
    "content-type": contentType,
    "content-length": String(body.length)
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} \r\n${lines.join("")}\r\n${body}`
}

const malformed = commonErrorResponse({
  code: "SerializationException",
  message: "This is not HTTP/1.1."
})

const headersTooLong = commonErrorResponse(
  { code: "RequestEntityTooLargeException", message: "The headers are too long." },
  431
)

const requestTimedOut = commonErrorResponse(
  { code: "RequestTimeoutException", message: "The request did not arrive in time." },
  408
)

const rejections = new Map([
  ["HPE_HEADER_OVERFLOW", headersTooLong],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", headersTooLong],
  ["ERR_HTTP_REQUEST_TIMEOUT", requestTimedOut]
])
