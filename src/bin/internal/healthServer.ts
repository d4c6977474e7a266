/** The health of a ledger on a port, for a probe. */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type LedgerReport, UsageLedger } from "../../ledger/index.js"
import * as nodeServer from "../../sandbox/internal/server/nodeServer.js"
import { formatJson } from "../output/format.js"
import { toListenError } from "./listenErrors.js"

/** Probes within this time share one look at the database. */
const maxAge = "5 seconds"

/** A database that does not answer a probe within this time is a failure. */
const timeout = "10 seconds"

const unavailable = (reason: string): LedgerReport.Health => ({
  state: "stuck",
  reasons: [reason]
})

const app = Effect.map(
  Effect.flatMap(UsageLedger.UsageLedger, ({ health }) =>
    Effect.cachedWithTTL(
      health.pipe(
        Effect.timeoutTo({
          duration: timeout,
          onSuccess: (health) => health,
          onTimeout: () => unavailable("the database does not respond")
        }),
        Effect.catchAll(({ message }) => Effect.succeed(unavailable(message)))
      ),
      maxAge
    )
  ),
  (health) =>
    HttpRouter.empty.pipe(
      HttpRouter.get(
        "/health",
        Effect.map(health, (value) =>
          HttpServerResponse.text(formatJson(value), {
            status: value.state === "stuck" ? 503 : 200,
            contentType: "application/json"
          })
        )
      ),
      Effect.catchTag("RouteNotFound", () => HttpServerResponse.empty({ status: 404 }))
    )
)

/** Responds to GET /health: 200, or 503 when reporting does not go on. Logs the address. */
export const layer = (address: { readonly host: string; readonly port: number }) =>
  Layer.unwrapEffect(Effect.map(app, (app) => HttpServer.serve(app))).pipe(
    Layer.tap(() =>
      HttpServer.addressFormattedWith((url) => Effect.logInfo(`health: ${url}/health`))
    ),
    Layer.provide(nodeServer.layer({ ...address, requestTimeout: "10 seconds" })),
    Layer.mapError(toListenError("The health", address))
  )
