/** Node's HTTP server, made to bear whatever is sent to it. */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import { contentType } from "../../internal/awsJson.js"
import { refuse } from "../../internal/awsJsonServer.js"
import { load } from "../../internal/load.js"
import { mark } from "./answer.js"

const library = load("@effect/platform-node", () => import("@effect/platform-node/NodeHttpServer"))

export interface Options {
  readonly port: number
  readonly host: string
  readonly requestTimeout: Duration.DurationInput
}

/** Listens until the scope is closed, and then ends every connection. */
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
      const patience = Duration.toMillis(requestTimeout)
      const server = http.createServer({
        requestTimeout: patience,
        headersTimeout: patience,
        connectionsCheckingInterval: Math.max(1, Math.min(patience / 4, 5000)),
        // Node would answer in its own words
        requireHostHeader: false
      })
      server.on("clientError", turnAway)
      server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) =>
        server.emit("request", request, response)
      )
      const served = yield* NodeHttpServer.make(() => server, { port, host, backlog: 1024 })
      yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
      // Clients that offer HTTP/2 with their first request are answered by HTTP/1.1 where nobody accepts.
      const serve = (app: HttpApp.Default<unknown>) =>
        Effect.tap(served.serve(app), () => server.removeAllListeners("upgrade"))
      return HttpServer.make({ address: served.address, serve })
    })
  )

/** Answers what is not HTTP, or takes too long to be, unless an answer may be under way. */
const turnAway = (error: Error, socket: Duplex) => {
  const untouched = hasProperty(socket, "bytesWritten") && socket.bytesWritten === 0
  if (socket.writable && untouched) socket.write(refusalOf(error))
  socket.destroy()
}

const refusalOf = (error: Error): string => {
  const code = hasProperty(error, "code") ? String(error.code) : ""
  const { body, status } = refusals.get(code) ?? malformed
  const headers = {
    ...mark,
    connection: "close",
    "content-type": contentType,
    "content-length": String(body.length)
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} \r\n${lines.join("")}\r\n${body}`
}

const malformed = refuse({ code: "SerializationException", message: "This is not HTTP/1.1." })

const tooLong = refuse(
  { code: "RequestEntityTooLargeException", message: "The headers are too long." },
  431
)

const late = refuse(
  { code: "RequestTimeoutException", message: "The request did not arrive in time." },
  408
)

const refusals = new Map([
  ["HPE_HEADER_OVERFLOW", tooLong],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", tooLong],
  ["ERR_HTTP_REQUEST_TIMEOUT", late]
])
