/** An HTTP server on a free port of loopback, closed with its scope. */
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Returns the server's URL. `prepare` receives the server before it listens. */
export const serve = (
  handler: (request: Http.IncomingMessage, response: Http.ServerResponse, body: string) => void,
  prepare: (server: Http.Server) => void = () => {}
): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const server = Http.createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk) => chunks.push(chunk))
        request.on("end", () => handler(request, response, Buffer.concat(chunks).toString()))
      })
      prepare(server)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}`))

/** The URL of a closed port. */
export const closedEndpoint: Effect.Effect<string> = Effect.scoped(serve(() => {}))
